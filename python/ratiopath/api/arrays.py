"""Polygons and pixel counts on plain arrays: no file, no tile, no resolution."""

from __future__ import annotations

import itertools
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath._core import Stencil, count_pixels, count_under
from ratiopath._core import scale_coordinates as scale_and_round
from ratiopath.call.options import check_channel
from ratiopath.call.region import Bounds, Rings
from ratiopath.placement.resolution import snap_scale
from ratiopath.resources import check_grid
from ratiopath.segments.cache import rows_of_bytes
from ratiopath.values.pixels import (
    SUPPORTED_KINDS,
    Distinct,
    check_dtype,
    check_unmasked,
    join_ascending,
    match_key,
    value_of,
)
from ratiopath.values.selection import Selection

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from ratiopath.values.selection import Key


def scale_coordinates(coordinates: ArrayLike, scale: float) -> NDArray[np.int64]:
    """Scale pixel coordinates from one resolution to another and round to the nearest integer.

    ``floor(coordinates * scale + 0.5)`` in float64, evaluated as written: halves go up, also below
    zero. Resolution tags carry noise, so a scale within 1e-6, relative, of p/q with q <= 64 is p/q.

    Args:
        coordinates: Pixels at the one resolution, any shape.
        scale: Pixels of the other per pixel of the one: µm per pixel of the one divided by µm per
            pixel of the other.

    Returns:
        Pixels at the other resolution, int64, same shape.

    Raises:
        ValueError: The scale is not positive and finite, or a result is no 64-bit integer.
        TypeError: The coordinates or the scale are no numbers.
    """
    given = np.asarray(coordinates)
    # NumPy would drop imaginary parts, count the days of dates, and read text.
    if given.dtype.kind not in SUPPORTED_KINDS + "O":
        raise TypeError(f"coordinates must be numbers, not {given.dtype}")
    values = given.astype(np.float64, copy=False)
    flat = np.ascontiguousarray(values).reshape(-1)
    return scale_and_round(flat, snap_scale(float(scale))).reshape(values.shape)


def polygon_mask(
    polygon: BaseGeometry,
    shape: tuple[int, int],
    *,
    bounds: Bounds | None = None,
    all_touched: bool = False,
) -> NDArray[np.bool_]:
    """Rasterise a polygon to a mask that is True outside.

    Args:
        polygon: A shapely polygon or multipolygon.
        shape: Rows and columns of the mask.
        bounds: x0, y0, x1, y1 of the polygon's space that is laid on the grid; the grid's own
            pixels, (0, 0, columns, rows), by default.
        all_touched: Whether pixels that share any positive area with the polygon are inside;
            otherwise those whose centre is. A centre on an edge is out on the left, in on the
            right, in at the top and out at the bottom, so that polygons that share an edge never
            share a pixel.

    Returns:
        The mask (H, W), False inside.

    Raises:
        ValueError: The polygon is empty, invalid or without area, or the shape or bounds are.
        TypeError: The polygon is no shapely geometry.
    """
    rule = "all_touched" if all_touched else "center"
    return _stencil(polygon, _grid(shape, 1), bounds, rule).mask()


def polygon_coverage(
    polygon: BaseGeometry, shape: tuple[int, int], *, bounds: Bounds | None = None
) -> NDArray[np.float64]:
    """Measure what fraction of each pixel a polygon covers, exactly.

    Args:
        polygon: A shapely polygon or multipolygon.
        shape: Rows and columns of the grid.
        bounds: x0, y0, x1, y1 of the polygon's space that is laid on the grid; the grid's own
            pixels by default.

    Returns:
        Areas (H, W) in [0, 1], of a pixel's area, by Green's theorem along the polygon's edges.

    Raises:
        ValueError: The polygon is empty, invalid or without area, or the shape or bounds are.
        TypeError: The polygon is no shapely geometry.
    """
    return _stencil(polygon, _grid(shape, 8), bounds, "exact").weights()


def polygon_overlap(
    pixels: ArrayLike,
    polygon: BaseGeometry,
    *,
    bounds: Bounds | None = None,
    coverage: str = "center",
    channel: int | None = None,
    nodata: object = None,
) -> dict[Key, float]:
    """Measure what fraction of a polygon's area on an array each value covers.

    Counted straight from the polygon's rows of pixels; no mask and no weights are made.

    Args:
        pixels: The array (H, W) or (H, W, C).
        polygon: A shapely polygon or multipolygon.
        bounds: x0, y0, x1, y1 of the polygon's space that is laid on the array; its own pixels by
            default.
        coverage: ``"center"``, ``"all_touched"`` or ``"exact"``.
        channel: The only channel to count.
        nodata: A value or several to leave out of the result and of the denominator.

    Returns:
        From value (a tuple of channels where they differ) to fraction, values ascending; empty
        where no pixel is inside.

    Raises:
        ValueError: The polygon is empty, invalid or without area, or an option is wrong.
        TypeError: The polygon is no shapely geometry, or the pixels are no numbers.
    """
    # What a call does not need is not made: it shows in the time that the smallest take.
    selection = None if nodata is None else Selection.from_options(nodata=nodata)
    array = _channel(_pixels(pixels), channel)
    height, width, channels = array.shape
    stencil = _stencil(polygon, (height, width), bounds, coverage)
    pixel_bytes = channels * array.dtype.itemsize
    patterns, areas = count_under(rows_of_bytes(array, None), pixel_bytes, stencil)
    samples = patterns.view(array.dtype)
    if channels == 1:
        # They ascend as bytes, so that only NaN and the two zeros, found at the ends, are left to
        # join; numpy.unique would sort everything again.
        values, areas = join_ascending(samples, areas)
        keys = [value_of((sample,)) for sample in values.tolist()]
    else:
        distinct = Distinct.of(samples.reshape(-1, channels))
        keys, areas = distinct.values(), distinct.add_up(areas)
    if selection is not None and (left_out := selection.left_out(array.dtype)):
        kept = [match_key(key, array.dtype) not in left_out for key in keys]
        keys, areas = list(itertools.compress(keys, kept)), areas[kept]
    # A handful of numbers: NumPy takes longer to begin than this takes, which also adds exactly.
    amounts = areas.tolist()
    total = math.fsum(amounts)
    return {key: area / total for key, area in zip(keys, amounts, strict=True)}


