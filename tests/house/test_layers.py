"""Which folder may import which: two ordered lists, one a language, and the libraries' rooms.

An import goes down its list or stays in its folder. Imports that only annotations need count as
well: who must know a type must know its room.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "ratiopath"
CORE = ROOT / "rust" / "core" / "src"

# Folders and modules of the package, from what users call down to what everybody may import.
PYTHON = (
    "__main__",
    "cli",  # the commands
    "demo",
    "tiling",  # the face for Ray
    "runs",  # many slides to one table
    "ray",
    "slides",
    "__init__",  # the face for NumPy, which is made of
    "api",
    "plots",
    "measure",  # the pixels under regions, counted or copied
    "annotations",
    "placement",  # where patches lie
    "segments",  # decode once
    "readers",  # decode
    "results",
    "call",  # one call, checked
    "storage",  # bytes, near or far
    "values",  # a pixel and its key
    "resources",
    "lru",  # what the process keeps
    "errors",
    "removed",
    "_core",
)

# Folders and modules of the core, likewise.
RUST = ("zonal", "patches", "count", "raster", "geometry", "lzw", "pixels", "scale", "error")

# The only modules, or folders with all that is in them, that may import a library.
ROOMS = {
    "ray": ("tiling", "ray", "demo"),
    "shapely": (
        "call.region",
        "annotations.features",
        "annotations.geoparquet",
        "annotations.polygons",
        "annotations.clip",
        "runs.roi_argument",
        "demo.dataset",
    ),
    "tifffile": ("readers.tiff", "demo.sample"),
    "imagecodecs": ("readers.tiff", "readers.image"),
    "PIL": ("readers.image", "demo"),
    "openslide": ("readers.openslide",),
    "zarr": ("readers.zarr",),
    "fsspec": ("storage.remote",),
    "aiohttp": ("storage.remote",),
    "typer": ("cli",),
    "rich": ("cli", "demo"),
    "matplotlib": ("plots",),
    "mpl_toolkits": ("plots",),
    "skimage": ("demo",),
}

# They work on numbers that others have read.
PURE = (
    "values",
    "call.region",
    "placement.resolution",
    "placement.downsamples",
    "placement.levels",
    "placement.layout",
)
INPUT_AND_OUTPUT = ("os", "io", "pathlib", "fsspec", "tifffile", "openslide", "ratiopath.storage")

Imports = dict[str, set[str]]


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imported(nodes: Iterable[ast.AST], *, types: bool) -> Iterator[str]:
    """Every import, in functions too; those that only annotations need if asked for."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"line {node.lineno}: a relative import"
            assert node.level == 0, f"line {node.lineno}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if is_module(name) else node.module
        elif is_type_checking(node) and not types:
            yield from imported(node.orelse, types=types)
        else:
            yield from imported(ast.iter_child_nodes(node), types=types)


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or any(path.with_suffix(end).is_file() for end in (".py", ".pyi"))


@cache
def python_imports(*, types: bool) -> Imports:
    """What each module of the package imports, by dotted name; its own root is ``__init__``."""
    found: Imports = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = set(imported([tree], types=types))
    return found


def python_inner(*, types: bool) -> Imports:
    """The imports within the package, without its name before them."""
    return {
        module: {
            name.removeprefix("ratiopath").lstrip(".") or "__init__"
            for name in names
            if is_in(name, "ratiopath")
        }
        for module, names in python_imports(types=types).items()
    }


def rust_imports() -> Imports:
    """What each file of the core uses of the crate: ``folder.file``, or ``file`` at its root."""
    files = {
        ".".join(path.relative_to(CORE).with_suffix("").parts): path for path in CORE.rglob("*.rs")
    }
    found: Imports = {}
    for name, path in files.items():
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        # The two names that every file needs are re-exported by the crate's root.
        code = re.sub(r"crate::(\{Error, Result\}|Error|Result)", "crate::error", code)
        assert not re.search(r"(crate|super)::[^;\s]*\{[^}]*::", code), f"{name}: nested imports"
        assert "super::super" not in code, f"{name}: a relative import"
        used = {match[1].replace("::", ".") for match in re.finditer(r"crate::([\w:]+)", code)}
        found[name.removesuffix(".mod")] = {longest_file(one, files) for one in used}
    found.pop("lib")
    return found


