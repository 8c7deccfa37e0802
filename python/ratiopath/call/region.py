"""Regions of interest: shapely geometry in, flat rings out.

The only room of the pipeline that knows shapely. What leaves it is validated once, when an
expression is built, so that no worker meets a region without area.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ratiopath._core import Stencil, is_certainly_valid
from ratiopath.resources import check_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

Bounds: TypeAlias = tuple[float, float, float, float]

# One mask serves all tiles of one mpp; a run meets few distinct regions and scales.
_KEPT_STENCILS = 256

# Of scaling, adding the offset, and the caller's own arithmetic.
_ROUNDING = 8 * np.finfo(np.float64).eps


_ONE_EXTERIOR = np.ones(1, np.bool_)
_ONE_EXTERIOR.flags.writeable = False


class Rings(NamedTuple):
    """The rings of a polygon or multipolygon, flat.

    Attributes:
        vertices: All rings' vertices, x and y, (n, 2).
        ends: Where each ring ends in ``vertices`` (R,).
        exteriors: Which rings begin a polygon, whose holes are the rings after it (R,).
    """

    vertices: NDArray[np.float64]
    ends: NDArray[np.int64]
    exteriors: NDArray[np.bool_]

    @classmethod
    def of(cls, polygonal: BaseGeometry) -> Rings:
        """Flatten a polygon or multipolygon; Z is ignored."""
        vertices = shapely.get_coordinates(polygonal)
        if shapely.get_num_interior_rings(polygonal) == 0 and polygonal.geom_type == "Polygon":
            return cls(vertices, np.array([len(vertices)], np.int64), _ONE_EXTERIOR)
        rings, parts = shapely.get_rings(shapely.get_parts(polygonal), return_index=True)
        ends = np.cumsum(shapely.get_num_coordinates(rings), dtype=np.int64)
        return cls(vertices, ends, np.diff(parts, prepend=-1) != 0)

    @classmethod
    def of_geometry(cls, geometry: object, name: str, *, opposite: bool) -> Rings:
        """Check a geometry as a region's is and flatten it.

        Args:
            geometry: A shapely polygon, multipolygon or collection that holds some.
            name: What the geometry is called in messages.
            opposite: Whether exteriors and holes must run opposite ways.

        Raises:
            TypeError: It is no shapely geometry.
            ValueError: It is empty, without area, not finite or invalid.
        """
        polygonal, rings = _checked(geometry, name)
        # A single ring has nothing to run against.
        if opposite and len(rings.ends) > 1:
            return cls.of(shapely.orient_polygons(polygonal))
        return rings

    def stencil(
        self, shape: tuple[int, int], bounds: Bounds, rule: str, rows: tuple[int, int]
    ) -> Stencil:
        """Rasterise the rings, as `Region.stencil` does, each time anew."""
        # A polygon drawn in µm, say, may cross far more rows of pixels than it has vertices:
        # refused before memory runs out.
        pixels = (shape[1] / (bounds[2] - bounds[0]), shape[0] / (bounds[3] - bounds[1]))
        # Only exact coverage cuts an edge at columns too.
        columns = shape[1] if rule == "exact" else 0
        check_spans(self.vertices, pixels, (rows[1] - rows[0], columns))
        return Stencil(self.vertices, self.ends, shape, bounds, rule, rows)


@dataclass(frozen=True)
class Region:
    """A valid polygon or multipolygon with area, in two dimensions.

    Attributes:
        wkb: The geometry as well-known binary; regions are equal when it is.
    """

    # Bytes rather than a geometry: they are hashed for the stencils kept, and pickled, as they are.
    wkb: bytes

    @classmethod
    def from_geometry(cls, geometry: object, name: str = "roi") -> Region:
        """Check a geometry and keep its polygonal part.

        Args:
            geometry: A shapely polygon, multipolygon or collection that holds some; Z is ignored.
            name: What the geometry is called in messages.

        Returns:
            The region, exteriors and holes running opposite ways.

        Raises:
            TypeError: It is no shapely geometry.
            ValueError: It is empty, without area, not finite or invalid.
        """
        polygonal, _ = _checked(geometry, name)
        polygonal = shapely.force_2d(polygonal)
        return cls(shapely.to_wkb(shapely.orient_polygons(polygonal)))

    @classmethod
    def rectangle(cls, width: float, height: float) -> Region:
        """Return the rectangle from (0, 0) to (width, height)."""
        return cls.from_geometry(shapely.box(0, 0, width, height))

    @cached_property
    def rings(self) -> Rings:
        """The region's rings."""
        return Rings.of(shapely.from_wkb(self.wkb))

    @property
    def vertices(self) -> NDArray[np.float64]:
        """All rings' vertices, x and y, (n, 2)."""
        return self.rings.vertices

    @property
    def ring_ends(self) -> NDArray[np.int64]:
        """Where each ring ends in ``vertices``."""
        return self.rings.ends

    @cached_property
    def bounds(self) -> Bounds:
        """The exact bounding box x0, y0, x1, y1."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    @cached_property
    def bounding_box(self) -> tuple[int, int, int, int]:
        """The bounding box in whole pixels: floor of the minima, ceil of the maxima."""
        x0, y0, x1, y1 = self.bounds
        return math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)

    def stencil(
        self, shape: tuple[int, int], bounds: Bounds, rule: str, rows: tuple[int, int]
    ) -> Stencil:
        """Rasterise the region on a grid of ``shape`` rows and columns laid on ``bounds``.

        Args:
            shape: Rows and columns.
            bounds: x0, y0, x1, y1 in the region's space.
            rule: ``"center"``, ``"all_touched"`` or ``"exact"``.
            rows: First and end row of those that any patch sees.

        Returns:
            The pixels inside, made once per region, grid and rule.
        """
        return _stencil(self, shape, bounds, rule, rows)

    def scaled_stencil(
        self,
        scale: tuple[float, float],
        offset: tuple[float, float],
        seen: Bounds | None = None,
    ) -> tuple[Stencil, int, int]:
        """Rasterise ``region * scale + offset`` exactly, on the pixels that it touches.

        Args:
            scale: Pixels per unit along x and y.
            offset: Where the region's origin falls, in pixels.
            seen: x0, y0, x1, y1 in the same pixels of what any patch sees; None for all.

        Returns:
            Coverage by exact area, and the column and row of its first pixel.
        """
        return _scaled_stencil(self, scale, offset, seen)


def _checked(geometry: object, name: str) -> tuple[BaseGeometry, Rings]:
    """Return a geometry's polygonal part and its rings, or refuse it."""
    if not isinstance(geometry, BaseGeometry):
        raise TypeError(f"{name} must be a shapely geometry, got {type(geometry).__name__}")
    polygonal = _polygonal_part(geometry)
    rings = Rings.of(polygonal)
    # What is valid for a simple reason is proven faster than GEOS finds it; the rest is its to say.
    if not is_certainly_valid(*rings):
        _check_valid(shapely.force_2d(polygonal), rings, name)
    # Asked so that an area that is NaN is refused as well.
    # Shapely 2.1 warns of an area beyond float64's range; whoever reaches so far is refused anyway.
    with np.errstate(over="ignore"):
        area = polygonal.area
    if not area > 0:
        raise ValueError(
            f"{name} has no area ({geometry.geom_type}): pass a polygon, or the polygons of"
            f" shapely.make_valid({name})"
        )
    return polygonal, rings


