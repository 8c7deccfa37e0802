"""Statistics of heatmaps: NumPy's and exactextract's answers, pixel by pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from exactextract import exact_extract
from hypothesis import given
from hypothesis import strategies as st
from shapely import box
from shapely.affinity import scale as enlarge
from shapely.affinity import translate

import ratiopath
from geometries import OFF_THE_GRID, REGIONS, exactextract_feature, exactextract_source
from overlays import write_overlay
from ratiopath.errors import OverlayNotFoundError, OverlayValueError
from ratiopath.measure import summaries as summary

EVERY = ("count", "sum", "mean", "std", "var", "min", "max", "median", "q0", "q12.5", "q90", "q100")
TILES = [(0, 0), (8, 11), (-5, 9), (30, 25), (17, -3), (500, 500)]
XS, YS = [x for x, _ in TILES], [y for _, y in TILES]


def heatmap(dtype: Any = np.float32, width=45, height=37):
    values = np.random.default_rng(7).normal(100, 25, (height, width))
    return (values if np.dtype(dtype).kind == "f" else np.clip(values, 0, 120)).astype(dtype)


def slow_quantile(values, weights, share):
    """The definition, as it is written."""
    order = sorted(range(len(values)), key=lambda k: (values[k], weights[k]))
    values, weights = [values[k] for k in order], [weights[k] for k in order]
    last = len(values) - 1
    places = [k * weights[k] + last * math.fsum(weights[:k]) for k in range(len(values))]
    return float(np.interp(share * last * math.fsum(weights), places, values))


def slow_stats(values, weights, names=EVERY):
    """Sums and loops over the pixels that count."""
    kept = [
        (float(v), w) for v, w in zip(values, weights, strict=True) if w > 0 and not np.isnan(v)
    ]
    values, weights = [v for v, _ in kept], [w for _, w in kept]
    total = math.fsum(weights)
    empty = dict.fromkeys(names, math.nan) | {"count": 0.0, "sum": 0.0}
    if not kept:
        return {name: empty[name] for name in names}
    weighted = math.fsum(v * w for v, w in kept)
    variance = math.fsum(w * (v - weighted / total) ** 2 for v, w in kept) / total
    found = {"count": total, "sum": weighted, "mean": weighted / total, "var": variance}
    found |= {"std": math.sqrt(variance), "min": min(values), "max": max(values)}
    for name in names:
        if name not in found:
            share = 0.5 if name == "median" else float(name[1:]) / 100
            found[name] = slow_quantile(values, weights, share)
    return {name: found[name] for name in names}


def check(found, expected, tolerance=1e-9):
    assert list(found) == list(expected[0])
    for name, column in found.items():
        wanted = [row[name] for row in expected]
        np.testing.assert_allclose(column, wanted, rtol=tolerance, atol=tolerance, err_msg=name)


def pixels_under(pixels, roi, x, y, rule):
    """Values and weights of all pixels on a grid that has the tiles' own pixels."""
    height, width = pixels.shape
    moved = translate(roi, x, y)
    if rule == "exact":
        weights = ratiopath.polygon_coverage(moved, (height, width))
    else:
        mask = ratiopath.polygon_mask(moved, (height, width), all_touched=rule == "all_touched")
        weights = (~mask).astype(float)
    return pixels.ravel(), weights.ravel()


@pytest.mark.parametrize("rule", ["center", "all_touched", "exact"])
@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("dtype", ["f4", "u1", "i2", "f2", "f8", "?", "u8"])
def test_statistics_are_those_of_a_slow_loop(tmp_path, rule, name, dtype):
    pixels = heatmap(dtype)
    path = write_overlay(tmp_path / "heat.tiff", [pixels], 0.5)
    roi = REGIONS[name]
    options: dict[str, Any] = {"stats": EVERY, "coverage": rule}
    found = ratiopath.overlay_stats(roi, path, XS, YS, 0.5, 0.5, **options)
    rows = [pixels_under(pixels, roi, x, y, rule) for x, y in TILES]
    check(found, [slow_stats(*row) for row in rows])


def test_equal_weights_give_numpy_s_statistics():
    pixels = heatmap(np.float64)
    found = ratiopath.overlay_stats(
        box(3, 4, 33, 29), pixels, 0, 0, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1, stats=EVERY
    )
    part = pixels[4:29, 3:33]
    expected = {"count": part.size, "sum": part.sum(), "mean": part.mean(), "std": part.std()}
    expected |= {"var": part.var(), "min": part.min(), "max": part.max()}
    shares = {"median": 0.5, "q0": 0, "q12.5": 0.125, "q90": 0.9, "q100": 1}
    expected |= {name: np.quantile(part, share) for name, share in shares.items()}
    for name, value in expected.items():
        assert found[name] == pytest.approx([value], rel=1e-12), name


