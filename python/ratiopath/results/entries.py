"""Fractions of rows as entries: row, key, share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath._core import fill_dictionaries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ratiopath.values.selection import Key


@dataclass(frozen=True)
class Fractions:
    """The fractions of some rows, as entries.

    Attributes:
        keys: The output keys as Python values.
        texts: The same as text.
        rows: Row of the batch of each entry (E,); the entries of a row follow one another.
        key_index: Index into ``keys`` of each entry (E,).
        fractions: Fraction of the row's area of each entry, in (0, 1] (E,).
    """

    keys: list[Key]
    texts: list[str]
    rows: NDArray[np.intp]
    key_index: NDArray[np.intp]
    fractions: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Fractions]) -> Fractions:
        """Join the fractions of several groups of rows, which may differ in keys.

        Keys that read alike are one: 1 of an integer overlay and 1.0 of one of floating point.
        """
        keys: dict[str, Key] = {}
        for part in parts:
            keys.update(zip(part.texts, part.keys, strict=True))
        position = {text: index for index, text in enumerate(keys)}
        renumbered = [
            np.array([position[text] for text in part.texts], np.intp)[part.key_index]
            for part in parts
        ]
        # The empty arrays are for a batch without rows, which has no parts.
        return cls(
            list(keys.values()),
            list(keys),
            np.concatenate([np.empty(0, np.intp), *(part.rows for part in parts)]),
            np.concatenate([np.empty(0, np.intp), *renumbered]),
            np.concatenate([np.empty(0), *(part.fractions for part in parts)]),
        )


def dictionaries(found: Iterable[Fractions], size: int) -> list[dict[Any, float]]:
    """Return one dictionary a row from key to fraction; rows without an entry have an empty one."""
    result: list[dict[Any, float]] = [{} for _ in range(size)]
    for part in found:
        fill_dictionaries(result, part.rows, part.keys, part.key_index, part.fractions)
    return result
