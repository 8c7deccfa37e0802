"""Input that once gave a wrong number or ended the process: each has an answer or a clear error."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from shapely import Polygon, box

from ratiopath import OverlayError, OverlayValueError, count_values, overlay_overlap, read_overlay

ROI = box(0, 0, 4, 4)
MPP = {"overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}
ZEROS = np.zeros((8, 8), np.uint8)


def overlap(pixels, roi=ROI, x=0, **options):
    return overlay_overlap(roi, pixels, x, 0, 1.0, 1.0, **MPP, **options)


@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
def test_a_region_far_larger_than_its_overlay_costs_what_is_seen(coverage):
    wide = Polygon([(-2e8, -3), (2e8, -3), (0, 2e8)])
    assert overlap(ZEROS, wide, coverage=coverage) == [{0: 1.0}]


def test_an_exact_sliver_far_wider_than_its_overlay_costs_what_is_seen():
    assert overlap(ZEROS, Polygon([(0, 0), (2e8, 3), (0, 6)]), coverage="exact") == [{0: 1.0}]


def test_a_region_that_must_be_made_whole_states_its_bytes():
    with pytest.raises(OverlayValueError, match=r"needs 21,600,000,\d+ bytes"):
        overlap(ZEROS, box(0, 0, 4, 3e8), outside=0)


def test_patches_that_touch_too_many_segments_are_refused():
    huge = as_strided(ZEROS, (200_000, 200_000), (0, 0))
    with pytest.raises(OverlayValueError, match="touch 611524000 segments together"):
        overlap(huge, box(-1e6, -1e6, 1e6, 1e6), np.zeros(4000))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"channel": 1}, {}),
        ({"outside": -1}, {-1: 1.0}),
        ({"outside": 0.5}, {0.5: 1.0}),
        ({"outside": 70_000}, {70_000: 1.0}),
    ],
)
def test_a_missing_overlay_may_count_as_empty_whatever_the_others_are(options, expected):
    assert overlap("/nowhere/mask.tiff", on_missing="empty", **options) == [expected]


@pytest.mark.parametrize(
    ("value", "dtype"), [(2**64 - 1, "u8"), (2**63 - 1, "i8"), (2**53 + 1, "i8")]
)
def test_an_integer_that_float64_cannot_hold_is_refused(value, dtype):
    with pytest.raises(OverlayValueError, match=f"value {value} of .* is no float64"):
        read_overlay(ROI, np.full((4, 4), value, dtype), 0, 0, 1, 1, **MPP, dtype="f8")


@pytest.mark.parametrize("value", [2**53, -(2**63), 2**62])
def test_an_integer_that_float64_holds_is_kept(value):
    found = read_overlay(ROI, np.full((4, 4), value, "i8"), 0, 0, 1, 1, **MPP, dtype="f8")
    assert (found.data == float(value)).all()


def test_large_integers_are_told_apart_when_declared():
    pixels = np.full((4, 4), 2**53 + 1, np.uint64)
    assert overlap(pixels, classes={2**53: "a", 2**53 + 1: "b"}) == [{"b": 1.0}]
    assert overlap(pixels, classes={2**53 + 1: "a", "other": "b"}, nodata=2**53) == [{"a": 1.0}]


def test_a_value_beyond_a_float_s_range_is_not_its_infinity():
    pixels = np.full((4, 4), np.inf, np.float16)
    assert overlap(pixels, nodata=1e6) == [{np.inf: 1.0}]
    assert overlap(pixels, classes={70_000: "big", "other": "rest"}) == [{"rest": 1.0}]
    assert overlap(pixels, nodata=np.inf) == [{}]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_a_value_of_no_weight_does_not_occur(dtype):
    values, counts = count_values(np.array([[1, 2]], dtype), weights=[[0, 1]])
    assert (values.tolist(), counts.tolist()) == ([2], [1.0])


@pytest.mark.parametrize("coverage", ["center", "exact"])
def test_a_coordinate_that_is_no_pixel_s_is_refused(coverage):
    with pytest.raises(OverlayValueError, match=r"tile_x .* got 1e\+300 .*row=1"):
        overlap(ZEROS, x=[0, 1e300, -1e300], coverage=coverage)


def test_a_level_without_end_is_refused():
    with pytest.raises(OverlayValueError, match="level inf"):
        overlap(ZEROS, level=np.inf)


def test_a_path_in_an_array_of_no_dimension_is_a_path():
    with pytest.raises(OverlayError, match=r"/nowhere/mask\.tiff"):
        overlay_overlap(ROI, np.array("/nowhere/mask.tiff"), 0, 0, 1, 1)


@pytest.mark.parametrize("name", ["overlay_mpp_x", "slide_extent_y", "tile_extent_x"])
def test_one_of_a_pair_without_the_other_is_refused_by_name(name):
    with pytest.raises(ValueError, match=f"{name[:-2]}_x and {name[:-2]}_y go together"):
        overlay_overlap(ROI, ZEROS, 0, 0, 1, 1, **{name: 1.0})