@pytest.mark.parametrize("name", REGIONS)
def test_exact_coverage_gives_exactextract_s_statistics(name):
    pixels = heatmap(np.float64)
    roi = translate(enlarge(REGIONS[name], 2, 2, origin=(0, 0)), *OFF_THE_GRID)
    wanted = ["count", "sum", "mean", "stdev", "variance", "min", "max", "median"]
    wanted += ["quantile(q=0.9)", "quantile(q=0.2)"]
    feature = exactextract_feature(roi, len(pixels))
    theirs = exact_extract(exactextract_source(pixels), feature, wanted)[0]["properties"]
    called = {"std": "stdev", "var": "variance", "q90": "quantile_90", "q20": "quantile_20"}
    names = ("count", "sum", "mean", "std", "var", "min", "max", "median", "q90", "q20")
    ours = ratiopath.overlay_stats(
        roi, pixels, 0, 0, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1, coverage="exact", stats=names
    )
    for name_of_ours, column in ours.items():
        # exactextract keeps coverage in float32.
        expected = theirs[called.get(name_of_ours, name_of_ours)]
        assert column == pytest.approx([expected], rel=2e-6), name_of_ours


def test_a_small_spread_on_a_large_mean_is_not_lost():
    pixels = 1e9 + np.arange(64.0).reshape(8, 8) / 64
    found = ratiopath.overlay_stats(
        box(0, 0, 8, 8), pixels, 0, 0, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1, stats=("std", "sum")
    )
    assert found["std"] == pytest.approx([np.std(np.arange(64) / 64)], rel=1e-7)
    assert found["sum"] == pytest.approx([pixels.sum()], rel=1e-15)


