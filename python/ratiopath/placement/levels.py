"""Which level of a pyramid is read: the one asked for, or the nearest to the tiles' resolution.

The choice is made only here, for overlays, slides and the command line alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratiopath.errors import OverlayValueError
from ratiopath.placement.downsamples import level_mpps
from ratiopath.placement.resolution import base_mpp, scale_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratiopath.placement.resolution import Pair
    from ratiopath.readers.base import Level, ResolutionMetadata

# Relative. The noise of resolution tags, some 1e-8, must not decide between two levels that are
# equally far from the tile.
LEVEL_TIE_TOLERANCE = 1e-6


def choose_level(mpps: Sequence[Pair], tile_mpp: Pair) -> int:
    """Return the level whose resolution is nearest to the tile's.

    Args:
        mpps: µm per pixel along x and y of each level.
        tile_mpp: µm per pixel along x and y of the level that the tiles come from.

    Returns:
        The index that minimises the mean over both axes of ``|level mpp - tile mpp|``; among
        levels that tie, within 1e-6 of the tile's µm per pixel, the finest.
    """
    distances = [(abs(x - tile_mpp[0]) + abs(y - tile_mpp[1])) / 2 for x, y in mpps]
    limit = min(distances) + LEVEL_TIE_TOLERANCE * (tile_mpp[0] + tile_mpp[1]) / 2
    # The finest of those that tie: a coarser level loses detail.
    nearest = [index for index, distance in enumerate(distances) if distance <= limit]
    return min(nearest, key=lambda index: sum(mpps[index]))


def existing_level(level: float, count: int, path: str) -> int:
    """Return a level that was asked for, if the file has it.

    Args:
        level: The level.
        count: How many levels the file has.
        path: The file, for messages.

    Returns:
        The level as an integer.

    Raises:
        OverlayValueError: The file lacks it.
    """
    if float(level).is_integer() and 0 <= level < count:
        return int(level)
    there = "only level 0" if count == 1 else f"levels 0 to {count - 1}"
    reason = f"there is no level {level:g}: the file has {there} in it"
    raise OverlayValueError(reason, path, code="no_such_level")


def fit_level(
    metadata: ResolutionMetadata,
    levels: Sequence[Level],
    *,
    path: str,
    tile_mpp: Pair,
    level: float | None = None,
    override: Pair | None = None,
    slide_extent: Pair | None = None,
) -> tuple[int, Pair]:
    """Return which level of an overlay is read, and the scale from tile pixels to its pixels.

    Args:
        metadata: What the file says about itself.
        levels: Its pyramid, level 0 first.
        path: Its path, for messages.
        tile_mpp: µm per pixel of the tiles along x and y.
        level: The level asked for, or None for the one whose resolution is nearest.
        override: The caller's µm per pixel of level 0 along x and y, or None.
        slide_extent: Width and height of the slide in tile pixels, or None.

    Returns:
        The level, and the scale along x and y, see
        `ratiopath.placement.resolution.scale_between`.

    Raises:
        OverlayResolutionError: Nothing says the overlay's µm per pixel.
        OverlayValueError: It lacks the level, or the caller's numbers are not finite and positive.
    """
    base = base_mpp(
        metadata,
        path=path,
        level0=levels[0],
        override=override,
        tile_mpp=tile_mpp,
        slide_extent=slide_extent,
    )
    mpps = level_mpps(base, levels)
    if level is None:
        chosen = choose_level(mpps, tile_mpp)
    else:
        chosen = existing_level(level, len(levels), path)
    return chosen, scale_between(tile_mpp, mpps[chosen])
