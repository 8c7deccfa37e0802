"""Fractions and patches as Arrow columns whose rows hold what the tutorial promises."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ratiopath.values.pixels import MOST_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ratiopath.call.batch import Batch
    from ratiopath.results.entries import Fractions
    from ratiopath.values.selection import Key

# Arrow cannot write a struct without a field, so a block in which nothing occurs has this one.
PLACEHOLDER = "0"


def struct_column(
    found: Fractions, size: int, declared: Sequence[str] | None, absent: float | None
) -> pa.StructArray:
    """Build a struct per row, with the same string keys in all of them.

    Args:
        found: The fractions of all rows.
        size: How many rows there are.
        declared: Keys that every struct has, in order; None for those that occur, by value.
        absent: What a key gets in rows where it does not occur; None for null.

    Returns:
        One struct of float64 fields a row.
    """
    names = _names(found, declared)
    position = {name: index for index, name in enumerate(names)}
    # Values left out as nodata have a key, but no position and no entry.
    numbers = np.array([position.get(text, -1) for text in found.texts], np.intp)
    name_index = numbers[found.key_index]
    # A field at a time: a sort of the entries costs less than a search for each field's.
    order = np.argsort(name_index, kind="stable")
    edges = np.searchsorted(name_index[order], np.arange(len(names) + 1))
    fields = []
    for start, end in itertools.pairwise(edges.tolist()):
        entries = order[start:end]
        fields.append(_field(size, found.rows[entries], found.fractions[entries], absent))
    return pa.StructArray.from_arrays(fields, names=names)


def check_labels(batch: Batch, found: Fractions) -> None:
    """Refuse to make a column of more values than labels have.

    Raises:
        OverlayValueError: A row has too many; names it.
    """
    rows, counts = np.unique(found.rows, return_counts=True)
    if counts.max(initial=0) > MOST_LABELS:
        row = int(rows[np.argmax(counts)])
        raise batch.error(
            f"{counts.max()} distinct values in one tile are a heatmap, not labels",
            row,
            code="too_many_values",
        )


def _field(
    size: int, rows: NDArray[np.intp], values: NDArray[np.float64], absent: float | None
) -> pa.Array:
    column = np.full(size, 0.0 if absent is None else absent)
    column[rows] = values
    if absent is not None:
        return pa.array(column)
    # A mask rather than NaN: null is what readers leave out of a mean.
    missing = np.ones(size, bool)
    missing[rows] = False
    return pa.array(column, mask=missing)


def _names(found: Fractions, declared: Sequence[str] | None) -> list[str]:
    """Return the keys of the block: as declared, then by value."""
    occurring = np.unique(found.key_index).tolist()
    keys = {found.texts[column]: found.keys[column] for column in occurring}
    if declared is not None:
        return [*declared, *(text for text in keys if text not in declared)]
    names = sorted(keys, key=lambda text: _order(keys[text]))
    if len(names) > MOST_LABELS:
        warnings.warn(
            f"the column has {len(names)} keys: classes= or bins= would make it narrow",
            stacklevel=2,
        )
    return names or [PLACEHOLDER]


def _order(key: Key) -> tuple[object, ...]:
    """Numbers ascending, then NaN, then colours."""
    if isinstance(key, tuple):
        return 2, [_order(channel) for channel in key]
    missing = isinstance(key, float) and math.isnan(key)
    return (1,) if missing else (0, key)
