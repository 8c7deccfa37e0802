"""Texts of options, parsed into values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from ratiopath.values.keys import number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Text = TypeVar("Text")
Result = TypeVar("Result")

# A value, in parentheses if it is a colour, and optionally its name. A comma ends it, but not one
# inside parentheses.
_CLASS = re.compile(r"\s*(\([^()]*\)|[^=,()]+?)\s*(?:=\s*([^,]+?)\s*)?(?:,|$)")


def usage(option: str, parse: Callable[[Text], Result], text: Text) -> Result:
    """Parse an option's text; if it is invalid, raise a usage error that names the option."""
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{option}'") from error


def whole_pair(text: str) -> tuple[int, int]:
    """Read ``512`` or ``512x256``.

    Raises:
        ValueError: The text is neither, or a number is not positive.
    """
    numbers = re.split(r"[x,]", text.lower())
    if len(numbers) > 2 or not all(number.strip().isdigit() for number in numbers):
        raise ValueError(f"{text!r} is not a size in pixels: write 512, or 512x256")
    x, y = int(numbers[0]), int(numbers[-1])
    if x < 1 or y < 1:
        raise ValueError(f"{text!r} must be positive")
    return x, y


def mpp_pair(text: str) -> tuple[float, float]:
    """Read ``0.5`` or ``0.5,0.51``.

    Raises:
        ValueError: The text is neither, or a number is not positive and finite.
    """
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(0 < number < float("inf") for number in numbers):
        raise ValueError(f"{text!r} is not a µm per pixel: write 0.5, or 0.5,0.51 for x and y")
    return numbers[0], numbers[-1]


def classes(texts: Iterable[str]) -> tuple[tuple[Any, str], ...] | None:
    """Read ``0=background,255=tissue,other=rest``, given once or several times.

    Raises:
        ValueError: A text is not a list of values and names.
    """
    pairs: list[tuple[Any, str]] = []
    for text in texts:
        for value, name in _items(text):
            number = "other" if value == "other" else _value(value)
            pairs.append((number, name or _value_text(value)))
    return tuple(pairs) or None


def values(texts: Iterable[str]) -> tuple[Any, ...]:
    """Read ``0,7`` or ``(255,0,0)``, given once or several times.

    Raises:
        ValueError: A text is not a list of values.
    """
    found = [(value, name) for text in texts for value, name in _items(text)]
    if any(name for _, name in found):
        raise ValueError("values have no names here: write 0,7 or (255,0,0)")
    return tuple(_value(value) for value, _ in found)


def edges(text: str) -> tuple[float, ...]:
    """Read ``0,0.5,1``; ``-inf`` and ``inf`` are numbers too.

    Raises:
        ValueError: The text is not a list of numbers.
    """
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a list of edges: write 0,0.5,1") from error


def outside(text: str) -> str | float:
    """Read ``clip`` or a number.

    Raises:
        ValueError: The text is neither.
    """
    if text == "clip":
        return text
    number: float = _value(text)
    return number


def absent(text: str) -> float | None:
    """Read a number, or ``null``.

    Raises:
        ValueError: The text is neither.
    """
    return None if text.lower() in ("null", "none") else float(_value(text))


def _items(text: str) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    position = 0
    while position < len(text):
        match = _CLASS.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not understood: write 0=background,255=tissue")
        found.append((match[1], match[2]))
        position = match.end()
    return found


def _value(text: str) -> Any:
    if text.startswith("("):
        return tuple(_value(number) for number in text[1:-1].split(","))
    # An integer first: a float would round labels beyond 2^53.
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a value of an overlay: values are numbers") from error


def _value_text(text: str) -> str:
    return text if text == "other" else number_text(text.strip("()"))
