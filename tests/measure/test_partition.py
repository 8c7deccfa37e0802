"""Regions that partition space: every overlay pixel is counted once, through the whole pipeline."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from overlays import labels
from ratiopath import overlay_overlap, polygon_mask, read_overlay

SIZE = 24  # of the tile that is partitioned, in tile pixels
UNIQUE = np.arange(120 * 120, dtype=np.uint16).reshape(120, 120)


def voronoi_cells(points):
    """Cells of points, which partition a square around the tile."""
    square = box(-5, -5, SIZE + 5, SIZE + 5)
    cells = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=square).geoms
    return [cell & square for cell in cells]


def triangles(points):
    """Triangles between points and the corners of a square, which fill it."""
    corners = [(-8, -8), (SIZE + 8, -8), (-8, SIZE + 8), (SIZE + 8, SIZE + 8)]
    return list(shapely.delaunay_triangles(shapely.MultiPoint([*points, *corners])).geoms)


# On halves and quarters, where pixels' centres and borders are.
quarters = st.integers(0, 4 * SIZE).map(lambda n: n / 4)
points = st.lists(st.tuples(quarters, quarters), min_size=4, max_size=9, unique=True)


@given(points=points, make=st.sampled_from([triangles, voronoi_cells]))
def test_masks_of_a_partition_mark_every_pixel_once(points, make):
    inside = sum((~polygon_mask(part, (SIZE, SIZE))).astype(int) for part in make(points))
    np.testing.assert_array_equal(inside, np.ones((SIZE, SIZE), int))


@given(points=points, scale=st.sampled_from([1, 2, 4]), tile=st.integers(0, 3))
def test_patches_of_a_partition_hold_every_pixel_once_at_a_whole_scale(points, scale, tile):
    times = np.zeros(UNIQUE.size, int)
    counted = np.zeros(UNIQUE.size)
    mpp = {"overlay_mpp_x": 1 / scale, "overlay_mpp_y": 1 / scale}
    for part in triangles(points):
        arguments = (part, UNIQUE, tile, 2 * tile, 1.0, 1.0)
        found = read_overlay(*arguments, **mpp)
        inside = found.data[0][~found.mask[0]].ravel()
        np.add.at(times, inside, 1)
        (shares,) = overlay_overlap(*arguments, **mpp)
        for value, share in shares.items():
            assert isinstance(value, int)
            counted[value] += share * len(inside)
    covered = covered_pixels(scale, tile)
    np.testing.assert_array_equal(times[covered], 1)
    np.testing.assert_allclose(counted[covered], 1, rtol=0, atol=1e-12)
    assert times.max() == 1


def covered_pixels(scale, tile):
    """Values of the pixels under the tile's square, as far as the overlay reaches."""
    top, left = 2 * tile * scale, tile * scale
    return UNIQUE[top : top + SIZE * scale, left : left + SIZE * scale].ravel()


@given(points=points, scale=st.sampled_from([1 / 3, 0.5, 0.7131, 1, 1.5, 2.2]))
def test_exact_areas_of_a_partition_sum_to_every_pixel_at_any_scale(points, scale):
    areas = np.zeros(UNIQUE.size)
    mpp = {"overlay_mpp_x": 1 / scale, "overlay_mpp_y": 1 / scale}
    for part in triangles(points):
        arguments = (part, UNIQUE, 16, 16, 1.0, 1.0)
        (shares,) = overlay_overlap(*arguments, **mpp, coverage="exact")
        for value, share in shares.items():
            assert isinstance(value, int)
            areas[value] += share * part.area * scale**2
    first, last = math.ceil(16 * scale), math.floor((16 + SIZE) * scale)
    whole = UNIQUE[first:last, first:last].ravel()
    np.testing.assert_allclose(areas[whole], 1, rtol=0, atol=1e-9)


@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
@given(
    points=points,
    x=st.integers(-80, 80),
    mpp=st.floats(0.05, 3.0),
    nodata=st.lists(st.integers(0, 4), max_size=5),
)
def test_fractions_sum_to_1_or_there_are_none(coverage, points, x, mpp, nodata):
    region = shapely.MultiPoint(points).convex_hull
    if region.geom_type != "Polygon":
        region = box(0, 0, 1, 1)
    options: dict[str, Any] = {
        "overlay_mpp_x": 0.5,
        "overlay_mpp_y": 0.7,
        "coverage": coverage,
        "nodata": nodata,
    }
    for shares in overlay_overlap(region, labels(), [x, 0, 10**6], -3, mpp, mpp, **options):
        assert not shares or sum(shares.values()) == pytest.approx(1.0, abs=1e-9)
        assert all(0 < share <= 1 for share in shares.values())
        assert not set(shares) & set(nodata)
