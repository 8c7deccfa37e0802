"""A report on one file: its levels, resolution, segments and values, and what is odd about them.

For people who wonder where a number comes from. Values are counted segment by segment, up to a
number of pixels for each level; the report says whether all pixels were counted.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath.api.arrays import count_values
from ratiopath.placement.downsamples import level_downsamples, level_mpps
from ratiopath.placement.resolution import (
    describe_missing_mpp,
    find_base_mpp,
    has_default_tags,
)
from ratiopath.readers.opening import open_reader
from ratiopath.values.keys import key_order, text_of
from ratiopath.values.pixels import MOST_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ratiopath.placement.resolution import Pair
    from ratiopath.readers.base import Level, Reader

# Pixels that are decoded of a level, unless all are asked for.
SAMPLED_PIXELS = 1 << 26
# With more values than this at level 0, new ones at a coarser level are no sign of averaging.
FEW_LABELS = 64
# A segment is decoded whole for any tile that touches it; with 64 MiB that is felt.
LARGE_SEGMENT = 64 * 1024**2

# Words of `Reader.encoding`. LERC is lossy only with a tolerance, which is not looked up.
_LOSSY = ("JPEG", "WEBP", "JPEGXR", "LERC")


@dataclass(frozen=True)
class Values:
    """The values of one level.

    Attributes:
        shares: The share of the pixels seen by key text, in the order of the values; empty where
            there are too many to list.
        lowest: The lowest sample seen, None where there is none.
        highest: The highest sample seen.
        complete: Whether every pixel was seen.
    """

    shares: dict[str, float]
    lowest: float | None
    highest: float | None
    complete: bool


@dataclass(frozen=True)
class LevelReport:
    """One level.

    Attributes:
        grid: Its size and its segments.
        downsample: How much coarser than level 0 it is, along x and y.
        mpp: µm per pixel along x and y, or None where unknown.
        values: Its values.
    """

    grid: Level
    downsample: Pair
    mpp: Pair | None
    values: Values


@dataclass(frozen=True)
class Report:
    """What a file holds.

    Attributes:
        path: The file.
        encoding: How it is stored.
        dtype: Its sample type.
        channels: Samples per pixel.
        mpp_source: Where the µm per pixel come from: ``"ome"``, ``"vendor"``, ``"tags"`` or None.
        levels: The pyramid, level 0 first.
        warnings: What is odd about it.
    """

    path: str
    encoding: str
    dtype: np.dtype[Any]
    channels: int
    mpp_source: str | None
    levels: tuple[LevelReport, ...]
    warnings: list[str] = field(default_factory=list)


def inspect(path: str, *, complete: bool = False) -> Report:
    """Open a file and look at its levels and values.

    Args:
        path: A slide or an overlay.
        complete: Decode every segment of every level, however long that takes.

    Returns:
        What it holds.

    Raises:
        OverlayError: It cannot be opened, or a segment cannot be decoded.
    """
    reader = open_reader(path)
    base = find_base_mpp(reader.resolution, path=path, level0=reader.levels[0])
    limit = math.inf if complete else SAMPLED_PIXELS
    unknown = (None,) * len(reader.levels)
    mpps = unknown if base is None else level_mpps(base.mpp, reader.levels)
    levels = tuple(
        LevelReport(grid, downsample, mpp, _level_values(reader, index, limit))
        for index, (grid, downsample, mpp) in enumerate(
            zip(reader.levels, level_downsamples(reader.levels), mpps, strict=True)
        )
    )
    report = Report(
        path,
        reader.encoding,
        reader.dtype,
        reader.channels,
        None if base is None else base.source,
        levels,
    )
    report.warnings.extend(_warnings(reader, report))
    return report


class _Tally:
    """Counts of values, while they are few enough to be listed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.is_few = True
        self.pixels = 0
        self.lowest, self.highest = math.inf, -math.inf

    def add(self, pixels: NDArray[Any]) -> None:
        self.pixels += pixels.shape[0] * pixels.shape[1]
        # NaN and infinities are values, but no ends of a range.
        finite = pixels[np.isfinite(pixels)]
        if finite.size:
            self.lowest = min(self.lowest, finite.min().item())
            self.highest = max(self.highest, finite.max().item())
        if self.is_few:
            # Given up for good once they are too many: a heatmap has millions.
            self._count(*count_values(pixels))

    def _count(self, values: NDArray[Any], numbers: NDArray[Any]) -> None:
        self.is_few = len(values) <= MOST_LABELS
        if self.is_few:
            for value, number in zip(values, numbers.tolist(), strict=True):
                self.counts[text_of(np.atleast_1d(value))] += number
            self.is_few = len(self.counts) <= MOST_LABELS

    def values(self, total: int) -> Values:
        keys = sorted(self.counts, key=key_order) if self.is_few else []
        lowest, highest = (None, None)
        if self.lowest <= self.highest:
            lowest, highest = self.lowest, self.highest
        shares = {key: self.counts[key] / self.pixels for key in keys}
        return Values(shares, lowest, highest, self.pixels == total)


