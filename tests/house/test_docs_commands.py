"""The pages about the command line: their commands and their code run from top to bottom."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile

from overlays import write_overlay
from pages import FENCED, ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SLIDE = "CMU-1-Small-Region"
TILE = 256


def run_page(page: str, folder: Path) -> dict[str, Any]:
    """Run a page's commands and blocks in order, and return the namespace of the blocks."""
    namespace: dict[str, Any] = {}
    for _, language, code in FENCED.findall((ROOT / page).read_text(encoding="utf-8")):
        if language == "python":
            exec(code, namespace)  # noqa: S102 - the project's own page
        elif language == "sh":
            for line in code.replace("\\\n", "").splitlines():
                run_command(line, folder)
    return namespace


def run_command(line: str, folder: Path) -> None:
    program, *arguments = shlex.split(line)
    assert program == "ratiopath", line
    run = subprocess.run(  # noqa: S603 - the product
        [sys.executable, "-m", "ratiopath", *arguments],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"


def write_slide(path: Path, mask: np.ndarray, mpp: float = 0.5) -> None:
    """A slide that is pink where the mask, of 8 x 8 slide pixels each, is set, and grey glass."""
    stained = np.kron(mask, np.ones((8, 8), np.uint8))[..., np.newaxis] > 0
    pixels = np.where(stained, np.array([200, 90, 160], np.uint8), np.uint8(240))
    write_overlay(path, [pixels], mpp, tile=(256, 256), compression="deflate")


@pytest.fixture
def cases(tmp_path, monkeypatch) -> Path:
    """Two slides with masks, where the pages of the command line expect them."""
    (tmp_path / "slides").mkdir()
    for name, rows in (("case1", 96), ("case2", 32)):
        mask = np.zeros((192, 256), np.uint8)
        mask[:rows] = 255
        write_slide(tmp_path / "slides" / f"{name}.tif", mask)
        write_overlay(tmp_path / "slides" / f"{name}_mask.tif", [mask], 4.0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_page_run(cases):
    tiles = run_page("docs/command-line.md", cases)["tiles"]
    # Of 4 x 3 tiles, the first row of one slide is whole, and half of its second.
    assert len(tiles) == 4
    assert pq.read_table(cases / "named.parquet").num_rows == 4
    assert (cases / "plots" / "case2.png").exists()


def test_the_pictures_of_the_page_are_drawn(cases):
    run_command(
        'ratiopath overlap slides --overlay "{stem}_mask.tif" --classes 0=background,255=tissue'
        ' --keep "tissue>=0.5" --all',
        cases,
    )
    namespace = run_page("docs/pictures.md", cases)
    assert len(namespace["tiles"]) == 2 * 4 * 3
    drawn = {"case1.png", "case1-0.1.png", "case1-0.5.png", "case1-0.9.png", "sheet.png"}
    assert drawn <= {path.name for path in cases.iterdir()}


@pytest.fixture(params=["made", "real"])
def example(request, tmp_path, monkeypatch) -> Path:
    """The example's slide: one made on the spot, and where it is, the real one."""
    path = tmp_path / "slides" / f"{SLIDE}.svs"
    path.parent.mkdir()
    if request.param == "made":
        mask = (np.random.default_rng(0).random((12, 9)) < 0.5).astype(np.uint8)
        write_slide(path, np.kron(mask, np.ones((31, 31), np.uint8)), 0.499)
    else:
        shared = request.getfixturevalue("shared_data")
        shutil.copy(shared / "wsi" / "cmu" / f"{SLIDE}.svs", path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_keeps_the_tiles_with_tissue(example):
    namespace = run_page("docs/example.md", example)
    mask = tifffile.imread(example / "slides" / f"{SLIDE}_mask.tif")
    width, height = namespace["width"], namespace["height"]
    scale = (mask.shape[1] / width, mask.shape[0] / height)
    expected = [
        share_of_tile(mask, x, y, scale)
        for y in range(0, height - TILE + 1, TILE)
        for x in range(0, width - TILE + 1, TILE)
    ]
    table = pq.read_table(example / "tiles.parquet")
    np.testing.assert_allclose(table["coverage_tissue"], expected, atol=1e-12)
    assert table["kept"].to_pylist() == [share >= 0.5 for share in expected]
    assert 10 < len(namespace["kept"]) < len(expected)
    assert namespace["pixels"].shape == (TILE, TILE, 3)
    fullest = np.ptp(namespace["pixels"].astype(int), axis=2) > 25
    assert fullest.mean() > 0.7
    drawn = {path.name for path in (example / "plots").iterdir()} | {"strict.png"}
    assert drawn == {f"{SLIDE}.png", "strict.png"}


def share_of_tile(mask: np.ndarray, x: int, y: int, scale: tuple[float, float]) -> float:
    """Straight from the array: round, slice, clip, take the mean."""
    left, top, width, height = (
        int(np.floor(n * scale[axis] + 0.5)) for axis, n in ((0, x), (1, y), (0, TILE), (1, TILE))
    )
    return float((mask[top : top + height, left : left + width] == 255).mean())
