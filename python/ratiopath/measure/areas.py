"""From placed patches to areas: count what lies under the region, segment by segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ratiopath._core import AreaCollector
from ratiopath.resources import in_parts
from ratiopath.segments.cache import cache, counts_limit, rows_of_bytes
from ratiopath.values.pixels import sample_holding

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ratiopath.call.options import Options
    from ratiopath.placement.placement import Placement
    from ratiopath.segments.cache import Segment, SegmentStatus

Taken = TypeVar("Taken")

# Areas that are collected before they are handed on, where they can be: some 20 MB.
_MANY_AREAS = 1 << 18


@dataclass(frozen=True)
class Areas:
    """Areas of distinct pixels in patches.

    Attributes:
        patterns: The distinct pixels (P, C).
        patches: The patch of each area, ascending (E,).
        index: Which of the distinct pixels each area is of (E,).
        areas: The areas, in pixels (E,).
    """

    patterns: NDArray[Any]
    patches: NDArray[np.intp]
    index: NDArray[np.uint32]
    areas: NDArray[np.float64]


def count_areas(
    placement: Placement[Options], take: Callable[[Areas], Taken], *, at_once: bool
) -> list[Taken]:
    """Count all patches of a placement on the allowed threads.

    Args:
        placement: The patches.
        take: What to do with areas; called on any of the threads.
        at_once: Whether all areas are needed at once. Else they are handed on, and let go, as soon
            as there are many, so that memory does not grow with the overlay.

    Returns:
        What ``take`` returned; a single result if ``at_once``.

    Raises:
        OverlayError: A segment cannot be decoded, or ``outside`` is no value of the overlay.
    """
    # Before anything is decoded: a value that the dtype cannot hold is found at once.
    outside = None if placement.options.clips else outside_pixel(placement)

    # A thread has a collector of its own, so that none waits for another.
    def count(part: range) -> tuple[list[Taken], AreaCollector]:
        collector, results = _collector(placement), []
        # What comes from afar is kept: fetching it again costs more than its memory.
        slot = None if placement.reader.reads_ahead else placement.store.slot()
        for index, status in placement.lookup(part):
            _add_segment(collector, placement, index, status, slot)
            if collector.entries > _MANY_AREAS and not at_once:
                results.append(take(_finished(collector, placement)))
        return results, collector

    parts = in_parts(count, range(len(placement.segments)))
    results = [result for some, _ in parts for result in some]
    collector = parts[0][1]
    for _, other in parts[1:]:
        collector.merge(other)
    # Once, of the whole plan, and added up rather than subtracted from the rest, whose rounding
    # would become an area of its own.
    if outside is not None:
        collector.add_outside(placement.plan, outside)
    return [*results, take(_finished(collector, placement))]


def _collector(placement: Placement[Options]) -> AreaCollector:
    channel = placement.options.channel
    return AreaCollector(placement.pixel_bytes, cache.counts, counts_limit(), channel)


def _add_segment(
    collector: AreaCollector,
    placement: Placement[Options],
    index: int,
    status: SegmentStatus,
    slot: NDArray[np.uint8] | None,
) -> None:
    plan, content_id = placement.plan, status.content_id
    if not (content_id is None or status.is_new) and collector.add_from_memo(
        plan, index, content_id
    ):
        return
    # What is not needed again goes where the next one will: its counts are known from now on.
    segment = placement.read(index, status, slot if plan.can_drop_pixels(index) else None)
    if segment.pixels is None:
        collector.add_constant(plan, index, constant_pixel(placement, segment))
    else:
        rows = rows_of_bytes(segment.pixels, placement.options.channel)
        placement.hand_over(index, collector.add_segment, rows, segment.content_id)


def _finished(collector: AreaCollector, placement: Placement[Options]) -> Areas:
    patterns, offsets, index, areas = collector.finish(placement.plan)
    pixels = patterns.view(placement.reader.dtype).reshape(-1, placement.channels)
    patches = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return Areas(pixels, patches, index, areas)


def outside_pixel(placement: Placement[Options]) -> bytes:
    """Return the pixel that lies beyond the overlay's bounds, in the dtype asked for.

    Raises:
        OverlayValueError: The dtype cannot hold the value.
    """
    options = placement.options
    assert not isinstance(options.outside, str)  # noqa: S101 - for the type checker
    dtype = options.dtype or placement.reader.dtype
    # Held against the dtype asked for, where there is one, not against the file's.
    sample = sample_holding(options.outside, dtype)
    if sample is None:
        reason = f"outside={options.outside} is no value of {dtype}"
        raise placement.group.error(reason, code="not_in_dtype")
    return np.full(placement.channels, sample, dtype).tobytes()


def constant_pixel(placement: Placement[Options], segment: Segment) -> bytes:
    """Return the one pixel of a segment, as far as its channels are read."""
    channel = placement.options.channel
    if channel is None:
        return segment.constant
    size = placement.reader.dtype.itemsize
    return segment.constant[channel * size : (channel + 1) * size]