def _level_values(reader: Reader, index: int, limit: float) -> Values:
    tally = _Tally()
    for pixels in _segments(reader, index, limit):
        tally.add(pixels)
    level = reader.levels[index]
    return tally.values(level.width * level.height)


def _segments(reader: Reader, index: int, limit: float) -> Iterator[NDArray[Any]]:
    """Yield segments cropped to their level, up to a number of pixels."""
    level = reader.levels[index]
    total = level.rows * level.columns
    step = _spreading(total)
    decoded = 0
    for number in range(total):
        row, column = divmod(number * step % total, level.columns)
        width, height = level.size_within(row, column)
        segment = reader.read_segment(index, row, column)
        if segment is None:
            # Broadcast, not filled: a sparse level may be mostly left out.
            fill = np.full((1, 1, reader.channels), reader.fill, reader.dtype)
            segment = np.broadcast_to(fill, (height, width, reader.channels))
        yield segment[:height, :width]
        decoded += height * width
        if decoded >= limit:
            return


def _spreading(total: int) -> int:
    """Return a step that visits all segments, each far from the one before.

    So what is seen of a large level, before the limit, is a sample of all of it.
    """
    # Multiples of the golden ratio spread most evenly; a step coprime to the total misses none.
    golden = max(1, round(total * 0.618))
    return next(step for step in itertools.count(golden) if math.gcd(step, total) == 1)


def _warnings(reader: Reader, report: Report) -> Iterator[str]:
    if report.mpp_source is None:
        yield f"{describe_missing_mpp(reader.resolution)}: --overlay-mpp or --slide-mpp gives it"
    elif has_default_tags(reader.resolution):
        yield "the resolution tags hold a software default, such as 72 dpi, which is ignored"
    mpp = report.levels[0].mpp
    # Scanners calibrate both axes apart, so that they differ by some per mille.
    if mpp is not None and not math.isclose(*mpp, rel_tol=0.01):
        yield f"pixels are not square: {mpp[0]:.6g} x {mpp[1]:.6g} µm"
    is_label = report.channels == 1 and report.dtype.kind in "biu"
    if is_label and any(word in report.encoding for word in _LOSSY):
        yield "lossy compression: values near edges are not those that were drawn"
    for index, level in enumerate(report.levels):
        yield from _level_warnings(report, index, level)


def _level_warnings(report: Report, index: int, level: LevelReport) -> Iterator[str]:
    grid = level.grid
    size = grid.segment_width * grid.segment_height * report.channels * report.dtype.itemsize
    if size > LARGE_SEGMENT:
        yield (
            f"level {index} is stored in pieces of {size / 1024**2:,.0f} MiB, each decoded for"
            " any tile that touches it: rewrite it tiled"
        )
    if level.downsample[0] != level.downsample[1]:
        x, y = level.downsample
        yield f"level {index} is no integer fraction of level 0: {x:.4f} along x, {y:.4f} along y"
    base = report.levels[0].values
    if not index or not 0 < len(base.shares) <= FEW_LABELS or report.channels > 1:
        return
    strange = [key for key in level.values.shares if key not in base.shares]
    if strange or not level.values.shares:
        named = ", ".join(strange[:5]) + (", ..." if len(strange) > 5 else "") or "many values"
        # A sample proves that a value occurs, never that it does not.
        seen = "has not" if base.complete else "has not where it was looked at"
        yield (
            f"averaged pyramid: level {index} has values that level 0 {seen} ({named});"
            " --overlay-level 0 is the safe reading"
        )
