"""Fractions and patches as Arrow columns whose rows hold what the tutorial promises."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratiopath.errors import OverlayValueError
from ratiopath.values.pixels import MOST_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ratiopath.call.batch import Batch
    from ratiopath.call.options import OverlapOptions
    from ratiopath.results.entries import Fractions
    from ratiopath.values.selection import Key

# Arrow cannot write a struct without a field, so a block in which nothing occurs has this one.
PLACEHOLDER = "0"


def struct_type(options: OverlapOptions) -> pa.StructType | None:
    """Return the column's type where it is known before any overlay is read, else None."""
    declared = options.selection.declared_keys
    if declared is None or options.selection.bins is not None:
        return None
    return pa.struct([(name, pa.float64()) for name in declared])


def struct_column(
    batch: Batch, found: Sequence[Fractions], options: OverlapOptions
) -> pa.StructArray:
    """Build a struct per row, with the same string keys in all of them.

    Args:
        batch: The rows of the call.
        found: The fractions of every group.
        options: The options of the call; ``absent`` fills keys that do not occur in a row.

    Returns:
        One struct of float64 fields a row.

    Raises:
        OverlayValueError: A row has more values than labels have.
    """
    declared = options.selection.declared_keys
    if declared is None:
        _check_labels(batch, found)
    names = _names(found, declared)
    position = {name: index for index, name in enumerate(names)}
    rows = _joined([part.rows for part in found], np.intp)
    values = _joined([part.fractions for part in found], np.float64)
    columns = _joined([_renumbered(part, position) for part in found], np.intp)
    order = np.argsort(columns, kind="stable")
    edges = np.searchsorted(columns[order], np.arange(len(names) + 1))
    fields = []
    for start, end in itertools.pairwise(edges.tolist()):
        entries = order[start:end]
        fields.append(_field(batch.size, rows[entries], values[entries], options.absent))
    return pa.StructArray.from_arrays(fields, names=names)


def _field(
    size: int, rows: NDArray[np.intp], values: NDArray[np.float64], absent: float | None
) -> pa.Array:
    column = np.full(size, 0.0 if absent is None else absent)
    column[rows] = values
    if absent is not None:
        return pa.array(column)
    missing = np.ones(size, bool)
    missing[rows] = False
    return pa.array(column, mask=missing)


def _names(found: Sequence[Fractions], declared: Sequence[str] | None) -> list[str]:
    """Return the keys of the block: as declared, then by value."""
    keys = {
        part.texts[column]: part.keys[column]
        for part in found
        for column in np.unique(part.columns).tolist()
    }
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


def _check_labels(batch: Batch, found: Sequence[Fractions]) -> None:
    for part in found:
        rows, counts = np.unique(part.rows, return_counts=True)
        if counts.max(initial=0) > MOST_LABELS:
            row = int(rows[np.argmax(counts)])
            overlay = batch.overlays[batch.overlay_index[row]]
            raise OverlayValueError(
                f"{counts.max()} distinct values in one tile are a heatmap, not labels",
                overlay if isinstance(overlay, str) else None,
                row,
                code="too_many_values",
            )


def _renumbered(part: Fractions, position: dict[str, int]) -> NDArray[np.intp]:
    # Values left out as nodata have no position, and no entry.
    numbers = np.array([position.get(text, -1) for text in part.texts], np.intp)
    return numbers[part.columns]


def _joined(arrays: Sequence[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *arrays])
