"""Which values count, and under which key: ``nodata``, ``classes`` and ``bins``.

A selection is made and checked once, when an expression is built. Applied to the distinct values of
one overlay, it gives each value its output key or leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np

from ratiopath.values.bins import Bins
from ratiopath.values.keys import text_of
from ratiopath.values.pixels import Distinct, Value, check_dtype, match_key

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

Key: TypeAlias = int | float | str | tuple[int | float, ...]

# Before an overlay is known, declared values are compared exactly: Python integers of any size.
EXACT = np.dtype(np.int64)
OTHER = "other"
# Below every index into keys. Left out: not in the denominator. Undeclared: an error that names it.
LEFT_OUT = -1
UNDECLARED = -2


@dataclass(frozen=True)
class Keyed:
    """Output keys and which of them each distinct value has.

    Attributes:
        keys: The output keys as Python values.
        texts: The same as text.
        index: For each distinct value an index into ``keys``, ``LEFT_OUT`` or ``UNDECLARED``.
    """

    keys: list[Key]
    texts: list[str]
    index: NDArray[np.intp]


class Class(NamedTuple):
    """One declared value.

    Attributes:
        value: The value, or ``"other"`` for all that is not declared.
        key: What NumPy functions call it: the name, or the value itself where none was given.
        name: The same as text; classes of one name are one.
    """

    value: Value
    key: Key
    name: str


@dataclass(frozen=True)
class Selection:
    """Which values count and what they are called.

    Attributes:
        nodata: Values left out of the result and of the denominator.
        classes: The declared values, or None to key by value.
        bins: The ranges to count, or None.
    """

    nodata: tuple[Value, ...] = ()
    classes: tuple[Class, ...] | None = None
    bins: Bins | None = None

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
            None if bins is None else Bins.from_option(bins),
        )
        # Checked now, where the call is made, and once more in the dtype of each overlay.
        selection.left_out(EXACT)
        return selection

    @property
    def declared_keys(self) -> list[str] | None:
        """The keys that every result has, or None where they depend on the overlay."""
        if self.classes is not None:
            return list(dict.fromkeys(declared.name for declared in self.classes))
        return None if self.bins is None else list(self.bins.texts)

    def apply(self, distinct: Distinct) -> Keyed:
        """Say for each distinct value which output key it has.

        Raises:
            ValueError: In the overlay's dtype, declared values contradict each other.
        """
        dtype = distinct.pixels.dtype
        left_out = self.left_out(dtype)
        if self.classes is not None:
            keyed = self._by_class(self.classes, distinct)
        elif self.bins is not None:
            keyed = _by_bin(self.bins, distinct)
        else:
            values = distinct.values()
            keyed = Keyed([*values], distinct.texts(), np.arange(len(values)))
        # Last, so that nodata wins over "other" and over a bin.
        if left_out:
            hit = [match_key(value, dtype) in left_out for value in distinct.values()]
            keyed.index[np.array(hit, bool)] = LEFT_OUT
        return keyed

    def left_out(self, dtype: np.dtype[Any]) -> set[Hashable]:
        """Return the match keys of ``nodata`` in a dtype.

        Raises:
            ValueError: A value is both there and in ``classes``.
        """
        left_out = {match_key(value, dtype) for value in self.nodata}
        declared = [one.value for one in self.classes or () if not isinstance(one.value, str)]
        both = [value for value in declared if match_key(value, dtype) in left_out]
        if both:
            raise ValueError(f"values {both} are in both classes and nodata")
        return left_out

    def _by_class(self, classes: Sequence[Class], distinct: Distinct) -> Keyed:
        names = self.declared_keys or []
        # Reversed, so that of several values with one name the first one's key stays.
        keys = {declared.name: declared.key for declared in reversed(classes)}
        dtype = distinct.pixels.dtype
        by_value: dict[Hashable, int] = {}
        for value, _, name in classes:
            position = names.index(name)
            if by_value.setdefault(match_key(value, dtype), position) != position:
                raise ValueError(f"class {value} is the same {dtype} as another one")
        rest = by_value.get(OTHER, UNDECLARED)
        index = [by_value.get(match_key(value, dtype), rest) for value in distinct.values()]
        return Keyed([keys[name] for name in names], names, np.array(index, np.intp))


def _by_bin(bins: Bins, distinct: Distinct) -> Keyed:
    index = bins.index(distinct.pixels[:, 0])
    missing = np.isnan(distinct.pixels[:, 0])
    index[missing] = len(bins.texts)
    texts = [*bins.texts, *(["nan"] if missing.any() else [])]
    return Keyed([*texts], texts, index)


def _as_classes(classes: object) -> tuple[Class, ...]:
    if isinstance(classes, Mapping):
        named = {value: str(name) for value, name in classes.items()}
        declared = [Class(_as_class(value), name, name) for value, name in named.items()]
    else:
        given = _given(classes, "classes")
        values = [_as_class(value) for value in given]
        declared = [
            Class(value, _key(value), _name(raw)) for value, raw in zip(values, given, strict=True)
        ]
    if not declared:
        raise ValueError("classes must declare at least one value")
    values = [one.value for one in declared]
    if len({match_key(value, EXACT) for value in values}) < len(values):
        raise ValueError(f"classes declare a value twice: {values}")
    return tuple(declared)


def _as_class(value: object) -> Value:
    return _as_value(value, "classes", other=True)


def _key(value: Value) -> Key:
    """Return the key of the value itself: of a grey colour, its grey level."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        return value[0]
    return value


def _name(value: Any) -> str:
    if isinstance(value, str):
        return value
    channels = value if isinstance(value, (tuple, list)) else [value]
    # Channel by channel: as one array, float32 would take on the digits of float64.
    texts = [text_of(np.asarray(channel).reshape(1)) for channel in channels]
    return texts[0] if len(set(texts)) == 1 else ",".join(texts)


def _as_values(values: object, name: str) -> Iterable[Value]:
    """Read a value or several; a tuple of numbers is several, a tuple inside is a colour."""
    return [_as_value(value, name, other=False) for value in _given(values, name)]


def _given(values: object, name: str) -> list[object]:
    """Return a value, or several of any kind (NumPy, list, pandas, Arrow), as a list."""
    values = _unwrapped(values)
    if isinstance(values, (str, int, float, np.generic)):
        return [values]
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a value or several, got {values!r}")
    unwrapped = [_unwrapped(value) for value in values]
    return [tuple(value) if isinstance(value, np.ndarray) else value for value in unwrapped]


def _unwrapped(value: Any) -> Any:
    """Take a scalar out of Arrow, or out of an array without axes."""
    if hasattr(value, "as_py"):
        return value.as_py()
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _as_value(value: object, name: str, *, other: bool) -> Value:
    if other and isinstance(value, str) and value == OTHER:
        return cast("Value", value)  # the one text among the values
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
    # Adding 0 makes 1 of True, and 0.0 of -0.0.
    return number + 0
