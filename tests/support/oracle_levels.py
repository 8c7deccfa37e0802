"""The oracle's resolutions: rounding, scales, levels and where µm per pixel come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[float, float]
# Pixels per inch that software writes which has measured nothing.
DEFAULTS = (25.4, 72, 96, 300)


def snap(scale: float) -> Fraction:
    """Return p/q with the smallest q <= 64 that is within 1e-6 relative, else the scale itself."""
    for q in range(1, 65):
        nearest = Fraction(round(Fraction(scale) * q), q)
        if nearest > 0 and abs(Fraction(scale) - nearest) <= nearest / 10**6:
            return nearest
    return Fraction(scale)


def scale_coordinate(coordinate: float, scale: Fraction) -> int:
    """floor(old * S + 0.5), every step rounded to float64."""
    return math.floor(float(coordinate) * float(scale) + 0.5)


def downsample(base: np.ndarray, level: np.ndarray) -> tuple[float, float]:
    """How many pixels of level 0, along x and y, one pixel of a level stands for."""
    (h0, w0), (h, w) = base.shape[:2], level.shape[:2]

    def fits(k: int) -> bool:
        return h in (h0 // k, -(-h0 // k)) and w in (w0 // k, -(-w0 // k))

    fitting = [k for k in range(1, 2 * max(h0, w0)) if fits(k)]
    powers = [k for k in fitting if k & (k - 1) == 0]
    middle = math.sqrt(w0 * h0 / (w * h))
    if not fitting:
        return w0 / w, h0 / h
    k = min(powers or fitting, key=lambda k: (abs(k - middle), k))
    return float(k), float(k)


@dataclass(frozen=True)
class Stated:
    """What a file says of its level 0: µm per pixel, or pixels per a unit of so many µm."""

    ome: Pair | None = None
    vendor: Pair | None = None
    tags: tuple[Fraction, Fraction, float] | None = None


def base_mpp(
    stated: Stated,
    size: tuple[int, int],
    mpp: Pair,
    override: Pair | None = None,
    slide_extent: Pair | None = None,
) -> Pair | None:
    """µm per pixel (x, y) of level 0 of a size (width, height) by the first source that has it."""
    if override is not None:
        return override
    if stated.ome is not None:
        return stated.ome
    if stated.vendor is not None:
        return stated.vendor
    if stated.tags is not None:
        x, y, unit = stated.tags
        per_inch = [float(n) * 25400 / unit for n in (x, y)]
        if not any(abs(n - default) <= default / 1000 for n in per_inch for default in DEFAULTS):
            return unit / float(x), unit / float(y)
    if slide_extent is not None:
        return mpp[0] * slide_extent[0] / size[0], mpp[1] * slide_extent[1] / size[1]
    return None
