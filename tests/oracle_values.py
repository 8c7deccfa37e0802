"""The oracle's values: what a pixel is counted as, which name that has, and how it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np


class RefusedError(Exception):
    """What the product must refuse: a value that no class or bin has."""


@dataclass(frozen=True)
class Choice:
    """Which values count and what they are called; ``classes`` is a dict or a tuple."""

    nodata: tuple[Any, ...] = ()
    classes: Any = None
    bins: tuple[float, ...] | None = None


def samples_of(pixel: np.ndarray) -> list[Any]:
    """A pixel's samples as Python numbers: 1 for True, 0 for -0.0, one NaN."""
    samples = [sample.item() + 0 for sample in pixel]
    return [math.nan if math.isnan(sample) else sample for sample in samples]


def key(pixel: np.ndarray) -> Any:
    """What a pixel is counted as: its value, the one value of equal channels, or the colour."""
    samples = samples_of(pixel)
    return samples[0] if len(set(samples)) == 1 else tuple(samples)


def text(pixel: np.ndarray) -> str:
    """A pixel's key as text, ``255`` or ``0.1`` or ``255,0,0``."""
    texts = [_sample_text(sample, pixel.dtype) for sample in samples_of(pixel)]
    return texts[0] if len(set(texts)) == 1 else ",".join(texts)


def _sample_text(sample: Any, dtype: np.dtype) -> str:
    if math.isnan(sample) or math.isinf(sample):
        return str(sample)
    if sample == int(sample):
        return str(int(sample))
    candidates = (f"{sample:.{digits}g}" for digits in range(1, 18))
    return next(found for found in candidates if dtype.type(found) == dtype.type(sample))


def in_dtype(number: Any, dtype: np.dtype) -> Any:
    """What the caller's number stands for: a fraction for its nearest float, others themselves."""
    if dtype.kind != "f" or not math.isfinite(number) or number == int(number):
        return number
    with np.errstate(over="ignore"):
        nearest = float(dtype.type(number))
    return nearest if math.isfinite(nearest) else number


def is_same(declared: Any, value: Any, dtype: np.dtype) -> bool:
    """Whether a declared value is the value (a key) of an overlay's pixel."""
    if isinstance(declared, tuple) and len(set(declared)) == 1:
        declared = declared[0]
    if isinstance(declared, tuple) or isinstance(value, tuple):
        both_colours = isinstance(declared, tuple) and isinstance(value, tuple)
        pairs = zip(declared, value, strict=False) if both_colours else ()
        equal = both_colours and len(declared) == len(value)
        return equal and all(is_same(one, other, dtype) for one, other in pairs)
    if math.isnan(declared) or math.isnan(value):
        return math.isnan(declared) and math.isnan(value)
    return bool(in_dtype(declared, dtype) == value)


def bin_texts(bins: tuple[float, ...]) -> list[str]:
    """What ranges are called."""
    names = [_sample_text(edge, np.dtype(np.float64)) for edge in bins]
    last = len(bins) - 2
    return [f"[{names[k]},{names[k + 1]}{']' if k == last else ')'}" for k in range(last + 1)]


def _bin(bins: tuple[float, ...], value: Any, dtype: np.dtype) -> str:
    if math.isnan(value):
        return "nan"
    edges, texts = [_exact(in_dtype(edge, dtype)) for edge in bins], bin_texts(bins)
    if _exact(value) == edges[-1]:
        return texts[-1]
    for k in range(len(texts)):
        if edges[k] <= _exact(value) < edges[k + 1]:
            return texts[k]
    raise RefusedError(value)


def _exact(number: Any) -> Any:
    return number if isinstance(number, float) and math.isinf(number) else Fraction(number)


def named(pixel: np.ndarray, choice: Choice) -> tuple[Any, str] | None:
    """A pixel's key and its text, or None where it is left out."""
    value = key(pixel)
    if any(is_same(one, value, pixel.dtype) for one in choice.nodata):
        return None
    if choice.bins is not None:
        name = _bin(choice.bins, value, pixel.dtype)
        return name, name
    if choice.classes is None:
        return value, text(pixel)
    return _class(choice.classes, value, pixel.dtype)


def _class(classes: Any, value: Any, dtype: np.dtype) -> tuple[Any, str]:
    for declared in classes:
        if declared != "other" and is_same(declared, value, dtype):
            break
    else:
        if "other" not in classes:
            raise RefusedError(value)
        declared = "other"
    if isinstance(classes, dict):
        return classes[declared], classes[declared]
    if declared == "other":
        return "other", "other"
    wide = np.array([declared]).reshape(-1)
    return declared, text(wide)


def declared_texts(choice: Choice) -> list[str] | None:
    """The keys that every struct has, or None where they depend on the overlay."""
    if choice.bins is not None:
        return bin_texts(choice.bins)
    if choice.classes is None:
        return None
    if isinstance(choice.classes, dict):
        return list(dict.fromkeys(choice.classes.values()))
    return [one if one == "other" else text(np.array([one]).reshape(-1)) for one in choice.classes]
