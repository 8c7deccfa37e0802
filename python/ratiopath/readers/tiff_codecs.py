"""Decoding of segments where tifffile and its codecs need help.

tifffile leaves packed LERC undone, and JPEG of one channel each. imagecodecs' LZW decoder follows
the codes of a corrupt stream into memory that nobody wrote, so these are checked before.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import tifffile

from ratiopath._core import check_lzw

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from ratiopath.readers.tiff_planes import Page

_LZW, _JPEG, _LERC = 5, 7, 34887
_APART = 2
_LOWEST_BIT_FIRST = 2

_LERC_PARAMETERS = 50674
# A blob of LERC may be larger than what it holds by its headers, never by much.
_LERC_HEADERS = 1 << 16
_UNPACK: dict[int, Callable[[bytes, int], bytes]] = {
    1: lambda stored, most: zlib.decompressobj().decompress(stored, most),
    2: lambda stored, most: bytes(imagecodecs.zstd_decode(stored, out=most)),
}


def unpacker(page: Page) -> Callable[[bytes, int], bytes] | None:
    """Return how a page's segments are unpacked before their codec sees them.

    GDAL packs LERC once more, with deflate or zstd, and says so in the second number of tag
    LercParameters.

    Args:
        page: The page that holds the layout.

    Returns:
        A function of a segment's stored bytes, and of its decoded size in bytes, which bounds what
        is unpacked; None where segments are not packed.

    Raises:
        ValueError: They are packed in a way that is not known.
    """
    parameters = page.tags.valueof(_LERC_PARAMETERS) if page.compression == _LERC else None
    kind = parameters[1] if isinstance(parameters, tuple) and len(parameters) > 1 else 0
    if not kind:
        return None
    if kind not in _UNPACK:
        raise ValueError(f"LERC packed by method {kind} is not supported")
    unpack = _UNPACK[kind]
    return lambda stored, size: unpack(stored, 2 * size + _LERC_HEADERS)


def page_decoder(page: Page) -> Callable[..., tuple[NDArray[Any], Any, Any]]:
    """Return the function that decodes a page's segments, as tifffile's ``page.decode``."""
    if page.compression == _JPEG and page.planarconfig == _APART:
        # Channels that lie apart have no colour space, whatever the page's photometric says.
        return _decode_grey
    decode: Callable[..., tuple[NDArray[Any], Any, Any]] = page.decode
    if page.compression != _LZW:
        return decode
    is_turned = page.fillorder == _LOWEST_BIT_FIRST

    def check_and_decode(
        stored: bytes, index: int, /, **tables: bytes | None
    ) -> tuple[NDArray[Any], Any, Any]:
        check_lzw(bytes(imagecodecs.bitorder_decode(stored)) if is_turned else stored)
        return decode(stored, index, **tables)

    return check_and_decode


def decompressor(compression: int) -> Callable[..., Any]:
    """Return tifffile's function of stored bytes and ``out`` for a compression, made safe."""
    decompress: Callable[..., Any] = tifffile.TIFF.DECOMPRESSORS[compression]
    if compression != _LZW:
        return decompress

    def check_and_decompress(stored: bytes, /, *, out: NDArray[np.uint8]) -> Any:
        check_lzw(stored)
        return decompress(stored, out=out)

    return check_and_decompress


def _decode_grey(
    stored: bytes,
    index: int,
    /,
    *,
    jpegtables: bytes | None = None,
    jpegheader: bytes | None = None,  # noqa: ARG001 - Hamamatsu's, whose slides OpenSlide reads
) -> tuple[NDArray[Any], Any, Any]:
    pixels = imagecodecs.jpeg8_decode(stored, tables=jpegtables)
    return pixels.reshape(1, *pixels.shape[:2], -1), index, None
