"""Which values count, and under which key: ``nodata``, ``classes`` and ``bins``.

A selection is made and checked once, when an expression is built. Applied to the distinct values of
one overlay it says, value by value, the output key or that the value is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ratiopath.values import Distinct, Value, check_dtype, match_key, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Key: TypeAlias = int | float | str | tuple[int | float, ...]

# Declared values are compared with each other as they are, of whatever size.
EXACT = np.dtype(np.int64)
OTHER = "other"
LEFT_OUT = -1
UNDECLARED = -2


@dataclass(frozen=True)
class Keyed:
    """Output keys and which of them each distinct value has.

    Attributes:
        keys: The output keys as Python values.
        texts: The same as text.
        index: For each distinct value an index into ``keys``, ``LEFT_OUT`` or ``UNDECLARED``.
        values: The distinct values, for messages.
    """

    keys: list[Key]
    texts: list[str]
    index: NDArray[np.intp]
    values: Distinct


@dataclass(frozen=True)
class Selection:
    """Which values count and what they are called.

    Attributes:
        nodata: Values left out of the result and of the denominator.
        classes: Pairs of a declared value and its name, or None to key by value.
        edges: Bin edges, ascending, or None.
    """

    nodata: tuple[Value, ...] = ()
    classes: tuple[tuple[Value, str], ...] | None = None
    edges: tuple[float, ...] | None = None

    @classmethod
    def from_options(
        cls, nodata: object = None, classes: object = None, bins: object = None
    ) -> Selection:
        """Check the options of a call.

        Args:
            nodata: A value, several, or None.
            classes: Declared values, a mapping of values to names, or None. The key ``"other"``
                gathers what is not declared.
            bins: Ascending bin edges, or None.

        Raises:
            ValueError: The options contradict each other or themselves.
            TypeError: A value is no number and no tuple of numbers.
        """
        if classes is not None and bins is not None:
            raise ValueError("classes and bins exclude each other: pass one of them")
        selection = cls(
            () if nodata is None else tuple(_as_values(nodata, "nodata")),
            None if classes is None else _as_classes(classes),
            None if bins is None else _as_edges(bins),
        )
        left_out = {match_key(value, EXACT) for value in selection.nodata}
        declared = [value for value, _ in selection.classes or () if value != OTHER]  # type: ignore[comparison-overlap] # the one text among them
        both = [value for value in declared if match_key(value, EXACT) in left_out]
        if both:
            raise ValueError(f"values {both} are in both classes and nodata")
        return selection

    @property
    def declared_keys(self) -> list[str] | None:
        """The keys that every result has, or None where they depend on the overlay."""
        if self.classes is not None:
            return list(dict.fromkeys(name for _, name in self.classes))
        return self._bin_texts() if self.edges is not None else None

    def apply(self, distinct: Distinct) -> Keyed:
        """Say for each distinct value which output key it has."""
        if self.classes is not None:
            keyed = self._by_class(distinct)
        elif self.edges is not None:
            keyed = self._by_bin(distinct)
        else:
            values = distinct.values()
            keyed = Keyed([*values], distinct.texts(), np.arange(len(values)), distinct)
        if self.nodata:
            dtype = distinct.pixels.dtype
            left_out = {match_key(value, dtype) for value in self.nodata}
            hit = [match_key(value, dtype) in left_out for value in distinct.values()]
            keyed.index[np.array(hit, bool)] = LEFT_OUT
        return keyed

    def _by_class(self, distinct: Distinct) -> Keyed:
        classes = self.classes or ()
        names = self.declared_keys or []
        dtype = distinct.pixels.dtype
        by_value = {match_key(value, dtype): names.index(name) for value, name in classes}
        rest = by_value.get(OTHER, UNDECLARED)
        index = [by_value.get(match_key(value, dtype), rest) for value in distinct.values()]
        return Keyed([*names], names, np.array(index, np.intp), distinct)

    def _by_bin(self, distinct: Distinct) -> Keyed:
        edges = np.asarray(self.edges, np.float64)
        texts = self._bin_texts()
        values = distinct.pixels[:, 0].astype(np.float64)
        index = np.searchsorted(edges, values, side="right") - 1
        index[values == edges[-1]] = len(edges) - 2
        index[(values < edges[0]) | (values > edges[-1])] = UNDECLARED
        missing = np.isnan(values)
        index[missing] = len(texts)
        nan = ["nan"] if missing.any() else []
        return Keyed([*texts, *nan], [*texts, *nan], index, distinct)

    def _bin_texts(self) -> list[str]:
        edges = [text_of(np.array([edge])) for edge in self.edges or ()]
        pairs = list(itertools.pairwise(edges))
        closed = ["]" if pair is pairs[-1] else ")" for pair in pairs]
        return [f"[{low},{high}{end}" for (low, high), end in zip(pairs, closed, strict=True)]


def _as_classes(classes: object) -> tuple[tuple[Value, str], ...]:
    if isinstance(classes, Mapping):
        pairs = [(_as_class(value), str(name)) for value, name in classes.items()]
    else:
        pairs = [(value, _name(value)) for value in _as_values(classes, "classes", other=True)]
    if not pairs:
        raise ValueError("classes must declare at least one value")
    declared = [match_key(value, EXACT) for value, _ in pairs]
    if len(set(declared)) < len(declared):
        raise ValueError(f"classes declare a value twice: {[value for value, _ in pairs]}")
    return tuple(pairs)


def _as_class(value: object) -> Value:
    return _as_value(value, "classes", other=True)


def _name(value: Value) -> str:
    if isinstance(value, str):
        return value
    return text_of(np.array(value if isinstance(value, tuple) else [value]))


def _as_values(values: object, name: str, *, other: bool = False) -> Iterable[Value]:
    """Read a value or several; a tuple of numbers is several, a tuple inside is a colour."""
    if isinstance(values, (str, int, float, np.generic)):
        return [_as_value(values, name, other=other)]
    if not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be a value or several, got {values!r}")
    return [_as_value(value, name, other=other) for value in values]


def _as_value(value: object, name: str, *, other: bool) -> Value:
    if other and isinstance(value, str) and value == OTHER:
        return value  # type: ignore[return-value] # the one text among the values
    if isinstance(value, (tuple, list)):
        colour: Sequence[object] = value
        return tuple(_as_number(channel, name) for channel in colour)
    return _as_number(value, name)


def _as_number(value: object, name: str) -> int | float:
    array = np.asarray(value)
    try:
        check_dtype(array.dtype)
    except TypeError:
        array = np.empty(0)
    if array.ndim != 0:
        raise TypeError(f"{name} must hold numbers or tuples of numbers, got {value!r}")
    number: int | float | bool = array.item()
    return int(number) if isinstance(number, bool) else number


def _as_edges(bins: object) -> tuple[float, ...]:
    try:
        edges = np.asarray(bins, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"bins must be numbers, got {bins!r}") from error
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(f"bins must be at least two ascending edges, got {bins!r}")
    return tuple(edges.tolist())
