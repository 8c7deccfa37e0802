"""Fails the build where a public name of the package is missing from the API reference."""

from __future__ import annotations

import ast
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

PACKAGE = Path(__file__).parents[2] / "python" / "ratiopath"
PUBLIC = ("ratiopath", "ratiopath.plots", "ratiopath.tiling", "ratiopath.ray")


def on_post_build(config: MkDocsConfig) -> None:
    """Compare the inventory of the site with what each package exports (called by MkDocs)."""
    documented = inventory(Path(config.site_dir) / "objects.inv")
    missing = [
        f"{module}.{name}"
        for module in PUBLIC
        for name in exported(module)
        # A function in a module of its own name is documented there.
        if not name.startswith("__")
        and documented.isdisjoint({f"{module}.{name}", f"{module}.{name}.{name}"})
    ]
    if missing:
        raise PluginError(f"not in the API reference: {', '.join(missing)}")


def exported(module: str) -> list[str]:
    """The names in ``__all__`` of a package."""
    folder = PACKAGE.joinpath(*module.split(".")[1:])
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    lists = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return [name for names in lists for name in names]


def inventory(path: Path) -> set[str]:
    """The names in a Sphinx inventory: four lines of header, then compressed lines."""
    content = zlib.decompress(path.read_bytes().split(b"\n", 4)[4]).decode()
    return {line.split(maxsplit=1)[0] for line in content.splitlines()}
