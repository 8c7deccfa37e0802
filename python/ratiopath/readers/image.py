"""PNG, JPEG and BMP: thumbnails and the output of models, decoded whole.

Samples come out as the file stores them: a palette's index is the value, 1-bit samples are bool,
grey of 2 or 4 bits counts from 0, 16 bits stay 16. JPEG's YCbCr becomes RGB. An alpha channel is
dropped, after the samples of fully transparent pixels were set to 0, or to the background asked
for; a colour that a PNG declares transparent (tRNS) stays what it is. The density in pixels per
metre or inch is not believed: it is meant for printing.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import imagecodecs
import numpy as np
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from ratiopath.errors import OverlayError, OverlayFormatError
from ratiopath.readers.alpha import without_alpha
from ratiopath.readers.base import (
    Level,
    Reader,
    RefusedError,
    ResolutionMetadata,
    cannot_read,
    closed_on_error,
    segment_name,
)
from ratiopath.readers.codestreams import jpeg_frame, png_size
from ratiopath.resources import LARGEST_SEGMENT
from ratiopath.storage.files import RandomAccessFile, random_access

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
BMP_MAGIC = b"BM"

# Where the headers end; a JPEG's may hold a thumbnail and a colour profile, so it is read whole.
_PNG_HEADER = 26
_PALETTE = 3
# Samples per pixel and whether the last is alpha, by PNG's colour type.
_PNG_TYPES = {0: (1, False), 2: (3, False), _PALETTE: (1, False), 4: (2, True), 6: (4, True)}
# Deflate shortens no better than this: a header that promises more is a lie.
_DEFLATE_RATIO = 1032

_BMP_MODES = {"1": (1, "?"), "L": (1, "B"), "P": (1, "B"), "RGB": (3, "B"), "RGBA": (4, "B")}
_ORIENTATION = 274


class _Image(NamedTuple):
    """What a file's header says, and how the file is decoded."""

    width: int
    height: int
    samples: int
    dtype: np.dtype[Any]
    has_alpha: bool
    decode: Callable[[bytes], NDArray[Any]]

    @property
    def decoded_bytes(self) -> int:
        return self.width * self.height * self.samples * self.dtype.itemsize


class ImageReader(Reader):
    """A PNG, JPEG or BMP, as a pyramid of one level and one segment, without a resolution.

    Args:
        file: The file's path, or the file, which the reader then closes.
        transparent: The sample value of fully transparent pixels.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: It is corrupt, turned by its EXIF orientation, or larger than 256 MiB
            decoded.
    """

    def __init__(
        self, file: RandomAccessFile | str | os.PathLike[str], transparent: float = 0
    ) -> None:
        file = random_access(file)
        self.path = file.path
        self._file = file
        self.identity = (*self._file.identity, transparent)
        self._transparent = transparent
        self.resolution = ResolutionMetadata()
        with closed_on_error(self, "the image"):
            self._open()

    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any]:
        """Decode the image; see `Reader.read_segment`.

        Raises:
            OverlayFormatError: It is corrupt or cut off.
        """
        image = self._image
        try:
            pixels = image.decode(self._file.read(0, self._file.size))
            pixels = pixels.reshape(image.height, image.width, -1)[:, :, : image.samples]
            if pixels.shape[2] != image.samples or pixels.dtype != image.dtype:
                raise ValueError(f"it holds {pixels.shape[2]} samples of {pixels.dtype}")  # noqa: TRY301 - told as the others
        except OverlayError:
            # A remote file that fails is not corrupt.
            raise
        except Exception as error:
            raise cannot_read(segment_name(level, row, column), error, self.path) from error
        if image.has_alpha:
            pixels = without_alpha(pixels, image.samples - 1, self._transparent)
        return np.ascontiguousarray(pixels)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> None:
        size = self._file.size
        if size > LARGEST_SEGMENT:
            raise _too_large(size, "stored")
        start = self._file.read(0, min(len(PNG_MAGIC), size))
        if start.startswith(JPEG_MAGIC):
            self._image = _jpeg(self._file.read(0, size))
        elif start.startswith(BMP_MAGIC):
            self._image = _bmp(self._file.read(0, size))
        else:
            self._image = _png(self._file.read(0, _PNG_HEADER), size)
        if self._image.decoded_bytes > LARGEST_SEGMENT:
            raise _too_large(self._image.decoded_bytes, "decoded")
        width, height, samples, self.dtype, has_alpha, _ = self._image
        if min(width, height) < 1:
            raise OverlayFormatError("the image has no pixels", self.path, code="corrupt")
        self.channels = samples - has_alpha
        self.levels = (Level(width, height, width, height),)


def _too_large(size: int, how: str) -> RefusedError:
    return RefusedError(
        f"it takes {size:,} bytes {how}, more than {LARGEST_SEGMENT:,}, and is only decoded whole",
        "too_large",
    )


def _png(header: bytes, file_bytes: int) -> _Image:
    width, height, bits, kind = struct.unpack_from(">IIBB", header, 16)
    if kind not in _PNG_TYPES or bits not in (1, 2, 4, 8, 16):
        raise ValueError(f"the PNG is corrupt: colour type {kind} of {bits} bits")
    samples, has_alpha = _PNG_TYPES[kind]
    if width * height * samples * bits // 8 > _DEFLATE_RATIO * file_bytes:
        raise EOFError(f"{file_bytes} bytes cannot hold a PNG of {width} x {height} pixels")
    if kind == _PALETTE:
        return _Image(width, height, 1, np.dtype(np.uint8), False, _palette_indices)  # noqa: FBT003 - has_alpha
    dtype = np.dtype(np.uint16 if bits == 16 else np.bool_ if bits == 1 else np.uint8)

    def decode(content: bytes) -> NDArray[Any]:
        png_size(content)  # refuses one that is cut off
        pixels: NDArray[Any] = imagecodecs.png_decode(content)
        # Grey of few bits comes spread over 0 to 255.
        return pixels if bits >= 8 else (pixels // (255 // (2**bits - 1))).astype(dtype)

    return _Image(width, height, samples, dtype, has_alpha, decode)


def _palette_indices(content: bytes) -> NDArray[np.uint8]:
    with PngImageFile(io.BytesIO(content)) as image:
        return np.asarray(image)


def _jpeg(content: bytes) -> _Image:
    width, height, samples, _ = jpeg_frame(content)
    with JpegImageFile(io.BytesIO(content)) as image:
        orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation not in (0, 1):
        raise RefusedError(
            f"EXIF says Orientation {orientation}",
            remedy="rewrite it with Orientation 1 (top left)",
        )
    return _Image(width, height, samples, np.dtype(np.uint8), False, _jpeg_pixels)  # noqa: FBT003 - has_alpha


def _jpeg_pixels(content: bytes) -> NDArray[Any]:
    pixels: NDArray[Any] = imagecodecs.jpeg8_decode(content)
    return pixels


def _bmp(content: bytes) -> _Image:
    with BmpImageFile(io.BytesIO(content)) as image:
        (width, height), mode = image.size, image.mode
    if mode not in _BMP_MODES:
        raise RefusedError(f"a BMP of mode {mode} is not supported")
    samples, char = _BMP_MODES[mode]
    return _Image(width, height, samples, np.dtype(char), mode == "RGBA", _bmp_pixels)


def _bmp_pixels(content: bytes) -> NDArray[Any]:
    with BmpImageFile(io.BytesIO(content)) as image:
        return np.asarray(image)
