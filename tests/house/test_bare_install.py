"""What works without any extra, and what says which extra it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).resolve().parents[1] / "support"
PUBLIC = {
    "ratiopath.errors",
    "ratiopath.ray",
    "ratiopath.readers.opening",
    "ratiopath.tiling",
    "ratiopath.tiling.utils",
}
EXTRAS = ("cli", "plots", "remote", "zarr")

# Names that need Ray are imported only when they are asked for.
SCRIPT = """
import bare, json, sys
bare.hide()

import importlib, pkgutil, traceback
import ratiopath
from ratiopath.cli import main
from ratiopath.readers.opening import open_reader

OF_EXTRAS = ("__main__", "cli", "demo", "plots", "readers.zarr")
imported, wrong = [], {}
for found in pkgutil.walk_packages(ratiopath.__path__, "ratiopath.", onerror=lambda name: None):
    room = found.name.removeprefix("ratiopath.")
    if any(room == one or room.startswith(one + ".") for one in OF_EXTRAS):
        continue
    try:
        module = importlib.import_module(found.name)
        for name in getattr(module, "__all__", ()):
            getattr(module, name)
        imported.append(found.name)
    except Exception:
        wrong[found.name] = traceback.format_exc()

said = {}
for extra, use in {
    "cli": main,
    "plots": lambda: importlib.import_module("ratiopath.plots"),
    "remote": lambda: open_reader("s3://bucket/overlay.tif"),
    "zarr": lambda: open_reader(sys.argv[1]),
}.items():
    try:
        use()
    except (Exception, SystemExit) as error:
        said[extra] = str(error)
print(json.dumps([imported, wrong, said]))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Any:
    overlay = tmp_path_factory.mktemp("bare") / "overlay.zarr"
    overlay.mkdir()
    (overlay / ".zarray").write_text("{}")
    run = subprocess.run(  # noqa: S603 - the code above
        [sys.executable, "-c", SCRIPT, str(overlay)],
        env=os.environ | {"PYTHONPATH": str(SUPPORT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.slow
def test_every_public_module_imports_without_an_extra(bare):
    imported, wrong, _ = bare
    assert wrong == {}
    assert set(imported) >= PUBLIC


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_needs_an_extra_says_which(bare, extra):
    assert f"pip install 'ratiopath[{extra}]'" in bare[2][extra]
