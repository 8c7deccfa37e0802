"""Distinct pixels: from byte patterns to values.

The core counts byte patterns. This module alone knows which patterns are one value (NaN, -0.0, a
grey pixel of several channels), and which dtype holds a value. It works on distinct pixels only, so
it costs nothing per tile. How a value is written is in `ratiopath.values.keys`; what counts, and
under which name, in `ratiopath.values.selection`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ratiopath.values.keys import text_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

Scalar: TypeAlias = int | float
Value: TypeAlias = Scalar | tuple[Scalar, ...]

# Bool, integers and floats.
SUPPORTED_KINDS = "biuf"

# With more distinct values than this, an overlay is a heatmap, not a label map.
MOST_LABELS = 4096


@dataclass(frozen=True)
class Distinct:
    """The distinct values behind some byte patterns.

    Attributes:
        pixels: One row of samples per value (K, C), ascending, NaN last; colours lexicographic.
        index: Which value each pattern is (P,).
    """

    pixels: NDArray[Any]
    index: NDArray[np.intp]

    @classmethod
    def of(cls, patterns: NDArray[Any]) -> Distinct:
        """Join the patterns (P, C) that are one value and sort the values."""
        patterns = canonical(patterns)
        if patterns.shape[1] == 1:
            values, index = np.unique(patterns[:, 0], return_inverse=True)
            return cls(values[:, np.newaxis], index.reshape(-1))
        # As opaque bytes, which numpy.unique sorts once; axis=0 would compare channel by channel.
        rows = np.ascontiguousarray(patterns)
        width = rows.dtype.itemsize * rows.shape[1]
        _, first, index = np.unique(
            rows.view(np.dtype((np.void, width)))[:, 0], return_index=True, return_inverse=True
        )
        # Sorted as bytes, little-endian and signed samples are in no numeric order.
        order = np.lexsort(rows[first].T[::-1])
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(rows[first][order], rank[index.reshape(-1)])

    def add_up(self, amounts: NDArray[Any]) -> NDArray[Any]:
        """Add the amounts of all patterns (P,) that are one value (K,)."""
        totals = np.zeros(len(self.pixels), amounts.dtype)
        np.add.at(totals, self.index, amounts)
        return totals

    def values(self) -> list[Value]:
        """Return each value: a number where all channels agree, else a tuple of channels."""
        return [value_of(row) for row in self.pixels.tolist()]

    def texts(self) -> list[str]:
        """Return each value as key text, the shortest that reads back in the file's dtype."""
        return [text_of(row) for row in self.pixels]


