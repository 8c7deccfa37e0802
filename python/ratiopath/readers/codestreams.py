"""The size in an image codec's stream, read before the codec sees it.

A codec allocates what its stream asks for. A damaged one may ask for 65,535 x 65,535 pixels where
the file's tiles are 256 x 256, or for as many pixels in another shape, which would then be taken
for rows of the wrong length. So the few bytes that hold the size are read here first.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# (width, height) in pixels.
Size = tuple[int, int]

# TIFF's number of the compression.
LERC = 34887

JPEG_2000_START = b"\xff\x4f\xff\x51"

_JPEG_END = b"\xff\xd9"
# Start of a frame (SOF0 to SOF15) but for the tables DHT, JPG and DAC, which share the range.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN = 0xDA
# Markers without a length: TEM, restarts, start and end of the image.
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xDA)})

_PNG_END = b"IEND"
_WEBP_ANIMATION = 2
# The versions of LERC 2 that added these.
_LERC_OF_CHECKSUM, _LERC_OF_DEPTH = 3, 4
_JPEG_XL_BOX = b"\0\0\0\x0cJXL \r\n\x87\n"
_JPEG_XL_BITS = (9, 13, 18, 30)
_JPEG_XL_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def jpeg_frame(stream: bytes) -> tuple[int, int, int, int]:
    """Read a JPEG's frame header.

    Args:
        stream: A whole JPEG.

    Returns:
        Width and height in pixels, samples per pixel and bits per sample.

    Raises:
        ValueError: The stream is corrupt, or cut off before its end-of-image marker.
        struct.error: It ends within the frame header.
    """
    if stream.rfind(_JPEG_END) < 0:
        # libjpeg would fill the rest with grey.
        raise ValueError("the JPEG stream is cut off: it has no end-of-image marker")
    place = 2
    while stream[place : place + 1] == b"\xff":
        marker = stream[place + 1]
        if marker in _JPEG_FRAMES:
            bits, height, width, samples = struct.unpack_from(">BHHB", stream, place + 4)
            return width, height, samples, bits
        if marker == _JPEG_SCAN:
            break
        place += _jpeg_marker_bytes(stream, place)
    raise ValueError("the JPEG stream is corrupt: it has no frame header")


def jpeg_size(stream: bytes) -> Size:
    """Return the size in a JPEG's frame header; see `stream_size`."""
    return jpeg_frame(stream)[:2]


def jpeg_2000_size(stream: bytes) -> Size:
    """Return the size in a JPEG 2000 codestream, bare or in a JP2; see `stream_size`."""
    start = stream.find(JPEG_2000_START)
    if start < 0:
        raise ValueError("the JPEG 2000 (J2K) stream is corrupt: it has no codestream")
    right, bottom, left, top = struct.unpack_from(">4I", stream, start + 8)
    # The image area on the reference grid (SIZ): its ends less its offsets.
    return right - left, bottom - top


def jpeg_xl_size(stream: bytes) -> Size:
    """Return the size in a JPEG XL codestream, bare or in a container; see `stream_size`."""
    if stream.startswith(_JPEG_XL_BOX):
        stream = stream[_jpeg_xl_codestream(stream) :]
    if not stream.startswith(b"\xff\x0a"):
        raise ValueError("the JPEG XL stream is corrupt: it has no signature")
    bits = _Bits(stream[2:14])
    small = bits.take(1)
    height = _jpeg_xl_length(bits, small)
    ratio = bits.take(3)
    # A width that is a common ratio of the height is not stored.
    if ratio:
        numerator, denominator = _JPEG_XL_RATIOS[ratio - 1]
        return height * numerator // denominator, height
    return _jpeg_xl_length(bits, small), height


def webp_size(stream: bytes) -> Size:
    """Return the size in a WebP's canvas or first frame; see `stream_size`."""
    kind = stream[12:16]
    if kind == b"VP8X":
        if stream[20] & _WEBP_ANIMATION:
            raise ValueError("the WebP stream is an animation")
        return _little(stream, 24, 3) + 1, _little(stream, 27, 3) + 1
    if kind == b"VP8L":
        packed = _little(stream, 21, 4)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return _little(stream, 26, 2) & 0x3FFF, _little(stream, 28, 2) & 0x3FFF
    raise ValueError("the WebP stream is corrupt: it starts with no known chunk")


