"""polygon_overlap: the share of each value in a polygon laid on an array."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exactextract import exact_extract
from hypothesis import assume, given
from shapely import box

from geometries import (
    REGIONS,
    exactextract_feature,
    exactextract_source,
    regions,
    regions_off_the_grid,
)
from ratiopath import count_values, polygon_coverage, polygon_mask, polygon_overlap

SHAPE = (9, 11)
BOUNDS = (0.0, 0.0, 11.0, 9.0)
LABELS = np.array([[1, 1, 2], [3, 2, 2]], np.uint8)


@pytest.mark.parametrize(
    ("polygon", "options", "expected"),
    [
        (box(0, 0, 3, 2), {}, {1: 2 / 6, 2: 3 / 6, 3: 1 / 6}),
        (box(0, 0, 2, 2), {}, {1: 0.5, 2: 0.25, 3: 0.25}),
        (box(2, 0, 9, 9), {}, {2: 1.0}),
        (box(5, 5, 9, 9), {}, {}),
        (box(0.6, 0.6, 0.9, 0.9), {}, {}),
        (box(0.6, 0.6, 0.9, 0.9), {"coverage": "all_touched"}, {1: 1.0}),
        (box(0, 0.5, 1, 1.25), {"coverage": "exact"}, {1: 0.5 / 0.75, 3: 0.25 / 0.75}),
        (box(0, 0, 3, 2), {"nodata": 2}, {1: 2 / 3, 3: 1 / 3}),
        (box(0, 0, 3, 2), {"nodata": (1, 2, 3)}, {}),
        (box(10, 0, 20, 20), {"bounds": (0, 0, 30, 20)}, {1: 0.5, 2: 0.5}),
    ],
)
def test_overlap_of_a_small_array_by_hand(polygon, options, expected):
    assert polygon_overlap(LABELS, polygon, **options) == pytest.approx(expected, abs=1e-15)


def test_overlap_counts_colours_and_equal_channels_as_one_value():
    pixels = np.array([[[255, 0, 0], [7, 7, 7]], [[255, 0, 0], [0, 0, 255]]], np.uint8)
    found = polygon_overlap(pixels, box(0, 0, 2, 2))
    assert found == {(255, 0, 0): 0.5, 7: 0.25, (0, 0, 255): 0.25}
    assert polygon_overlap(pixels, box(0, 0, 2, 2), channel=2) == {0: 0.5, 7: 0.25, 255: 0.25}
    assert polygon_overlap(pixels, box(0, 0, 2, 2), nodata=[(255, 0, 0)]) == {
        7: 0.5,
        (0, 0, 255): 0.5,
    }


def test_overlap_keys_are_python_numbers():
    floats = np.array([[0.5, -0.0], [0.0, math.nan]], np.float32)
    found = polygon_overlap(floats, box(0, 0, 2, 2))
    assert {type(value) for value in found} == {float}
    assert [share for value, share in found.items() if np.isnan(value)] == [0.25]
    assert (found[0.0], found[0.5]) == (0.5, 0.25)
    flags = polygon_overlap(np.array([[True, False]]), box(0, 0, 2, 1))
    assert [(type(value), value) for value in sorted(flags)] == [(int, 0), (int, 1)]
    assert {type(value) for value in polygon_overlap(LABELS, box(0, 0, 2, 2))} == {int}


@given(region=regions())
def test_overlap_is_mask_or_coverage_with_count_values(region):
    pixels = np.random.default_rng(5).integers(0, 4, SHAPE, np.uint8)
    for coverage in ("center", "all_touched"):
        mask = polygon_mask(region, SHAPE, all_touched=coverage == "all_touched")
        values, counts = count_values(pixels, mask)
        expected = dict(zip(values.tolist(), (counts / max(1, counts.sum())).tolist(), strict=True))
        assert polygon_overlap(pixels, region, coverage=coverage) == expected
    weights = polygon_coverage(region, SHAPE)
    values, counts = count_values(pixels, weights=weights)
    shares = zip(values.tolist(), counts.tolist(), strict=True)
    expected = {v: c / weights.sum() for v, c in shares if c > 1e-12}
    assert polygon_overlap(pixels, region, coverage="exact") == pytest.approx(expected, abs=1e-9)


@given(region=regions_off_the_grid())
def test_exact_overlap_is_exactextract_s(region):
    assume((region & box(*BOUNDS)).area > 1e-3)
    pixels = np.random.default_rng(6).integers(0, 4, SHAPE, np.uint8)
    feature = exactextract_feature(region, SHAPE[0])
    answer = exact_extract(exactextract_source(pixels), [feature], ["unique", "frac"])
    unique, share = (answer[0]["properties"][name].tolist() for name in ("unique", "frac"))
    expected = dict(zip(unique, share, strict=True))
    found = polygon_overlap(pixels, region, coverage="exact")
    assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
def test_views_count_like_their_copies_and_stay_as_they_were(coverage):
    base = np.random.default_rng(7).integers(0, 9, (22, 18), np.uint16)
    for view in (base[::2, ::2], base.T[::2, 1:10], base[::-1, ::-1], np.asfortranarray(base)):
        before = view.copy()
        view.flags.writeable = False
        found = polygon_overlap(view, REGIONS["polygon with hole"], coverage=coverage)
        expected = polygon_overlap(before, REGIONS["polygon with hole"], coverage=coverage)
        assert found == expected
        np.testing.assert_array_equal(view, before)


def test_a_list_of_lists_is_an_array():
    assert polygon_overlap([[1, 1], [2, 2]], box(0, 0, 2, 2)) == {1: 0.5, 2: 0.5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coverage": "centre"}, "coverage"),
        ({"channel": 1}, "channel"),
        ({"channel": -1}, "channel"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        polygon_overlap(LABELS, box(0, 0, 2, 2), **options)


@pytest.mark.parametrize("channel", ["0", 0.5, True, (0,)])
def test_a_channel_that_is_no_whole_number_is_refused_by_name(channel):
    with pytest.raises(TypeError, match="channel"):
        polygon_overlap(LABELS, box(0, 0, 2, 2), channel=channel)
