"""The options of a call on annotations, checked once, when it is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from ratiopath.call.options import OnMissing, check_absent, check_on_missing

Invalid: TypeAlias = Literal["repair", "error"]


@dataclass(frozen=True)
class AnnotationOptions:
    """Which annotations count, and under which key.

    Attributes:
        classes: Pairs of a class in the files and its key, or None to key by class.
        exclusive: Whether a place counts for the first of ``classes`` that covers it only.
        uncovered: The key of what no annotation covers, or None for no such key.
        class_column: The GeoJSON property or GeoParquet column that holds the class.
        invalid: What an invalid polygon means.
        on_missing: What a null path or a missing file means.
        absent: What a key that does not occur gets in a struct row: a number or None.
    """

    classes: tuple[tuple[str, str], ...] | None = None
    exclusive: bool = False
    uncovered: str | None = None
    class_column: str = "classification"
    invalid: Invalid = "repair"
    on_missing: OnMissing = "error"
    # Layers are kept by options, and none is built otherwise for it.
    absent: float | None = field(default=0.0, compare=False)

    @property
    def declared_keys(self) -> list[str] | None:
        """The keys that every result may have, in order, or None where they depend on the file."""
        if self.classes is None:
            return None
        keys = dict.fromkeys(key for _, key in self.classes)
        return [*keys, *self.uncovered_keys]

    @property
    def uncovered_keys(self) -> list[str]:
        """The key of what no annotation covers, if there is one."""
        return [] if self.uncovered is None else [self.uncovered]


def annotation_options(
    *,
    classes: object,
    exclusive: bool,
    uncovered: str | None,
    class_column: str,
    invalid: str,
    on_missing: str,
    absent: float | None = 0.0,
) -> AnnotationOptions:
    """Check the options of `ratiopath.annotation_overlap`.

    Raises:
        ValueError: An option has a value that it does not know, or two contradict each other.
        TypeError: An option has the wrong type.
    """
    if invalid not in ("repair", "error"):
        raise ValueError(f"invalid must be 'repair' or 'error', got {invalid!r}")
    for name, value in (("uncovered", uncovered or ""), ("class_column", class_column)):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be text, got {value!r}")
    options = AnnotationOptions(
        classes=None if classes is None else _pairs(classes),
        exclusive=bool(exclusive),
        uncovered=uncovered,
        class_column=class_column,
        invalid=cast("Invalid", invalid),
        on_missing=check_on_missing(on_missing),
        absent=check_absent(absent),
    )
    _check_keys(options)
    return options


def _check_keys(options: AnnotationOptions) -> None:
    if options.exclusive and options.classes is None:
        raise ValueError("exclusive=True goes by the order of classes: pass classes=")
    keys = options.declared_keys
    # A result has one place for each key, and would mix the two.
    if keys is not None and len(set(keys)) < len(keys):
        raise ValueError(f"uncovered={options.uncovered!r} is the key of a class as well")


def _pairs(classes: object) -> tuple[tuple[str, str], ...]:
    if isinstance(classes, Mapping):
        pairs: list[tuple[Any, Any]] = list(classes.items())
    # A text is a name, not the names of its letters.
    elif isinstance(classes, Iterable) and not isinstance(classes, str):
        pairs = [(name, name) for name in classes]
    else:
        pairs = [(classes, classes)]
    if not all(isinstance(text, str) for pair in pairs for text in pair):
        raise TypeError(f"classes must be names of classes, got {classes!r}")
    declared = [name for name, _ in pairs]
    if not pairs or len(set(declared)) < len(declared):
        raise ValueError(f"classes must be at least one name, each once, got {classes!r}")
    return tuple(pairs)
