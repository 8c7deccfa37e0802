"""The contract once more, slowly and obviously: the answer that every fast path must give.

Nothing here comes from ``ratiopath``, and nothing here is clever: plain loops over pixels, and
``fractions.Fraction`` wherever a comparison decides. Words are the library's own: a tile is in
pixels of the primary slide, the ROI is relative to the tile's top-left corner, S is the scale from
tile pixels to overlay pixels. Polygons are in ``oracle_shapes``, resolutions in ``oracle_levels``,
values and their names in ``oracle_values``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from oracle_levels import downsample, scale_coordinate, snap
from oracle_shapes import (
    area_in_box,
    coverage_grid,
    integer_bounds,
    is_pixel_inside,
    mask_grid,
    rings_of,
    signed_area,
)
from oracle_values import Choice, declared_texts, key, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry

__all__ = [
    "Overlay",
    "Patch",
    "choose_level",
    "coverage_grid",
    "key",
    "mask_grid",
    "overlap",
    "patch",
    "scale_coordinate",
    "snap",
    "structs",
    "weigh",
]

# Of the ROI's area on the overlay: what shares less with a pixel only seems to, in float64.
NOISE = Fraction(1, 10**12)

# A pixel with what it weighs.
Weighed = tuple[np.ndarray, Fraction]


@dataclass(frozen=True)
class Overlay:
    """A pyramid of arrays (H, W, C), level 0 first, and level 0's µm per pixel (x, y)."""

    levels: list[np.ndarray]
    mpp: tuple[float, float]

    @classmethod
    def of(cls, levels: Iterable[np.ndarray], mpp: float | tuple[float, float]) -> Overlay:
        pixels = [a if a.ndim == 3 else a[:, :, np.newaxis] for a in levels]
        return cls(pixels, mpp if isinstance(mpp, tuple) else (mpp, mpp))

    @classmethod
    def missing(
        cls, mpp: tuple[float, float], override: tuple[float, float] | None, dtype: Any = np.uint8
    ) -> Overlay:
        """A file that is not there: no pixel, of the tile's resolution if none was given."""
        return cls([np.zeros((0, 0, 1), dtype)], override or mpp)


@dataclass(frozen=True)
class Patch:
    """Overlay pixels (H, W, C) under a ROI's bounding box; the mask (H, W) is True outside."""

    data: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Grid:
    """Where a patch lies on a level's pixels, and where its grid lies in the ROI's space."""

    pixels: np.ndarray
    left: int
    top: int
    shape: tuple[int, int]
    bounds: tuple[int, int, int, int]

    def at(self, i: int, j: int) -> np.ndarray | None:
        """The overlay's pixel under a pixel of the patch, None beyond the overlay."""
        row, column = self.top + i, self.left + j
        inside = 0 <= row < self.pixels.shape[0] and 0 <= column < self.pixels.shape[1]
        return self.pixels[row, column] if inside else None


def level_mpp(overlay: Overlay, level: int) -> tuple[float, float]:
    """µm per pixel (x, y) of a level."""
    if not overlay.levels[level].size:
        return overlay.mpp
    x, y = downsample(overlay.levels[0], overlay.levels[level])
    return overlay.mpp[0] * x, overlay.mpp[1] * y


def choose_level(overlay: Overlay, mpp: tuple[float, float]) -> int:
    """The level whose µm per pixel are nearest the tile's; the finer one on a tie."""
    distances = []
    for level in range(len(overlay.levels)):
        x, y = level_mpp(overlay, level)
        distances.append((abs(x - mpp[0]) + abs(y - mpp[1])) / 2)
    tie = 1e-6 * (mpp[0] + mpp[1]) / 2
    return next(k for k, d in enumerate(distances) if d <= min(distances) + tie)


def scales(overlay: Overlay, level: int, mpp: tuple[float, float]) -> tuple[Fraction, Fraction]:
    """S per axis, noise of the tags removed."""
    x, y = level_mpp(overlay, level)
    return snap(mpp[0] / x), snap(mpp[1] / y)


def _select(
    overlay: Overlay, mpp: tuple[float, float], level: int | None, channel: int | None
) -> tuple[np.ndarray, tuple[Fraction, Fraction]]:
    is_missing = not overlay.levels[0].size
    level = choose_level(overlay, mpp) if level is None or is_missing else level
    pixels = overlay.levels[level]
    if channel is not None and not is_missing:
        pixels = pixels[:, :, channel : channel + 1]
    return pixels, scales(overlay, level, mpp)


def _grid(
    pixels: np.ndarray,
    scale: tuple[Fraction, Fraction],
    tile: tuple[int, int],
    roi: BaseGeometry,
) -> Grid:
    x0, y0, x1, y1 = bounds = integer_bounds(roi)
    left, top = (scale_coordinate(tile[k] + bounds[k], scale[k]) for k in (0, 1))
    width, height = (
        max(1, scale_coordinate(x1 - x0, scale[0])),
        max(1, scale_coordinate(y1 - y0, scale[1])),
    )
    return Grid(pixels, left, top, (height, width), bounds)


def patch(
    overlay: Overlay,
    tile: tuple[int, int],
    roi: BaseGeometry,
    mpp: tuple[float, float],
    *,
    coverage: str = "center",
    outside: float | str = "clip",
    level: int | None = None,
    channel: int | None = None,
    dtype: Any = None,
) -> Patch:
    """The overlay's pixels under the ROI's bounding box, and which of them lie outside the ROI."""
    grid = _grid(*_select(overlay, mpp, level, channel), tile, roi)
    mask = mask_grid(roi, grid.shape, grid.bounds, coverage).copy()
    data = np.zeros((*grid.shape, grid.pixels.shape[2]), dtype or grid.pixels.dtype)
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            pixel = grid.at(i, j)
            if pixel is not None:
                data[i, j] = pixel
            elif outside == "clip":
                mask[i, j] = True
            else:
                data[i, j] = outside
    return Patch(data, mask)


