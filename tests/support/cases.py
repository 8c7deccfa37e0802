"""Whole calls at random: overlays, regions, tiles and options, small enough to be read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import oracle
from case_overlays import DTYPES, OverlaySpec, base_mpps, overlay_specs, palette
from case_regions import is_small, rois
from oracle_levels import Stated, base_mpp, downsample
from oracle_values import Choice

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SCALES = [1, 1, 1, 2, 2.5, 0.5, 1 / 3, 2 / 3, 3 / 7, 0.125, 1 / 64, 1 + 4e-7, 1 + 3e-6, 0.4937]
# At these, tiles as far out as 2^31 still lie on a small overlay.
TINY_SCALES = [1 / 1024, 3.1e-5, 2.1e-8]
LARGEST_SIDE = 2**31 - 1


@dataclass(frozen=True)
class Row:
    """One tile. ``overlay`` is an index, or None for a file that is not there."""

    overlay: int | None
    tile: tuple[int, int]
    mpp: tuple[float, float]
    override: tuple[float, float] | None


@dataclass(frozen=True)
class Case:
    """One call of either function, on one or two overlays."""

    overlays: tuple[OverlaySpec, ...]
    rows: tuple[Row, ...]
    roi: BaseGeometry
    whole_tile: bool
    is_huge: bool
    in_columns: bool
    slide_extent: tuple[int, int] | None
    level: int | None
    coverage: str
    outside: Any
    channel: int | None
    choice: Choice
    dtype: str | None
    absent: float | None

    def truth(self, row: Row, dtype: str | None = None) -> oracle.Overlay:
        """The overlay of a row as the oracle takes it; one that is missing has the dtype asked."""
        if row.overlay is None:
            return oracle.Overlay.missing(row.mpp, row.override, dtype or self.missing_dtype())
        spec = self.overlays[row.overlay]
        return oracle.Overlay.of(spec.levels(), _mpp(self, spec, row))

    def missing_dtype(self) -> np.dtype:
        """The sample type of an overlay that is not there: it must hold what lies outside."""
        outside = 0 if self.outside == "clip" else self.outside
        return np.promote_types(np.uint8, np.min_scalar_type(outside))

    def options(self) -> dict[str, Any]:
        """What both functions and both oracles take."""
        names = ("coverage", "outside", "level", "channel")
        return {name: getattr(self, name) for name in names}


def _mpp(case: Case, spec: OverlaySpec, row: Row) -> tuple[float, float]:
    found = base_mpp(spec.stated, spec.sizes[0], row.mpp, row.override, case.slide_extent)
    assert found is not None
    return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any call that has an answer, or that must be refused for a value found."""
    first = draw(overlay_specs())
    overlays = (first, *draw(_seconds(first)))
    slide_extent = draw(st.none() | st.tuples(st.integers(20, 400), st.integers(20, 400)))
    override = draw(st.none() | st.none() | st.tuples(base_mpps, base_mpps))
    if override is None and slide_extent is None and not all(_states(o) for o in overlays):
        override = draw(st.tuples(base_mpps, base_mpps))
    fewest = min(len(o.sizes) for o in overlays)
    level = draw(st.sampled_from([None, None, 0, *range(1, fewest), *range(1, fewest)]))
    mpp, scale = draw(_tile_mpps(first, override, slide_extent, level))
    roi, whole_tile = draw(rois(scale))
    is_huge = not is_small(roi, scale)
    dtypes = {o.dtype for o in overlays}
    channels = min(o.channels for o in overlays)
    coverage = draw(st.sampled_from(["center", "center", "all_touched", "exact"]))
    case: dict[str, Any] = {
        "coverage": coverage,
        "outside": draw(_outsides(dtypes, roi, scale)),
        "channel": draw(st.sampled_from([None] * 3 + list(range(channels)))),
        "dtype": draw(_wider(dtypes)),
        "absent": draw(st.sampled_from([0.0, 0.0, None])),
    }
    one_channel = case["channel"] is not None or all(o.channels == 1 for o in overlays)
    choice = draw(_choices(first, one_channel=one_channel))
    has_own = slide_extent is not None or all(_states(o) for o in overlays)
    overrides = [override] * 4
    if override is not None:
        # In a column, a null leaves a row to what its file says, and rows may differ.
        overrides += [(override[0] * 1.25, override[1])] + [None] * has_own
    rows = draw(_rows(overlays, roi, mpp, scale, overrides))
    made = Case(
        overlays,
        rows,
        roi,
        whole_tile,
        is_huge,
        draw(st.booleans()) or len({row.override for row in rows}) > 1,
        slide_extent,
        level,
        choice=choice,
        **case,
    )
    sizes = [_size(made, row) for row in rows]
    assume(made.is_huge or all(width * height < 40**2 for width, height in sizes))
    # No overlay has as many pixels a side, and a patch that has is refused.
    assume(all(max(size) < LARGEST_SIDE for size in sizes))
    return made


