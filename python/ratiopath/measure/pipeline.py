"""The pipeline: rows in any order, grouped by overlay, answered, and put back in their order.

The only room that knows the order of things: batch, groups, placement, then fractions or patches.
`ratiopath.api.overlays` is its face for NumPy, `ratiopath.tiling.overlays` its face for Ray.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ratiopath.call.columns import EXTENT, GROUP_BY, MPP, TILE
from ratiopath.measure.fractions import overlap_fractions
from ratiopath.measure.patches import PatchKind, fill_data, fill_separate, fill_stacked, set_outside
from ratiopath.placement.placement import Placement, place, place_slide
from ratiopath.resources import LARGEST_OUTPUT
from ratiopath.values.pixels import changed_by_cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from ratiopath.call.batch import Batch, Group
    from ratiopath.call.options import Options, OverlapOptions
    from ratiopath.call.query import Call
    from ratiopath.results.entries import Fractions

# Under exact coverage tiles may each have a coverage of their own; so many are held at once.
EXACT_ROWS = 4096

Arrays: TypeAlias = "tuple[NDArray[Any], ...]"
Make: TypeAlias = "Callable[[int, PatchKind], Arrays]"
Fill: TypeAlias = "Callable[[Placement[Options], Arrays], None]"
Place: TypeAlias = "Callable[[Group], Placement[Options]]"


def fractions(call: Call[OverlapOptions]) -> Iterator[Fractions]:
    """Yield the fractions of each group of rows, one overlay open at a time."""
    for group in groups_of(call):
        for part in group.parts(EXACT_ROWS) if call.options.coverage == "exact" else [group]:
            yield overlap_fractions(place(call, part))


def separate_patches(call: Call[Options]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read patches (N, H, W, C) and their masks (N, H, W), or object arrays of such."""

    def make(count: int, kind: PatchKind) -> Arrays:
        mask = np.empty((count, kind.height, kind.width), bool)
        return np.empty((count, *kind.data_shape), kind.dtype), mask

    def fill(placement: Placement[Options], arrays: Arrays) -> None:
        fill_separate(placement, arrays[0], arrays[1])

    groups = list(groups_of(call))
    data, mask = _gather(
        call.batch.size, groups, partial(place, call), call.options.dtype, make, fill
    )
    return data, mask


def stacked_patches(call: Call[Options]) -> NDArray[Any]:
    """Read patches with their masks as (N, 2, H, W, C), or an object array of (2, H, W, C)."""

    def make(count: int, kind: PatchKind) -> Arrays:
        return (np.empty((count, 2, *kind.data_shape), kind.dtype),)

    def fill(placement: Placement[Options], arrays: Arrays) -> None:
        fill_stacked(placement, arrays[0])

    groups = list(groups_of(call))
    return _gather(call.batch.size, groups, partial(place, call), call.options.dtype, make, fill)[0]


def slide_tiles(batch: Batch, background: float) -> NDArray[Any]:
    """Read tiles of slides as (N, H, W, C), or an object array of (H, W, C).

    Args:
        batch: Slide paths, ``tile_x``, ``tile_y``, ``tile_extent_x``, ``tile_extent_y`` in pixels
            of ``level``.
        background: The sample value beyond the slide's edge.
    """

    def make(count: int, kind: PatchKind) -> Arrays:
        return (np.empty((count, *kind.data_shape), kind.dtype),)

    def fill(placement: Placement[Options], arrays: Arrays) -> None:
        fill_data(placement, arrays[0])

    batch.require(*TILE, "level")
    batch.require(*EXTENT, positive=True)
    groups = list(batch.groups(("level", *EXTENT)))
    placing = partial(place_slide, batch, background=background)
    return _gather(batch.size, groups, placing, None, make, fill)[0]