def longest_file(path: str, files: Iterable[str]) -> str:
    """The file that a path within the crate leads to: ``count.simd.Block`` lies in count.simd."""
    names = {name.removesuffix(".mod") for name in files}
    parts = path.split(".")
    return next(
        name
        for length in range(len(parts), 0, -1)
        if (name := ".".join(parts[:length])) in names or length == 1
    )


def against(imports: Imports, order: tuple[str, ...]) -> set[tuple[str, str]]:
    """The imports that run upwards."""
    floor = {room: index for index, room in enumerate(order)}
    return {
        (module, name)
        for module, names in imports.items()
        for name in names
        if floor[name.partition(".")[0]] < floor[module.partition(".")[0]]
    }


def circle(imports: Imports) -> list[str]:
    try:
        list(TopologicalSorter({k: v - {k} for k, v in imports.items()}).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize(
    ("imports", "order"),
    [(python_inner(types=True), PYTHON), (rust_imports(), RUST)],
    ids=["python", "rust"],
)
def test_no_import_runs_upwards_or_in_a_circle(imports, order):
    rooms = {module.partition(".")[0] for names in imports.values() for module in names}
    rooms |= {module.partition(".")[0] for module in imports}
    assert rooms == set(order)
    assert against(imports, order) == set()
    assert circle(imports) == []


@pytest.mark.parametrize("library", ROOMS)
def test_only_its_rooms_import_a_library(library):
    importers = {
        module
        for module, names in python_imports(types=False).items()
        if any(is_in(name, library) for name in names)
    }
    rooms = ROOMS[library]
    assert {one for one in importers if not any(is_in(one, room) for room in rooms)} == set()
    assert {room for room in rooms if not any(is_in(one, room) for one in importers)} == set()


@pytest.mark.parametrize("room", PURE)
def test_arithmetic_does_not_read_or_write(room):
    imports = python_imports(types=False)
    assert any(is_in(module, room) for module in imports), f"{room} is gone: mend the rule"
    assert {
        (module, name)
        for module, names in imports.items()
        if is_in(module, room)
        for name in names
        if any(is_in(name, forbidden) for forbidden in INPUT_AND_OUTPUT)
    } == set()


def test_an_import_upwards_and_a_circle_are_found():
    imports = {"readers.npy": {"segments.cache"}, "segments.cache": {"readers.npy", "errors"}}
    assert against(imports, PYTHON) == {("readers.npy", "segments.cache")}
    assert set(circle(imports)) == {"readers.npy", "segments.cache"}


@pytest.mark.parametrize(
    ("source", "with_types", "without"),
    [
        ("import ray.data", {"ray.data"}, {"ray.data"}),
        ("from ratiopath import errors", {"ratiopath.errors"}, {"ratiopath.errors"}),
        ("from ratiopath.errors import OverlayError", {"ratiopath.errors"}, {"ratiopath.errors"}),
        ("from ratiopath import overlay_stats", {"ratiopath"}, {"ratiopath"}),
        ("def f():\n    import ray", {"ray"}, {"ray"}),
        ("if TYPE_CHECKING:\n    import ray", {"ray"}, set()),
        ("if TYPE_CHECKING:\n    import ray\nelse:\n    import io", {"ray", "io"}, {"io"}),
    ],
)
def test_imports_are_found_wherever_they_stand(source, with_types, without):
    tree = ast.parse(source)
    assert set(imported([tree], types=True)) == with_types
    assert set(imported([tree], types=False)) == without


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("count.simd.Block", "count.simd"),
        ("count.Counter", "count"),
        ("count.simd.generic.Tables", "count.simd.generic"),
        ("error", "error"),
    ],
)
def test_a_path_in_the_crate_leads_to_its_file(path, file):
    assert (
        longest_file(path, ["count.mod", "count.simd.mod", "count.simd.generic", "error"]) == file
    )


def modules_after(statement: str, among: set[str]) -> str:
    code = f"import sys, {statement}; print({among} & set(sys.modules))"
    run = subprocess.run(  # noqa: S603 - this interpreter, on the line above
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@pytest.mark.parametrize("module", ["ratiopath.runs.run", "ratiopath.cli.app"])
def test_the_command_line_works_without_ray(module):
    assert modules_after(module, {"ray", "pandas"}) == "set()"


def test_importing_the_package_imports_neither_ray_nor_pandas_nor_what_only_some_need():
    assert modules_after("ratiopath", {"ray", "pandas", "fsspec", "aiohttp", "zarr"}) == "set()"
