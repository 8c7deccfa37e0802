"""From placed patches to fractions: count what lies under the region, segment by segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ratiopath import _core
from ratiopath.errors import OverlayValueError
from ratiopath.segments import rows_of_bytes
from ratiopath.selection import UNDECLARED, Key
from ratiopath.threads import in_parts
from ratiopath.values import Distinct, sample_holding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath.options import Options, OverlapOptions
    from ratiopath.placement import Placement


@dataclass(frozen=True)
class Fractions:
    """The fractions of one group's patches, as entries.

    Attributes:
        keys: The output keys as Python values.
        texts: The same as text.
        rows: Row of the batch of each entry (E,); grouped by row in the order of the group.
        columns: Index into ``keys`` of each entry (E,).
        fractions: Fraction of the row's area of each entry, in (0, 1] (E,).
    """

    keys: list[Key]
    texts: list[str]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    fractions: NDArray[np.float64]


def overlap_fractions(placement: Placement, options: OverlapOptions) -> Fractions:
    """Count the pixels under each patch's region and divide by all that count.

    Args:
        placement: The patches of one group.
        options: Which pixels and values count.

    Returns:
        An entry per patch and key that occurs in it.

    Raises:
        OverlayError: A segment cannot be decoded, or a value was not declared; names the row.
    """
    reader = placement.reader
    channels = placement.channels(options)
    pixel_bytes = reader.dtype.itemsize * channels
    patterns, offsets, index, areas = _count(placement, options, pixel_bytes)
    distinct = Distinct.of(patterns.view(reader.dtype).reshape(-1, channels))
    if options.selection.bins is not None and channels > 1:
        raise placement.group.error(f"bins need channel=: the overlay has {channels} channels")
    try:
        keyed = options.selection.apply(distinct)
    except ValueError as error:
        raise placement.group.error(str(error)) from error
    patches = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    values = distinct.index[index]
    columns = keyed.index[values]
    undeclared = columns == UNDECLARED
    if undeclared.any():
        first = int(np.argmax(undeclared))
        text = keyed.values.texts()[values[first]]
        raise _undeclared(placement, int(patches[first]), text, options)
    counted = columns >= 0
    cells, sums = _add_up(patches[counted], columns[counted], areas[counted], len(keyed.keys))
    patches, columns = np.divmod(cells, max(len(keyed.keys), 1))
    totals = np.bincount(patches, sums, minlength=1)
    rows = placement.group.rows[patches]
    return Fractions(keyed.keys, keyed.texts, rows, columns, sums / totals[patches])


def _count(
    placement: Placement, options: Options, pixel_bytes: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint32], NDArray[np.float64]]:
    plan = placement.plan
    outside = None if options.clips else outside_pixel(placement, options)

    def collect(part: range) -> _core.Collector:
        collector = _core.Collector(pixel_bytes)
        for segment in placement.in_turn(part):
            _add_segment(collector, placement, segment, options)
        return collector

    first, *others = in_parts(collect, range(len(placement.segments)))
    for other in others:
        first.merge(other)
    if outside is not None:
        first.add_outside(plan, outside)
    return first.finish(len(plan))


def _add_segment(
    collector: _core.Collector, placement: Placement, index: int, options: Options
) -> None:
    plan, segment = placement.plan, placement.read(index)
    if segment.pixels is None:
        collector.add_constant(plan, index, fill_pixel(placement, options))
    else:
        rows = rows_of_bytes(segment.pixels, options.channel)
        collector.add_segment(plan, index, rows, segment.content)


def outside_pixel(placement: Placement, options: Options) -> bytes:
    """Return the pixel that lies beyond the overlay's bounds, in the dtype asked for.

    Raises:
        OverlayValueError: The dtype cannot hold the value.
    """
    assert not isinstance(options.outside, str)  # noqa: S101 - for the type checker
    dtype = options.dtype or placement.reader.dtype
    sample = sample_holding(options.outside, dtype)
    if sample is None:
        raise placement.group.error(f"outside={options.outside} is no value of {dtype}")
    return np.full(placement.channels(options), sample, dtype).tobytes()


def fill_pixel(placement: Placement, options: Options) -> bytes:
    """Return the pixel of a segment that the file leaves out."""
    reader = placement.reader
    return np.full(placement.channels(options), reader.fill, reader.dtype).tobytes()


def _add_up(
    patches: NDArray[np.intp],
    columns: NDArray[np.intp],
    areas: NDArray[np.float64],
    width: int,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Join entries of one patch and key."""
    cells, index = np.unique(patches * width + columns, return_inverse=True)
    return cells, np.bincount(index, areas, minlength=len(cells)).astype(np.float64, copy=False)


def _undeclared(
    placement: Placement, patch: int, text: str, options: OverlapOptions
) -> OverlayValueError:
    if options.selection.classes is not None:
        reason = f"value {text} is not among the classes: declare it, or 'other' to gather the rest"
    else:
        reason = f"value {text} is in no bin: let the edges reach -inf and inf"
    return OverlayValueError(reason, placement.reader.path, int(placement.group.rows[patch]))
