"""Fractions of a group of rows as entries: row, key, share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ratiopath.values.selection import Key


@dataclass(frozen=True)
class Fractions:
    """The fractions of one group's patches, as entries.

    Attributes:
        keys: The output keys as Python values.
        texts: The same as text.
        rows: Row of the batch of each entry (E,); grouped by row in the order of the group.
        columns: Index into ``keys`` of each entry (E,).
        fractions: Fraction of the row's area of each entry, in (0, 1] (E,).
    """

    keys: list[Key]
    texts: list[str]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    fractions: NDArray[np.float64]
