"""Where patches lie on a level: origin and size by the one rounding rule, or the true place.

Both ways of laying take the tiles' corners, the region, and the scale between tile and level, and
give a plan: which segments the patches touch, and which pixels of each lie under the region.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath._core import Plan, scale_coordinates
from ratiopath.placement.resolution import LARGEST_DENOMINATOR
from ratiopath.resources import FEW_ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath._core import Stencil
    from ratiopath.call.options import Options
    from ratiopath.call.region import Bounds, Region
    from ratiopath.readers.base import Level

# The sum of a pixel and a side must stay a 64-bit integer.
FARTHEST = 2.0**62

# The core's grids have 31 bits a side; a patch beyond is a unit mixed up.
LARGEST_SIDE = (1 << 31) - 1


class CoordinateError(ValueError):
    """A coordinate that is no pixel's.

    Args:
        reason: What is wrong.
        index: Which of the tiles has it.
    """

    def __init__(self, reason: str, index: int) -> None:
        super().__init__(reason)
        self.index = index


def lay_rounded(
    tile_x: NDArray[np.float64],
    tile_y: NDArray[np.float64],
    region: Region,
    scale: tuple[float, float],
    level: Level,
    options: Options,
) -> tuple[tuple[int, int], Plan]:
    """Lay patches of one size at rounded origins, all with the same mask.

    Args:
        tile_x: The tiles' left pixels.
        tile_y: The tiles' top pixels.
        region: The ROI, relative to them.
        scale: Pixels of the level per tile pixel, along x and y.
        level: The level's size and segments.
        options: The options of the call.

    Returns:
        Rows and columns of a patch, and the plan.

    Raises:
        ValueError: A patch is too large, or a coordinate is no 64-bit integer.
    """
    x0, y0, x1, y1 = region.bounding_box
    # The side is rounded on its own, so that all patches of a call have one size wherever they lie.
    width = max(1, _scaled(x1 - x0, scale[0]))
    height = max(1, _scaled(y1 - y0, scale[1]))
    _check_side(width, height)
    patch_x = scale_coordinates(_checked(tile_x + x0, scale[0]), scale[0])
    patch_y = scale_coordinates(_checked(tile_y + y0, scale[1]), scale[1])
    start, end = 0, height
    # What lies outside the level is not seen, but counts where ``outside`` gives it a value.
    if height > FEW_ROWS and len(patch_y) and options.clips:
        start, end = -int(patch_y.max()), level.height - int(patch_y.min())
    rows = (min(max(start, 0), height), min(max(end, 0), height))
    stencil = region.stencil((height, width), (x0, y0, x1, y1), options.coverage, rows)
    index = np.zeros(len(patch_x), np.uint32)
    return (height, width), _plan(level, [stencil], patch_x, patch_y, index)


def lay_exact(
    tile_x: NDArray[np.float64],
    tile_y: NDArray[np.float64],
    region: Region,
    scale: tuple[float, float],
    level: Level,
    options: Options,
) -> tuple[tuple[int, int], Plan]:
    """Lay each patch at its true place; tiles of one sub-pixel phase share their coverage.

    Args:
        tile_x: The tiles' left pixels.
        tile_y: The tiles' top pixels.
        region: The ROI, relative to them.
        scale: Pixels of the level per tile pixel, along x and y.
        level: The level's size and segments.
        options: The options of the call.

    Returns:
        Rows and columns of the first patch, and the plan.

    Raises:
        ValueError: A patch is too large, or a coordinate is no 64-bit integer.
    """
    x0, y0, x1, y1 = region.bounds
    _check_side((x1 - x0) * scale[0], (y1 - y0) * scale[1])
    whole_x, part_x = _whole_and_part(tile_x, scale[0])
    whole_y, part_y = _whole_and_part(tile_y, scale[1])
    # Few phases recur, and each is rasterised once: whole tile pixels at a scale of p/q have at
    # most q² of them.
    phases, index = np.unique(np.stack([part_x, part_y], 1), axis=0, return_inverse=True)
    large = max((x1 - x0) * scale[0], (y1 - y0) * scale[1]) > FEW_ROWS and len(index) > 0
    seen = _seen(whole_x, whole_y, level) if large and options.clips else None
    made = [region.scaled_stencil(scale, (float(px), float(py)), seen) for px, py in phases]
    index = index.reshape(-1)
    stencils, first_x, first_y = zip(*made, strict=True)
    patch_x = whole_x + np.array(first_x, np.int64)[index]
    patch_y = whole_y + np.array(first_y, np.int64)[index]
    plan = _plan(level, list(stencils), patch_x, patch_y, index.astype(np.uint32))
    return stencils[0].shape, plan


def _whole_and_part(
    tile: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Split ``tile * scale`` into whole pixels and the rest, the rest rounded last of all.

    Where the scale is p/q, the integers' remainder is the rest; elsewhere the product is taken in
    two parts that together are exact (Dekker, "A floating-point technique for extending the
    available precision", 1971), so that a tile far out lies no less exactly than one at the origin.
    """
    tile = _checked(tile, scale)
    ratio = Fraction(scale).limit_denominator(LARGEST_DENOMINATOR)
    if float(ratio) == scale and (tile == np.trunc(tile)).all() and _fits(tile, ratio):
        numerators = tile.astype(np.int64) * ratio.numerator
        return numerators // ratio.denominator, (numerators % ratio.denominator) / ratio.denominator
    product, error = _exact_product(tile, scale)
    whole = np.floor(product)
    rest = (product - whole) + error
    below = np.floor(rest)
    return (whole + below).astype(np.int64), rest - below


