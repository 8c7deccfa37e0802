"""The content of an annotations file, whatever its format: features with a class and polygons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ratiopath.errors import OverlayFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# The class of a feature that has none.
UNCLASSIFIED = "unclassified"

# A ring is closed where it is not, so that a triangle may have three points.
_FEWEST_POINTS = 3


@dataclass(frozen=True)
class Features:
    """The features of a file.

    Attributes:
        names: What each feature is called in messages (F,).
        classes: The class of each feature (F,).
        polygons: The polygons of all features (P,), as they are in the file, perhaps invalid.
        index: Which feature each polygon belongs to (P,).
    """

    names: Sequence[str]
    classes: Sequence[str]
    polygons: NDArray[np.object_]
    index: NDArray[np.intp]

    @classmethod
    def from_geometries(
        cls, names: Sequence[str], classes: Sequence[str], geometries: NDArray[np.object_]
    ) -> Features:
        """Take the polygons out of shapely geometries, one a feature; None for no geometry."""
        parts, index = geometries, np.arange(len(geometries))
        # Collections may nest: unfolded until no part is a collection or multi-geometry.
        while True:
            parts, inner = shapely.get_parts(parts, return_index=True)
            index = index[inner]
            if not np.isin(shapely.get_type_id(parts), (4, 5, 6, 7)).any():
                break
        is_polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
        return cls(names, classes, shapely.force_2d(parts[is_polygon]), index[is_polygon])


@dataclass
class FeatureBuilder:
    """Collects features ring by ring and makes all their polygons at once.

    One call of shapely for all rings, not one for each polygon: a slide may have a million nuclei.

    Attributes:
        path: The file, for messages.
    """

    path: str
    _names: list[str] = field(default_factory=list)
    _classes: list[str] = field(default_factory=list)
    _rings: list[NDArray[np.float64]] = field(default_factory=list)
    _ring_polygons: list[int] = field(default_factory=list)
    _polygon_features: list[int] = field(default_factory=list)

    def start(self, name: str, class_name: str | None) -> None:
        """Begin a feature."""
        self._names.append(name)
        self._classes.append(class_name or UNCLASSIFIED)

    def add_polygon(self, rings: Sequence[ArrayLike]) -> None:
        """Add a polygon to the feature: its exterior, then its holes; x, y and perhaps more.

        A polygon whose exterior has fewer than three points has no area and is left out.

        Raises:
            OverlayFormatError: A ring is no list of points, or a coordinate is not finite.
        """
        points = [self._points(ring) for ring in rings]
        if not points or len(points[0]) < _FEWEST_POINTS:
            return
        polygon = len(self._polygon_features)
        self._polygon_features.append(len(self._names) - 1)
        # A hole without area is no hole; GEOS would refuse it.
        kept = [ring for ring in points if len(ring) >= _FEWEST_POINTS]
        self._rings += kept
        self._ring_polygons += [polygon] * len(kept)

    def error(self, reason: str) -> OverlayFormatError:
        """Return an error that names the file and the feature."""
        return OverlayFormatError(f"{self._names[-1]}: {reason}", self.path, code="corrupt")

    def finish(self) -> Features:
        """Make the polygons."""
        index = np.array(self._polygon_features, np.intp)
        polygons: NDArray[Any] = np.empty(0, object)
        if self._rings:
            of_ring = np.repeat(np.arange(len(self._rings)), [len(ring) for ring in self._rings])
            rings = np.asarray(shapely.linearrings(np.concatenate(self._rings), indices=of_ring))
            polygons = np.asarray(shapely.polygons(rings, indices=np.array(self._ring_polygons)))
        return Features(self._names, self._classes, polygons, index)

    def _points(self, ring: ArrayLike) -> NDArray[np.float64]:
        try:
            points = np.array(ring, np.float64)
        except (TypeError, ValueError) as error:
            raise self.error("a ring is no list of coordinates") from error
        if len(points) == 0:
            return np.empty((0, 2))
        if points.ndim != 2 or points.shape[1] < 2:
            raise self.error("a ring is no list of coordinates")
        points = points[:, :2]
        if not np.isfinite(points).all():
            raise self.error("a coordinate is not finite")
        return points