def weigh(
    overlay: Overlay,
    tile: tuple[int, int],
    roi: BaseGeometry,
    mpp: tuple[float, float],
    *,
    coverage: str = "center",
    outside: float | str = "clip",
    level: int | None = None,
    channel: int | None = None,
) -> list[Weighed]:
    """Every overlay pixel under the ROI and its weight, what lies beyond as one pixel."""
    pixels, scale = _select(overlay, mpp, level, channel)
    if coverage == "exact":
        weighed, whole = _exact_weights(pixels, roi, tile, scale)
    else:
        weighed, whole = _whole_weights(_grid(pixels, scale, tile, roi), roi, coverage, outside)
    if outside == "clip":
        return weighed
    beyond = whole - sum((weight for _, weight in weighed), Fraction(0))
    with np.errstate(invalid="ignore"):
        pixel = np.full(pixels.shape[2], outside, pixels.dtype)
    return [*weighed, (pixel, beyond)]


def _whole_weights(
    grid: Grid, roi: BaseGeometry, coverage: str, outside: float | str
) -> tuple[list[Weighed], Fraction]:
    (height, width), (rows, columns) = grid.shape, grid.pixels.shape[:2]
    rings = rings_of(roi)
    weighed = [
        (grid.pixels[grid.top + i, grid.left + j], Fraction(1))
        for i in range(max(0, -grid.top), min(height, rows - grid.top))
        for j in range(max(0, -grid.left), min(width, columns - grid.left))
        if is_pixel_inside(rings, (grid.shape, grid.bounds), (i, j), coverage)
    ]
    if outside == "clip":
        return weighed, Fraction(0)
    inside = ~mask_grid(roi, grid.shape, grid.bounds, coverage)
    return weighed, Fraction(int(inside.sum()))


def _exact_weights(
    pixels: np.ndarray,
    roi: BaseGeometry,
    tile: tuple[int, int],
    scale: tuple[Fraction, Fraction],
) -> tuple[list[Weighed], Fraction]:
    (left, top, right, bottom), areas, whole = placed_areas(roi, tile, scale, pixels.shape[:2])
    weighed = [
        (pixels[i, j], areas[i - top, j - left])
        for i in range(top, bottom)
        for j in range(left, right)
        if areas[i - top, j - left] > 0
    ]
    return weighed, whole


@lru_cache(maxsize=4096)
def placed_areas(
    roi: BaseGeometry,
    tile: tuple[int, int],
    scale: tuple[Fraction, Fraction],
    shape: tuple[int, int],
) -> tuple[tuple[int, int, int, int], np.ndarray, Fraction]:
    """The ROI's area in each pixel of an overlay's part, with no rounding at all, and all of it.

    The part is (left, top, right, bottom); areas are Fraction objects, (rows, columns).
    """
    rings = [
        [((tile[0] + x) * scale[0], (tile[1] + y) * scale[1]) for x, y in ring]
        for ring in rings_of(roi)
    ]
    xs, ys = [x for ring in rings for x, _ in ring], [y for ring in rings for _, y in ring]
    left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
    right, bottom = min(shape[1], math.ceil(max(xs))), min(shape[0], math.ceil(max(ys)))
    areas = np.zeros((max(0, bottom - top), max(0, right - left)), object)
    for i in range(top, bottom):
        for j in range(left, right):
            areas[i - top, j - left] = area_in_box(rings, (j, i, j + 1, i + 1))
    return (left, top, right, bottom), areas, sum(map(signed_area, rings), Fraction(0))


def shares(weighed: Sequence[Weighed], choice: Choice) -> dict[tuple[Any, str], float]:
    """Sum weights per key and its text, and divide by the sum of all; noise weighs nothing."""
    noise = NOISE * sum((weight for _, weight in weighed), Fraction(0))
    totals: dict[tuple[Any, str], Fraction] = {}
    for pixel, weight in weighed:
        name = named(pixel, choice) if weight > noise else None
        if name is not None:
            totals[name] = totals.get(name, Fraction(0)) + weight
    whole = sum(totals.values(), Fraction(0))
    return {name: float(total / whole) for name, total in totals.items()}


def overlap(
    overlay: Overlay,
    tile: tuple[int, int],
    roi: BaseGeometry,
    mpp: tuple[float, float],
    *,
    nodata: Sequence[Any] = (),
    classes: Any = None,
    bins: Sequence[float] | None = None,
    **options: Any,
) -> dict[Any, float]:
    """Share of each value in the clipped ROI, by key."""
    choice = Choice(tuple(nodata), classes, None if bins is None else tuple(bins))
    found = shares(weigh(overlay, tile, roi, mpp, **options), choice)
    result: dict[Any, float] = {}
    for (value, _), share in found.items():
        result[value] = result.get(value, 0.0) + share
    return result


def structs(
    rows: Sequence[dict[tuple[Any, str], float]], choice: Choice, absent: float | None
) -> list[dict[str, float | None]]:
    """Rows with the same keys in all of them, as text."""
    found = [text for row in rows for _, text in row]
    names = list(dict.fromkeys([*(declared_texts(choice) or ()), *found])) or ["0"]
    texts = [{text: share for (_, text), share in row.items()} for row in rows]
    return [{name: row.get(name, absent) for name in names} for row in texts]
