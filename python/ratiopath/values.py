"""What a distinct pixel is called: from byte patterns to values, keys, classes and bins.

The core counts byte patterns. This room alone knows what they mean: which patterns are one value
(NaN, -0.0, a grey pixel of several channels), which are left out, and which are gathered under a
declared name. It works on distinct pixels only, so it costs nothing per tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

Scalar: TypeAlias = int | float
Value: TypeAlias = Scalar | tuple[Scalar, ...]

SUPPORTED_KINDS = "biuf"


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
        rows = np.ascontiguousarray(patterns)
        width = rows.dtype.itemsize * rows.shape[1]
        _, first, index = np.unique(
            rows.view(np.dtype((np.void, width)))[:, 0], return_index=True, return_inverse=True
        )
        order = np.lexsort(rows[first].T[::-1])
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(rows[first][order], rank[index.reshape(-1)])

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
    positive_zero = pixels + pixels.dtype.type(0)
    result: NDArray[Any] = np.where(
        np.isnan(positive_zero), pixels.dtype.type(np.nan), positive_zero
    )
    return result


def value_of(samples: Sequence[Any]) -> Value:
    """Return one pixel's value: its number where all channels agree, else a tuple."""
    numbers = [int(sample) if isinstance(sample, bool) else sample for sample in samples]
    if all(_same(number, numbers[0]) for number in numbers):
        return numbers[0]
    return tuple(numbers)


def text_of(samples: NDArray[Any]) -> str:
    """Return one pixel's key text, such as ``255``, ``0.1``, ``nan`` or ``255,0,0``."""
    texts = [_scalar_text(sample) for sample in samples]
    return texts[0] if len(set(texts)) == 1 else ",".join(texts)


def match_key(value: Value, dtype: np.dtype[Any]) -> Hashable:
    """Return what two values that count as one share, seen in an overlay's dtype.

    NaN equals NaN, 1.0 equals 1, a grey colour its grey, and 0.1 the float32 nearest to it.
    """
    if isinstance(value, tuple):
        keys = tuple(match_key(channel, dtype) for channel in value)
        return keys[0] if len(set(keys)) == 1 else keys
    if _is_nan(value):
        return "nan"
    if dtype.kind == "f" and not isinstance(value, str):
        with np.errstate(over="ignore"):
            nearest = float(dtype.type(value))
        # What the dtype cannot reach is not its infinity.
        return value if math.isinf(nearest) and not math.isinf(value) else nearest
    return value


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Refuse what is no number.

    Raises:
        TypeError: The dtype is none of bool, integer and floating point up to 64 bits.
    """
    if dtype.kind not in SUPPORTED_KINDS or dtype.itemsize > 8:
        raise TypeError(f"overlay values must be bool, integer or float up to 64 bits, not {dtype}")


def pixel_holding(value: float, dtype: np.dtype[Any], channels: int) -> bytes | None:
    """Return the bytes of a pixel with ``value`` in every channel, or None where it cannot."""
    with np.errstate(all="ignore"):
        try:
            sample = np.asarray(value).astype(dtype)
        except (OverflowError, ValueError):
            return None
    if not _same(sample.item(), value) and not (dtype.kind == "f" and _close(sample, value)):
        return None
    return np.full(channels, sample, dtype).tobytes()


def _close(sample: NDArray[Any], value: float) -> bool:
    """Whether a float dtype holds a value up to its own precision (0.1 in float32)."""
    finite = bool(np.isfinite(sample)) and bool(np.isfinite(value))
    return finite and bool(np.isclose(float(sample), value, rtol=float(np.finfo(sample.dtype).eps)))


def _same(a: Scalar, b: Scalar) -> bool:
    return a == b or (_is_nan(a) and _is_nan(b))


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _scalar_text(sample: Any) -> str:
    if isinstance(sample, np.bool_):
        return str(int(sample))
    if isinstance(sample, np.floating) and np.isfinite(sample) and sample == np.trunc(sample):
        return str(int(sample))
    return str(sample)
