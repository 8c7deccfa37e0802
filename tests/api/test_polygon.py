"""polygon_mask and polygon_coverage: which pixels lie in a polygon, and how much of each."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from exactextract import exact_extract
from hypothesis import assume, given
from rasterio.features import geometry_mask
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

import oracle
from geometries import (
    REGIONS,
    exactextract_feature,
    exactextract_source,
    regions,
    regions_off_the_grid,
)
from ratiopath import polygon_coverage, polygon_mask, polygon_overlap

SHAPE = (9, 11)
BOUNDS = (0.0, 0.0, 11.0, 9.0)
SHIFTED = (-1.0, 0.5, 12.25, 10.0)

TRIANGLE = Polygon([(0, 0), (4, 0), (0, 4)])
BOWTIE = Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])


def inside(*rows: str) -> np.ndarray:
    """A mask drawn by hand: "#" is inside the polygon, so False."""
    return np.array([[character != "#" for character in row] for row in rows])


@pytest.mark.parametrize(
    ("polygon", "expected"),
    [
        (box(0, 0, 4, 4), inside("####", "####", "####", "####")),
        (box(1, 1, 3, 3), inside("....", ".##.", ".##.", "....")),
        (box(0.6, 0.4, 1.4, 3.4), inside("....", "....", "....", "....")),
        (box(-5, -5, 9, 9), inside("####", "####", "####", "####")),
        (box(7, 0, 9, 4), inside("....", "....", "....", "....")),
        (TRIANGLE, inside("####", "###.", "##..", "#...")),
        (box(0, 0, 4, 4) - box(1, 1, 3, 3), inside("####", "#..#", "#..#", "####")),
        (MultiPolygon([box(0, 0, 1, 2), box(3, 1, 4, 4)]), inside("#...", "#..#", "...#", "...#")),
    ],
)
def test_mask_marks_the_pixels_whose_centre_is_outside(polygon, expected):
    mask = polygon_mask(polygon, (4, 4))
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, expected)


def test_a_centre_on_an_edge_is_out_at_the_left_and_bottom_and_in_at_the_right_and_top():
    mask = polygon_mask(box(0.5, 0.5, 2.5, 2.5), (4, 4))
    np.testing.assert_array_equal(mask, inside(".##.", ".##.", "....", "...."))


@pytest.mark.parametrize(
    ("polygon", "expected"),
    [
        (box(1, 1, 3, 3), inside("....", ".##.", ".##.", "....")),
        (box(0.9, 0.9, 3.1, 3.1), inside("####", "####", "####", "####")),
        (box(1.4, 1.4, 1.6, 1.6), inside("....", ".#..", "....", "....")),
        (TRIANGLE, inside("####", "###.", "##..", "#...")),
        (box(0, 0, 4, 4) - box(1, 1, 3, 3), inside("####", "#..#", "#..#", "####")),
        (box(0, 0, 4, 4) - box(1.1, 1, 3, 3), inside("####", "##.#", "##.#", "####")),
        (Polygon([(0, 2), (4, 2), (4, 2.001)]), inside("....", "....", "####", "....")),
    ],
)
def test_all_touched_marks_the_pixels_that_share_no_area_with_the_polygon(polygon, expected):
    np.testing.assert_array_equal(polygon_mask(polygon, (4, 4), all_touched=True), expected)


def test_bounds_lay_polygon_space_on_the_grid():
    mask = polygon_mask(box(12, 20, 16, 22), (2, 4), bounds=(10, 20, 18, 24))
    np.testing.assert_array_equal(mask, inside(".##.", "...."))


def test_a_collection_counts_its_polygons_and_z_is_ignored():
    collection = GeometryCollection([Point(0, 0), LineString([(0, 0), (4, 4)]), box(1, 1, 3, 3)])
    solid = Polygon([(1, 1, 5), (3, 1, 6), (3, 3, 7), (1, 3, 8)])
    expected = inside("....", ".##.", ".##.", "....")
    np.testing.assert_array_equal(polygon_mask(collection, (4, 4)), expected)
    np.testing.assert_array_equal(polygon_mask(solid, (4, 4)), expected)


@pytest.mark.parametrize("function", [polygon_mask, polygon_coverage])
@pytest.mark.parametrize(
    "polygon",
    [
        BOWTIE,
        Polygon(),
        Polygon([(0, 0), (4, 4), (2, 2)]),
        LineString([(0, 0), (4, 4)]),
        GeometryCollection([Point(1, 1)]),
        Polygon([(0, 0), (math.inf, 0), (0, 4)]),
    ],
    ids=["self-crossing", "empty", "zero area", "line", "no polygonal part", "infinite"],
)
def test_an_invalid_polygon_is_refused_and_make_valid_named(function, polygon):
    with pytest.raises(ValueError, match="make_valid"):
        function(polygon, (4, 4))


@pytest.mark.parametrize("bounds", [(0, 0, 0, 4), (4, 0, 0, 4), (0, 0, math.nan, 4)])
def test_bounds_without_extent_are_refused(bounds):
    with pytest.raises(ValueError, match="bounds"):
        polygon_mask(box(0, 0, 2, 2), (4, 4), bounds=bounds)


@pytest.mark.parametrize("shape", [(-1, 4), (4, 0), (2**40, 2**40)])
def test_a_shape_that_is_no_grid_is_refused(shape):
    with pytest.raises(ValueError, match=r"shape|grid"):
        polygon_mask(box(0, 0, 2, 2), shape)


@pytest.mark.parametrize("function", ["polygon_mask", "polygon_coverage"])
def test_a_grid_too_large_to_allocate_is_an_error_and_no_abort(function):
    script = (
        "import shapely, ratiopath\n"
        f"try: ratiopath.{function}(shapely.box(0, 0, 2, 2), (2_000_000, 2_000_000))\n"
        "except (ValueError, MemoryError): print('refused')"
    )
    # In a process of its own: an abort would take the whole run with it.
    run = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout.strip(), run.returncode) == ("refused", 0)


def test_something_that_is_no_geometry_is_refused():
    points: dict[str, Any] = {"polygon": [(0, 0), (1, 1), (0, 1)]}
    with pytest.raises(TypeError):
        polygon_mask(**points, shape=(4, 4))


@pytest.mark.parametrize("bounds", [BOUNDS, SHIFTED])
@pytest.mark.parametrize("name", REGIONS)
def test_mask_and_coverage_are_the_oracle_s(name, bounds):
    region = REGIONS[name]
    check_against_oracle(region, bounds)


@given(region=regions())
def test_any_mask_and_coverage_are_the_oracle_s(region):
    check_against_oracle(region, BOUNDS)


def check_against_oracle(region, bounds):
    centre = oracle.mask_grid(region, SHAPE, bounds, "center")
    np.testing.assert_array_equal(polygon_mask(region, SHAPE, bounds=bounds), centre)
    touched = oracle.mask_grid(region, SHAPE, bounds, "all_touched")
    found = polygon_mask(region, SHAPE, bounds=bounds, all_touched=True)
    np.testing.assert_array_equal(found, touched)
    expected = oracle.coverage_grid(region, SHAPE, bounds).astype(np.float64)
    coverage = polygon_coverage(region, SHAPE, bounds=bounds)
    np.testing.assert_allclose(coverage, expected, rtol=0, atol=1e-9)


def test_a_mask_far_from_the_origin_decides_every_centre_exactly():
    far = 2.0**31
    region = Polygon([(far, far), (far + 10.3, far + 1.7), (far + 4.1, far + 8.9)])
    bounds = (far, far, far + 11, far + 9)
    expected = oracle.mask_grid(region, SHAPE, bounds, "center")
    np.testing.assert_array_equal(polygon_mask(region, SHAPE, bounds=bounds), expected)


@given(region=regions())
def test_center_is_rasterio_s_default_where_no_centre_lies_on_an_edge(region):
    # On an edge GDAL compares against a crossing rounded to float64, ours is exact.
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] + 0.5
    away = shapely.distance(shapely.boundary(region), shapely.points(x, y)) > 1e-9
    expected = geometry_mask([region], SHAPE, Affine.identity())
    np.testing.assert_array_equal(polygon_mask(region, SHAPE)[away], expected[away])


@pytest.mark.parametrize("polygon", [box(0.5, 0.5, 2.5, 2.5), box(1.5, 0, 3, 3.5)])
def test_center_is_rasterio_s_default_on_upright_edges_too(polygon):
    expected = geometry_mask([polygon], (4, 4), Affine.identity())
    np.testing.assert_array_equal(polygon_mask(polygon, (4, 4)), expected)


def test_center_is_rasterio_s_default_on_every_tie_that_float64_decides():
    # With vertices on quarters every crossing is exact, so GDAL rounds none of them, and a centre
    # on an edge is decided alike. Elsewhere ties differ: see the test above.
    rng, ties = np.random.default_rng(1), 0
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] + 0.5
    for count in rng.integers(3, 8, 300):
        corners = shapely.MultiPoint(rng.integers(-8, 48, (count, 2)) / 4).convex_hull
        region = corners if corners.geom_type == "Polygon" else box(0.5, 0.25, 3.5, 4.5)
        expected = geometry_mask([region], SHAPE, Affine.identity())
        np.testing.assert_array_equal(polygon_mask(region, SHAPE), expected)
        ties += (shapely.distance(shapely.boundary(region), shapely.points(x, y)) == 0).sum()
    assert ties > 100


@given(region=regions_off_the_grid())
def test_all_touched_is_rasterio_s_or_less(region):
    # GDAL also burns pixels that an edge merely runs along; ours must share an area. Where an edge
    # passes a corner by less than float64 tells, GDAL rounds and ours is exact.
    expected = geometry_mask([region], SHAPE, Affine.identity(), all_touched=True)
    assert not np.any(expected & ~polygon_mask(region, SHAPE, all_touched=True))


def test_coverage_of_half_a_pixel_is_a_half():
    coverage = polygon_coverage(box(0.5, 0, 2, 1.25), (2, 3))
    assert coverage.dtype == np.float64
    np.testing.assert_array_equal(coverage, [[0.5, 1, 0], [0.125, 0.25, 0]])


@given(region=regions())
def test_coverage_is_shapely_s_intersection_area(region):
    cells = [[box(j, i, j + 1, i + 1) for j in range(SHAPE[1])] for i in range(SHAPE[0])]
    expected = shapely.area(shapely.intersection(region, np.array(cells)))
    coverage = polygon_coverage(region, SHAPE)
    np.testing.assert_allclose(coverage, expected, rtol=0, atol=1e-9)
    assert coverage.min() >= 0
    assert coverage.max() <= 1


@given(region=regions_off_the_grid())
def test_coverage_is_exactextract_s(region):
    assume((region & box(*BOUNDS)).area > 0)
    feature = exactextract_feature(region, SHAPE[0])
    source = exactextract_source(np.zeros(SHAPE))
    found = exact_extract(source, [feature], ["cell_id", "coverage"])[0]["properties"]
    expected = np.zeros(SHAPE[0] * SHAPE[1])
    expected[found["cell_id"]] = found["coverage"]
    coverage = polygon_coverage(region, SHAPE).ravel()
    np.testing.assert_allclose(coverage, expected, rtol=0, atol=1e-7)


def triangles() -> list[shapely.Geometry]:
    """Triangles that fill a square, their corners and many edges on pixel centres."""
    rng = np.random.default_rng(3)
    inner = rng.integers(0, 9, (20, 2)) + 0.5
    corners = [(-2, -2), (14, -2), (-2, 14), (14, 14)]
    points = shapely.MultiPoint(np.vstack([inner, corners]))
    return list(shapely.delaunay_triangles(points).geoms)


def voronoi_cells() -> list[Polygon]:
    points = shapely.MultiPoint(np.random.default_rng(4).uniform(0, 10, (15, 2)))
    return list(shapely.voronoi_polygons(points, extend_to=box(-20, -20, 40, 40)).geoms)


@pytest.mark.parametrize("parts", [triangles(), voronoi_cells()], ids=["triangles", "voronoi"])
def test_polygons_that_share_their_edges_cover_every_pixel_once(parts):
    inside_of = sum((~polygon_mask(part, SHAPE)).astype(int) for part in parts)
    np.testing.assert_array_equal(inside_of, np.ones(SHAPE, int))
    covered = sum(polygon_coverage(part, SHAPE) for part in parts)
    np.testing.assert_allclose(covered, 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [tuple, list, np.array, pd.Series], ids=lambda kind: kind.__name__)
def test_bounds_and_shape_may_be_of_any_kind(kind):
    bounds, shape = kind([0, 0, 8, 4]), kind([2, 4])
    inside = np.zeros((2, 4), bool)
    inside[1, 1:3] = True
    square = box(2, 2, 6, 4)
    np.testing.assert_array_equal(polygon_mask(square, shape, bounds=bounds), ~inside)
    np.testing.assert_array_equal(polygon_coverage(square, shape, bounds=bounds), inside)
    assert polygon_overlap(np.arange(8).reshape(2, 4), square, bounds=bounds) == {5: 0.5, 6: 0.5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": 4}, "shape"),
        ({"shape": (4,)}, "shape"),
        ({"shape": (4, 4, 3)}, "shape"),
        ({"shape": (4.5, 4)}, "shape"),
        ({"shape": None}, "shape"),
        ({"shape": (4, 4), "bounds": ()}, "bounds"),
        ({"shape": (4, 4), "bounds": (0, 0, 4)}, "bounds"),
        ({"shape": (4, 4), "bounds": "abcd"}, "bounds"),
        ({"shape": (4, 4), "bounds": 5}, "bounds"),
        ({"shape": (4, 4), "bounds": (0, 0, 0, 4)}, "bounds"),
        ({"shape": (4, 4), "bounds": (0, 0, math.nan, 4)}, "bounds"),
    ],
)
def test_what_is_no_shape_or_no_bounds_is_refused_by_name(arguments, message):
    for function in (polygon_mask, polygon_coverage):
        with pytest.raises((TypeError, ValueError), match=message):
            function(box(1, 1, 3, 3), **arguments)
