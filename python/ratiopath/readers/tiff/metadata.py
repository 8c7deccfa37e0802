"""A TIFF's tags and texts: its resolution, and the value of segments it leaves out."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np

from ratiopath.readers.base import ResolutionMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
GDAL_NODATA = 42113

# µm per unit of tag ResolutionUnit; 4 and 5 are tifffile's extension.
_TAG_UNITS = {2: 25400.0, 3: 10000.0, 4: 1000.0, 5: 1.0}
_INCH = 2

# µm per unit of OME-XML's UnitsLength, those that a microscope's pixel may be given in.
# "pixel" and "reference frame" are not lengths.
_OME_UNITS = {
    "µm": 1.0,
    "μm": 1.0,  # the Greek letter, beside the micro sign
    "pm": 1e-6,
    "Å": 1e-4,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "dm": 1e5,
    "m": 1e6,
    "thou": 25.4,
    "pt": 25400 / 72,
    "in": 25400.0,
    "ft": 304800.0,
}
_APERIO_MPP = re.compile(r"\bMPP\s*=\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)")


def resolution_metadata(tags: Mapping[int, Any], description: str) -> ResolutionMetadata:
    """Gather all that a TIFF says about its µm per pixel, without judging it.

    Args:
        tags: Values of level 0's tags, by tag number.
        description: The file's first ImageDescription.

    Returns:
        The resolution of level 0, source by source.
    """
    return ResolutionMetadata(
        ome=_ome_mpp(description), vendor=_aperio_mpp(description), tags=_tag_resolution(tags)
    )


def fill_value(tag: object, dtype: np.dtype[Any]) -> float | int:
    """Return the sample value of segments that a file leaves out.

    Args:
        tag: The value of GDAL_NODATA, or None.
        dtype: The file's sample type.

    Returns:
        The tag's number where ``dtype`` holds it, else 0.
    """
    # GDAL writes text; integers of 64 bits would lose digits as floats.
    text = str(tag).strip(" \0")
    try:
        value = int(text) if text.lstrip("+-").isdigit() else float(text)
        held = _holds(dtype, value)
    except (ValueError, OverflowError):
        return 0
    if not held:
        return 0
    return float(value) if dtype.kind == "f" else int(value)


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    if dtype.kind == "f":
        # The text of a float32 is rounded to it, but a finite number never to infinity.
        with np.errstate(over="ignore"):
            return bool(np.isfinite(dtype.type(value))) == math.isfinite(value)
    if dtype.kind == "b":
        return value in (0, 1)
    limits = np.iinfo(dtype)
    return limits.min <= value <= limits.max and int(value) == value


def _tag_resolution(tags: Mapping[int, Any]) -> tuple[float, float, float] | None:
    x, y = _rational(tags.get(X_RESOLUTION)), _rational(tags.get(Y_RESOLUTION))
    unit = tags.get(RESOLUTION_UNIT)
    # The specification's default is the inch.
    unit = _TAG_UNITS.get(_INCH if unit is None else unit)
    return None if x is None or y is None or unit is None else (x, y, unit)


def _rational(value: object) -> float | None:
    numerator, denominator = value if isinstance(value, tuple) and len(value) == 2 else (value, 1)
    if not isinstance(numerator, (int, float)) or not isinstance(denominator, (int, float)):
        return None
    return numerator / denominator if numerator and denominator else None


def _aperio_mpp(description: str) -> tuple[float, float] | None:
    # Only Aperio's: elsewhere these letters may mean anything.
    found = _APERIO_MPP.search(description) if description.startswith("Aperio") else None
    try:
        return (float(found[1]), float(found[1])) if found else None
    except ValueError:
        return None


def _ome_mpp(description: str) -> tuple[float, float] | None:
    if "OME" not in description:
        return None
    try:
        root = ET.fromstring(description)  # noqa: S314 - expat >= 2.4.1 limits entities itself
    except ET.ParseError:
        return None  # then it is no OME-XML, and the pages are read as any TIFF's
    pixels = root.find("{*}Image/{*}Pixels")
    if pixels is None:
        return None
    x, y = _physical_size(pixels, "X"), _physical_size(pixels, "Y")
    return None if x is None or y is None else (x, y)


def _physical_size(pixels: ET.Element, axis: str) -> float | None:
    unit = _OME_UNITS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
    try:
        size = float(pixels.get(f"PhysicalSize{axis}", ""))
    except ValueError:
        return None
    return None if unit is None else size * unit
