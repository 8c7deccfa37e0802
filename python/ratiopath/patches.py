"""From placed patches to pixels: copy what lies under the region's bounding box, and its mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath import _core
from ratiopath.overlap import fill_pixel, outside_pixel
from ratiopath.segments import rows_of_bytes
from ratiopath.threads import in_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ratiopath.options import Options
    from ratiopath.placement import Placement

# Decoded segments of a batch that wait to be copied, for each round of decoding.
_ROUND = 32


@dataclass(frozen=True)
class PatchKind:
    """What decides whether patches fit into one array.

    Attributes:
        height: Rows of a patch.
        width: Columns.
        channels: Samples per pixel.
        dtype: The overlay's sample type.
    """

    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, placement: Placement, options: Options) -> PatchKind:
        """Return the kind of a placement's patches."""
        return cls(*placement.shape, placement.channels(options), placement.reader.dtype)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return self.channels * self.dtype.itemsize

    @property
    def data_bytes(self) -> int:
        """Bytes of one patch's data."""
        return self.height * self.width * self.pixel_bytes

    @property
    def data_shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels of a patch."""
        return self.height, self.width, self.channels


def fill_separate(
    placement: Placement,
    options: Options,
    data: NDArray[Any],
    mask: NDArray[np.bool_],
) -> None:
    """Fill data (n, H, W, C) and mask (n, H, W), True outside the region.

    Args:
        placement: The patches.
        options: The options of the call.
        data: C-contiguous, of the overlay's dtype.
        mask: C-contiguous.

    Raises:
        OverlayError: A segment cannot be decoded; names the row.
    """
    kind = PatchKind.of(placement, options)
    fill_data(placement, options, data)
    pixels = kind.height * kind.width
    _core.write_masks(placement.plan, b"\1", options.clips, _flat(mask), pixels, 0)


def fill_stacked(placement: Placement, options: Options, out: NDArray[Any]) -> None:
    """Fill an array (n, 2, H, W, C): the data, then the mask in the data's dtype.

    Args:
        placement: The patches.
        options: The options of the call.
        out: C-contiguous, of the overlay's dtype.

    Raises:
        OverlayError: A segment cannot be decoded; names the row.
    """
    kind = PatchKind.of(placement, options)
    stride = 2 * kind.data_bytes
    _fill_data(placement, options, out, stride, kind)
    masked = np.ones(kind.channels, kind.dtype).tobytes()
    flat = _flat(out)
    _core.write_masks(placement.plan, masked, options.clips, flat, stride, kind.data_bytes)


def fill_data(placement: Placement, options: Options, data: NDArray[Any]) -> None:
    """Fill data (n, H, W, C), without a mask.

    Args:
        placement: The patches.
        options: The options of the call.
        data: C-contiguous, of the overlay's dtype.

    Raises:
        OverlayError: A segment cannot be decoded; names the row.
    """
    kind = PatchKind.of(placement, options)
    _fill_data(placement, options, data, kind.data_bytes, kind)


def _fill_data(
    placement: Placement, options: Options, out: NDArray[Any], stride: int, kind: PatchKind
) -> None:
    plan = placement.plan
    out[...] = _background(placement, options, kind)
    flat = _flat(out)
    for index, pixels in _decoded(placement):
        if pixels is None:
            rows = rows_of_bytes(_filled(placement, index, options, kind), None)
        else:
            rows = rows_of_bytes(pixels, options.channel)
        _core.gather_segment(plan, index, rows, kind.pixel_bytes, flat, stride, 0)


def set_outside(placement: Placement, options: Options, data: NDArray[Any]) -> None:
    """Give patches that were converted to ``options.dtype`` their value beyond the overlay.

    Args:
        placement: The patches.
        options: The options of the call.
        data: The converted patches (n, H, W, C).

    Raises:
        OverlayValueError: The dtype cannot hold the value.
    """
    if options.clips:
        return
    pixel = np.frombuffer(outside_pixel(placement, options), data.dtype)
    inside = np.zeros(data.shape[:3], bool)
    flat = _flat(inside)
    for index in range(len(placement.segments)):
        ones = np.ones(_segment_shape(placement, index), np.uint8)
        _core.gather_segment(placement.plan, index, ones, 1, flat, inside[0].size, 0)
    data[~inside] = pixel


def _background(placement: Placement, options: Options, kind: PatchKind) -> NDArray[Any]:
    converted = options.dtype is not None and options.dtype != kind.dtype
    if options.clips or converted:
        return np.zeros(1, kind.dtype)
    return np.frombuffer(outside_pixel(placement, options), kind.dtype)


def _filled(placement: Placement, index: int, options: Options, kind: PatchKind) -> NDArray[Any]:
    """Return a segment that the file leaves out, as pixels."""
    pixel = np.frombuffer(fill_pixel(placement, options), kind.dtype)
    return np.full((*_segment_shape(placement, index), kind.channels), pixel, kind.dtype)


def _segment_shape(placement: Placement, index: int) -> tuple[int, int]:
    """Return the rows and columns of a segment that lie inside the level."""
    level = placement.grid
    row, column = placement.place_of(index)
    height = min(level.segment_height, level.height - row * level.segment_height)
    width = min(level.segment_width, level.width - column * level.segment_width)
    return height, width


def _decoded(placement: Placement) -> Iterator[tuple[int, NDArray[Any] | None]]:
    """Decode the touched segments in file order, a round at a time on the allowed threads."""

    def decode(part: range) -> list[tuple[int, NDArray[Any] | None]]:
        return [(index, placement.read(index).pixels) for index in placement.in_turn(part)]

    count = len(placement.segments)
    for start in range(0, count, _ROUND):
        for part in in_parts(decode, range(start, min(start + _ROUND, count))):
            yield from part


def _flat(array: NDArray[Any]) -> NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)
