"""Which part of the annotations lies under each tile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import Polygon, STRtree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


def tile_annotations(
    annotations: Iterable[BaseGeometry],
    roi: BaseGeometry,
    coordinates: Iterable[NDArray[np.int64] | Sequence[int]],
    downsample: float,
) -> Iterator[BaseGeometry]:
    """Cut the annotations of a slide to the ROI of each tile, one tile at a time.

    Args:
        annotations: Geometries in pixels of the slide's level 0, in any order; they may overlap.
        roi: The region of interest, in pixels of the tiles' level, relative to a tile's top-left
            corner.
        coordinates: Top-left corner ``(x, y)`` of each tile, in pixels of the tiles' level.
        downsample: Level-0 pixels per pixel of the tiles' level.

    Returns:
        An iterator with one geometry per tile, in the order of ``coordinates``: the part of the
        annotations' union that lies under the ROI, in slide coordinates of the tiles' level. Where
        there is none, an empty polygon.

    Raises:
        ValueError: ``downsample`` is not finite and positive.
        shapely.errors.GEOSException: While iterating, an annotation is invalid; see
            `shapely.make_valid`.
    """
    if not (math.isfinite(downsample) and downsample > 0):
        raise ValueError(f"downsample must be finite and positive, got {downsample}")
    # Built once for all tiles: a slide may have a million annotations, a tile a few.
    tree = STRtree(list(annotations))
    return (_under(tree, roi, np.asarray(corner), downsample) for corner in coordinates)


def _under(
    tree: STRtree, roi: BaseGeometry, corner: NDArray[np.int64], downsample: float
) -> BaseGeometry:
    at_level0 = shapely.transform(roi, lambda points: (points + corner) * downsample)
    hits = tree.query(at_level0, predicate="intersects")
    if hits.size == 0:
        return Polygon()
    # Cut before they are united: the union of all annotations may be huge, a tile's is small.
    parts = shapely.intersection(tree.geometries[hits], at_level0)
    return shapely.transform(shapely.union_all(parts), lambda points: points / downsample)
