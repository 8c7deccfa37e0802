"""Regions and tiles that the tests of several rooms share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
from exactextract.raster import NumPyRasterSource
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box
from shapely.affinity import scale as enlarge
from shapely.affinity import translate
from shapely.geometry import mapping

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# In pixels of a 12 x 12 tile.
REGIONS: dict[str, BaseGeometry] = {
    "box": box(0, 0, 12, 12),
    "off-centre box": box(1.5, 2.25, 9.75, 6.5),
    "polygon with hole": Polygon(
        [(0.3, 1.1), (11.2, 0.4), (9.6, 10.9), (5.5, 7.3), (1.2, 11.7)],
        [[(3.1, 3.2), (7.7, 2.9), (5.4, 6.1)]],
    ),
    "multipolygon": MultiPolygon([box(0.5, 0.5, 4.5, 8), Polygon([(6, 1), (11.9, 5), (7, 11.3)])]),
    "larger than the tile": box(-4.5, -3.25, 15, 14.75),
    "sliver": Polygon([(0.2, 3.4), (11.7, 5.1), (11.7, 5.2), (0.2, 3.5)]),
}

# exactextract 0.3 even leaves out the first pixel of an array under (1, -1.5), (1.25, 1.25),
# (-2/3, 1), which covers it whole.
OFF_THE_GRID = (0.01371, 0.02917)

# µm per pixel of the tile and of the overlay.
RESOLUTIONS: dict[str, tuple[float, float]] = {
    "1": (0.5, 0.5),
    "1/8": (0.25, 2.0),
    "3/7": (0.3, 0.7),
    "2": (0.5, 0.25),
}


def region_at(name: str, scale: float) -> BaseGeometry:
    """A region by name, four times as large where an overlay pixel is larger than two tile's."""
    factor = 4 if scale < 0.25 else 1
    return enlarge(REGIONS[name], factor, factor, origin=(0, 0))


def tiles_around(width: int, height: int, scale: float) -> tuple[list[int], list[int]]:
    """x and y of tiles inside an overlay of a size, across each border, and wholly outside."""
    right, bottom = math.ceil(width / scale), math.ceil(height / scale)
    tiles = [(7, 5), (8, 11), (-5, 9), (9, -3), (-4, -7)]
    tiles += [(right - 6, 9), (9, bottom - 7), (right - 3, bottom - 4), (right + 500, 3)]
    tiles += [(-4000, -4000), (2**31, 5)]
    return [x for x, _ in tiles], [y for _, y in tiles]


def regions(extent: int = 10) -> st.SearchStrategy[BaseGeometry]:
    """Valid polygons and multipolygons in and around a square, many of them on pixel centres."""
    combinations = st.builds(
        lambda combine, a, b: combine(a, b),
        st.sampled_from([shapely.difference, shapely.union, shapely.symmetric_difference]),
        _simple_polygons(extent),
        _simple_polygons(extent),
    )
    return st.one_of(_simple_polygons(extent), combinations).filter(_has_area)


def regions_off_the_grid(extent: int = 10) -> st.SearchStrategy[BaseGeometry]:
    """The same, moved so that no edge meets a corner of a pixel, where the peers round."""
    return regions(extent).map(lambda region: translate(region, *OFF_THE_GRID)).filter(_has_area)


def _simple_polygons(extent: int) -> st.SearchStrategy[Polygon]:
    quarters = st.integers(-8, 4 * extent + 8).map(lambda n: n / 4)
    thirds = st.integers(-6, 3 * extent + 6).map(lambda n: n / 3)
    point = st.one_of(st.tuples(quarters, quarters), st.tuples(thirds, thirds))
    points = st.lists(point, min_size=3, max_size=8, unique=True)
    return points.map(_around_middle).filter(_has_area)


def _around_middle(points: list[tuple[float, float]]) -> Polygon:
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    around = sorted(points, key=lambda p: math.atan2(p[1] - middle_y, p[0] - middle_x))
    return Polygon(around)


def _has_area(region: BaseGeometry) -> bool:
    polygonal = region.geom_type in {"Polygon", "MultiPolygon"}
    return polygonal and region.is_valid and region.area > 0


def exactextract_source(pixels: np.ndarray) -> NumPyRasterSource:
    """An array as exactextract takes it, its bottom at y = 0."""
    return NumPyRasterSource(pixels, 0, 0, pixels.shape[1], pixels.shape[0])


def exactextract_feature(region: BaseGeometry, height: int) -> dict[str, object]:
    """A region as exactextract takes it, y turned upwards over an array of a height."""
    upright = shapely.transform(region, lambda p: np.column_stack([p[:, 0], height - p[:, 1]]))
    return {"type": "Feature", "properties": {}, "geometry": mapping(upright)}
