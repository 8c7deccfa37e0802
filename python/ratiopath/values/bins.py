"""Bins: ranges of values between edges, and the bin in which each value of an overlay lies.

Values are compared exactly. An edge that is a whole number is exactly that number, also where
float64 could not hold it; any other edge stands, in an overlay of floating point, for the value
nearest to it that the overlay can hold, so that a float32 0.7 is not below an edge of 0.7.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath.values.keys import text_of
from ratiopath.values.pixels import Scalar, nearest_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

# The number of `UNDECLARED` in `ratiopath.values.selection`, so that both raise alike.
NO_BIN = -2


@dataclass(frozen=True)
class Bins:
    """Adjacent ranges, each open on the right, the last one closed, as in `numpy.histogram`.

    Attributes:
        edges: Where each begins and, the last of them, where the last one ends; ascending.
        texts: The name of each range, such as ``"[0,0.5)"``.
    """

    edges: tuple[Scalar, ...]
    texts: tuple[str, ...]

    @classmethod
    def from_option(cls, bins: Any) -> Bins:
        """Check edges.

        Raises:
            TypeError: They are not numbers.
            ValueError: There are fewer than two, or they do not ascend.
        """
        try:
            given = list(bins)
            edges = tuple(_edge(edge) for edge in given)
        except (TypeError, ValueError, OverflowError) as error:
            raise TypeError(f"bins must be numbers, got {bins!r}") from error
        ascending = all(low < high for low, high in itertools.pairwise(edges))
        if len(edges) < 2 or not ascending:
            raise ValueError(f"bins must be at least two ascending edges, got {bins!r}")
        return cls(edges, tuple(_texts([_text(edge) for edge in given])))

    def index(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Return the index of each value's range, `NO_BIN` where it lies in none.

        Args:
            values: Samples of an overlay, of any dtype it may have (K,).

        Returns:
            Indices into ``texts`` (K,).
        """
        if values.dtype.kind == "f":
            lowest, comparable = _float_edges(self.edges, values.dtype), values.astype(np.float64)
            reached = np.searchsorted(lowest, comparable, side="right")
        else:
            # Bool has no limits as integers have; its bytes are 0 and 1.
            comparable = values.view(np.uint8) if values.dtype.kind == "b" else values
            reached = _edges_reached(self.edges, comparable)
        ends = len(self.edges) - 1
        index = np.where((reached > 0) & (reached <= ends), reached - 1, NO_BIN)
        last = nearest_in(self.edges[-1], values.dtype)
        # NumPy would compare a whole number that float64 cannot hold with its neighbour.
        if values.dtype.kind != "f" or float(last) == last:
            index[comparable == last] = ends - 1
        return index


def _edge(edge: Any) -> Scalar:
    if isinstance(edge, str):
        raise TypeError("text")
    number = float(edge)
    if isinstance(edge, Integral):
        return int(edge)
    return int(number) if number.is_integer() else number


def _text(edge: Any) -> str:
    return str(int(edge)) if isinstance(edge, Integral) else text_of(np.asarray(edge).reshape(1))


def _texts(edges: list[str]) -> Iterable[str]:
    *others, last = (f"[{low},{high}" for low, high in itertools.pairwise(edges))
    return [*(f"{text})" for text in others), f"{last}]"]


def _float_edges(edges: tuple[Scalar, ...], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return, for each edge, the lowest float64 that reaches it."""
    nearest = [nearest_in(edge, dtype) for edge in edges]
    lowest = [float(edge) for edge in nearest]
    return np.array(
        [
            math.nextafter(low, math.inf) if low < edge else low
            for low, edge in zip(lowest, nearest, strict=True)
        ]
    )


def _edges_reached(edges: tuple[Scalar, ...], values: NDArray[Any]) -> NDArray[np.intp]:
    """Return how many edges each integer has reached, compared as integers."""
    limits = np.iinfo(values.dtype)
    whole = [edge if math.isinf(edge) else math.ceil(edge) for edge in edges]
    # Edges beyond the dtype would overflow in it: they are reached by all values, or by none.
    below = sum(edge <= limits.min for edge in whole)
    within = [edge for edge in whole if limits.min < edge <= limits.max]
    return below + np.searchsorted(np.array(within, values.dtype), values, side="right")
