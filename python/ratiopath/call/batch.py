"""A batch of rows: columns of any kind in, plain arrays and groups out.

Columns may be NumPy arrays, lists, pandas Series, Arrow arrays or scalars; neither pandas nor Arrow
is imported to tell them apart. Rows that share an overlay and every number that decides how it is
read form a group, found in one pass however many overlays there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ratiopath.errors import OverlayValueError
from ratiopath.values.pixels import check_unmasked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

# Beyond, float64 no longer tells pixels apart: 2^53 + 1 arrives as 2^53.
LARGEST = 2.0**53 - 1

_PATH_TYPES = (str, bytes, os.PathLike)

# A path, None for a null path, or an overlay itself.
Source: TypeAlias = "str | NDArray[Any] | None"


@dataclass(frozen=True)
class Group:
    """Rows that read one source in one way.

    Attributes:
        source: A path, None for a null path, or the overlay itself as an array.
        rows: Which rows of the batch, ascending (n,).
        numbers: What all of them share, by column name; NaN where null.
    """

    source: Source
    rows: NDArray[np.intp]
    numbers: Mapping[str, float]

    @property
    def path(self) -> str | None:
        """The source's path, where it has one."""
        return self.source if isinstance(self.source, str) else None

    def parts(self, rows: int) -> Iterator[Group]:
        """Split the group into parts of at most so many rows."""
        for start in range(0, len(self.rows), rows):
            yield replace(self, rows=self.rows[start : start + rows])

    def tiles(self, batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the left and top pixels of the rows' tiles."""
        return batch.numbers["tile_x"][self.rows], batch.numbers["tile_y"][self.rows]

    def number(self, name: str) -> float | None:
        """Return a shared number, or None where the column is absent or null."""
        value = self.numbers.get(name, np.nan)
        return None if np.isnan(value) else value

    def pair(self, name: str) -> tuple[float, float] | None:
        """Return the numbers ``name_x`` and ``name_y``, or None where both are null.

        Raises:
            OverlayValueError: One is given without the other.
        """
        x, y = self.number(f"{name}_x"), self.number(f"{name}_y")
        if x is None and y is None:
            return None
        if x is None or y is None:
            reason = f"{name}_x and {name}_y belong together, and one is null"
            raise self.error(reason, code="invalid_number")
        return x, y

    def error(
        self, reason: str, index: int = 0, *, code: str, remedy: str | None = None
    ) -> OverlayValueError:
        """Return an error that names the file and a row, by its index in the group."""
        row = int(self.rows[index])
        return OverlayValueError(reason, self.path, row, code=code, remedy=remedy)


@dataclass(frozen=True)
class Batch:
    """The rows of one call.

    Attributes:
        size: How many rows.
        sources: What the rows point at, each once.
        source_index: Which source each row has (N,).
        numbers: The numeric columns by name, float64 (N,), NaN where null.
    """

    size: int
    sources: Sequence[Source]
    source_index: NDArray[np.intp]
    numbers: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, **columns: object) -> Batch:
        """Read columns and scalars; scalars hold for every row.

        Args:
            **columns: By name; None for a column that is not given. The one whose name ends in
                ``path`` holds the sources: a path, paths, or an overlay as an array. The others
                are numbers.

        Raises:
            ValueError: Columns differ in length.
            TypeError: A column holds no numbers.
        """
        paths = next(filter(_is_path, columns))
        given = columns.items()
        numbers = {k: _numbers(v, k) for k, v in given if v is not None and k != paths}
        sources, index = _sources(columns[paths], paths)
        lengths = {name: len(v) for name, v in numbers.items() if v.ndim}
        if index is not None:
            lengths[paths] = len(index)
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        size = next(iter(lengths.values()), 1)
        # Views without a stride: a scalar takes no memory for its rows, and `_refine` passes it
        # over.
        broadcast = {name: np.broadcast_to(v, size) for name, v in numbers.items()}
        index = np.zeros(size, np.intp) if index is None else index
        return cls(size, sources, index, broadcast)

    def groups(self, by: Iterable[str]) -> Iterator[Group]:
        """Split the rows into groups that share a source and the columns named.

        Args:
            by: Names of columns; those that were not given are passed over.

        Returns:
            The groups, in order of source, each with its rows ascending.
        """
        names = [name for name in by if name in self.numbers]
        codes = self.source_index
        for name in names:
            codes = _refine(codes, self.numbers[name])
        # Stable, so that the rows of a group ascend: where none is missing, patches are written in
        # place.
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
        for rows in np.split(order, starts[1:]) if self.size else []:
            first = rows[0]
            shared = {name: float(self.numbers[name][first]) for name in names}
            yield Group(self.sources[int(self.source_index[first])], rows, shared)

    def require(self, *names: str, positive: bool = False) -> None:
        """Refuse rows where a column is null or beyond 2^53, or, if asked, not positive.

        A column that was not given is null in every row.

        Raises:
            OverlayValueError: Names the first such row.
        """
        for name in names:
            values = self.numbers.get(name)
            if values is None:
                values = np.full(self.size, np.nan)
            bad = ~(np.abs(values) <= LARGEST) | ((values <= 0) if positive else False)
            if bad.any():
                row = int(np.argmax(bad))
                rule = "positive and at most 2^53" if positive else "at most 2^53 and not null"
                given = "null or NaN" if np.isnan(values[row]) else f"{values[row]:g}"
                reason = f"{name} must be {rule}, got {given}"
                raise self.error(reason, row, code="invalid_number")

    def error(self, reason: str, row: int, *, code: str) -> OverlayValueError:
        """Return an error that names a row and its file."""
        source = self.sources[self.source_index[row]]
        path = source if isinstance(source, str) else None
        return OverlayValueError(reason, path, row, code=code)


