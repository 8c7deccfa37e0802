"""Regions at random, on the scale of a few overlay pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

PATCH = 10


@st.composite
def rois(draw: st.DrawFn, scale: tuple[float, float]) -> tuple[BaseGeometry, bool]:
    """A region of some overlay pixels, in tile pixels; whether it is the whole tile."""
    kind = draw(
        st.sampled_from(
            ["tile", "box", "box", "polygon", "polygon", "hole", "parts", "sliver", "tiny", "huge"]
        )
    )
    if kind in ("tile", "box"):
        sides = [draw(st.integers(1, max(1, math.ceil(PATCH / s)))) for s in scale]
        x, y = (0, 0) if kind == "tile" else draw(st.tuples(*[st.integers(-40, 40)] * 2))
        return box(x, y, x + sides[0], y + sides[1]), kind == "tile"
    shape = draw(_shapes(kind))
    return shapely.transform(shape, lambda points: points / np.array(scale)), False


def _points(extent: float) -> st.SearchStrategy[tuple[float, float]]:
    """Points on pixel corners, on centres, on quarters and anywhere."""
    one = st.one_of(
        st.integers(-2, math.ceil(extent)).map(float),
        st.integers(-8, math.ceil(4 * extent)).map(lambda n: n / 4),
        st.floats(-2, extent),
    )
    return st.tuples(one, one)


@st.composite
def _shapes(draw: st.DrawFn, kind: str) -> BaseGeometry:
    """A region in overlay pixels."""
    if kind == "tiny":
        corner, size = draw(_points(PATCH)), draw(st.sampled_from([0.3, 0.01, 1e-5]))
        return Polygon([corner, (corner[0] + size, corner[1]), (corner[0], corner[1] + 2 * size)])
    if kind == "sliver":
        (ax, ay), (bx, by) = draw(_points(PATCH)), draw(_points(PATCH))
        thin = draw(st.sampled_from([0.3, 0.02, 1e-4]))
        sliver = Polygon([(ax, ay), (bx, by), (bx + thin, by + thin / 2)])
        return sliver if _is_good(sliver) else box(ax, ay, ax + 5, ay + thin)
    if kind == "huge":
        far = draw(st.sampled_from([150.0, 1e4]))
        return Polygon([(-far, -far / 3), (far, -far / 2 + draw(_points(9))[0]), (7.25, far)])
    shape = _around(draw(st.lists(_points(PATCH), min_size=3, max_size=7, unique=True)))
    if kind == "hole":
        shape = shape - _around(draw(st.lists(_points(PATCH), min_size=3, max_size=4, unique=True)))
    if kind == "parts":
        x, y = draw(_points(PATCH))
        shape = MultiPolygon([box(x, y, x + 2, y + 1.5), box(x + 3.5, y + 1, x + 5, y + 6.5)])
    return shape if _is_good(shape) else box(0.25, 0.5, 6.75, 4)


def _around(points: list[tuple[float, float]]) -> Polygon:
    x, y = (sum(p[k] for p in points) / len(points) for k in (0, 1))
    around = sorted(points, key=lambda p: (math.atan2(p[1] - y, p[0] - x), p))
    ring = Polygon(around)
    return ring if _is_good(ring) else box(0, 0, 3, 2)


def _is_good(shape: BaseGeometry) -> bool:
    kinds = {"Polygon", "MultiPolygon"}
    return shape.geom_type in kinds and shape.is_valid and shape.area > 1e-12


def is_small(roi: BaseGeometry, scale: tuple[float, float]) -> bool:
    """Whether a region's patch can be listed pixel by pixel."""
    x0, y0, x1, y1 = roi.bounds
    return (x1 - x0) * scale[0] < 40 and (y1 - y0) * scale[1] < 40
