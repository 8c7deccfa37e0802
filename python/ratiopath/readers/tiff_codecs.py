"""Decoding of segments that tifffile leaves undone: packed LERC, and JPEG of one channel each."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ratiopath.readers.tiff_planes import Page

_LERC, _JPEG = 34887, 7
_APART = 2

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
    return decode


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
