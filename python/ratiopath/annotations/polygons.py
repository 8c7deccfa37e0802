"""Polygons ready to be measured: valid, and disjoint within their class."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ratiopath.errors import OverlayFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ratiopath.annotations.features import Features
    from ratiopath.call.annotation_options import Invalid

Polygons = Any  # an object array of shapely polygons


def valid_polygons(
    features: Features, invalid: Invalid, path: str
) -> tuple[Polygons, NDArray[np.intp]]:
    """Repair or refuse invalid polygons, and leave out what has no area.

    Args:
        features: The features of a file.
        invalid: ``"repair"`` takes `shapely.make_valid` and warns, ``"error"`` raises.
        path: The file, for messages.

    Returns:
        The polygons (P,), and which feature each belongs to (P,).

    Raises:
        OverlayFormatError: A polygon is invalid and ``invalid`` is ``"error"``; names the feature.

    Warns:
        UserWarning: Polygons were repaired, or features without area left out; once for each, with
            how many and the first.
    """
    polygons, index = features.polygons, features.index
    # Drawn by hand, outlines often cross themselves; the core integrates valid rings only.
    bad = np.flatnonzero(~shapely.is_valid(polygons))
    if len(bad):
        first = f"{features.names[int(index[bad[0]])]}, {shapely.is_valid_reason(polygons[bad[0]])}"
        if invalid == "error":
            reason = f"{len(bad)} polygons are invalid, first {first}"
            raise OverlayFormatError(reason, path, code="invalid_polygon")
        _warn(path, f"{len(bad)} invalid polygons were repaired, first {first}")
        # The features keep what the file holds.
        polygons = polygons.copy()
        polygons[bad] = shapely.make_valid(polygons[bad])
        polygons, index = polygonal_parts(polygons, index)
    # An empty polygon is valid too.
    has_area = shapely.area(polygons) > 0
    polygons, index = polygons[has_area], index[has_area]
    _warn_of_empty(features, index, path)
    return polygons, index


def class_polygons(
    polygons: Polygons, keys: NDArray[np.intp], count: int, *, exclusive: bool
) -> list[Polygons]:
    """Return the polygons of each key, none of which overlaps another of its key.

    Args:
        polygons: Valid polygons (P,).
        keys: The key of each (P,).
        count: The number of keys.
        exclusive: Whether a point counts only for the first key that covers it.

    Returns:
        The polygons of each key (count,).
    """
    of_key: list[Polygons] = [dissolve(polygons[keys == key]) for key in range(count)]
    if exclusive:
        # Earlier keys are cut already, but together they still cover what they covered uncut.
        for key in range(1, count):
            earlier: Sequence[Polygons] = of_key[:key]
            of_key[key] = without(of_key[key], np.concatenate(earlier))
    return of_key


def dissolve(polygons: Polygons) -> Polygons:
    """Unite polygons that overlap, so that every point counts once; leave the others as they are.

    A union moves vertices by rounding, and takes long for many nuclei, of which few overlap.
    """
    overlapping = _overlapping(polygons)
    if not len(overlapping):
        return polygons
    united, _ = polygonal_parts(np.array([shapely.union_all(polygons[overlapping])]))
    return np.concatenate([np.delete(polygons, overlapping), united])


def without(polygons: Polygons, covered: Polygons) -> Polygons:
    """Subtract from polygons what others already cover."""
    cut, by = shapely.STRtree(covered).query(polygons, predicate="intersects")
    # One union and one difference for each polygon, not one difference for each pair.
    order = np.argsort(cut, kind="stable")
    distinct, starts = np.unique(cut[order], return_index=True)
    rest = polygons.copy()
    for polygon, hits in zip(distinct, np.split(by[order], starts[1:]), strict=False):
        rest[polygon] = shapely.difference(polygons[polygon], shapely.union_all(covered[hits]))
    return polygonal_parts(rest)[0]


def polygonal_parts(
    geometries: Polygons, index: NDArray[np.intp] | None = None
) -> tuple[Polygons, NDArray[np.intp]]:
    """Split geometries into their polygons; lines and points are left out.

    Args:
        geometries: Geometries of any kind (G,).
        index: What each belongs to (G,); its position by default.

    Returns:
        The polygons (P,), and what each belongs to (P,).
    """
    parts, owner = shapely.get_parts(geometries, return_index=True)
    # A collection's parts may be multipolygons.
    parts, inner = shapely.get_parts(parts, return_index=True)
    owner = owner[inner]
    kept = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (shapely.area(parts) > 0)
    return parts[kept], (owner if index is None else index[owner])[kept]


def flat(polygons: Polygons) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return polygons as flat arrays, as the core takes them.

    Args:
        polygons: Polygons (P,).

    Returns:
        All rings' vertices (n, 2), where each ring ends (r,), and where each polygon's rings end
        (P,); exteriors and holes run opposite ways.
    """
    rings, owner = shapely.get_rings(shapely.orient_polygons(polygons), return_index=True)
    vertices = np.ascontiguousarray(shapely.get_coordinates(rings), np.float64)
    ring_ends = np.cumsum(shapely.get_num_coordinates(rings), dtype=np.int64)
    counts = np.bincount(owner, minlength=len(polygons))
    return vertices, ring_ends, np.cumsum(counts, dtype=np.int64)


def _overlapping(polygons: Polygons) -> NDArray[np.intp]:
    """Return which polygons share area with another one."""
    # Not predicate="overlaps": it leaves out a polygon that lies within another one.
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    # Of those that intersect most only touch, along an edge or at a point.
    share = ~shapely.touches(polygons[first], polygons[second])
    return np.union1d(first[share], second[share])


def _warn_of_empty(features: Features, index: NDArray[np.intp], path: str) -> None:
    empty = np.setdiff1d(np.arange(len(features.names)), index)
    if len(empty):
        first = features.names[empty[0]]
        _warn(path, f"{len(empty)} annotations have no area and do not count, first {first}")


def _warn(path: str, text: str) -> None:
    warnings.warn(f"{text} (path={path!r})", stacklevel=2)
