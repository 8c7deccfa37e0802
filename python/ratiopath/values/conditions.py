"""Which tiles to keep: conditions on their fractions, such as ``tissue>=0.5 and fat<0.2``.

A condition is a key, one of ``>``, ``>=``, ``<``, ``<=``, and a fraction from 0 to 1. A key is a
value as key text (``255``, ``255,0,0``, ``nan``), or the name of a declared class or bin. The
fraction of a value that does not occur is 0.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from ratiopath.values.keys import number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
# A key may hold anything but comparison signs, spaces and commas included.
_CONDITION = re.compile(r"\s*([^<>]+?)\s*(>=|<=|>|<)\s*([^\s<>=]+)\s*(?:\band\b|$)")
# Precedes the key in the name of its column in a table of tiles, which users' own scripts read.
COVERAGE_PREFIX = "coverage_"

EXAMPLE = "'255>=0.5' or 'tissue>=0.5 and fat<0.2'"


@dataclass(frozen=True)
class Condition:
    """One condition on a tile's fraction of one key.

    Attributes:
        key: Key text of a value, class or bin.
        operator: ``">"``, ``">="``, ``"<"`` or ``"<="``.
        threshold: What the fraction is compared with, in [0, 1].
    """

    key: str
    operator: str
    threshold: float

    def __str__(self) -> str:
        return f"{self.key} {self.operator} {self.threshold:g}"

    def holds(self, fractions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say for each fraction (N,) whether the condition holds; NaN never does."""
        held: NDArray[np.bool_] = _OPERATORS[self.operator](fractions, self.threshold)
        return held


@dataclass(frozen=True)
class Keep:
    """Conditions that must all hold; none keeps every tile.

    Attributes:
        conditions: The conditions, in the order given.
    """

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, texts: str | Iterable[str], declared: Sequence[str] | None = None) -> Self:
        """Read conditions from text.

        Args:
            texts: One text or several; in each, conditions are joined by ``and``.
            declared: The names of the classes or bins, or None where keys are the
                overlay's own values.

        Returns:
            The conditions.

        Raises:
            ValueError: A text is no condition, its fraction is not from 0 to 1, or its key cannot
                occur; says what would do.
        """
        several = [texts] if isinstance(texts, str) else texts
        return cls(tuple(one for text in several for one in _conditions(text, declared)))

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions)) or "every tile"

    @property
    def keys(self) -> list[str]:
        """The keys asked for, each once, in order."""
        return list(dict.fromkeys(one.key for one in self.conditions))

    def mask(self, coverage: Mapping[str, NDArray[np.float64]], size: int) -> NDArray[np.bool_]:
        """Say which tiles to keep.

        Args:
            coverage: The fraction of each tile (N,) by key; a key that is not there covers 0.
            size: How many tiles, N.

        Returns:
            True where all conditions hold (N,).
        """
        kept = np.ones(size, bool)
        for condition in self.conditions:
            kept &= condition.holds(coverage.get(condition.key, np.zeros(size)))
        return kept


def _conditions(text: str, declared: Sequence[str] | None) -> list[Condition]:
    found: list[Condition] = []
    position = 0
    while position < len(text) or not found:
        match = _CONDITION.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is no condition: write one such as {EXAMPLE}")
        key, sign, threshold = match.groups()
        found.append(Condition(_key(key, declared), sign, _fraction(threshold, text)))
        position = match.end()
        if position == len(text) and text.rstrip().endswith(" and"):
            raise ValueError(f"{text!r} ends in 'and': write conditions such as {EXAMPLE}")
    return found


def _key(key: str, declared: Sequence[str] | None) -> str:
    if declared is not None:
        # A mistyped key would otherwise drop every tile without a word.
        if key not in declared:
            raise ValueError(f"{key!r} is none of the classes or bins: {', '.join(declared)}")
        return key
    try:
        return number_text(key)
    except ValueError as error:
        raise ValueError(
            f"{key!r} is no value of an overlay: declare what it means, as in 255={key}"
        ) from error


def _fraction(text: str, whole: str) -> float:
    try:
        fraction = float(text)
    except ValueError as error:
        raise ValueError(f"{text!r} in {whole!r} is no number: {EXAMPLE} would do") from error
    if not 0 <= fraction <= 1:
        raise ValueError(f"{text} in {whole!r} is no fraction: coverage goes from 0 to 1")
    return fraction