def _size(case: Case, row: Row) -> tuple[float, float]:
    """Columns and rows of a row's patch, unrounded."""
    truth = case.truth(row)
    is_forced = case.level is not None and row.overlay is not None
    level = case.level if is_forced else oracle.choose_level(truth, row.mpp)
    x, y = oracle.scales(truth, level or 0, row.mpp)
    x0, y0, x1, y1 = case.roi.bounds
    return float((x1 - x0) * x), float((y1 - y0) * y)


@st.composite
def _seconds(draw: st.DrawFn, first: OverlaySpec) -> list[OverlaySpec]:
    """At times another file, mostly of the same samples, and of a resolution not far off."""
    if first.is_array or draw(st.sampled_from([True, False])):
        return []
    dtype = draw(st.sampled_from([first.dtype, first.dtype, None]))
    second = draw(overlay_specs(dtype).filter(lambda spec: not spec.is_array))
    mpp = base_mpp(first.stated, first.sizes[0], (1, 1))
    if mpp is None:
        return [replace(second, stated=Stated())]
    tags = tuple(Fraction(10000 / m * draw(st.sampled_from([1, 0.75]))) for m in mpp)
    x, y = (tag.limit_denominator(10**4) for tag in tags)
    return [replace(second, stated=Stated(tags=(x, y, 10000.0)))]


def _states(spec: OverlaySpec) -> bool:
    return base_mpp(spec.stated, spec.sizes[0], (1, 1)) is not None


