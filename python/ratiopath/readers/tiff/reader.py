"""TIFF, BigTIFF, OME-TIFF, COG and Aperio SVS, read with tifffile and imagecodecs.

An image that is stored rotated or mirrored, as tag Orientation says, is put upright. Samples come
out as the file stores them, with these exceptions: JPEG's YCbCr becomes RGB; an alpha channel is
dropped, after the samples of fully transparent pixels were set to 0, or to the background asked for
(with any other alpha the stored colour stays); 1-bit samples are bool. A palette's indices are the
values, "minimum is white" is not inverted, and CMYK, Lab or YCbCr in other codecs than JPEG stay
what they are.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import tifffile

from ratiopath.errors import OverlayError, OverlayFormatError
from ratiopath.readers.alpha import without_alpha
from ratiopath.readers.base import (
    SAMPLE_TYPES,
    Reader,
    RefusedError,
    cannot_read,
    closed_on_error,
    segment_name,
)
from ratiopath.readers.tiff.level import TiffLevel
from ratiopath.readers.tiff.metadata import GDAL_NODATA, fill_value, resolution_metadata
from ratiopath.readers.tiff.orientation import oriented_levels, oriented_resolution
from ratiopath.readers.tiff.pyramid import pyramid_pages
from ratiopath.resources import LARGEST_SEGMENT
from ratiopath.storage.files import RandomAccessFile, random_access

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import IO

    from numpy.typing import NDArray

    from ratiopath.readers.tiff.pyramid import Page

_ORIENTATION = 274
_READ_TAGS = (282, 283, 296, GDAL_NODATA, _ORIENTATION)
# Associated and unassociated alpha; other extra samples are channels.
_ALPHA = (1, 2)
# None, CCITT's three, LZW, JPEG, deflate's two numbers, PackBits, JPEG 2000's three, LERC, LZMA,
# zstd's two, WebP, JPEG XL's two, lossy JPEG of DNG, PNG. Others lack a codec, or tests.
_COMPRESSIONS = frozenset(
    {1, 2, 3, 4, 5, 7, 8, 32946, 32773, 33004, 33005, 34712, 34887, 34925}
    | {34926, 50000, 50001, 50002, 52546, 34892, 34933}
)
_VENDOR_LAYOUTS = {
    "is_ndpi": "Hamamatsu NDPI",
    "is_scn": "Leica SCN",
    "is_bif": "Ventana BIF",
    "is_philips": "Philips TIFF",
}
# YCbCr in JPEG 2000 without a word of it in the stream; OpenSlide turns it into RGB.
_APERIO_YCBCR = 33003
_TRESTLE = "MedScan"
# A packet of XML that marks Ventana's files, with this word at its beginning.
_XML_PACKET = 700
_VENTANA = "<iScan"
_LARGEST_PACKET = 1024**2
# More than any slide's levels and associated images.
_MOST_PAGES = 256


class VendorLayoutError(OverlayFormatError):
    """A TIFF whose geometry is a vendor's own, which only OpenSlide knows."""


