"""The contract once more, slowly and obviously: the answer that every fast path must give.

Nothing here comes from ``ratiopath``, and nothing here is clever: plain loops over pixels, and
``fractions.Fraction`` wherever a comparison decides. Words are the library's own: a tile is in
pixels of the primary slide, the ROI is relative to the tile's top-left corner, S is the scale from
tile pixels to overlay pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry

Point = tuple[Fraction, Fraction]
Ring = list[Point]
Box = tuple[float, float, float, float]

# Of the ROI's area on the overlay: what shares less with a pixel only seems to, in float64.
NOISE = Fraction(1, 10**12)


@dataclass(frozen=True)
class Overlay:
    """A pyramid of arrays (H, W, C), level 0 first, and level 0's µm per pixel (x, y)."""

    levels: list[np.ndarray]
    mpp: tuple[float, float]

    @classmethod
    def of(cls, levels: Iterable[np.ndarray], mpp: float | tuple[float, float]) -> Overlay:
        pixels = [a if a.ndim == 3 else a[:, :, np.newaxis] for a in levels]
        return cls(pixels, mpp if isinstance(mpp, tuple) else (mpp, mpp))


@dataclass(frozen=True)
class Patch:
    """Overlay pixels (H, W, C) under a ROI's bounding box; the mask (H, W) is True outside."""

    data: np.ndarray
    mask: np.ndarray


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


def rings_of(geometry: BaseGeometry) -> list[Ring]:
    """Every ring of the polygonal parts, open (first point not repeated), Z dropped.

    Outer rings have a positive signed area, holes a negative one.
    """
    if hasattr(geometry, "geoms"):
        return [ring for part in geometry.geoms for ring in rings_of(part)]
    if geometry.geom_type != "Polygon":
        return []
    holes = [_turned(line.coords, -1) for line in geometry.interiors]
    return [_turned(geometry.exterior.coords, 1), *holes]


def _turned(coordinates: Iterable[Sequence[float]], sign: int) -> Ring:
    ring = [(Fraction(p[0]), Fraction(p[1])) for p in coordinates][:-1]
    return ring if _signed_area(ring) * sign > 0 else ring[::-1]


def is_inside(rings: list[Ring], x: float, y: float) -> bool:
    """Whether a point is inside by the even-odd rule; left edges are out, right edges in."""
    inside = False
    for ring in rings:
        for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
            if min(ay, by) <= y < max(ay, by):
                crossing = ax + (Fraction(y) - ay) * (bx - ax) / (by - ay)
                inside ^= crossing < x
    return inside


def area_in_box(rings: list[Ring], box: tuple[Any, Any, Any, Any]) -> Fraction:
    """Exact area that the polygon and an axis-parallel box share.

    Each ring is cut at the four sides in turn. A concave ring leaves seams along the sides, which
    enclose nothing, so the area stays right. Holes run the other way round and so subtract.
    """
    return sum((_signed_area(_cut_to_box(ring, box)) for ring in rings), Fraction(0))


def _cut_to_box(ring: Ring, box: tuple[Any, Any, Any, Any]) -> Ring:
    x0, y0, x1, y1 = (Fraction(side) for side in box)
    for axis, side, keep in ((0, x0, 1), (0, x1, -1), (1, y0, 1), (1, y1, -1)):
        ring = _cut(ring, axis, side, keep)
    return ring


def _cut(ring: Ring, axis: int, side: Fraction, keep: int) -> Ring:
    kept: Ring = []
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        from_side, to_side = keep * (a[axis] - side), keep * (b[axis] - side)
        if from_side >= 0:
            kept.append(a)
        if from_side * to_side < 0:
            t = from_side / (from_side - to_side)
            kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
    return kept


def _signed_area(ring: Ring) -> Fraction:
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return sum(((a[0] * b[1] - b[0] * a[1]) for a, b in pairs), Fraction(0)) / 2


def _borders(start: float, extent: float, count: int) -> list[float]:
    return [start + j * extent / count for j in range(count + 1)]


def _centres(start: float, extent: float, count: int) -> list[float]:
    return [start + (j + 0.5) * extent / count for j in range(count)]


@lru_cache(maxsize=4096)
def coverage_grid(geometry: BaseGeometry, shape: tuple[int, int], bounds: Box) -> np.ndarray:
    """Exact covered share (Fraction objects, (H, W)) of each cell of a grid laid on bounds."""
    rings, (height, width) = rings_of(geometry), shape
    xs = _borders(bounds[0], bounds[2] - bounds[0], width)
    ys = _borders(bounds[1], bounds[3] - bounds[1], height)
    grid = np.zeros(shape, object)
    for i in range(height):
        for j in range(width):
            cell = (xs[j], ys[i], xs[j + 1], ys[i + 1])
            area = (Fraction(cell[2]) - Fraction(cell[0])) * (Fraction(cell[3]) - Fraction(cell[1]))
            grid[i, j] = area_in_box(rings, cell) / area
    return grid