def _exact_product(
    values: NDArray[np.float64], factor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return products rounded to float64 and the errors of that, which are float64 too."""
    product = values * factor
    high, low = _halves(values)
    factor_high, factor_low = (float(half) for half in _halves(np.float64(factor)))
    error = high * factor_high - product + high * factor_low + low * factor_high
    return product, error + low * factor_low


def _halves(values: Any) -> tuple[Any, Any]:
    """Split numbers into sums of two whose products with other halves are exact."""
    # Veltkamp's split: 26 bits each, whose products have no more than float64's 53.
    shifted = values * (2.0**27 + 1)
    high = shifted - (shifted - values)
    return high, values - high


def _checked(tiles: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    far = ~(np.abs(tiles * scale) < FARTHEST)
    if far.any():
        index = int(np.argmax(far))
        raise CoordinateError(
            f"coordinate {tiles[index]:.0f} scaled by {scale:g} is no pixel's", index
        )
    return tiles


def _fits(tiles: NDArray[np.float64], ratio: Fraction) -> bool:
    return bool(np.abs(tiles).max(initial=0) * ratio.numerator < FARTHEST)


def _seen(patch_x: NDArray[np.int64], patch_y: NDArray[np.int64], level: Level) -> Bounds:
    """Return what of patches with these origins may lie on the level, from their origin."""
    first_x, last_x = int(patch_x.min()), int(patch_x.max())
    first_y, last_y = int(patch_y.min()), int(patch_y.max())
    # Seen is what any of the patches sees: on each side the one farthest out decides.
    return (-last_x, -last_y, level.width - first_x, level.height - first_y)


def _plan(
    level: Level,
    stencils: list[Stencil],
    patch_x: NDArray[np.int64],
    patch_y: NDArray[np.int64],
    index: NDArray[np.uint32],
) -> Plan:
    size = (level.height, level.width)
    segments = (level.segment_height, level.segment_width)
    return Plan(size, segments, stencils, patch_x, patch_y, index)


def _scaled(size: int, scale: float) -> int:
    return int(scale_coordinates(np.array([size], np.float64), scale)[0])


def _check_side(width: float, height: float) -> None:
    if max(width, height) > LARGEST_SIDE:
        raise ValueError(
            f"a patch of {height:.15g} x {width:.15g} overlay pixels is larger than any overlay"
        )
