"""The oracle's geometry: points in polygons and shared areas, by fractions and plain loops."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry

Point = tuple[Fraction, Fraction]
Ring = list[Point]
Box = tuple[float, float, float, float]


def rings_of(geometry: Any) -> list[Ring]:
    """Every ring of the polygonal parts, open (first point not repeated), Z dropped.

    Outer rings have a positive signed area, holes a negative one.
    """
    if hasattr(geometry, "geoms"):
        return [ring for part in geometry.geoms for ring in rings_of(part)]
    if geometry.geom_type != "Polygon":
        return []
    holes = [_turned(line.coords, -1) for line in geometry.interiors]
    return [_turned(geometry.exterior.coords, 1), *holes]


def _turned(coordinates: Iterable[Sequence[float]], sign: int) -> Ring:
    ring = [(Fraction(p[0]), Fraction(p[1])) for p in coordinates][:-1]
    return ring if signed_area(ring) * sign > 0 else ring[::-1]


def is_inside(rings: list[Ring], x: float, y: float) -> bool:
    """Whether a point is inside by the even-odd rule; left edges are out, right edges in."""
    inside = False
    for ring in rings:
        for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
            if min(ay, by) <= y < max(ay, by):
                crossing = ax + (Fraction(y) - ay) * (bx - ax) / (by - ay)
                inside ^= crossing < x
    return inside


def area_in_box(rings: list[Ring], box: tuple[Any, Any, Any, Any]) -> Fraction:
    """Exact area that the polygon and an axis-parallel box share.

    Each ring is cut at the four sides in turn. A concave ring leaves seams along the sides, which
    enclose nothing, so the area stays right. Holes run the other way round and so subtract.
    """
    return sum((signed_area(_cut_to_box(ring, box)) for ring in rings), Fraction(0))


def _cut_to_box(ring: Ring, box: tuple[Any, Any, Any, Any]) -> Ring:
    x0, y0, x1, y1 = (Fraction(side) for side in box)
    for axis, side, keep in ((0, x0, 1), (0, x1, -1), (1, y0, 1), (1, y1, -1)):
        ring = _cut(ring, axis, side, keep)
    return ring


def _cut(ring: Ring, axis: int, side: Fraction, keep: int) -> Ring:
    kept: Ring = []
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        from_side, to_side = keep * (a[axis] - side), keep * (b[axis] - side)
        if from_side >= 0:
            kept.append(a)
        if from_side * to_side < 0:
            t = from_side / (from_side - to_side)
            kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
    return kept


def signed_area(ring: Ring) -> Fraction:
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return sum(((a[0] * b[1] - b[0] * a[1]) for a, b in pairs), Fraction(0)) / 2


def _border(start: float, extent: float, count: int, j: int) -> float:
    return start + j * extent / count


def _centre(start: float, extent: float, count: int, j: int) -> float:
    return start + (j + 0.5) * extent / count


@lru_cache(maxsize=4096)
def coverage_grid(geometry: BaseGeometry, shape: tuple[int, int], bounds: Box) -> np.ndarray:
    """Exact covered share (Fraction objects, (H, W)) of each cell of a grid laid on bounds."""
    rings, (height, width) = rings_of(geometry), shape
    xs = [_border(bounds[0], bounds[2] - bounds[0], width, j) for j in range(width + 1)]
    ys = [_border(bounds[1], bounds[3] - bounds[1], height, i) for i in range(height + 1)]
    grid = np.zeros(shape, object)
    for i in range(height):
        for j in range(width):
            cell = (xs[j], ys[i], xs[j + 1], ys[i + 1])
            area = (Fraction(cell[2]) - Fraction(cell[0])) * (Fraction(cell[3]) - Fraction(cell[1]))
            grid[i, j] = area_in_box(rings, cell) / area
    return grid


def is_pixel_inside(
    rings: list[Ring], grid: tuple[tuple[int, int], Box], pixel: tuple[int, int], coverage: str
) -> bool:
    """Whether one pixel (row, column) of a grid (shape, bounds) is inside, by a rule."""
    (height, width), bounds = grid
    xs = (bounds[0], bounds[2] - bounds[0], width)
    ys = (bounds[1], bounds[3] - bounds[1], height)
    if coverage == "center":
        return is_inside(rings, _centre(*xs, pixel[1]), _centre(*ys, pixel[0]))
    left, right = _border(*xs, pixel[1]), _border(*xs, pixel[1] + 1)
    top, bottom = _border(*ys, pixel[0]), _border(*ys, pixel[0] + 1)
    return area_in_box(rings, (left, top, right, bottom)) > 0


@lru_cache(maxsize=4096)
def mask_grid(
    geometry: BaseGeometry, shape: tuple[int, int], bounds: Box, coverage: str
) -> np.ndarray:
    """Mask (bool, (H, W), True outside) of a grid laid on bounds, by "center" or "all_touched"."""
    rings, mask = rings_of(geometry), np.ones(shape, bool)
    for i in range(shape[0]):
        for j in range(shape[1]):
            mask[i, j] = not is_pixel_inside(rings, (shape, bounds), (i, j), coverage)
    return mask


def integer_bounds(geometry: BaseGeometry) -> tuple[int, int, int, int]:
    """The ROI's bounding box: floor of the minima, ceil of the maxima."""
    points = [point for ring in rings_of(geometry) for point in ring]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))
