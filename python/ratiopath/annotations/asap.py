"""ASAP's XML: annotations of several shapes, whose group is their class."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ratiopath.annotations.features import FeatureBuilder
from ratiopath.errors import OverlayFormatError

if TYPE_CHECKING:
    from ratiopath.annotations.features import Features

# Shapes with an area. A spline is taken as the polygon of its control points.
_AREAS = ("polygon", "rectangle", "spline")

# What ASAP writes for an annotation that is in no group.
_NO_GROUP = "None"


def parse_asap(data: bytes, path: str) -> Features:
    """Read the annotations of an ASAP document; their group is their class.

    Args:
        data: The document.
        path: Where it comes from, for messages.

    Returns:
        The features; dots, point sets and other shapes without area have no polygon.

    Raises:
        OverlayFormatError: It is no such document; names the annotation.
    """
    try:
        # expat, which reads it, limits by itself how far entities may expand.
        root = ET.fromstring(data)  # noqa: S314 - expat >= 2.4.1 limits entities itself
    except ET.ParseError as error:
        reason = f"the file is no XML: {error}"
        raise OverlayFormatError(reason, path, code="corrupt") from error
    if root.tag != "ASAP_Annotations":
        raise OverlayFormatError(
            f"the XML is not ASAP's (its root is <{root.tag}>, not <ASAP_Annotations>)",
            path,
            code="unsupported_annotations",
        )
    builder = FeatureBuilder(path)
    for number, annotation in enumerate(root.iter("Annotation")):
        _add(builder, number, annotation)
    return builder.finish()


def _add(builder: FeatureBuilder, number: int, annotation: ET.Element) -> None:
    group = annotation.get("PartOfGroup")
    name = f"annotation {number} ({annotation.get('Name', 'without a name')})"
    builder.start(name, None if group == _NO_GROUP else group)
    if annotation.get("Type", "").lower() not in _AREAS:
        return
    try:
        points = [
            (float(point.get("Order", 0)), float(point.attrib["X"]), float(point.attrib["Y"]))
            for point in annotation.iter("Coordinate")
        ]
    except (KeyError, ValueError) as error:
        raise builder.error("a Coordinate has no number as X or Y") from error
    # The document need not list them in the order in which they were drawn.
    points.sort(key=lambda point: point[0])
    builder.add_polygon([[point[1:] for point in points]])
