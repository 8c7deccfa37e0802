"""From placed patches to pixels: copy what lies under the region's bounding box, and its mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath._core import fill_background, fill_segment, gather_segment, write_masks
from ratiopath.measure.areas import constant_pixel, outside_pixel
from ratiopath.resources import in_parts
from ratiopath.segments.cache import rows_of_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ratiopath.call.options import Options
    from ratiopath.placement.placement import Placement
    from ratiopath.segments.cache import Segment

# Decoded segments of a batch that wait to be copied, for each round of decoding, and their bytes.
_ROUND = 32
_ROUND_BYTES = 32 * 1024**2


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
    def of(cls, placement: Placement[Options]) -> PatchKind:
        """Return the kind of a placement's patches."""
        return cls(*placement.shape, placement.channels, placement.reader.dtype)

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
    placement: Placement[Options], data: NDArray[Any], mask: NDArray[np.bool_]
) -> None:
    """Fill data (n, H, W, C) and mask (n, H, W), True outside the region.

    Args:
        placement: The patches.
        data: C-contiguous, of the overlay's dtype.
        mask: C-contiguous.

    Raises:
        OverlayError: A segment cannot be decoded; names the row.
    """
    kind = PatchKind.of(placement)
    fill_data(placement, data)
    pixels = kind.height * kind.width
    write_masks(placement.plan, b"\1", placement.options.clips, _flat(mask), pixels, 0)


def fill_stacked(placement: Placement[Options], out: NDArray[Any]) -> None:
    """Fill an array (n, 2, H, W, C): the data, then the mask in the data's dtype.

    Args:
        placement: The patches.
        out: C-contiguous, of the overlay's dtype.

    Raises:
        OverlayError: A segment cannot be decoded; names the row.
    """
    kind = PatchKind.of(placement)
    stride = 2 * kind.data_bytes
    _fill_data(placement, out, stride, kind)
    # A mask in the data's dtype, for a tensor column has one.
    masked = np.ones(kind.channels, kind.dtype).tobytes()
    clips, flat = placement.options.clips, _flat(out)
    write_masks(placement.plan, masked, clips, flat, stride, kind.data_bytes)


def fill_data(placement: Placement[Options], data: NDArray[Any]) -> None:
    """Fill data (n, H, W, C), without a mask.

    Args:
        placement: The patches.
        data: C-contiguous, of the overlay's dtype.

    Raises:
        OverlayError: A segment cannot be decoded; names the row.
    """
    kind = PatchKind.of(placement)
    _fill_data(placement, data, kind.data_bytes, kind)


def _fill_data(
    placement: Placement[Options], out: NDArray[Any], stride: int, kind: PatchKind
) -> None:
    plan, flat = placement.plan, _flat(out)
    fill_background(plan, _background(placement, kind), flat, stride, 0)
    for index, segment in _decoded(placement):
        if segment.pixels is None:
            pixel = constant_pixel(placement, segment)
            fill_segment(plan, index, pixel, flat, stride, 0)
        else:
            rows = rows_of_bytes(segment.pixels, placement.options.channel)
            placement.hand_over(index, gather_segment, rows, kind.pixel_bytes, flat, stride, 0)


def set_outside(placement: Placement[Options], data: NDArray[Any]) -> None:
    """Give patches that were converted to ``options.dtype`` their value beyond the overlay.

    Args:
        placement: The patches.
        data: The converted patches (n, H, W, C).

    Raises:
        OverlayValueError: The dtype cannot hold the value.
    """
    if placement.options.clips:
        return
    pixel = np.frombuffer(outside_pixel(placement), data.dtype)
    inside = np.zeros(data.shape[:3], bool)
    flat = _flat(inside)
    for index in range(len(placement.segments)):
        fill_segment(placement.plan, index, b"\1", flat, inside[0].size, 0)
    # Whatever the zeros that stood there have become in the new dtype.
    data[~inside] = pixel


def _background(placement: Placement[Options], kind: PatchKind) -> bytes:
    options = placement.options
    converted = options.dtype is not None and options.dtype != kind.dtype
    # The file's dtype may be unable to hold the value: it is put in after the conversion.
    if options.clips or converted:
        return bytes(kind.pixel_bytes)
    return outside_pixel(placement)


def _decoded(placement: Placement[Options]) -> Iterator[tuple[int, Segment]]:
    """Decode the touched segments in file order, a round at a time on the allowed threads."""

    def decode(part: range) -> list[tuple[int, Segment]]:
        found = placement.lookup(part)
        return [(index, placement.read(index, status)) for index, status in found]

    count = len(placement.segments)
    # Bounded by bytes too: segments of some overlays are whole images.
    step = max(1, min(_ROUND, _ROUND_BYTES // placement.store.segment_bytes))
    for start in range(0, count, step):
        for part in in_parts(decode, range(start, min(start + step, count))):
            yield from part


def _flat(array: NDArray[Any]) -> NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)
