"""Which module may import which: the direction of the layers, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "ratiopath"

# The only modules, or packages with all that is in them, that may import a library.
ROOMS = {
    "ray": (
        "ratiopath.tiling.expressions",
        "ratiopath.tiling.overlays",
        "ratiopath.tiling.annotation_columns",
        "ratiopath.tiling.overlay_stats",
        "ratiopath.tiling.slide_columns",
        "ratiopath.ray",
        "ratiopath.demo",
    ),
    "shapely": (
        "ratiopath.call.region",
        "ratiopath.annotations.features",
        "ratiopath.annotations.geoparquet",
        "ratiopath.annotations.polygons",
        "ratiopath.runs.roi_argument",
        "ratiopath.annotations.clip",
        "ratiopath.demo.dataset",
    ),
    "tifffile": (
        "ratiopath.readers.tiff.reader",
        "ratiopath.readers.tiff.codecs",
        "ratiopath.readers.tiff.slots",
        "ratiopath.demo.sample",
    ),
    "imagecodecs": (
        "ratiopath.readers.tiff.reader",
        "ratiopath.readers.tiff.codecs",
        "ratiopath.readers.image",
    ),
    "PIL": ("ratiopath.readers.image", "ratiopath.demo"),
    "openslide": ("ratiopath.readers.openslide",),
    "typer": ("ratiopath.cli",),
    "rich": ("ratiopath.cli", "ratiopath.demo"),
    "matplotlib": ("ratiopath.plots",),
    "mpl_toolkits": ("ratiopath.plots",),
    "fsspec": ("ratiopath.storage.filesystems",),
    "aiohttp": ("ratiopath.storage.filesystems",),
    "zarr": (
        "ratiopath.readers.zarr.reader",
        "ratiopath.readers.zarr.level",
        "ratiopath.readers.zarr.shards",
        "ratiopath.readers.zarr.store",
    ),
    "skimage": ("ratiopath.demo",),
}

# What users call. Nothing beneath imports it.
FACES = (
    "ratiopath.__main__",
    "ratiopath.cli",
    "ratiopath.demo",
    "ratiopath.plots",
    "ratiopath.ray",
    "ratiopath.runs",
    "ratiopath.tiling",
)

# What a module, or a package with all that is in it, never imports.
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "ratiopath.readers": (
        "ratiopath.measure.pipeline",
        "ratiopath.placement.placement",
        "ratiopath.measure.fractions",
        "ratiopath.measure.patches",
        "ratiopath.segments.cache",
        "ratiopath.segments.lru",
        "ratiopath.measure.areas",
        "ratiopath.call.region",
        "ratiopath.results.arrow",
    ),
    "ratiopath.slides": ("ratiopath.ray", "ratiopath.runs", "ratiopath.measure.pipeline"),
    "ratiopath.segments.cache": (
        "ratiopath.measure.pipeline",
        "ratiopath.measure.fractions",
        "ratiopath.measure.patches",
        "ratiopath.measure.areas",
    ),
    "ratiopath.measure.areas": (
        "ratiopath.measure.pipeline",
        "ratiopath.measure.fractions",
        "ratiopath.measure.patches",
    ),
    "ratiopath.measure.pipeline": (
        "ratiopath.api.overlays",
        "ratiopath.results.arrow",
        "ratiopath.annotations",
    ),
    "ratiopath.annotations": (
        "ratiopath.api.overlays",
        "ratiopath.results.arrow",
        "ratiopath.measure.pipeline",
    ),
    "ratiopath.tiling": ("ratiopath.ray", "ratiopath.demo"),
    "ratiopath.ray": ("ratiopath.demo",),
    "ratiopath.plots": ("ratiopath.cli", "ratiopath.demo", "ratiopath.runs"),
    "ratiopath.runs": ("ratiopath.cli", "ratiopath.demo", "ratiopath.plots"),
    "ratiopath.errors": ("ratiopath",),
}
INPUT_AND_OUTPUT = ("os", "io", "pathlib", "fsspec", "tifffile", "openslide", "ratiopath.readers")
for pure in (
    "ratiopath.values.bins",
    "ratiopath.placement.resolution",
    "ratiopath.call.region",
    "ratiopath.values.pixels",
):
    FORBIDDEN[pure] = INPUT_AND_OUTPUT


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imported_modules(nodes: Iterable[ast.AST]) -> set[str]:
    """Every import that can run, in functions too; those for annotations only do not."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"line {node.lineno}: a relative import"
            assert node.level == 0, f"line {node.lineno}: a relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        else:
            children = node.orelse if is_type_checking(node) else ast.iter_child_nodes(node)
            found |= imported_modules(children)
    return found


def imports_of_package() -> dict[str, set[str]]:
    return {
        module_name(path): imported_modules([ast.parse(path.read_text(encoding="utf-8"))])
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    return imports_of_package()


@pytest.mark.parametrize("library", ROOMS)
def test_only_its_rooms_import_a_library(imports, library):
    importers = {
        module for module, names in imports.items() if any(is_in(name, library) for name in names)
    }
    strangers = {
        module for module in importers if not any(is_in(module, room) for room in ROOMS[library])
    }
    assert strangers == set()


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_import_goes_against_the_direction_of_the_layers(imports, package):
    assert any(is_in(module, package) for module in imports), f"{package} is gone: mend the rule"
    wrong = {
        (module, name)
        for module, names in imports.items()
        if is_in(module, package)
        for name in names
        for forbidden in FORBIDDEN[package]
        if is_in(name, forbidden)
    }
    assert wrong == set()


def test_nothing_beneath_the_faces_imports_them(imports):
    wrong = {
        (module, name)
        for module, names in imports.items()
        if not any(is_in(module, face) for face in FACES)
        for name in names
        if any(is_in(name, face) for face in FACES)
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import ray.data", {"ray.data"}),
        ("from ratiopath import errors", {"ratiopath", "ratiopath.errors"}),
        ("def f():\n    import ray", {"ray"}),
        ("if TYPE_CHECKING:\n    import ray", set()),
        ("if TYPE_CHECKING:\n    import ray\nelse:\n    import io", {"io"}),
    ],
)
def test_imports_are_found_where_they_can_run(source, expected):
    assert imported_modules([ast.parse(source)]) == expected


@pytest.mark.parametrize("module", ["ratiopath.runs.run", "ratiopath.cli.app"])
def test_the_command_line_works_without_ray(module):
    code = f"import sys, {module}; print({{'ray', 'pandas'}} & set(sys.modules))"
    run = subprocess.run(  # noqa: S603 - this interpreter, on the line above
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"


def test_importing_the_package_imports_neither_ray_nor_pandas_nor_what_only_some_need():
    slow = {"ray", "pandas", "fsspec", "aiohttp", "zarr"}
    code = f"import sys, ratiopath; print({slow} & set(sys.modules))"
    run = subprocess.run(  # noqa: S603 - this interpreter, on the line above
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"
