"""Small helpers for the rows of a tile dataset."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from _typeshed import ReadableBuffer


def row_hash(
    row: Mapping[str, Any],
    column: str = "id",
    algorithm: Callable[[ReadableBuffer], hashlib._Hash] = hashlib.sha256,
) -> dict[str, Any]:
    """Return a row with an identifier made from its content.

    The digest is that of ``str(row)``: equal rows get equal identifiers, in every process and on
    every machine. NumPy scalars and arrays count as the Python numbers they hold, because their
    own text depends on NumPy's version and leaves out the middle of a large array.

    Args:
        row: The row; it is left as it is.
        column: Name of the column that receives the identifier.
        algorithm: A constructor from `hashlib`.

    Returns:
        A copy of the row with the hexadecimal digest in ``column``.

    Examples:
        >>> row_hash({"path": "a.svs"})["id"][:8]
        'eae511bd'
    """
    text = str(_plain(dict(row)))
    return {**row, column: algorithm(text.encode()).hexdigest()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    # Not their subclasses, whose text is their own.
    if type(value) in (list, tuple):
        return type(value)(_plain(item) for item in value)
    return value