def groups_of(call: Call[object]) -> Iterator[Group]:
    """Check the rows' numbers and split them into groups that read one overlay in one way.

    Raises:
        OverlayValueError: A number is null or out of range; names the row.
    """
    batch = call.batch
    batch.require(*TILE)
    batch.require(*MPP, positive=True)
    if call.region is not None:
        return batch.groups(GROUP_BY)
    batch.require(*EXTENT, positive=True)
    return batch.groups((*GROUP_BY, *EXTENT))


def _gather(
    size: int,
    groups: Sequence[Group],
    placing: Place,
    dtype: np.dtype[Any] | None,
    make: Make,
    fill: Fill,
) -> Arrays:
    """Read all groups into one set of arrays where they fit, else into arrays of arrays."""
    # All groups are placed once before, for the arrays' shape depends on all of them.
    stored = [PatchKind.of(placing(group)) for group in groups]
    wanted = [replace(kind, dtype=dtype or kind.dtype) for kind in stored]
    _check_size(groups, wanted)
    arrays = _output(size, wanted, dtype, make)
    for group, kind, target in zip(groups, stored, wanted, strict=True):
        # Placed anew, so that no more overlays stay open than the readers' own bound.
        placement = placing(group)
        if PatchKind.of(placement) != kind:
            raise group.error("the file was replaced while it was read", code="replaced")
        if kind == target and arrays[0].dtype != object and _is_slice(group.rows):
            first, last = group.rows[0], group.rows[-1]
            fill(placement, tuple(array[first : last + 1] for array in arrays))
            continue
        block = make(len(group.rows), kind)
        fill(placement, block)
        data = _cast(block[0], target.dtype, group)
        if kind != target:
            # Of data and mask, the data come first.
            pixels = data if len(block) > 1 or data.ndim == 4 else data[:, 0]
            set_outside(placement, pixels)
        for array, part in zip(arrays, (data, *block[1:]), strict=True):
            _scatter(array, group.rows, part)
    return arrays


def _output(
    size: int, kinds: Sequence[PatchKind], dtype: np.dtype[Any] | None, make: Make
) -> Arrays:
    if not kinds:
        return make(0, PatchKind(1, 1, 1, dtype or np.dtype(np.uint8)))
    if len(set(kinds)) == 1:
        return make(size, kinds[0])
    # Patches that differ in shape or dtype are arrays of their own.
    return tuple(np.empty(size, object) for _ in make(0, kinds[0]))


def _is_slice(rows: NDArray[np.intp]) -> bool:
    return int(rows[-1] - rows[0]) == len(rows) - 1


def _scatter(array: NDArray[Any], rows: NDArray[np.intp], part: NDArray[Any]) -> None:
    if array.dtype != object:
        array[rows] = part
        return
    for row, patch in zip(rows.tolist(), part, strict=True):
        array[row] = patch


def _cast(data: NDArray[Any], dtype: np.dtype[Any], group: Group) -> NDArray[Any]:
    """Convert patches to the dtype asked for, which must hold every value exactly."""
    # NumPy would warn of what is refused below, by its value and row.
    with np.errstate(invalid="ignore", over="ignore"):
        result = data.astype(dtype, copy=False)
    changed = changed_by_cast(data, result)
    if changed.any():
        index = int(np.argmax(changed.reshape(len(data), -1).any(axis=1)))
        value = data[index][changed[index]][0]
        reason = f"value {value} of {data.dtype} is no {dtype}"
        raise group.error(reason, index, code="not_in_dtype", remedy="check dtype=")
    return result


def _check_size(groups: Sequence[Group], kinds: Sequence[PatchKind]) -> None:
    total = 0
    for group, kind in zip(groups, kinds, strict=True):
        # The mask takes about as much again.
        total += 2 * len(group.rows) * kind.data_bytes
        if total > LARGEST_OUTPUT:
            shape = " x ".join(map(str, kind.data_shape))
            raise group.error(
                f"patches of {shape} {kind.dtype} need {total:,} bytes by this row, more than"
                f" {LARGEST_OUTPUT:,}",
                code="too_many_pixels",
            )
