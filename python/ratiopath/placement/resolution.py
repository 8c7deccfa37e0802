"""The µm per pixel of level 0, and the scale from tile pixels to those of a level.

Pure arithmetic on numbers that a reader found or the caller gave; no file is opened. The order in
which sources of a resolution are trusted is decided only here; which level is read, in
`ratiopath.placement.levels`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from ratiopath.errors import OverlayResolutionError, OverlayValueError

if TYPE_CHECKING:
    from ratiopath.readers.base import Level, ResolutionMetadata

Pair: TypeAlias = tuple[float, float]
ResolutionSource: TypeAlias = Literal["override", "ome", "vendor", "tags", "slide_extent"]

# Relative. Resolution tags are ratios of 32-bit integers, off by some 1e-8.
SCALE_TOLERANCE = 1e-6
# Nominal resolutions, such as 0.25 and 0.4 µm, have ratios this simple; with much larger
# denominators most scales would be near some ratio.
LARGEST_DENOMINATOR = 64

# Pixels per inch that libraries and editors write without having measured anything. The tolerance
# admits what rounding to whole pixels per cm makes of 300 (118 per cm), or to two digits of 72
# (28.35 per cm); no microscope or heatmap lies this close by purpose.
DEFAULT_PIXELS_PER_INCH = (25.4, 72.0, 96.0, 300.0)
DEFAULT_TOLERANCE = 1e-3
MICROMETRES_PER_INCH = 25400.0


class BaseResolution(NamedTuple):
    """The resolution of level 0 and where it came from.

    Attributes:
        mpp: µm per pixel of level 0 along x and y.
        source: ``"override"``, ``"ome"``, ``"vendor"``, ``"tags"`` or ``"slide_extent"``.
    """

    mpp: Pair
    source: ResolutionSource


def snap_scale(scale: float) -> float:
    """Undo the noise of resolution tags in a scale that is meant to be a simple ratio.

    A tag stores 0.504 µm as 0.50400000788, and a scale of 0.49999999 rounds every odd coordinate
    the other way. So a scale within 1e-6, relative, of p/q becomes p/q, for the smallest q <= 64
    that has such a p >= 1.

    Args:
        scale: Tile µm per pixel divided by overlay µm per pixel, along one axis.

    Returns:
        The ratio p/q in float64, or ``scale`` unchanged where none is near.
    """
    if not math.isfinite(scale):
        return scale
    # The smallest denominator first: 1/2 is meant, not 32/64.
    for denominator in range(1, LARGEST_DENOMINATOR + 1):
        numerator = round(scale * denominator)
        ratio = numerator / denominator
        if numerator >= 1 and abs(scale - ratio) <= SCALE_TOLERANCE * ratio:
            return ratio
    return scale


def scale_between(tile_mpp: Pair, mpp: Pair) -> Pair:
    """Return how many overlay pixels a tile pixel is long along x and y; see `snap_scale`."""
    return snap_scale(tile_mpp[0] / mpp[0]), snap_scale(tile_mpp[1] / mpp[1])


def base_mpp(
    metadata: ResolutionMetadata,
    *,
    path: str,
    level0: Level,
    override: Pair | None,
    tile_mpp: Pair | None,
    slide_extent: Pair | None,
) -> Pair:
    """Return the µm per pixel of an overlay's level 0, or say what the caller can do.

    Args:
        metadata: What the file says about itself.
        path: The overlay's path, for messages.
        level0: The overlay's level 0.
        override: The caller's µm per pixel of level 0 along x and y, or None.
        tile_mpp: µm per pixel of the tiles along x and y, or None where there are none.
        slide_extent: Width and height of the slide in tile pixels, or None.

    Returns:
        µm per pixel of level 0 along x and y, from the first source that has it; see
        `find_base_mpp` for their order.

    Raises:
        OverlayResolutionError: No source has it.
        OverlayValueError: The caller's own numbers are not finite and positive.
    """
    found = find_base_mpp(
        metadata,
        path=path,
        level0=level0,
        override=override,
        tile_mpp=tile_mpp,
        slide_extent=slide_extent,
    )
    if found is not None:
        return found.mpp
    raise OverlayResolutionError(describe_missing_mpp(metadata), path, code="unknown_resolution")


def find_base_mpp(
    metadata: ResolutionMetadata,
    *,
    path: str,
    level0: Level,
    override: Pair | None = None,
    tile_mpp: Pair | None = None,
    slide_extent: Pair | None = None,
) -> BaseResolution | None:
    """Find the µm per pixel of level 0 and the source it is taken from.

    The first of these that is present: the caller's override, OME-XML, the vendor's property, the
    resolution tags unless they hold a default of libraries and editors (25.4, 72, 96 or 300 pixels
    per inch on either axis, in any unit), and last the slide's extent, which the overlay is then
    taken to span. A number in the file that is not finite and positive counts as absent.

    Args:
        metadata: What the file says about itself.
        path: The overlay's path, for messages.
        level0: The overlay's level 0.
        override: The caller's µm per pixel of level 0 along x and y.
        tile_mpp: µm per pixel of the tiles along x and y; needed with ``slide_extent``.
        slide_extent: Width and height of the slide in tile pixels.

    Returns:
        The resolution and its source, or None where no source has it.

    Raises:
        OverlayValueError: The caller's own numbers are not finite and positive.
    """
    # First, since it is the way out where a file is wrong about itself.
    if override is not None:
        return BaseResolution(_checked(override, "overlay_mpp_x, overlay_mpp_y", path), "override")
    in_file: tuple[tuple[Pair | None, ResolutionSource], ...] = (
        (metadata.ome, "ome"),
        (metadata.vendor, "vendor"),
        (_tags_mpp(metadata), "tags"),
    )
    for mpp, source in in_file:
        if mpp is not None and _is_positive(mpp):
            return BaseResolution(mpp, source)
    if slide_extent is None or tile_mpp is None:
        return None
    return BaseResolution(_spanning_mpp(level0, tile_mpp, slide_extent, path), "slide_extent")


def describe_missing_mpp(metadata: ResolutionMetadata) -> str:
    """Say, for an error message, that the µm per pixel is unknown and what was disbelieved.

    Args:
        metadata: What the file says about itself.

    Returns:
        A clause, without a remedy.
    """
    unknown = "the file does not say how many µm a pixel measures"
    if has_default_tags(metadata):
        return f"{unknown} (its resolution tags hold a software default)"
    return unknown


def _tags_mpp(metadata: ResolutionMetadata) -> Pair | None:
    if metadata.tags is None or not _is_positive(metadata.tags) or has_default_tags(metadata):
        return None
    x, y, unit = metadata.tags
    return unit / x, unit / y


def has_default_tags(metadata: ResolutionMetadata) -> bool:
    """Whether the resolution tags hold what software writes that has not measured anything.

    Args:
        metadata: What the file says about itself.

    Returns:
        True for 25.4, 72, 96 and 300 pixels per inch on either axis, in any unit.
    """
    if metadata.tags is None or not _is_positive(metadata.tags):
        return False
    x, y, unit = metadata.tags
    return any(
        math.isclose(pixels * MICROMETRES_PER_INCH / unit, default, rel_tol=DEFAULT_TOLERANCE)
        for pixels in (x, y)
        for default in DEFAULT_PIXELS_PER_INCH
    )


def _spanning_mpp(level0: Level, tile_mpp: Pair, slide_extent: Pair, path: str) -> Pair:
    width, height = _checked(slide_extent, "slide_extent_x, slide_extent_y", path)
    mpp_x, mpp_y = _checked(tile_mpp, "mpp_x, mpp_y", path)
    return mpp_x * width / level0.width, mpp_y * height / level0.height


def _checked(values: Pair, names: str, path: str) -> Pair:
    if not _is_positive(values):
        reason = f"{names} must be finite and positive, got {values}"
        raise OverlayValueError(reason, path, code="invalid_number")
    return float(values[0]), float(values[1])


def _is_positive(values: tuple[float, ...]) -> bool:
    return all(math.isfinite(value) and value > 0 for value in values)