class TiffReader(Reader):
    """A TIFF opened for reading.

    Of several OME images the first is read, of focal planes and times the first.

    Args:
        file: The file's path, or the file, which the reader then closes.
        transparent: The sample value of fully transparent pixels.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: It is no TIFF, is corrupt, or uses what is not supported.
    """

    def __init__(
        self, file: RandomAccessFile | str | os.PathLike[str], transparent: float = 0
    ) -> None:
        file = random_access(file)
        self.path = file.path
        self._file = file
        self.reads_ahead = file.is_remote
        self.identity = (*self._file.identity, transparent)
        self._transparent = transparent
        with closed_on_error(self, "the TIFF"):
            self._open(tifffile.TiffFile(cast("IO[bytes]", self._file.stream)))

    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any] | None:
        """Decode one tile or band of rows; see `Reader.read_segment`.

        Raises:
            OverlayFormatError: The segment is corrupt, truncated, too large or in an unsupported
                encoding.
        """
        return self._read(level, row, column, None)

    def read_segment_into(
        self, slot: NDArray[np.uint8], level: int, row: int, column: int
    ) -> NDArray[Any] | None:
        """Decode one tile or band of rows, where possible into the slot; see `Reader`.

        Raises:
            OverlayFormatError: As for `read_segment`.
        """
        return self._read(level, row, column, slot)

    def decode_segment(
        self, stored: bytes, slot: NDArray[np.uint8] | None, level: int, row: int, column: int
    ) -> NDArray[Any] | None:
        """Decode a tile from its stored bytes; see `Reader.decode_segment`.

        Raises:
            OverlayFormatError: As for `read_segment`.
        """
        return self._read(level, row, column, slot, stored)

    def _read(
        self,
        level: int,
        row: int,
        column: int,
        slot: NDArray[np.uint8] | None,
        stored: bytes | None = None,
    ) -> NDArray[Any] | None:
        try:
            pixels = self._levels[level].read(row, column, slot, stored)
        except OverlayError:
            # A remote file that fails is not corrupt.
            raise
        except Exception as error:
            raise cannot_read(segment_name(level, row, column), error, self.path) from error
        if pixels is not None and self._alpha is not None:
            pixels = without_alpha(pixels, self._alpha, self._transparent)
        return None if pixels is None else np.ascontiguousarray(pixels)

    def encoded_segment(self, level: int, row: int, column: int) -> bytes | None:
        """Return a tile as stored where it is compressed at least 1:32; see `Reader`."""
        try:
            return self._levels[level].encoded(row, column)
        except (EOFError, OSError, OverlayError):
            # Reading the segment meets the same and says where.
            return None

    def read_ahead(self, level: int, segments: Sequence[tuple[int, int]]) -> int:
        """Fetch tiles or strips many at a time; see `Reader.read_ahead`."""
        return self._file.read_ahead([self._levels[level].ranges(*segment) for segment in segments])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self, tiff: tifffile.TiffFile) -> None:
        _check_first_page(tiff, self.path)
        layout = _vendor_layout(tiff)
        if layout is not None:
            _check_tiles(tiff)
            reason = f"tifffile: {layout} is left to OpenSlide"
            raise VendorLayoutError(reason, self.path, code="unsupported")
        pages = pyramid_pages(_series(tiff))
        first = pages[0][0].keyframe
        tags = {number: first.tags.valueof(number) for number in _READ_TAGS}
        self._refuse_unsupported(first)
        self.dtype = first.dtype.newbyteorder("=")
        self.encoding = f"TIFF, {first.compression.name}, {first.photometric.name}"
        self.fill = fill_value(tags[GDAL_NODATA], self.dtype)
        levels = [TiffLevel(self._file, level, self.dtype, self.fill) for level in pages]
        self._levels = oriented_levels(levels, tags[_ORIENTATION])
        self.levels = tuple(level.grid for level in self._levels)
        self._alpha = _alpha_channel(first) if len(pages[0]) == 1 else None
        self.channels = self._levels[0].channels - (self._alpha is not None)
        resolution = resolution_metadata(tags, tiff.pages.first.description)
        self.resolution = oriented_resolution(resolution, tags[_ORIENTATION])

    def _refuse_unsupported(self, page: Page) -> None:
        if page.dtype is None or page.dtype.char not in SAMPLE_TYPES:
            bits = f"SampleFormat {page.sampleformat}, {page.bitspersample} bits"
            reason = f"samples of this type are not supported ({bits})"
            raise OverlayFormatError(reason, self.path, code="unsupported")
        if min(page.shaped) < 1:
            raise OverlayFormatError("the image has no pixels", self.path, code="corrupt")
        if page.compression not in _COMPRESSIONS:
            codec = getattr(page.compression, "name", "unknown")
            number = int(page.compression)
            reason = f"compression {number} ({codec}) is not supported"
            raise OverlayFormatError(reason, self.path, code="unsupported")


def _series(tiff: tifffile.TiffFile) -> Sequence[Any]:
    """Return the series with all their axes: from tifffile 2026.5.2 on, one asks for those of 1."""
    series: Sequence[Any] = tiff.series
    if callable(series):
        series = series(squeeze=False)
    return series


def _check_first_page(tiff: tifffile.TiffFile, path: str) -> None:
    """Refuse what has a TIFF's first bytes and no image after them."""
    try:
        _ = tiff.pages.first
    except IndexError as error:
        reason = "the TIFF holds no image that can be read"
        raise OverlayFormatError(reason, path, code="corrupt") from error


def _check_tiles(tiff: tifffile.TiffFile) -> None:
    """Refuse tiles so large that OpenSlide would run out of memory and end the process."""
    # A corrupt file's pages may form a circle.
    pages: list[Page] = [page.keyframe for page in islice(tiff.pages, _MOST_PAGES)]
    for page in pages:
        # OpenSlide decodes into 4 bytes a pixel.
        if page.is_tiled and 4 * page.tilewidth * page.tilelength > LARGEST_SEGMENT:
            reason = f"its tiles are {page.tilewidth} x {page.tilelength} pixels each"
            raise RefusedError(reason, "too_large")


def _vendor_layout(tiff: tifffile.TiffFile) -> str | None:
    """Return the name of a layout that only OpenSlide reads as its vendor means it, or None."""
    for flag, name in _VENDOR_LAYOUTS.items():
        if getattr(tiff, flag):
            return name
    if tiff.pages.first.compression == _APERIO_YCBCR:
        return "Aperio's YCbCr in JPEG 2000"
    if _has_ventana_packet(tiff.pages.first):
        return _VENDOR_LAYOUTS["is_bif"]
    return "Trestle" if str(tiff.pages.first.software).startswith(_TRESTLE) else None


def _has_ventana_packet(page: Page) -> bool:
    """Whether a page is of a BIF, whose first page may be a label, a thumbnail or a level."""
    packet = page.tags.get(_XML_PACKET)
    return packet is not None and packet.count <= _LARGEST_PACKET and _VENTANA in str(packet.value)


def _alpha_channel(page: Page) -> int | None:
    extra = [int(kind) for kind in page.extrasamples]
    position = next((index for index, kind in enumerate(extra) if kind in _ALPHA), None)
    # A lone sample cannot be the transparency of nothing.
    if position is None or len(extra) >= page.samplesperpixel:
        return None
    return int(page.samplesperpixel) - len(extra) + position