@lru_cache(maxsize=4096)
def mask_grid(
    geometry: BaseGeometry, shape: tuple[int, int], bounds: Box, coverage: str
) -> np.ndarray:
    """Mask (bool, (H, W), True outside) of a grid laid on bounds, by "center" or "all_touched"."""
    if coverage == "all_touched":
        return coverage_grid(geometry, shape, bounds) == 0
    rings = rings_of(geometry)
    xs = _centres(bounds[0], bounds[2] - bounds[0], shape[1])
    ys = _centres(bounds[1], bounds[3] - bounds[1], shape[0])
    return np.array([[not is_inside(rings, x, y) for x in xs] for y in ys])


def integer_bounds(geometry: BaseGeometry) -> tuple[int, int, int, int]:
    """The ROI's bounding box: floor of the minima, ceil of the maxima."""
    points = [point for ring in rings_of(geometry) for point in ring]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))


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


def level_mpp(overlay: Overlay, level: int) -> tuple[float, float]:
    """µm per pixel (x, y) of a level."""
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
    level = choose_level(overlay, mpp) if level is None else level
    pixels = overlay.levels[level]
    pixels = pixels if channel is None else pixels[:, :, channel : channel + 1]
    return pixels, scales(overlay, level, mpp)


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
) -> Patch:
    """The overlay's pixels under the ROI's bounding box, and which of them lie outside the ROI."""
    pixels, (sx, sy) = _select(overlay, mpp, level, channel)
    x0, y0, x1, y1 = bounds = integer_bounds(roi)
    left, top = scale_coordinate(tile[0] + x0, sx), scale_coordinate(tile[1] + y0, sy)
    width, height = max(1, scale_coordinate(x1 - x0, sx)), max(1, scale_coordinate(y1 - y0, sy))
    mask = mask_grid(roi, (height, width), bounds, coverage).copy()
    data = np.zeros((height, width, pixels.shape[2]), pixels.dtype)
    for i in range(height):
        for j in range(width):
            if 0 <= top + i < pixels.shape[0] and 0 <= left + j < pixels.shape[1]:
                data[i, j] = pixels[top + i, left + j]
            elif outside == "clip":
                mask[i, j] = True
            else:
                data[i, j] = outside
    return Patch(data, mask)


def key(pixel: np.ndarray) -> Any:
    """What a pixel is counted as: its value, the one value of equal channels, or the colour."""
    samples = [sample.item() + 0 for sample in pixel]  # + 0 makes 0 of -0.0, 1 of True
    samples = [math.nan if math.isnan(s) else s for s in samples]
    return samples[0] if len(set(samples)) == 1 else tuple(samples)


def overlap(
    overlay: Overlay,
    tile: tuple[int, int],
    roi: BaseGeometry,
    mpp: tuple[float, float],
    *,
    coverage: str = "center",
    outside: float | str = "clip",
    level: int | None = None,
    channel: int | None = None,
    nodata: Sequence[Any] = (),
) -> dict[Any, float]:
    """Share of each value in the clipped ROI."""
    if coverage == "exact":
        pixels, scale = _select(overlay, mpp, level, channel)
        return shares(_exact_weights(pixels, _placed_areas(roi, tile, scale), outside), nodata)
    found = patch(
        overlay, tile, roi, mpp, coverage=coverage, outside=outside, level=level, channel=channel
    )
    inside = found.data[~found.mask]
    return shares([(key(pixel), Fraction(1)) for pixel in inside], nodata)


def shares(weights: Sequence[tuple[Any, Fraction]], nodata: Sequence[Any] = ()) -> dict[Any, float]:
    """Sum weights per value and divide by the sum of all; weights of float noise are none."""
    noise = NOISE * sum(weight for _, weight in weights)
    totals: dict[Any, Fraction] = {}
    for value, weight in weights:
        if weight > noise and value not in nodata:
            totals[value] = totals.get(value, Fraction(0)) + weight
    whole = sum(totals.values())
    return {value: float(total / whole) for value, total in totals.items()}


@lru_cache(maxsize=4096)
def _placed_areas(
    roi: BaseGeometry, tile: tuple[int, int], scale: tuple[Fraction, Fraction]
) -> dict[tuple[int, int], Fraction]:
    """Area of the ROI in each overlay pixel (row, column) around it, with no rounding at all."""
    rings = [
        [((tile[0] + x) * scale[0], (tile[1] + y) * scale[1]) for x, y in ring]
        for ring in rings_of(roi)
    ]
    xs, ys = [x for ring in rings for x, _ in ring], [y for ring in rings for _, y in ring]
    return {
        (i, j): area_in_box(rings, (j, i, j + 1, i + 1))
        for i in range(math.floor(min(ys)), math.ceil(max(ys)))
        for j in range(math.floor(min(xs)), math.ceil(max(xs)))
    }


def _exact_weights(
    pixels: np.ndarray, areas: dict[tuple[int, int], Fraction], outside: float | str
) -> list[tuple[Any, Fraction]]:
    weights = []
    for (i, j), area in areas.items():
        if 0 <= i < pixels.shape[0] and 0 <= j < pixels.shape[1]:
            weights.append((key(pixels[i, j]), area))
        elif outside != "clip":
            weights.append((outside, area))
    return weights
