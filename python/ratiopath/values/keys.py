"""Key texts: how a value is written, and how keys are sorted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def text_of(samples: NDArray[Any]) -> str:
    """Return one pixel's key text, such as ``255``, ``0.1``, ``nan`` or ``255,0,0``."""
    texts = [_scalar_text(sample) for sample in samples]
    return texts[0] if len(set(texts)) == 1 else ",".join(texts)


def key_order(text: str) -> tuple[int, tuple[float, ...], str]:
    """Return what to sort key texts by: numbers ascending, NaN, colours, then names."""
    # As numbers: as text, 10 would come before 9.
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return 3, (), text
    if len(numbers) > 1:
        return 2, tuple(numbers), text
    return (1, (), text) if math.isnan(numbers[0]) else (0, tuple(numbers), text)


def number_text(text: str) -> str:
    """Return the key text of a value written in any way: ``255`` for ``255.0``.

    Raises:
        ValueError: It is neither a number nor numbers separated by commas.
    """
    return ",".join(_canonical(part) for part in text.split(","))


def _canonical(text: str) -> str:
    value = float(text)
    # Not through float: 64-bit labels have more digits than that holds.
    if text.strip().lstrip("+-").isdigit():
        return str(int(text))
    return str(int(value)) if value.is_integer() else str(value)


def _scalar_text(sample: Any) -> str:
    if isinstance(sample, np.bool_):
        return str(int(sample))
    # 255.0 is written 255, so that a mask has the same keys in float32 as in uint8.
    if isinstance(sample, np.floating) and np.isfinite(sample) and sample == np.trunc(sample):
        return str(int(sample))
    return str(sample)
