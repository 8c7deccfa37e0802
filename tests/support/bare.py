"""An interpreter as after ``pip install ratiopath``: what else is installed is not found."""

from __future__ import annotations

import sys
import tomllib
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
# Some packages bring others on older Pythons only, and would hide what is not asked for.
NEWEST = "3.13"


def hide() -> None:
    """Find no top-level module that a bare install would lack, in this process."""
    running = default_environment()["python_version"]
    there = installed(running) & installed(NEWEST)
    hidden = {
        module
        for module, owners in packages_distributions().items()
        if not there & {canonicalize_name(owner) for owner in owners}
    } - {"ratiopath"}

    folders = set(sys.path)

    class Finder(PathFinder):
        @classmethod
        def find_spec(
            cls, fullname: str, path: Sequence[str] | None = None, target: Any = None
        ) -> ModuleSpec | None:
            if fullname in hidden:
                # Ray brings packages of its own in folders that it adds.
                path = [one for one in sys.path if one not in folders]
            return PathFinder.find_spec(fullname, path, target)

    sys.meta_path[sys.meta_path.index(PathFinder)] = Finder


def installed(python: str) -> set[str]:
    """Return the distributions that the base dependencies bring on a Python."""
    todo = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted = [Requirement(one) for one in todo]
    running: dict[str, Any] = dict(default_environment())
    environment = running | {"python_version": python, "python_full_version": python}
    seen: set[tuple[str, str]] = set()
    while wanted:
        one = wanted.pop()
        for extra in {"", *one.extras}:
            found = (canonicalize_name(one.name), extra)
            if found in seen:
                continue
            seen.add(found)
            try:
                more = [Requirement(text) for text in requires(one.name) or ()]
            except PackageNotFoundError:  # another Python's
                continue
            known = environment | {"extra": extra}
            wanted += [each for each in more if not each.marker or each.marker.evaluate(known)]
    return {name for name, _ in seen}
