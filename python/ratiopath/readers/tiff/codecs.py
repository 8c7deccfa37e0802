"""Decoding of segments where tifffile and its codecs need help.

tifffile leaves packed LERC undone, and JPEG of one channel each. Some of imagecodecs' decoders read
or write memory that is not theirs when a stream is corrupt, which ends the process; none of these
is let near a stream:

- its LZW decoder, for which the core has another;
- its decoder of lossless JPEG, which `imagecodecs.jpeg_decode` falls back to;
- OpenJPEG's conversion of colour profiles, which lie around a JPEG 2000 codestream;
- its undoing of a predictor in place, in bytes that are not to be written.
"""

from __future__ import annotations

import copy
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import imagecodecs
import numpy as np
import tifffile

from ratiopath._core import decode_lzw
from ratiopath.readers.base import RefusedError
from ratiopath.readers.codestreams import JPEG_2000_START, LERC

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ratiopath.readers.tiff.pyramid import Page

# The result is bytes, or a buffer that tifffile may write to.
Unpack: TypeAlias = "Callable[[bytes, int], Any]"
Decoded: TypeAlias = "tuple[NDArray[Any], Any, Any]"

_UNCOMPRESSED, _LZW = 1, 5
_JPEG = (7, 34892)
_JPEG_2000 = (33004, 33005, 34712)
_NO_PREDICTOR = 1
_APART = 2
_HIGHEST_BIT_FIRST, _LOWEST_BIT_FIRST = 1, 2

_LERC_PARAMETERS = 50674
# A blob of LERC may be larger than what it holds by its headers, never by much.
_LERC_HEADERS = 1 << 16
# An LZW code of 12 bits stands for fewer than 4096 bytes.
_LZW_RATIO = 1 << 12
_LERC_PACKINGS: dict[int, Callable[[bytes, int], bytes]] = {
    1: lambda stored, most: zlib.decompressobj().decompress(stored, most),
    2: lambda stored, most: bytes(imagecodecs.zstd_decode(stored, out=most)),
}


def unpacker(page: Page) -> Unpack | None:
    """Return what is done to a page's segments before tifffile or a codec sees them.

    GDAL packs LERC once more, with deflate or zstd, and says so in the second number of tag
    LercParameters.

    Args:
        page: The page that holds the layout.

    Returns:
        A function of a segment's stored bytes, and of its decoded size in bytes, which bounds what
        is unpacked; None where nothing is done.

    Raises:
        ValueError: They are packed in a way that is not known.
    """
    if page.compression == LERC:
        return _lerc_unpacker(page)
    if page.compression == _LZW:
        return _bit_reversed_lzw if page.fillorder == _LOWEST_BIT_FIRST else _lzw
    if page.compression in _JPEG_2000:
        return lambda stored, _: stored[max(0, stored.find(JPEG_2000_START)) :]
    if page.compression == _UNCOMPRESSED and page.predictor != _NO_PREDICTOR:
        return lambda stored, _: bytearray(stored)
    return None


def page_decoder(page: Page) -> Callable[..., Decoded]:
    """Return the function that decodes a page's unpacked segments, like tifffile's own."""
    if page.compression in _JPEG:
        return _jpeg_decoder(page)
    if page.compression == _LZW:
        page = _as_uncompressed(page)
    decode: Callable[..., Decoded] = page.decode
    return decode


def decompressor(compression: int) -> Callable[..., NDArray[np.uint8]]:
    """Return a function of stored bytes and of ``out`` (n,) that gives what it has filled."""
    decompress: Callable[..., NDArray[np.uint8]] = tifffile.TIFF.DECOMPRESSORS[compression]
    return _lzw_into if compression == _LZW else decompress


def _lerc_unpacker(page: Page) -> Callable[[bytes, int], bytes] | None:
    parameters = page.tags.valueof(_LERC_PARAMETERS)
    kind = parameters[1] if isinstance(parameters, tuple) and len(parameters) > 1 else 0
    if not kind:
        return None
    if kind not in _LERC_PACKINGS:
        raise RefusedError(f"LERC packed by method {kind} is not supported")
    unpack = _LERC_PACKINGS[kind]
    return lambda stored, size: unpack(stored, 2 * size + _LERC_HEADERS)


def _lzw(stored: bytes, size: int) -> NDArray[np.uint8]:
    return _lzw_into(stored, out=np.empty(min(size, _LZW_RATIO * len(stored)), np.uint8))


def _bit_reversed_lzw(stored: bytes, size: int) -> NDArray[np.uint8]:
    return _lzw(bytes(imagecodecs.bitorder_decode(stored)), size)


def _lzw_into(stored: bytes, /, *, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return out[: decode_lzw(stored, out)]


def _as_uncompressed(page: Page) -> Page:
    """Return a page whose segments hold what those of ``page`` hold when they are unpacked."""
    plain = copy.copy(page)
    plain.compression, plain.fillorder = _UNCOMPRESSED, _HIGHEST_BIT_FIRST
    # What tifffile knows its functions by, made of the values above.
    vars(plain).pop("hash", None)
    return plain


def _jpeg_decoder(page: Page) -> Callable[..., Decoded]:
    # Channels that lie apart have no colour space, whatever the page's photometric says.
    spaces: tuple[Any, Any] = (None, None)
    if page.planarconfig != _APART:
        spaces = tifffile.tifffile.jpeg_decode_colorspace(
            page.photometric, page.planarconfig, page.extrasamples, page.is_jfif
        )

    def decode(
        stored: bytes,
        index: int,
        /,
        *,
        jpegtables: bytes | None = None,
        jpegheader: bytes | None = None,  # noqa: ARG001 - Hamamatsu's, whose slides OpenSlide reads
    ) -> Decoded:
        pixels = imagecodecs.jpeg8_decode(
            stored, tables=jpegtables, colorspace=spaces[0], outcolorspace=spaces[1]
        )
        return pixels.reshape(1, *pixels.shape[:2], -1), index, None

    return decode
