"""GeoJSON: feature collections, bare lists of features, and QuPath's way of writing classes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ratiopath.annotations.features import FeatureBuilder
from ratiopath.errors import OverlayFormatError

if TYPE_CHECKING:
    from ratiopath.annotations.features import Features


def parse_geojson(data: bytes, path: str, class_column: str) -> Features:
    """Read the features of a GeoJSON document.

    Args:
        data: The document: a FeatureCollection, a Feature, or a list of these.
        path: Where it comes from, for messages.
        class_column: The property that holds the class, as text or as an object with a name.

    Returns:
        The features; points and lines have no polygon.

    Raises:
        OverlayFormatError: It is no such document; names the feature.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        reason = f"the file is no JSON: {error}"
        raise OverlayFormatError(reason, path, code="corrupt") from error
    builder = FeatureBuilder(path)
    for number, feature in enumerate(_features(document, path)):
        _add(builder, number, feature, class_column)
    return builder.finish()


def class_name(value: Any) -> str | None:
    """Return the name of a class as QuPath and others write it, or None for no class.

    Text is the name, unless it is an object written as text. Of an object counts its ``name``, or
    its ``names``, from the general to the special, joined by ``": "`` as QuPath shows them; older
    versions write the more general class as ``parentClass``.

    Args:
        value: The property's value.

    Returns:
        The name.
    """
    # GDAL turns an object among the properties into text.
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if isinstance(value, dict):
        names = value.get("names") or [class_name(value.get("parentClass")), value.get("name")]
        return ": ".join(str(name) for name in names if name) or None
    if value is None or value != value:  # noqa: PLR0124 - NaN, which tables hold for no value
        return None
    return str(value) or None


def _features(document: Any, path: str) -> list[Any]:
    if isinstance(document, dict):
        if document.get("type") == "Feature":
            return [document]
        if isinstance(document.get("features"), list):
            return list(document["features"])
    # QuPath writes a bare list too, not only a FeatureCollection.
    elif isinstance(document, list):
        nested = [_features(part, path) for part in document]
        return [feature for part in nested for feature in part]
    reason = "the JSON is no GeoJSON FeatureCollection or list of features"
    raise OverlayFormatError(reason, path, code="unsupported_annotations")


def _add(builder: FeatureBuilder, number: int, feature: Any, class_column: str) -> None:
    members = feature if isinstance(feature, dict) else {}
    identity = members.get("id")
    name = f"feature {number}" if identity is None else f"feature {number} (id {identity})"
    properties = members.get("properties") or {}
    is_feature = members is feature and isinstance(properties, dict)
    builder.start(name, class_name(properties.get(class_column)) if is_feature else None)
    if not is_feature:
        raise builder.error("it is no GeoJSON feature with properties")
    _add_geometry(builder, feature.get("geometry"))


def _add_geometry(builder: FeatureBuilder, geometry: Any) -> None:
    """Add the polygons of a geometry, which may be null."""
    if geometry is None:
        return
    try:
        kind = geometry["type"]
        if kind == "Polygon":
            builder.add_polygon(geometry["coordinates"])
        elif kind == "MultiPolygon":
            for polygon in geometry["coordinates"]:
                builder.add_polygon(polygon)
        elif kind == "GeometryCollection":
            for part in geometry["geometries"]:
                _add_geometry(builder, part)
    except (KeyError, TypeError) as error:
        raise builder.error("its geometry is no GeoJSON geometry") from error