@st.composite
def _tile_mpps(
    draw: st.DrawFn,
    spec: OverlaySpec,
    override: tuple[float, float] | None,
    slide_extent: tuple[int, int] | None,
    level: int | None,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """µm per pixel of the tiles, and the scale to a level drawn at random."""
    levels = range(len(spec.sizes))
    target = draw(st.sampled_from([*levels, *levels[1:], *levels[1:]])) if level is None else level
    width, height = spec.sizes[target]
    shape0 = spec.sizes[0][::-1]
    steps = downsample(np.empty(shape0, bool), np.empty((height, width), bool))
    base = base_mpp(spec.stated, spec.sizes[0], (1, 1), override)
    if base is None:
        # The overlay spans the slide, whatever the µm per pixel.
        assert slide_extent is not None
        spans = zip(spec.sizes[0], slide_extent, steps, strict=True)
        x, y = (size / extent / step for size, extent, step in spans)
        return (draw(base_mpps), draw(base_mpps)), (x, y)
    scales = st.sampled_from(SCALES * 4 + TINY_SCALES) | st.floats(0.05, 3)
    one = draw(scales)
    other = draw(st.sampled_from([one, one, one, one * 1.5, one / 1.25]))
    mpp = (one * base[0] * steps[0], other * base[1] * steps[1])
    return mpp, (one, other)


@st.composite
def _outsides(draw: st.DrawFn, dtypes: set[str], roi: BaseGeometry, scale: Any) -> Any:
    """ "clip", or a value that every dtype holds; what lies outside a huge ROI is not listed."""
    if not is_small(roi, scale):
        return "clip"
    values: list[float] = [1] if "?" in dtypes else [0, 3]
    if all(d[0] == "f" for d in dtypes):
        values += [math.nan, 0.5]
    return draw(st.sampled_from(["clip", "clip", *values]))


def _wider(dtypes: set[str]) -> st.SearchStrategy[str | None]:
    """None, or a dtype that holds all values; one is needed where overlays differ."""
    wide = [one for one in DTYPES if all(_holds(one, narrow) for narrow in dtypes)]
    unchanged = [None] * (4 if len(dtypes) == 1 or not wide else 0)
    return st.sampled_from([*unchanged, *wide])


def _holds(wide: str, narrow: str) -> bool:
    """Whether a dtype holds every value of another's palette, compared as Python numbers."""
    for value in np.array(palette(narrow), narrow).tolist():
        if math.isnan(value) or math.isinf(value):
            held = wide[0] == "f"
        elif wide[0] == "f":
            held = _rounded(value, wide) == value
        elif wide == "?":
            held = value in (0, 1)
        else:
            limits = np.iinfo(wide)
            held = value == int(value) and limits.min <= value <= limits.max
        if not held:
            return False
    return True


def _rounded(value: float, dtype: str) -> float:
    with np.errstate(over="ignore"):
        return float(np.dtype(dtype).type(value))


@st.composite
def _choices(draw: st.DrawFn, spec: OverlaySpec, *, one_channel: bool) -> Choice:
    values = [int(v) if isinstance(v, bool) else v for v in palette(spec.dtype)]
    values = list({repr(v + 0): v + 0 for v in values}.values())
    some = st.lists(st.sampled_from(values), max_size=3, unique_by=repr)
    nodata = tuple(draw(some)) if draw(st.sampled_from([True, False, False])) else ()
    left = [v for v in values if not any(v is n or v == n for n in nodata)]
    left = [v for v in left if not (v != v and any(n != n for n in nodata))]  # noqa: PLR0124 - NaN
    kind = draw(st.sampled_from(["values", "values", "named", "declared", "bins"]))
    if kind == "bins" and one_channel:
        edges = draw(
            st.lists(st.sampled_from([-2, 0, 0.1, 0.5, 1, 7, 255, 2**53 + 1]), unique=True)
        )
        ends = draw(st.sampled_from([[-math.inf, math.inf]] * 3 + [[-(2**70), 2**70]]))
        return Choice(nodata, None, tuple(sorted({*edges, *ends})))
    if kind in ("named", "declared") and left:
        other = draw(st.sampled_from([True, True, True, False]))
        count = draw(st.integers(1, len(left)))
        declared = left if not other else left[:count]
        listed = (*declared, *(["other"] if other else []))
        names = {value: f"class {index // 2}" for index, value in enumerate(listed)}
        return Choice(nodata, names if kind == "named" else listed)
    return Choice(nodata)


@st.composite
def _rows(
    draw: st.DrawFn,
    overlays: tuple[OverlaySpec, ...],
    roi: BaseGeometry,
    mpp: tuple[float, float],
    scale: tuple[float, float],
    overrides: list[tuple[float, float] | None],
) -> tuple[Row, ...]:
    which: list[int | None] = [*range(len(overlays))] * 3
    which += [] if overlays[0].is_array else [None]
    coarser = (mpp[0] * 1.5, mpp[1] * 2)
    low = (roi.bounds[0], roi.bounds[1])
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        place = [draw(_places(overlays[0], k)) for k in (0, 1)]
        tile = tuple(round(float(Fraction(p) / Fraction(scale[k])) - low[k])
                     for k, p in enumerate(place))  # fmt: skip
        far = st.integers(-(2**31), 2**31)
        tile = draw(st.sampled_from([tile] * 12 + [(tile[0], None), (None, None)]))
        x, y = (draw(far) if n is None else min(max(n, -(2**31)), 2**31) for n in tile)
        row_mpp = draw(st.sampled_from([mpp, mpp, coarser]))
        overlay, override = draw(st.sampled_from(which)), draw(st.sampled_from(overrides))
        rows.append(Row(overlay, (x, y), row_mpp, override))
    return tuple(rows)


def _places(spec: OverlaySpec, axis: int) -> st.SearchStrategy[float]:
    """Where a ROI's corner may fall, in overlay pixels: inside, over both borders, outside."""
    size = spec.sizes[0][axis]
    return st.one_of(
        st.integers(0, size - 1), st.floats(-12, 2), st.floats(size - 12, size + 3)
    ).map(float)
