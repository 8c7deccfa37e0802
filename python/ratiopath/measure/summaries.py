"""From placed patches to statistics of each patch, segment by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ratiopath._core import SampleCollector
from ratiopath.call.statistics_options import quantile_share
from ratiopath.measure.areas import constant_pixel
from ratiopath.measure.pipeline import EXACT_ROWS, groups_of
from ratiopath.placement.placement import place
from ratiopath.resources import in_parts
from ratiopath.segments.cache import rows_of_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ratiopath.call.batch import Group
    from ratiopath.call.query import Call
    from ratiopath.call.statistics_options import StatsOptions
    from ratiopath.placement.placement import Placement
    from ratiopath.segments.cache import Segment

# Quantiles need the values themselves, 24 bytes each: so many are kept at once.
KEPT_PIXELS = 1 << 21


def statistics(call: Call[StatsOptions]) -> dict[str, NDArray[np.float64]]:
    """Measure each row's statistics.

    Args:
        call: The call; its options say which statistics.

    Returns:
        An array (N,) for each statistic; NaN where a row has no value, but 0 for count and sum.

    Raises:
        OverlayError: An overlay cannot be read, or has several channels; names it and the row.
    """
    found = {name: np.full(call.batch.size, np.nan) for name in call.options.stats}
    for group in groups_of(call):
        for placement in _placements(call, group):
            _add(found, placement)
    return found


def _placements(call: Call[StatsOptions], group: Group) -> Iterator[Placement[StatsOptions]]:
    """Place a group in parts that keep no more than is allowed."""
    most = EXACT_ROWS if call.options.coverage == "exact" else len(group.rows)
    if call.options.shares:
        # The size of a patch is known only once one is placed; all of a group have about the same.
        height, width = place(call, next(group.parts(1))).shape
        most = min(most, max(1, KEPT_PIXELS // (height * width)))
    for part in group.parts(most):
        yield place(call, part)


def _add(found: dict[str, NDArray[np.float64]], placement: Placement[StatsOptions]) -> None:
    channels, shares = placement.channels, placement.options.shares
    if channels > 1:
        raise placement.group.error(
            f"stats need channel=: the overlay has {channels} channels",
            code="needs_channel",
            remedy="choose one",
        )
    *moments, quantiles = _summaries(placement).finish(shares)
    by_share = quantiles.reshape(-1, max(len(shares), 1)).T
    for name, column in found.items():
        share = quantile_share(name)
        values = _moment(name, *moments) if share is None else by_share[shares.index(share)]
        column[placement.group.rows] = values


def _moment(
    name: str,
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    least: NDArray[np.float64],
    largest: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return one statistic from what the core keeps of each patch."""
    if name == "count":
        return weight
    if name == "sum":
        return np.where(weight > 0, weight * mean, 0)
    # Rows without a value have weight 0; they are replaced below.
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = deviation / weight
    of_name = {
        "mean": mean,
        "std": np.sqrt(variance),
        "var": variance,
        "min": least,
        "max": largest,
    }
    return np.where(weight > 0, of_name[name], np.nan)


def _summaries(placement: Placement[StatsOptions]) -> SampleCollector:
    options, dtype = placement.options, _number_dtype(placement.reader.dtype)
    # A value of the overlay is the one nearest to what the caller wrote, as 0.1 in float32.
    with np.errstate(over="ignore"):
        left_out = [
            float(dtype.type(value)) if dtype.kind == "f" else value for value in options.nodata
        ]
    plan, keep = placement.plan, bool(options.shares)

    def summarise(part: range) -> SampleCollector:
        made = SampleCollector(dtype.kind, dtype.itemsize, left_out, plan, keep)
        for index, status in placement.lookup(part):
            segment = placement.read(index, status)
            _add_segment(made, placement, index, segment)
        return made

    first, *others = in_parts(summarise, range(len(placement.segments)))
    for other in others:
        first.merge(other)
    return first


def _add_segment(
    made: SampleCollector, placement: Placement[StatsOptions], index: int, segment: Segment
) -> None:
    pixels = segment.pixels
    if pixels is None:
        pixel = constant_pixel(placement, segment)
        sample = np.frombuffer(pixel, placement.reader.dtype)[0]
        made.add_constant(placement.plan, index, float(sample))
        return
    if pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    rows = rows_of_bytes(pixels, placement.options.channel)
    placement.hand_over(index, made.add_segment, rows)


def _number_dtype(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """Return the type that samples are added up as: the core has no 16-bit floating point."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype
