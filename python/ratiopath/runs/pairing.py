"""Which slides a run measures, and which overlay belongs to each."""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ratiopath.slides.paths import find_slides

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELDS = ("stem", "name", "parent")


@dataclass(frozen=True, order=True)
class SlidePair:
    """A slide and its overlay.

    Attributes:
        slide: The slide's path, as it was found.
        overlay: The overlay's path.
    """

    slide: str
    overlay: str

    @property
    def overlay_exists(self) -> bool:
        """Whether the overlay is there; of a URL this is assumed."""
        # Asking costs a request for each slide. A missing object is found when it is opened.
        return "://" in self.overlay or Path(self.overlay).exists()


@dataclass(frozen=True)
class Pairing:
    """The slides of a run, and what was found beside them.

    Attributes:
        pairs: The slides with their overlays, each once.
        overlays: Files that were found among the slides but are overlays of others.
    """

    pairs: list[SlidePair]
    overlays: list[str]


def find_pairs(paths: Sequence[str], pattern: str) -> Pairing:
    """Find the slides and pair them with their overlays.

    A file found through a folder or glob pattern is not a slide if it is another slide's overlay.

    Args:
        paths: Files, folders, glob patterns or URLs.
        pattern: See `overlay_path`.

    Returns:
        The slides and their overlays, in the order of ``paths``.

    Raises:
        OverlayNotFoundError: A path does not exist, or no slide is found at all.
        ValueError: The pattern has an unknown field.
    """
    # A bad pattern fails here, before folders are searched.
    overlay_path("", pattern)
    slides = list(dict.fromkeys(find_slides(paths)))
    pairs = [SlidePair(slide, overlay_path(slide, pattern)) for slide in slides]
    # A file that the user named is a slide whatever else it may be. Paths are compared as absolute
    # ones: `data/a.tif` and `./data/a.tif` are one file.
    named = set(map(absolute, paths))
    overlays = {absolute(pair.overlay) for pair in pairs if not _is_same(pair)} - named
    kept = [pair for pair in pairs if absolute(pair.slide) not in overlays]
    return Pairing(kept, [pair.slide for pair in pairs if pair not in set(kept)])


def overlay_path(slide: str, pattern: str) -> str:
    """Return where a slide's overlay is.

    Args:
        slide: The slide's path or URL.
        pattern: A path, absolute or relative to the slide's folder. ``{stem}`` is the slide's name
            without its extension (``.ome.tif`` is one), ``{name}`` with it, ``{parent}`` the
            slide's folder, for the beginning of a pattern.

    Returns:
        The overlay's path.

    Raises:
        ValueError: The pattern has an unknown field.
    """
    parent, _, name = slide.rpartition("/") if "://" in slide else _split(slide)
    fields = {"stem": _stem(name), "name": name, "parent": parent or "."}
    try:
        filled = string.Formatter().vformat(pattern, (), fields)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        known = ", ".join(f"{{{field}}}" for field in _FIELDS)
        # Such as {stem!x} or {name[0]}: formats are Python's, but only plain fields are promised.
        raise ValueError(f"overlay pattern {pattern!r}: only {known} are filled in") from error
    if "://" in filled or pattern.startswith("{parent}"):
        return filled
    # join returns an absolute second path unchanged.
    return f"{parent}/{filled}" if "://" in slide else os.path.join(parent, filled)  # noqa: PTH118 - keeps the path as written


def absolute(path: str) -> str:
    """Return an absolute path, without resolving symbolic links; a URL unchanged."""
    # Resolving a link would move a slide into its store, away from the mask beside the link.
    return path if "://" in path else os.path.abspath(path)  # noqa: PTH100 - links stay


def _split(path: str) -> tuple[str, str, str]:
    parent, name = os.path.split(path)
    return parent, os.sep, name


def _stem(name: str) -> str:
    # Python takes the last suffix only, and OME names have two.
    stem, _ = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    return stem[:-4] if stem.lower().endswith(".ome") else stem


def _is_same(pair: SlidePair) -> bool:
    return absolute(pair.slide) == absolute(pair.overlay)