def _check_valid(polygonal: BaseGeometry, rings: Rings, name: str) -> None:
    if not np.isfinite(rings.vertices).all():
        raise ValueError(
            f"{name} is invalid (coordinates that are not finite): mend them, then see"
            f" shapely.make_valid({name})"
        )
    if not polygonal.is_valid:
        reason = shapely.is_valid_reason(polygonal)
        raise ValueError(f"{name} is invalid ({reason}): pass shapely.make_valid({name})")


def _polygonal_part(geometry: BaseGeometry) -> BaseGeometry:
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    flat = shapely.get_parts(geometry)
    # Collections may hold collections.
    while any(part.geom_type == "GeometryCollection" for part in flat):
        flat = shapely.get_parts(flat)
    parts = [part for part in shapely.get_parts(flat) if part.geom_type == "Polygon"]
    # What is invalid stays so, to be refused: a union may fail, or mend it unasked.
    if len(parts) > 1 and shapely.is_valid(parts).all():
        return shapely.union_all(parts)
    return shapely.MultiPolygon(parts)


@lru_cache(maxsize=_KEPT_STENCILS)
def _stencil(
    region: Region, shape: tuple[int, int], bounds: Bounds, rule: str, rows: tuple[int, int]
) -> Stencil:
    return region.rings.stencil(shape, bounds, rule, rows)


@lru_cache(maxsize=_KEPT_STENCILS)
def _scaled_stencil(
    region: Region, scale: tuple[float, float], offset: tuple[float, float], seen: Bounds | None
) -> tuple[Stencil, int, int]:
    vertices = _on_borders(region.vertices * scale, np.asarray(offset))
    first, last = np.floor(vertices.min(axis=0)), np.ceil(vertices.max(axis=0))
    if seen is not None:
        first, last = np.maximum(first, seen[:2]), np.minimum(last, seen[2:])
    # A region of which nothing is seen still has a grid, of one pixel that it does not touch.
    width, height = np.maximum(last - first, 1).astype(int).tolist()
    vertices -= first
    check_spans(vertices, (1.0, 1.0), (height, width))
    bounds = (0.0, 0.0, float(width), float(height))
    rows = (0, height)
    stencil = Stencil(vertices, region.ring_ends, (height, width), bounds, "exact", rows)
    return stencil, int(first[0]), int(first[1])


def _on_borders(vertices: NDArray[np.float64], offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add the offset, and put on a pixel's border what only rounding keeps off it.

    A region that ends where the overlay begins would otherwise share an area of 1e-16 with it, and
    that area's value would be all there is.
    """
    moved = vertices + offset
    border = np.rint(moved)
    near = np.abs(moved - border) <= _ROUNDING * (np.abs(vertices) + 1)
    return np.where(near, border, moved)
