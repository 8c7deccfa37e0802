"""How much coarser than level 0 each level of a pyramid is: an integer where sizes allow one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratiopath.readers.base import Level

# More than any image is wide: stands for "every larger k fits as well".
_UNBOUNDED = 1 << 62


def level_downsamples(levels: Sequence[Level]) -> tuple[tuple[float, float], ...]:
    """Return how much coarser than level 0 each level is, along x and y.

    One integer k serves both axes: each of the level's sizes must be the floor or the ceil of
    level 0's divided by k. A power of two that fits wins, else the fitting integer nearest
    ``sqrt(W0 * H0 / (Wl * Hl))``, the smaller on a tie. At a level of one or two pixels several
    powers of two may fit; the same two rules choose among them. Where no integer fits, each axis
    has its own ratio, ``W0 / Wl`` and ``H0 / Hl``.

    Args:
        levels: The pyramid, level 0 first; every size is at least one pixel.

    Returns:
        One pair of downsamples (x, y) per level; ``(1.0, 1.0)`` for level 0.
    """
    return tuple(_downsample(levels[0], level) for level in levels)


def level_mpps(
    base: tuple[float, float], levels: Sequence[Level]
) -> tuple[tuple[float, float], ...]:
    """Return the µm per pixel of every level: level 0's times the level's downsample.

    Args:
        base: µm per pixel of level 0 along x and y.
        levels: The pyramid, level 0 first.

    Returns:
        One pair of µm per pixel (x, y) per level.
    """
    return tuple((base[0] * x, base[1] * y) for x, y in level_downsamples(levels))


def _downsample(level0: Level, level: Level) -> tuple[float, float]:
    lowest_x, highest_x = _fitting(level0.width, level.width)
    lowest_y, highest_y = _fitting(level0.height, level.height)
    lowest, highest = max(lowest_x, lowest_y), min(highest_x, highest_y)
    if lowest > highest:
        return level0.width / level.width, level0.height / level.height
    # By area, so that rounding either axis to whole pixels weighs less.
    areas = level0.width * level0.height, level.width * level.height
    k = _nearest_power(*areas, lowest, highest) or _nearest_integer(*areas, lowest, highest)
    return float(k), float(k)


def _fitting(size0: int, size: int) -> tuple[int, int]:
    """Return the lowest and highest k with size = floor(size0 / k) or ceil(size0 / k).

    The ks of the floor end at floor(size0 / size), those of the ceil begin at ceil(size0 / size),
    so together they leave no gap. Lowest > highest where none fits.
    """
    floor_low, floor_high = size0 // (size + 1) + 1, size0 // size
    ceil_low = -(-size0 // size)
    ceil_high = -(-size0 // (size - 1)) - 1 if size > 1 else _UNBOUNDED
    lowest = floor_low if floor_low <= floor_high else ceil_low
    highest = ceil_high if ceil_low <= ceil_high else floor_high
    return lowest, highest


def _nearest_integer(area0: int, area: int, lowest: int, highest: int) -> int:
    below = math.isqrt(area0 // area)
    nearest = below if _root_at_most(area0, area, 2 * below + 1) else below + 1
    return min(max(nearest, lowest), highest)


def _nearest_power(area0: int, area: int, lowest: int, highest: int) -> int | None:
    lowest_exponent, highest_exponent = (lowest - 1).bit_length(), highest.bit_length() - 1
    if lowest_exponent > highest_exponent:
        return None
    below = max(math.isqrt(area0 // area), 1).bit_length() - 1
    exponent = below if _root_at_most(area0, area, 3 << below) else below + 1
    return int(1 << min(max(exponent, lowest_exponent), highest_exponent))


def _root_at_most(area0: int, area: int, halves: int) -> bool:
    """Whether sqrt(area0 / area) <= halves / 2, in integers, so that a tie is a tie."""
    return 4 * area0 <= halves * halves * area
