"""What read_overlay and overlay_overlap refuse; the error says where and how to get out."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from shapely import GeometryCollection, Point, Polygon, box

from overlays import labels, write_overlay
from ratiopath import (
    OverlayNotFoundError,
    OverlayResolutionError,
    OverlayValueError,
    overlay_overlap,
    read_overlay,
)

SQUARE = box(0, 0, 4, 4)
BOWTIE = Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])

both = pytest.mark.parametrize("function", [read_overlay, overlay_overlap])


@pytest.fixture
def overlay(tmp_path):
    """Labels of 0.5 µm per pixel."""
    return write_overlay(tmp_path / "labels.tiff", [labels()], 0.5)


@both
def test_a_missing_file_is_an_error_that_names_it(tmp_path, function):
    path = tmp_path / "absent.tiff"
    with pytest.raises(OverlayNotFoundError, match=r"absent\.tiff") as caught:
        function(SQUARE, path, 0, 0, 0.5, 0.5)
    assert isinstance(caught.value, FileNotFoundError)
    assert str(caught.value.path) == str(path)


@both
def test_a_null_path_is_an_error_that_names_the_row(overlay, function):
    with pytest.raises(OverlayNotFoundError) as caught:
        function(SQUARE, [str(overlay), None], 0, 0, 0.5, 0.5)
    assert caught.value.row == 1


@both
def test_a_file_without_a_resolution_is_an_error_that_names_both_ways_out(tmp_path, function):
    path = write_overlay(tmp_path / "bare.tiff", [labels()])
    with pytest.raises(OverlayResolutionError, match=r"overlay_mpp_x.*slide_extent_x") as caught:
        function(SQUARE, path, 0, 0, 0.5, 0.5)
    assert str(caught.value.path) == str(path)


@both
@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ({"mpp_x": [0.5, math.nan]}, 1),
        ({"mpp_y": [0.0, 0.5]}, 0),
        ({"mpp_x": [0.5, -0.5]}, 1),
        ({"mpp_x": [0.5, None]}, 1),
        ({"mpp_x": [0.5, math.inf]}, 1),
        ({"tile_x": [0, None]}, 1),
        ({"tile_y": [math.nan, 0.0]}, 0),
        ({"overlay_mpp_x": [0.5, -1.0], "overlay_mpp_y": 0.5}, 1),
        ({"level": 1}, 0),
        ({"level": -1}, 0),
    ],
)
def test_a_row_s_bad_value_is_an_error_that_names_the_row(overlay, function, changed, row):
    arguments = {"tile_x": [0, 0], "tile_y": [0, 0], "mpp_x": 0.5, "mpp_y": 0.5} | changed
    with pytest.raises(OverlayValueError) as caught:
        function(SQUARE, overlay, **arguments)
    assert caught.value.row == row
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - ours


@both
@pytest.mark.parametrize("name", ["tile_x", "tile_y", "mpp_x", "mpp_y"])
def test_null_for_all_rows_is_an_error_that_names_the_first(overlay, function, name):
    arguments = {"tile_x": [0, 0], "tile_y": [0, 0], "mpp_x": 0.5, "mpp_y": 0.5, name: None}
    with pytest.raises(OverlayValueError, match=name) as caught:
        function(SQUARE, overlay, **arguments)
    assert (caught.value.path, caught.value.row) == (str(overlay), 0)
    assert "got null or NaN" in str(caught.value)


@both
@pytest.mark.parametrize(
    "roi",
    [
        BOWTIE,
        Polygon(),
        Polygon([(0, 0), (4, 4), (2, 2)]),
        GeometryCollection([Point(1, 1)]),
        GeometryCollection([BOWTIE, BOWTIE]),
        GeometryCollection([box(0, 0, 9, 9), BOWTIE]),
        Polygon([(0, 0), (math.inf, 0), (0, 4)]),
    ],
    ids=[
        "self-crossing",
        "empty",
        "zero area",
        "no polygonal part",
        "self-crossing parts",
        "self-crossing part",
        "not finite",
    ],
)
def test_an_invalid_roi_is_refused_and_make_valid_named(overlay, function, roi):
    with pytest.raises(ValueError, match="make_valid"):
        function(roi, overlay, 0, 0, 0.5, 0.5)


@both
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coverage": "centre"}, "coverage"),
        ({"outside": "wrap"}, "outside"),
        ({"outside": 300}, "outside"),
        ({"outside": -1}, "outside"),
        ({"outside": 0.5}, "outside"),
        ({"channel": 1}, "channel"),
        ({"on_missing": "skip"}, "on_missing"),
    ],
)
def test_a_wrong_option_is_refused_by_name(overlay, function, options, message):
    with pytest.raises(ValueError, match=message):
        function(SQUARE, overlay, 0, 0, 0.5, 0.5, **options)


def test_exact_coverage_makes_no_mask(overlay):
    with pytest.raises(ValueError, match="coverage"):
        read_overlay(SQUARE, overlay, 0, 0, 0.5, 0.5, coverage="exact")


def test_a_keyword_of_the_other_function_is_refused(overlay):
    nodata: dict[str, Any] = {"nodata": 0}
    with pytest.raises(TypeError, match="nodata"):
        read_overlay(SQUARE, overlay, 0, 0, 0.5, 0.5, **nodata)
    absent: dict[str, Any] = {"absent": None}
    with pytest.raises(TypeError, match="absent"):
        overlay_overlap(SQUARE, overlay, 0, 0, 0.5, 0.5, **absent)


@both
def test_no_roi_and_no_tile_extent_is_refused(overlay, function):
    with pytest.raises((TypeError, ValueError), match="tile_extent"):
        function(None, overlay, 0, 0, 0.5, 0.5)


@both
def test_columns_of_different_length_are_refused(overlay, function):
    with pytest.raises(ValueError, match=r"length|rows"):
        function(SQUARE, overlay, [0, 1], [0, 1, 2], 0.5, 0.5)


def test_values_both_declared_and_left_out_are_refused(overlay):
    with pytest.raises(ValueError, match="nodata"):
        overlay_overlap(SQUARE, overlay, 0, 0, 0.5, 0.5, classes={0: "a", 1: "b"}, nodata=1)


@pytest.mark.parametrize("dtype", ["U3", "complex64", "M8[s]", "nonsense", object])
def test_a_dtype_that_holds_no_samples_is_refused_by_name(overlay, dtype):
    with pytest.raises(TypeError, match="dtype="):
        read_overlay(SQUARE, overlay, 0, 0, 0.5, 0.5, dtype=dtype)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"nodata": object()}, TypeError, "nodata must be a value or several"),
        ({"storage_options": {1: 2}}, TypeError, "keys of storage_options must be strings"),
        (
            {"overlay_mpp_x": [1.0], "overlay_mpp_y": [None]},
            OverlayValueError,
            "one is null.*row=0",
        ),
        ({"overlay_mpp_x": np.ones((2, 2)), "overlay_mpp_y": 1.0}, ValueError, "not 2-D"),
    ],
)
def test_an_option_of_the_wrong_kind_is_named(overlay, options, error, message):
    with pytest.raises(error, match=message):
        overlay_overlap(SQUARE, overlay, [0], [0], 0.5, 0.5, **options)


def test_what_polygons_of_nested_collections_cover_together_counts_once(overlay):
    left, right = box(0, 0, 6, 8), box(2, 0, 10, 8)
    nested = GeometryCollection(
        [Point(1, 1), GeometryCollection([left, GeometryCollection([right])])]
    )
    expected = overlay_overlap(left | right, overlay, 0, 0, 0.5, 0.5)
    assert overlay_overlap(nested, overlay, 0, 0, 0.5, 0.5) == expected