def count_values(
    pixels: ArrayLike, mask: ArrayLike | None = None, *, weights: ArrayLike | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Count how often each distinct pixel occurs.

    Args:
        pixels: (H, W), or (H, W, C) to count colours rather than samples.
        mask: True for pixels to leave out (H, W).
        weights: What each pixel counts (H, W), finite and at least 0, instead of 1. A pixel of
            weight 0 is left out like a masked one: a value that has no other does not occur.

    Returns:
        The distinct values, ascending with NaN last, (K,) or for colours (K, C), lexicographic, in
        the pixels' dtype; and their counts (K,), int64, or float64 with weights.

    Raises:
        ValueError: Shapes differ, or a weight is negative or not finite.
        TypeError: The pixels, the mask or the weights are no numbers.
    """
    array = _pixels(pixels)
    height, width, channels = array.shape
    patterns, totals = count_pixels(
        rows_of_bytes(array, None),
        channels * array.dtype.itemsize,
        _per_pixel(mask, (height, width), np.bool_, "mask"),
        _per_pixel(weights, (height, width), np.float64, "weights"),
    )
    if channels == 1:
        # An axis of channels that was given is returned, be it of one.
        values, totals = join_ascending(patterns.view(array.dtype), totals)
        return (values, totals) if np.ndim(pixels) == 2 else (values[:, np.newaxis], totals)
    distinct = Distinct.of(patterns.view(array.dtype).reshape(-1, channels))
    return distinct.pixels, distinct.add_up(totals)


def _stencil(
    polygon: BaseGeometry, shape: tuple[int, int], bounds: Bounds | None, rule: str
) -> Stencil:
    height, width = shape
    check_grid((height, width), 0)
    # Exact areas are sums along edges, whose sign is the way that a ring runs; the other rules only
    # count crossings.
    rings = Rings.of_geometry(polygon, "polygon", opposite=rule == "exact")
    corners = (0.0, 0.0, float(width), float(height)) if bounds is None else _corners(bounds)
    return rings.stencil((height, width), corners, rule, (0, height))


def _grid(shape: tuple[int, int], pixel_bytes: int) -> tuple[int, int]:
    """Return rows and columns of a grid whose output can be made."""
    try:
        height, width = map(operator.index, shape)
    except (TypeError, ValueError) as error:
        raise type(error)(f"shape must be (rows, columns), whole numbers, got {shape!r}") from error
    # Memory for more than there is may be granted, and end the process only when it is filled.
    check_grid((height, width), pixel_bytes)
    return height, width


def _corners(bounds: Bounds) -> Bounds:
    try:
        x0, y0, x1, y1 = map(float, bounds)
    except (TypeError, ValueError) as error:
        raise type(error)(f"bounds must be x0, y0, x1, y1, got {bounds!r}") from error
    # Asked so that NaN is refused as well.
    if not (x0 < x1 and y0 < y1):
        raise ValueError(f"bounds must be x0, y0, x1, y1 with x0 < x1 and y0 < y1, got {bounds}")
    return x0, y0, x1, y1


def _pixels(pixels: ArrayLike) -> NDArray[Any]:
    """Return pixels as a contiguous (H, W, C) array in native byte order."""
    # Before NumPy makes an array of them, which drops a mask without a word.
    check_unmasked(pixels)
    array = np.asarray(pixels)
    check_dtype(array.dtype)
    if array.ndim not in (2, 3) or array.shape[2:] == (0,):
        raise ValueError(f"pixels must be (H, W) or (H, W, C) with C >= 1, got {array.shape}")
    if not (array.flags.c_contiguous and array.dtype.isnative):
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return array if array.ndim == 3 else array[:, :, np.newaxis]


def _channel(pixels: NDArray[Any], channel: int | None) -> NDArray[Any]:
    channel = check_channel(channel)
    if channel is None:
        return pixels
    if channel >= pixels.shape[2]:
        raise ValueError(
            f"there is no channel {channel}: the pixels' {pixels.shape[2]} count from 0"
        )
    return np.ascontiguousarray(pixels[:, :, channel : channel + 1])


def _per_pixel(
    values: ArrayLike | None, shape: tuple[int, int], dtype: type, name: str
) -> NDArray[Any] | None:
    if values is None:
        return None
    array = np.asarray(values)
    # NumPy takes any text for True, and drops imaginary parts.
    if array.dtype.kind not in SUPPORTED_KINDS:
        raise TypeError(f"{name} must hold numbers, not {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} must have the pixels' shape {shape}, got {array.shape}")
    return np.ascontiguousarray(array, dtype=dtype).reshape(-1)