def _nine_digits(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers whose sums do not end at the last digit of a float64 before a pixel's edge.

    Whether such a region has a share of 1e-16 in the pixel beyond is a matter of rounding, but at
    quantile 0 that pixel's value counts.
    """
    return st.floats(low, high).map(lambda value: round(value, 9))


@given(
    values=st.lists(st.integers(-3, 3), min_size=4, max_size=4),
    corner=st.tuples(*[_nine_digits(-0.5, 1.5)] * 2),
    size=st.tuples(*[_nine_digits(0.01, 2)] * 2),
    share=st.floats(0, 100),
)
def test_quantiles_of_few_pixels(values, corner, size, share):
    pixels = np.array(values, np.int8).reshape(2, 2)
    x, y = corner
    roi = box(x, y, x + size[0], y + size[1])
    weights = ratiopath.polygon_coverage(roi, (2, 2)).ravel()
    name = f"q{share:.6f}"
    found = ratiopath.overlay_stats(
        roi, pixels, 0, 0, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1, coverage="exact", stats=name
    )
    expected = slow_stats(values, weights.tolist(), (name,))
    assert found[name] == pytest.approx([expected[name]], abs=1e-6, nan_ok=True)
    if (weights > 0).any():
        kept = pixels.ravel()[weights > 0]
        assert kept.min() <= found[name][0] <= kept.max()


# --- what counts ---------------------------------------------------------------------------


def test_nan_and_nodata_do_not_count(tmp_path):
    pixels = np.array([[np.nan, 0.1, 3], [5, -1, 0.1]], np.float32)
    path = write_overlay(tmp_path / "heat.tiff", [pixels], 1.0)
    found = ratiopath.overlay_stats(
        box(0, 0, 3, 2), path, 0, 0, 1, 1, stats=("count", "sum", "max"), nodata=(0.1, -1)
    )
    assert {name: column.tolist() for name, column in found.items()} == {
        "count": [2.0],
        "sum": [8.0],
        "max": [5.0],
    }


def test_sparse_segments_hold_their_fill(tmp_path):
    pixels = np.zeros((32, 32), np.uint8)
    pixels[:16, :16] = 8
    path = write_overlay(tmp_path / "sparse.tiff", [pixels], 1.0, compression=None)
    found = ratiopath.overlay_stats(
        box(0, 0, 32, 32), path, 0, 0, 1, 1, stats=("count", "mean", "median", "max")
    )
    assert [column[0] for column in found.values()] == [1024, 2, 0, 8]


def test_beyond_the_overlay_nothing_counts():
    found = ratiopath.overlay_stats(
        box(0, 0, 4, 4),
        np.full((4, 4), 7.0),
        [2, 40],
        [0, 0],
        1,
        1,
        overlay_mpp_x=1,
        overlay_mpp_y=1,
        stats=("count", "mean", "sum", "min", "std", "q50"),
    )
    expected = {"count": [8, 0], "mean": [7, np.nan], "sum": [56, 0], "min": [7, np.nan]}
    expected |= {"std": [0, np.nan], "q50": [7, np.nan]}
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column, err_msg=name)


def test_a_missing_overlay_is_an_error_or_empty(tmp_path):
    gone = str(tmp_path / "gone.tiff")
    with pytest.raises(OverlayNotFoundError, match=r"gone\.tiff.*row=0"):
        ratiopath.overlay_stats(box(0, 0, 4, 4), gone, 0, 0, 1, 1)
    found = ratiopath.overlay_stats(box(0, 0, 4, 4), gone, 0, 0, 1, 1, on_missing="empty")
    assert np.isnan(found["mean"]).tolist() == [True]


def test_several_channels_need_one_to_be_chosen():
    colours = np.dstack([np.full((4, 4), 10, np.uint8), np.full((4, 4), 30, np.uint8)])
    options: dict[str, Any] = {"overlay_mpp_x": 1, "overlay_mpp_y": 1}
    with pytest.raises(OverlayValueError, match=r"stats need channel=: the overlay has 2.*row=0"):
        ratiopath.overlay_stats(box(0, 0, 4, 4), colours, 0, 0, 1, 1, **options)
    found = ratiopath.overlay_stats(box(0, 0, 4, 4), colours, 0, 0, 1, 1, channel=1, **options)
    assert found["mean"].tolist() == [30]


@pytest.mark.parametrize("threads", ["1", "3"])
def test_few_pixels_at_once_or_many_give_the_same(tmp_path, monkeypatch, threads):
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", threads)
    path = write_overlay(tmp_path / "heat.tiff", [heatmap(width=200, height=160)], 0.5)
    x, y = (grid.ravel() for grid in np.meshgrid(range(0, 200, 7), range(0, 160, 9)))
    found = []
    for kept in (1, 500, 1 << 21):
        monkeypatch.setattr(summary, "KEPT_PIXELS", kept)
        for rule in ("center", "exact"):
            options: dict[str, Any] = {"stats": EVERY, "coverage": rule}
            found.append(ratiopath.overlay_stats(box(0, 0, 9, 9), path, x, y, 0.5, 0.5, **options))
    for other in found[1:]:
        for name in EVERY:
            np.testing.assert_allclose(other[name], found[0][name], rtol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"stats": "average"}, ValueError, "no statistic 'average'"),
        ({"stats": "q101"}, ValueError, "no statistic 'q101'"),
        ({"stats": "q-1"}, ValueError, "no statistic"),
        ({"stats": ()}, ValueError, "at least one"),
        ({"stats": ("mean", "mean")}, ValueError, "each once"),
        ({"stats": 5}, TypeError, "must be names"),
        ({"stats": [5]}, TypeError, "must be names"),
        ({"nodata": [(1, 2)]}, TypeError, "nodata must be numbers"),
        ({"coverage": "some"}, ValueError, "coverage must be"),
        ({"overlay_mpp_x": 1}, ValueError, "overlay_mpp_y is missing"),
    ],
)
def test_wrong_options_fail_before_an_overlay_is_read(options, kind, message):
    with pytest.raises(kind, match=message):
        ratiopath.overlay_stats(box(0, 0, 4, 4), "nowhere.tiff", 0, 0, 1, 1, **options)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_samples_of_every_type_are_the_numbers_they_hold(dtype):
    # Beyond a byte, of either sign, and exact in float64.
    largest = 2**7 - 1 if dtype[1] == "1" else 2 ** (8 * min(int(dtype[1]), 4) - 2) + 2
    lowest = 0 if dtype[0] == "u" else -largest
    pixels = np.array([[lowest, 1], [2, largest]], dtype)
    found = ratiopath.overlay_stats(
        box(0, 0, 2, 2),
        pixels,
        0,
        0,
        1,
        1,
        overlay_mpp_x=1,
        overlay_mpp_y=1,
        stats=("count", "sum", "min", "max", "q0", "q100"),
    )
    low, high = float(pixels[0, 0]), float(pixels[1, 1])
    assert [column[0] for column in found.values()] == [4, low + high + 3, low, high, low, high]