def canonical(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels with one pattern for NaN and one for zero."""
    if pixels.dtype.kind != "f":
        return pixels
    missing = np.isnan(pixels)
    # A signalling NaN in arithmetic would be a warning.
    quiet = np.where(missing, pixels.dtype.type(0), pixels)
    result: NDArray[Any] = np.where(missing, pixels.dtype.type(np.nan), quiet + quiet.dtype.type(0))
    return result


def join_ascending(
    patterns: NDArray[Any], amounts: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Sort numbers that ascend by their bit patterns into numeric order.

    Args:
        patterns: Distinct bit patterns as numbers, ascending as unsigned integers (P,).
        amounts: What belongs to each (P,).

    Returns:
        The distinct values (K,), ascending, NaN last, and the amounts of each, added up (K,).
    """
    kind = patterns.dtype.kind
    if kind in "bu":
        return patterns, amounts
    bits = patterns.view(np.dtype(f"u{patterns.dtype.itemsize}"))
    split = int(np.searchsorted(bits, bits.dtype.type(1 << (8 * bits.itemsize - 1))))
    # Above all numbers of a sign is its NaN, first of the negative ones is -0.0.
    ends = (patterns[split - 1 : split], patterns[split : split + 1], patterns[-1:])
    if kind == "f" and (any(np.isnan(end).any() for end in ends) or (ends[1] == 0).any()):
        distinct = Distinct.of(patterns[:, np.newaxis])
        return distinct.pixels[:, 0], distinct.add_up(amounts)
    if split == len(patterns):
        return patterns, amounts
    # The sign is the highest bit; below it, integers ascend and floats of that sign descend.
    step = -1 if kind == "f" else 1
    order = [(each[split:][::step], each[:split]) for each in (patterns, amounts)]
    return np.concatenate(order[0]), np.concatenate(order[1])


def value_of(samples: Sequence[Any]) -> Value:
    """Return one pixel's value: its number where all channels agree, else a tuple."""
    numbers = [int(sample) if isinstance(sample, bool) else sample for sample in samples]
    if all(_same(number, numbers[0]) for number in numbers):
        return numbers[0]
    return tuple(numbers)


def match_key(value: Value, dtype: np.dtype[Any]) -> Hashable:
    """Return a key that is the same for values that count as one in an overlay's dtype.

    NaN equals NaN, 1.0 equals 1, a grey colour its grey, and 0.1 the float32 nearest to it.
    """
    if isinstance(value, tuple):
        keys = tuple(match_key(channel, dtype) for channel in value)
        return keys[0] if len(set(keys)) == 1 else keys
    if _is_nan(value):
        return "nan"
    return value if isinstance(value, str) else nearest_in(value, dtype)


def nearest_in(value: Scalar, dtype: np.dtype[Any]) -> Scalar:
    """Return the number that the caller's number means in an overlay's dtype.

    0.1 stands for the float32 nearest to it. A whole number stands for itself alone: 2049 is not
    the 2048 that float16 would make of it, and what the dtype cannot reach is not its infinity.
    """
    if dtype.kind != "f" or isinstance(value, int) or not math.isfinite(value):
        return value
    with np.errstate(over="ignore"):
        nearest = float(dtype.type(value))
    return nearest if math.isfinite(nearest) and not value.is_integer() else value


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Refuse a dtype that is not numeric.

    Raises:
        TypeError: The dtype is none of bool, integer and floating point up to 64 bits.
    """
    if dtype.kind not in SUPPORTED_KINDS or dtype.itemsize > 8:
        raise TypeError(f"overlay values must be bool, integer or float up to 64 bits, not {dtype}")


def check_unmasked(pixels: object) -> None:
    """Refuse an array whose own mask would be ignored.

    Raises:
        TypeError: It is a `numpy.ma.MaskedArray` with a masked element.
    """
    if np.ma.is_masked(pixels):
        raise TypeError(
            "the array is masked: pass its .data, and its .mask where a mask is asked for, or"
            " .filled(value) with nodata=value"
        )


def sample_holding(value: float, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return ``value`` as a sample of a dtype (), or None where it cannot hold it.

    A float dtype holds a fraction up to its own precision, and a whole number exactly or not.
    """
    with np.errstate(all="ignore"):
        try:
            sample: NDArray[Any] = np.asarray(value).astype(dtype)
        except (OverflowError, ValueError):
            return None
    return sample if _same(sample.item(), nearest_in(value, dtype)) else None


def changed_by_cast(data: NDArray[Any], result: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which samples changed their value when they were converted to another dtype.

    Going there and back is not enough: 255 is 255 again after having been the int8 -1.
    """
    if np.can_cast(data.dtype, result.dtype, "safe") and not _is_wide_to_float(data, result):
        return np.zeros(data.shape, bool)
    with np.errstate(invalid="ignore", over="ignore"):
        back = result.astype(data.dtype)
    changed: NDArray[np.bool_] = (back != data) & ~(np.isnan(back) & np.isnan(data))
    if result.dtype.kind in "iu":
        changed |= _beyond(data, np.iinfo(result.dtype))
    if _is_wide_to_float(data, result):
        # The largest integers round up to 2^63 or 2^64, which come back as anything.
        changed |= result >= float(np.iinfo(data.dtype).max)
    return changed


def _is_wide_to_float(data: NDArray[Any], result: NDArray[Any]) -> bool:
    """Whether 64-bit integers become floats: "safe" to NumPy, though float64 is exact to 2^53."""
    return data.dtype.kind in "iu" and data.dtype.itemsize == 8 and result.dtype.kind == "f"


def _beyond(data: NDArray[Any], limits: np.iinfo[Any]) -> NDArray[np.bool_]:
    """Say which samples leave an integer's range, compared in the samples' own dtype."""
    if data.dtype.kind == "f":
        # Both limits are powers of two or, above, one less: exact in float64.
        wide = data.astype(np.float64)
        return np.asarray((wide < float(limits.min)) | (wide >= float(limits.max) + 1))
    if data.dtype.kind == "b":
        return np.zeros(data.shape, bool)
    own = np.iinfo(data.dtype)
    low, high = max(limits.min, own.min), min(limits.max, own.max)
    return np.asarray((data < low) | (data > high))


def _same(a: Scalar, b: Scalar) -> bool:
    return a == b or (_is_nan(a) and _is_nan(b))


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
