"""Regions of interest written as the text of an option."""

from __future__ import annotations

import shapely

from ratiopath.call.region import Region

_FORMS = "tile, inset:64, box:128,128,384,384, circle, circle:200, or a polygon as WKT"
# A circle of 256 vertices differs from the true one by 0.01 % of its area.
_QUARTER_SEGMENTS = 64


def parse_roi(text: str, tile_extent: tuple[int, int]) -> Region:
    """Read a region of interest.

    Args:
        text: ``tile``; ``inset:N``, the tile without N pixels on each side; ``box:X0,Y0,X1,Y1``;
            ``circle``, the largest circle in the middle of the tile, or ``circle:R`` with another
            radius, both as a polygon of 256 vertices; or a polygon as WKT. All in tile pixels.
        tile_extent: Width and height of a tile in pixels.

    Returns:
        The region.

    Raises:
        ValueError: The text is none of these, or the region is empty or invalid.
    """
    name, _, arguments = text.partition(":")
    # Only WKT has parentheses, and its commas and colons are not ours.
    if "(" in text:
        return Region.from_geometry(_from_wkt(text))
    try:
        numbers = [float(number) for number in arguments.split(",")] if arguments else []
    except ValueError as error:
        raise _unknown(text) from error
    width, height = tile_extent
    match name.strip(), numbers:
        case "tile", []:
            geometry = shapely.box(0, 0, width, height)
        case "inset", [margin]:
            geometry = _inset(margin, width, height)
        case "box", [x0, y0, x1, y1]:
            geometry = shapely.box(x0, y0, x1, y1)
        case "circle", [] | [_]:
            radius = numbers[0] if numbers else min(width, height) / 2
            centre = shapely.Point(width / 2, height / 2)
            geometry = centre.buffer(radius, quad_segs=_QUARTER_SEGMENTS)
        case _:
            raise _unknown(text)
    return Region.from_geometry(geometry)


def _inset(margin: float, width: int, height: int) -> shapely.Polygon:
    if not 0 <= margin < min(width, height) / 2:
        raise ValueError(f"inset:{margin:g} leaves nothing of a tile of {width} x {height} px")
    return shapely.box(margin, margin, width - margin, height - margin)


def _from_wkt(text: str) -> shapely.Geometry:
    try:
        return shapely.from_wkt(text)
    except shapely.errors.GEOSException as error:
        raise ValueError(f"{text!r} is no geometry in WKT: {error}") from error


def _unknown(text: str) -> ValueError:
    return ValueError(f"{text!r} is no region of interest: write {_FORMS}")
