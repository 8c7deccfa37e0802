"""overlay_overlap: the share of each value under a ROI."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box

import oracle
from geometries import REGIONS, RESOLUTIONS, region_at, tiles_around
from overlays import HEIGHT, WIDTH, blocks, colours, labels, write_overlay
from ratiopath import OverlayValueError, _core, overlay_overlap

SQUARE = box(0, 0, 4, 4)
MPP: dict[str, Any] = {"overlay_mpp_x": 0.5, "overlay_mpp_y": 0.5}


def check(found, expected, coverage):
    """Counts are divided once, so their shares are equal to the last bit; areas are sums."""
    if coverage == "exact":
        assert found == pytest.approx(expected, abs=1e-9)
    else:
        assert found == expected


def test_an_overlap_by_hand():
    pixels = np.array([[0, 0, 255, 255], [0, 255, 255, 7]], np.uint8)
    found = overlay_overlap(box(0, 0, 2, 2), pixels, [0, 2, 3, -1, 9], 0, 0.5, 0.5, **MPP)
    assert found == [{0: 0.75, 255: 0.25}, {255: 0.75, 7: 0.25}, {255: 0.5, 7: 0.5}, {0: 1.0}, {}]


def test_entries_go_to_their_rows_under_their_keys():
    found: list[dict[object, float]] = [{}, {}, {}]
    rows, columns = np.array([2, 0, 2]), np.array([1, 0, 0])
    _core.fill_dictionaries(found, rows, ["a", (1, 2)], columns, np.array([0.25, 1, 0.75]))
    assert found == [{"a": 1.0}, {}, {(1, 2): 0.25, "a": 0.75}]
    one = np.zeros(1, np.intp)
    for row, column, error in ((3, 0, IndexError), (-1, 0, IndexError), (0, 1, ValueError)):
        with pytest.raises(error):
            _core.fill_dictionaries([{}], one + row, ["a"], one + column, np.ones(1))
    with pytest.raises(ValueError, match="one length"):
        _core.fill_dictionaries([{}], one, ["a"], one, np.ones(2))


def test_pixels_beyond_the_overlay_may_count_as_a_value():
    pixels = np.array([[1, 1], [1, 1]], np.uint8)
    arguments = (box(0, 0, 2, 2), pixels, [1, 9], 0, 0.5, 0.5)
    assert overlay_overlap(*arguments, **MPP, outside=0) == [{0: 0.5, 1: 0.5}, {0: 1.0}]
    assert overlay_overlap(*arguments, **MPP, outside=1) == [{1: 1.0}, {1: 1.0}]
    assert overlay_overlap(*arguments, **MPP) == [{1: 1.0}, {}]


@pytest.mark.slow
@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
@pytest.mark.parametrize("pixels", [labels(), colours()], ids=["labels", "colours"])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_overlaps_are_the_oracle_s(tmp_path, resolution, region, pixels, coverage):
    mpp, overlay_mpp = RESOLUTIONS[resolution]
    roi = region_at(region, mpp / overlay_mpp)
    path = write_overlay(tmp_path / "overlay.tiff", [pixels], overlay_mpp)
    xs, ys = tiles_around(WIDTH, HEIGHT, mpp / overlay_mpp)
    truth = oracle.Overlay.of([pixels], overlay_mpp)
    choices: list[dict[str, Any]] = [{}, {"outside": 3}, {"nodata": (0, 7)}]
    for options in choices:
        found = overlay_overlap(roi, path, xs, ys, mpp, mpp, coverage=coverage, **options)
        for row, tile in enumerate(zip(xs, ys, strict=True)):
            expected = oracle.overlap(truth, tile, roi, (mpp, mpp), coverage=coverage, **options)
            check(found[row], expected, coverage)


@given(
    tile=st.tuples(st.integers(-60, 120), st.integers(-60, 120)),
    mpp=st.tuples(st.floats(0.1, 2.0), st.floats(0.1, 2.0)),
    corner=st.tuples(st.integers(-80, 80), st.integers(-80, 80)),
    extent=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    coverage=st.sampled_from(["center", "all_touched", "exact"]),
)
def test_any_box_at_any_resolution_is_the_oracle_s(tile, mpp, corner, extent, coverage):
    (x, y), (width, height) = [n / 4 for n in corner], [n / 4 for n in extent]
    roi = box(x, y, x + width, y + height)
    arguments = {"overlay_mpp_x": 0.7, "overlay_mpp_y": 0.9, "coverage": coverage}
    found = overlay_overlap(roi, labels(), *tile, *mpp, **arguments)
    truth = oracle.Overlay.of([labels()], (0.7, 0.9))
    check(found[0], oracle.overlap(truth, tile, roi, mpp, coverage=coverage), coverage)


@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
def test_rows_come_back_in_input_order_when_overlays_alternate(tmp_path, coverage):
    fine, coarse = labels(), labels(13, 11, 1) + 100
    paths = [
        write_overlay(tmp_path / "fine.tiff", [fine], 0.5),
        write_overlay(tmp_path / "coarse.tiff", [coarse], 1.5),
    ]
    truths = [oracle.Overlay.of([fine], 0.5), oracle.Overlay.of([coarse], 1.5)]
    rng = np.random.default_rng(8)
    xs, ys, which = rng.integers(-9, 40, 40), rng.integers(-9, 40, 40), rng.integers(0, 2, 40)
    mpps = rng.choice([0.5, 1.0], 40)
    roi = REGIONS["multipolygon"]
    chosen = [paths[k] for k in which]
    found = overlay_overlap(roi, chosen, xs, ys, mpps, mpps, coverage=coverage)
    for row, k in enumerate(which):
        tile, mpp = (int(xs[row]), int(ys[row])), (mpps[row], mpps[row])
        expected = oracle.overlap(truths[k], tile, roi, mpp, coverage=coverage)
        check(found[row], expected, coverage)


@pytest.mark.slow
@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
def test_segments_of_one_value_and_repeated_segments_count_like_any(tmp_path, coverage):
    paths = [write_overlay(tmp_path / f"{k}.tiff", [blocks(k)], 0.5) for k in range(3)]
    rng = np.random.default_rng(9)
    xs, ys, which = rng.integers(-9, 40, 60), rng.integers(-9, 30, 60), rng.integers(0, 3, 60)
    roi = REGIONS["polygon with hole"]
    chosen = [paths[k] for k in which]
    for _ in range(2):  # decoded, then from the cache
        found = overlay_overlap(roi, chosen, xs, ys, 0.5, 0.5, coverage=coverage)
        for row, k in enumerate(which):
            truth = oracle.Overlay.of([blocks(k)], 0.5)
            tile = (int(xs[row]), int(ys[row]))
            expected = oracle.overlap(truth, tile, roi, (0.5, 0.5), coverage=coverage)
            check(found[row], expected, coverage)


def test_a_file_written_anew_is_read_anew(tmp_path):
    for value in (1, 2):
        pixels = np.full((HEIGHT, WIDTH), value, np.uint8)
        path = write_overlay(tmp_path / "a.tiff", [pixels], 0.5)
        assert overlay_overlap(SQUARE, path, 0, 0, 0.5, 0.5) == [{value: 1.0}]


def test_an_array_changed_between_calls_is_read_anew():
    pixels = np.ones((HEIGHT, WIDTH), np.uint8)
    assert overlay_overlap(SQUARE, pixels, 0, 0, 0.5, 0.5, **MPP) == [{1: 1.0}]
    pixels[:] = 2
    assert overlay_overlap(SQUARE, pixels, 0, 0, 0.5, 0.5, **MPP) == [{2: 1.0}]


@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
def test_shares_sum_to_1_or_there_are_none(coverage):
    xs, ys = np.meshgrid(np.arange(-20, 60, 7), np.arange(-20, 60, 7))
    roi = REGIONS["polygon with hole"]
    found = overlay_overlap(
        roi, labels(), xs.ravel(), ys.ravel(), 0.5, 0.5, coverage=coverage, **MPP
    )
    sums = {round(sum(shares.values()), 9) for shares in found}
    assert sums == {0, 1.0}
    assert all(share > 0 for shares in found for share in shares.values())


@pytest.mark.parametrize("stride", [3, 12, 17])
def test_overlapping_and_gapped_tiles_are_each_counted_whole(tmp_path, stride):
    pixels = labels(200, 150, 4)
    path = write_overlay(tmp_path / "a.tiff", [pixels], 0.5)
    xs, ys = (a.ravel() for a in np.meshgrid(np.arange(0, 188, stride), np.arange(0, 138, stride)))
    found = overlay_overlap(box(0, 0, 12, 12), path, xs, ys, 0.5, 0.5)
    for x, y, shares in zip(xs, ys, found, strict=True):
        counts = np.bincount(pixels[y : y + 12, x : x + 12].ravel())
        assert shares == {v: n / 144 for v, n in enumerate(counts.tolist()) if n}


@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
def test_a_roi_over_many_segments_is_counted_whole(tmp_path, coverage):
    pixels = labels(70, 50, 4)
    path = write_overlay(tmp_path / "a.tiff", [pixels], 0.5)
    roi = Polygon([(-5, 3), (50.3, -9), (62.7, 41.1), (20.2, 48.5), (30, 25)])
    truth = oracle.Overlay.of([pixels], 0.5)
    expected = oracle.overlap(truth, (3, 1), roi, (0.5, 0.5), coverage=coverage)
    check(overlay_overlap(roi, path, 3, 1, 0.5, 0.5, coverage=coverage)[0], expected, coverage)


def test_exact_weighs_pixels_by_the_area_they_share_with_the_roi():
    pixels = np.array([[1, 2], [3, 4]], np.uint8)
    found = overlay_overlap(box(0.5, 0, 1.25, 1), pixels, 0, 0, 0.5, 0.5, coverage="exact", **MPP)
    assert found == [pytest.approx({1: 2 / 3, 2: 1 / 3}, abs=1e-12)]


def test_exact_gives_a_roi_far_smaller_than_a_pixel_its_share():
    pixels = np.array([[1, 2], [3, 4]], np.uint8)
    resolution: dict[str, Any] = {"overlay_mpp_x": 512.0, "overlay_mpp_y": 512.0}
    roi = box(0, 0, 2, 1)
    found = overlay_overlap(roi, pixels, [511, 2], 0, 1, 1, coverage="exact", **resolution)
    assert found[0] == pytest.approx({1: 1 / 2, 2: 1 / 2}, abs=1e-9)
    # 512 * 512 such regions make a pixel.
    assert found[1] == {1: 1.0}


@pytest.mark.parametrize("scale", [1, 1 / 3, 3 / 7, 2 / 3, 0.1, 1.7, 0.4937, 0.123456789])
def test_exact_gives_a_roi_that_ends_where_the_overlay_begins_no_share(scale):
    mpp = {"overlay_mpp_x": 1 / scale, "overlay_mpp_y": 1 / scale}
    ends = np.arange(1, 200)
    for end in ends.tolist():
        roi = box(end - 1, end - 1, end, end)
        found = overlay_overlap(roi, labels(), -end, 5, 1.0, 1.0, coverage="exact", **mpp)
        assert found == [{}], end
    found = overlay_overlap(box(0, 0, 1, 1), labels(), -1 - ends, 5, 1, 1, coverage="exact", **mpp)
    assert found == [{}] * len(ends)


@pytest.mark.parametrize("extent", [1.0, 0.1, 1e-3, 1e-6])
@pytest.mark.parametrize("tile", [63, 64 * 200 - 1])
def test_exact_keeps_a_tiny_roi_over_the_corner_of_four_pixels(tile, extent):
    pixels = np.add.outer(np.arange(250) % 2 * 10, np.arange(250) % 2).astype(np.uint8)
    corner = 1 - extent / 3
    roi = box(corner, corner, corner + extent, corner + extent)
    mpp: dict[str, Any] = {"overlay_mpp_x": 64.0, "overlay_mpp_y": 64.0}
    found = overlay_overlap(roi, pixels, tile, tile, 1.0, 1.0, coverage="exact", **mpp)
    truth = oracle.Overlay.of([pixels], 64.0)
    expected = oracle.overlap(truth, (tile, tile), roi, (1.0, 1.0), coverage="exact")
    assert sorted(expected) == [0, 1, 10, 11]
    check(found[0], expected, "exact")


def test_no_data_leaves_both_the_result_and_the_denominator():
    pixels = np.array([[0, 0, 1, 9]], np.uint8)
    arguments = (box(0, 0, 4, 1), pixels, 0, 0, 0.5, 0.5)
    assert overlay_overlap(*arguments, **MPP, nodata=0) == [{1: 0.5, 9: 0.5}]
    assert overlay_overlap(*arguments, **MPP, nodata=[0, 9]) == [{1: 1.0}]
    assert overlay_overlap(*arguments, **MPP, nodata=[0, 1, 9]) == [{}]


def test_nan_is_one_value_and_may_be_no_data():
    pixels = np.array([[math.nan, 0.5, -0.0, math.nan]], np.float32)
    arguments = (box(0, 0, 4, 1), pixels, 0, 0, 0.5, 0.5)
    (found,) = overlay_overlap(*arguments, **MPP)
    assert sorted(map(repr, found.items())) == ["(0.0, 0.25)", "(0.5, 0.25)", "(nan, 0.5)"]
    assert overlay_overlap(*arguments, **MPP, nodata=math.nan) == [{0.0: 0.5, 0.5: 0.5}]


def test_colours_are_keys_and_a_channel_can_be_chosen():
    pixels = np.array([[(255, 0, 0), (7, 7, 7), (0, 0, 0), (255, 0, 0)]], np.uint8)
    arguments = (box(0, 0, 4, 1), pixels, 0, 0, 0.5, 0.5)
    assert overlay_overlap(*arguments, **MPP) == [{(255, 0, 0): 0.5, 7: 0.25, 0: 0.25}]
    assert overlay_overlap(*arguments, **MPP, channel=0) == [{255: 0.5, 7: 0.25, 0: 0.25}]
    assert overlay_overlap(*arguments, **MPP, nodata=[(255, 0, 0)]) == [{7: 0.5, 0: 0.5}]


@pytest.mark.parametrize(
    "dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
)
def test_every_dtype_keeps_its_values(tmp_path, dtype):
    pixels = np.resize(np.array([0, 1, 1, 100], dtype), (16, 16))
    if np.dtype(dtype).kind in "iu":
        pixels[:, 0] = np.iinfo(dtype).max
    expected: dict[float, float] = {}
    for value in pixels[:, :4].ravel().tolist():
        expected[value] = expected.get(value, 0) + 1 / 64
    roi = box(0, 0, 4, 16)
    assert overlay_overlap(roi, pixels, 0, 0, 0.5, 0.5, **MPP) == [expected]
    path = write_overlay(tmp_path / "a.tiff", [pixels], 0.5)
    (found,) = overlay_overlap(roi, path, 0, 0, 0.5, 0.5)
    assert found == expected
    assert {type(value) for value in found} == {float if dtype[0] == "f" else int}


def test_classes_name_the_values_and_other_gathers_the_rest():
    pixels = np.array([[0, 1, 1, 9]], np.uint8)
    arguments = (box(0, 0, 4, 1), pixels, 0, 0, 0.5, 0.5)
    (found,) = overlay_overlap(*arguments, **MPP, classes={0: "back", 1: "fat", 9: "fat"})
    assert found == {"back": 0.25, "fat": 0.75}
    (found,) = overlay_overlap(*arguments, **MPP, classes={1: "fat", "other": "rest"})
    assert found == {"fat": 0.5, "rest": 0.5}
    with pytest.raises(OverlayValueError, match="9"):
        overlay_overlap(*arguments, **MPP, classes={0: "back", 1: "fat"})


def test_bins_count_ranges_the_last_one_closed():
    pixels = np.array([[0.0, 0.49, 0.5, 1.0]], np.float32)
    arguments = (box(0, 0, 4, 1), pixels, 0, 0, 0.5, 0.5)
    (found,) = overlay_overlap(*arguments, **MPP, bins=(0, 0.5, 1))
    assert sorted(found.values()) == [0.5, 0.5]
    assert "[0,0.5)" in found
    with pytest.raises(OverlayValueError):
        overlay_overlap(*arguments, **MPP, bins=(0, 0.5, 0.75))


def test_missing_overlays_may_count_as_wholly_outside(tmp_path):
    path = write_overlay(tmp_path / "a.tiff", [labels()], 0.5)
    paths = [str(tmp_path / "absent.tiff"), None, str(path)]
    found = overlay_overlap(SQUARE, paths, 0, 0, 0.5, 0.5, on_missing="empty")
    truth = oracle.Overlay.of([labels()], 0.5)
    assert found == [{}, {}, oracle.overlap(truth, (0, 0), SQUARE, (0.5, 0.5))]


def test_a_region_far_larger_than_the_overlay_is_clipped_before_it_is_allocated():
    pixels = labels()
    shares = np.bincount(pixels.ravel()) / pixels.size
    roi = box(-1e6, -1e6, 1e6, 1e6)
    found = overlay_overlap(roi, pixels, 0, 0, 0.5, 0.5, **MPP)
    assert found == [dict(enumerate(shares.tolist()))]


def test_columns_and_arrays_may_be_strided_and_stay_as_they_were():
    view = labels(90, 74)[::-2, ::2].T
    before = view.copy()
    view.flags.writeable = False
    xs = np.arange(-4, 40, dtype=np.int32)[::5]
    xs.flags.writeable = False
    found = overlay_overlap(SQUARE, view, xs, 3, 0.5, 0.5, **MPP)
    assert found == overlay_overlap(SQUARE, before, xs.tolist(), 3, 0.5, 0.5, **MPP)
    np.testing.assert_array_equal(view, before)
