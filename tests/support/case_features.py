"""What a generated case exercises, for the histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import oracle
from oracle_levels import snap
from oracle_shapes import integer_bounds

if TYPE_CHECKING:
    from cases import Case, Row

# Each of these must hold in at least a third of all cases.
ROUNDED = "S is not 1 and a patch's size was rounded"
BEYOND = "a tile over a border or outside"
COARSE = "a level above 0"
OTHER_SAMPLES = "not u8 of one channel"
FEATURES = (ROUNDED, BEYOND, COARSE, OTHER_SAMPLES)


def features(case: Case) -> set[str]:
    """Everything that is worth counting about a case."""
    found = {
        f"coverage={case.coverage}",
        "outside=clip" if case.outside == "clip" else "outside=value",
        f"storage={case.overlays[0].storage}",
        f"dtype={case.overlays[0].dtype}",
        f"channels={case.overlays[0].channels}",
        f"levels={len(case.overlays[0].sizes)}",
        "two overlays" if len(case.overlays) > 1 else "one overlay",
        "roi=whole tile" if case.whole_tile else f"roi={case.roi.geom_type}",
    }
    given: dict[str, Any] = {
        "channel": case.channel,
        "nodata": case.choice.nodata or None,
        "bins": case.choice.bins,
    }
    given |= {"classes": case.choice.classes, "level": case.level, "dtype": case.dtype}
    overrides = {row.override for row in case.rows}
    given |= {"overlay_mpp": max(overrides, key=bool), "slide_extent": case.slide_extent}
    if case.in_columns:
        found.add("numbers in columns")
    if len(overrides) > 1:
        found.add("overlay_mpp differs or is null by row")
    found |= {f"{name}= given" for name, value in given.items() if value is not None}
    if len({row.mpp for row in case.rows}) > 1:
        found.add("two resolutions")
    if any(abs(n) > 2**24 for row in case.rows for n in row.tile):
        found.add("a coordinate above 2^24")
    if any((spec.dtype, spec.channels) != ("u1", 1) for spec in case.overlays):
        found.add(OTHER_SAMPLES)
    for row in case.rows:
        found |= _of_row(case, row)
    return found


def _of_row(case: Case, row: Row) -> set[str]:
    if row.overlay is None:
        return {"a missing overlay"}
    truth = case.truth(row)
    level = oracle.choose_level(truth, row.mpp) if case.level is None else case.level
    scale = oracle.scales(truth, level, row.mpp)
    x0, y0, x1, y1 = integer_bounds(case.roi)
    found = {COARSE} if level > 0 else set()
    sizes = [(x1 - x0) * scale[0], (y1 - y0) * scale[1]]
    if any(s != 1 for s in scale) and any(size.denominator > 1 for size in sizes):
        found.add(ROUNDED)
    if any(snap(float(s)) != s for s in scale):
        found.add("S is no ratio")
    height, width = truth.levels[level].shape[:2]
    low = [(row.tile[0] + x0) * scale[0], (row.tile[1] + y0) * scale[1]]
    high = [low[0] + sizes[0], low[1] + sizes[1]]
    if min(low) < 0 or high[0] > width or high[1] > height:
        found.add(BEYOND)
    if max(high[0], high[1]) <= 0 or low[0] >= width or low[1] >= height or min(high) <= 0:
        found.add("a tile wholly outside")
    return found