def check_literal(name: str, value: Any) -> None:
    """Refuse what cannot be a column's value in all rows; null is left to `Batch.require`.

    Args:
        name: The column's name; what ends in ``path`` is a path, all else is a number.
        value: The value.

    Raises:
        TypeError: It is no path, or not one number.
        OverlayValueError: It is a level that no overlay has.
    """
    if hasattr(value, "as_py"):
        value = value.as_py()
    if value is None:
        return
    if _is_path(name):
        if not isinstance(value, _PATH_TYPES):
            raise TypeError(f"{name} must be a column or a path, got {value!r}")
        return
    if isinstance(value, (str, bytes)) or _numbers(value, name).ndim:
        raise TypeError(f"{name} must be a column or a number, got {value!r}")
    if name == "level" and not (value >= 0 and float(value).is_integer()):
        reason = f"level must be a whole number of at least 0, got {value!r}"
        raise OverlayValueError(reason, code="no_such_level", remedy="pass such a number")


def _refine(codes: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Split groups of equal codes where the values differ."""
    # A scalar was broadcast without a stride, and most columns are constant besides.
    if values.strides == (0,) or len(values) == 0:
        return codes
    distinct, index = np.unique(values, return_inverse=True)
    if len(distinct) == 1:
        return codes
    # Neither exceeds the number of rows, whose square is a 64-bit integer if they fit into memory.
    _, codes = np.unique(codes * len(distinct) + index, return_inverse=True)
    return codes


def _numbers(column: Any, name: str) -> NDArray[np.float64]:
    if hasattr(column, "as_py"):
        column = column.as_py()
    # NumPy would drop imaginary parts, and count the days of dates.
    if getattr(getattr(column, "dtype", None), "kind", "") in tuple("cmM"):
        raise TypeError(f"{name} must hold numbers, not {column.dtype}")
    try:
        if hasattr(column, "iloc"):
            # pandas' nullable columns hold NA, which NumPy alone cannot convert.
            column = column.to_numpy(dtype=np.float64, na_value=np.nan)
        elif isinstance(column, np.ma.MaskedArray):
            # What is masked is null, not the number beneath the mask.
            column = np.ma.filled(column.astype(np.float64), np.nan)
        numbers = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold numbers: {error}") from error
    if numbers.ndim > 1:
        raise ValueError(f"{name} must be a number or one number a row, not {numbers.ndim}-D")
    return numbers


def _is_path(name: str) -> bool:
    """Whether a column is of paths; all others are of numbers."""
    return name.endswith("path")


def _sources(given: Any, name: str) -> tuple[list[Source], NDArray[np.intp] | None]:
    """Return the distinct sources, and which of them each row has; None where all have one."""
    # Arrow's scalars are told by what they can do: Arrow is not imported for those without.
    if hasattr(given, "as_py"):
        given = given.as_py()
    if getattr(given, "shape", None) == ():
        given = given.item()
    if given is None or isinstance(given, _PATH_TYPES):
        return [_path(given, name)], None
    if _is_raster(given, name):
        # The mask would be dropped, and what it hides be counted.
        check_unmasked(given)
        return [np.asarray(given)], None
    listed = getattr(given, "to_pylist", None) or getattr(given, "tolist", None)
    if listed is None and not isinstance(given, Iterable):
        raise TypeError(
            f"{name} must be a path, a column of paths or an array (H, W) or (H, W, C), got"
            f" {given!r}"
        )
    paths = [_path(path, name) for path in (listed() if listed is not None else given)]
    codes: dict[Any, int] = {}
    index = [codes.setdefault(path, len(codes)) for path in paths]
    return list(codes), np.array(index, np.intp)


def _is_raster(given: Any, name: str) -> bool:
    """Whether an argument is an overlay in memory rather than a column of paths."""
    if isinstance(given, (list, tuple)):
        if any(getattr(one, "ndim", 0) > 1 for one in given):
            raise TypeError(f"{name} is one array or a column of paths, not a list of arrays")
        # A list of lists is an array; a list of paths is a column.
        return bool(given) and isinstance(given[0], (list, tuple, np.ndarray))
    if not hasattr(given, "ndim"):
        # Such as an image of Pillow's.
        return hasattr(given, "__array_interface__")
    dimensions: int = given.ndim
    return dimensions >= 2


def _path(value: Any, name: str) -> str | None:
    if hasattr(value, "as_py"):
        value = value.as_py()
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    # pandas' NA is neither None nor a float, and is not equal to itself.
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, _PATH_TYPES):
        return os.fsdecode(value)
    raise TypeError(f"{name} must hold paths, got {value!r}")