def lerc_size(stream: bytes) -> Size:
    """Return the size in a LERC 2 blob; see `stream_size`."""
    start = _lerc_size_start(stream)
    return _little(stream, start + 4, 4), _little(stream, start, 4)


def lerc_depth(stream: bytes) -> int:
    """Return the number of interleaved samples per pixel in a LERC 2 blob."""
    start = _lerc_size_start(stream)
    return _little(stream, start + 8, 4) if _lerc_version(stream) >= _LERC_OF_DEPTH else 1


def png_size(stream: bytes) -> Size:
    """Return the size in a PNG's header; see `stream_size`."""
    if stream.rfind(_PNG_END) < 0:
        # libpng would read on.
        raise ValueError("the PNG stream is cut off: it has no end")
    width, height = struct.unpack_from(">II", stream, 16)
    return width, height


# By TIFF's number of the compression.
_SIZES: dict[int, Callable[[bytes], Size]] = {
    7: jpeg_size,
    33004: jpeg_2000_size,
    33005: jpeg_2000_size,
    34712: jpeg_2000_size,
    LERC: lerc_size,
    34892: jpeg_size,
    34933: png_size,
    50001: webp_size,
    50002: jpeg_xl_size,
    52546: jpeg_xl_size,
}


def stream_size(compression: int, stream: bytes) -> Size | None:
    """Return the size of the image that a stream holds.

    Args:
        compression: TIFF's number of the compression.
        stream: A whole segment as it is stored.

    Returns:
        Width and height in pixels, or None where the compression knows no size.

    Raises:
        ValueError: The stream is cut off or corrupt.
    """
    size = _SIZES.get(compression)
    try:
        return None if size is None else size(stream)
    except (IndexError, struct.error) as error:
        raise ValueError(f"the stream ends within its header: {error}") from error


class _Bits:
    """Bits of a stream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise IndexError("a number is cut off")
        self._left -= count
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken


def _jpeg_marker_bytes(stream: bytes, place: int) -> int:
    """Return the length of a marker and its segment in bytes."""
    marker = stream[place + 1]
    if marker == 0xFF:  # any number of these may stand before a marker
        return 1
    if marker in _JPEG_BARE:
        return 2
    return 2 + int.from_bytes(stream[place + 2 : place + 4], "big")


def _lerc_version(stream: bytes) -> int:
    if not stream.startswith(b"Lerc2 "):
        raise ValueError("the LERC stream is corrupt, or older than LERC 2")
    return _little(stream, 6, 4)


def _lerc_size_start(stream: bytes) -> int:
    return 14 if _lerc_version(stream) >= _LERC_OF_CHECKSUM else 10


def _jpeg_xl_length(bits: _Bits, small: int) -> int:
    if small:
        return 8 * (bits.take(5) + 1)
    return bits.take(_JPEG_XL_BITS[bits.take(2)]) + 1


def _jpeg_xl_codestream(stream: bytes) -> int:
    """Return where the codestream starts in a container of boxes."""
    # Boxes as in ISO media files: 0 for the length means "to the end", 1 that 64 bits follow.
    place = 0
    while place + 8 <= len(stream):
        length, kind = struct.unpack_from(">I4s", stream, place)
        header = 16 if length == 1 else 8
        if kind == b"jxlc":
            return place + header
        if kind == b"jxlp":
            return place + header + 4
        if length == 1:
            (length,) = struct.unpack_from(">Q", stream, place + 8)
        if length < 8:
            break
        place += length
    raise ValueError("the JPEG XL stream is corrupt: its container holds no image")


def _little(stream: bytes, start: int, count: int) -> int:
    if len(stream) < start + count:
        raise IndexError(f"byte {start + count} of {len(stream)}")
    return int.from_bytes(stream[start : start + count], "little")
