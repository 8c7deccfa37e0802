"""The pages say what is true: their links lead somewhere, and their code runs as it stands."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from overlays import write_overlay
from pages import FENCED, ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
# A package index shows the README away from its repository, so its links are absolute.
REPOSITORY = "https://github.com/RationAI/ratiopath/blob/main/"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)

# A page asks for memory as a cluster would grant it; the small Ray here only counts it.
START = """
import json, ray
ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, _memory=64 * 1024**3)
"""

# Overlay pixels of 8 x 8 slide pixels: a 512 px tile is 64 of them, its middle half 32.
SLIDE_MPP, MASK_MPP, SHRINK = 0.5, 4.0, 8
TILE, ROI = 512 // SHRINK, slice(16, 48)


def page_ids(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def python_blocks(page: Path) -> list[str]:
    blocks = FENCED.findall(page.read_text(encoding="utf-8"))
    return [code for _, language, code in blocks if language == "python"]


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, by GitHub's rule."""
    prose = FENCED.sub("", page.read_text(encoding="utf-8"))
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose))
    return {heading.strip().replace(" ", "-") for heading in words}


@pytest.mark.parametrize("page", PAGES, ids=page_ids)
def test_every_link_into_the_repository_leads_somewhere(page):
    prose = FENCED.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.findall(prose):
        if re.match(r"\w+:", link) and not link.startswith(REPOSITORY):
            continue
        folder = ROOT if link.startswith(REPOSITORY) else page.parent
        target, _, anchor = link.removeprefix(REPOSITORY).partition("#")
        destination = (folder / target).resolve() if target else page
        assert destination.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(destination), f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=page_ids)
def test_every_python_block_compiles(page):
    for code in python_blocks(page):
        compile(code, page.name, "exec")


@pytest.mark.slow
def test_every_python_block_has_the_right_types(tmp_path):
    """A page's blocks follow each other in one module, as a reader would type them."""
    pytest.importorskip("mypy")
    modules = []
    for page in PAGES:
        if blocks := python_blocks(page):
            modules.append(tmp_path / f"{page.stem.replace('-', '_')}_page.py")
            modules[-1].write_text("\n".join(blocks), encoding="utf-8")
    run = subprocess.run(  # noqa: S603 - this interpreter, on the project's own pages
        # An example may say `dict` where the package itself would say what is in it.
        [sys.executable, "-m", "mypy", "--allow-any-generics", *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in run.stdout.splitlines() if re.search(r":\d+: error: ", line)]
    # Ray's annotation asks for a function of every batch format, which nobody writes.
    assert [line for line in errors if 'Argument 1 to "map_batches"' not in line] == [], run.stdout
    assert run.returncode == bool(errors), run.stderr


@pytest.mark.parametrize("page", PAGES, ids=page_ids)
def test_every_page_with_code_is_run(page):
    source = Path(__file__).read_text(encoding="utf-8")
    source += Path(__file__).with_name("test_docs_commands.py").read_text(encoding="utf-8")
    assert not python_blocks(page) or f'{page_ids(page)}"' in source, "no test runs this page"


def test_the_drawings_are_what_the_script_draws(tmp_path):
    script = ROOT / "docs" / "drawings" / "draw.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)  # noqa: S603 - the project's own
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    images = sorted((ROOT / "docs" / "images").glob("*.svg"))
    kept = {path.name: path.read_text(encoding="utf-8") for path in images if path.name in drawn}
    assert kept == drawn


def tissue(seed: int) -> np.ndarray:
    """A mask of 3 x 4 tiles with an empty, a full and mixed tiles, and a part of a fifth column."""
    mask = np.zeros((3 * TILE, 4 * TILE + 24), np.uint8)
    mask[:TILE, TILE : 2 * TILE] = 255
    mask[TILE:][np.random.default_rng(seed).random((2 * TILE, mask.shape[1])) < 0.5] = 255
    return mask


def write_slide(path: Path, mask: np.ndarray) -> None:
    """Write an RGB slide that is noisy where the mask is set and plain elsewhere."""
    stained = np.kron(mask, np.ones((SHRINK, SHRINK), np.uint8)) > 0
    noise = np.random.default_rng(0).integers(0, 255, (*stained.shape, 3), np.uint8)
    slide = np.where(stained[..., np.newaxis], noise, np.uint8(240))
    write_overlay(path, [slide, slide[::2, ::2]], SLIDE_MPP, tile=(256, 256))


def coverage(mask: np.ndarray) -> dict[tuple[int, int], float]:
    """The share of 255 under the middle of each tile, for what lies on the overlay."""
    tiles = {}
    for row in range(mask.shape[0] // TILE):
        for column in range(-(-mask.shape[1] // TILE)):
            tile = mask[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
            tiles[column * 512, row * 512] = float(np.mean(tile[ROI, ROI] == 255))
    return tiles


def run_page(page: str, folder: Path, answer: str) -> Any:
    """Run a page's blocks in one namespace, as a reader would, and evaluate `answer` in it."""
    blocks = [START, *python_blocks(ROOT / page), f"\nprint('ANSWER', json.dumps({answer}))\n"]
    script = folder / "page.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    run = subprocess.run(  # noqa: S603 - this interpreter, on the project's own pages
        [sys.executable, script.name],
        cwd=folder,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DATA_DISABLE_PROGRESS_BARS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.rpartition("ANSWER ")[2])


@pytest.mark.slow
def test_the_readme_s_code_runs(tmp_path):
    mask = tissue(1)
    write_overlay(tmp_path / "tissue_mask.tiff", [mask, mask[::2, ::2]], MASK_MPP)
    kept = run_page("README.md", tmp_path, "[row['x'] for row in tissue.take_all()]")
    assert sorted(kept) == [512]


@pytest.mark.slow
def test_the_quick_start_keeps_the_tiles_with_tissue(tmp_path):
    (tmp_path / "data").mkdir()
    mask = tissue(2)[:, : 4 * TILE]
    write_slide(tmp_path / "data" / "first.tiff", mask)
    answer = "[(r['tile_x'], r['tile_y']) for r in ray.data.read_parquet('tiles').take_all()]"
    kept = run_page("docs/quick-start.md", tmp_path, answer)
    full = [(512, 0)]
    mixed = [(x, y) for x in range(0, 2048, 512) for y in (512, 1024)]
    assert sorted(map(tuple, kept)) == sorted(full + mixed)


@pytest.mark.slow
def test_the_tutorial_measures_every_tile_s_tissue(tmp_path):
    (tmp_path / "data").mkdir()
    expected: dict[Any, Any] = {}
    for name, seed in (("first", 3), ("second", 4)):
        mask = tissue(seed)
        # A slide is known by its content: this one is a TIFF, whatever its name.
        write_slide(tmp_path / "data" / f"{name}.mrxs", mask)
        path = tmp_path / "data" / f"{name}_tissue_mask.tiff"
        write_overlay(path, [mask, mask[::2, ::2]], MASK_MPP)
        expected |= {(name, x, y): share for (x, y), share in coverage(mask).items()}
    rows = run_page(
        "docs/overlays.md",
        tmp_path,
        """{
            "all": [
                [r["path"], r["tile_x"], r["tile_y"], r["tissue_overlap"].get("255") or 0.0]
                for r in tiles_with_overlap.take_all()
            ],
            "kept": tiles_with_tissue_coverage.count(),
            "kept by class": tissue_tiles.count(),
            "shapes": [list(r["tissue_overlay"].shape) for r in tiles_with_overlays.take_all()],
        }""",
    )
    measured = {(Path(path).stem, x, y): share for path, x, y, share in rows["all"]}
    assert measured == pytest.approx(expected)
    kept = sum(share >= 0.5 for share in expected.values())
    assert (rows["kept"], rows["kept by class"]) == (kept, kept)
    assert rows["shapes"] == [[2, 32, 32, 1]] * len(expected)


@pytest.mark.parametrize("page", ["docs/concepts.md", "docs/formats.md"])
def test_a_page_that_needs_no_files_runs(tmp_path, page):
    code = "\n".join(python_blocks(ROOT / page))
    # In a process of its own, for it changes Ray's settings.
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)  # noqa: S603 - the project's own page


def write_how_to_overlays(folder: Path) -> None:
    """Overlays of 4 µm under the two tiles of 64 overlay pixels that the page asks about."""
    labels = np.full((64, 128), 3, np.uint8)
    labels[:32, :64] = 0
    drawn = np.full((64, 128, 3), 255, np.uint8)
    drawn[:, :32], drawn[:, 64:] = (255, 0, 0), (0, 0, 255)
    heatmap = np.full((64, 128), 0.25, np.float32)
    heatmap[:32, :32] = 0.75
    for name, pixels in (("labels", labels), ("drawn", drawn), ("heatmap", heatmap)):
        write_overlay(folder / f"{name}.tiff", [pixels], MASK_MPP)
    write_overlay(folder / "bare.tiff", [labels])


def claims_that_hold(page: str) -> int:
    """Run a page's blocks, compare its calls with the results beside them, and count these."""
    namespace: dict[str, Any] = {}
    claims = 0
    for code in python_blocks(ROOT / page):
        exec(code, namespace)  # noqa: S102 - the project's own page
        for call, answer in re.findall(
            r"^(overlay_overlap\(.*\))\n# (\[.*\])$", code, re.MULTILINE
        ):
            assert eval(call, namespace) == ast.literal_eval(answer)  # noqa: S307 - likewise
            claims += 1
    return claims


def test_the_how_to_s_calls_return_what_their_comments_say(tmp_path, monkeypatch):
    write_how_to_overlays(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert claims_that_hold("docs/how-to.md") == 5


def test_the_page_on_zarr_says_what_its_code_returns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert claims_that_hold("docs/zarr.md") == 1


def test_the_page_on_remote_overlays_says_what_its_code_returns(tmp_path, monkeypatch):
    write_how_to_overlays(tmp_path)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    bucket = fsspec.filesystem("s3", key="me", secret="mine")  # noqa: S106 - moto asks for one
    bucket.mkdir("overlays")
    bucket.put_file(str(tmp_path / "labels.tiff"), "overlays/labels.tiff", ACL="public-read")
    assert claims_that_hold("docs/remote.md") == 1
    server.stop()


@pytest.mark.slow
def test_the_cluster_s_pipeline_keeps_the_tiles_with_tissue(tmp_path):
    rows = []
    for index in range(2):
        path = str(write_overlay(tmp_path / f"mask_{index}.tiff", [tissue(index)], MASK_MPP))
        grid = [(x, y) for y in range(0, 1536, 512) for x in range(0, 2048, 512)]
        rows += [{"overlay_path": path, "tile_x": x, "tile_y": y} for x, y in grid]
    (tmp_path / "tiles").mkdir()
    table = pa.Table.from_pylist([{**row, "mpp_x": 0.5, "mpp_y": 0.5} for row in rows])
    pq.write_table(table.take(pa.array(range(0, 24, 5))), tmp_path / "tiles" / "tiles.parquet")
    names = "[[r['overlay_path'][-5 - 1], r['tile_x'], r['tile_y'], r['overlap']['255']]"
    answer = f"{names} for r in ray.data.read_parquet('tissue_tiles').take_all()]"
    expected = []
    for row in table.take(pa.array(range(0, 24, 5))).to_pylist():
        index = int(row["overlay_path"][-6])
        y, x = row["tile_y"] // SHRINK, row["tile_x"] // SHRINK
        share = float((tissue(index)[y : y + TILE, x : x + TILE] == 255).mean())
        if share >= 0.5:
            expected.append([str(index), row["tile_x"], row["tile_y"], share])
    assert expected
    assert sorted(run_page("docs/cluster.md", tmp_path, answer)) == sorted(expected)


def claims_of(code: str) -> list[tuple[str, str]]:
    """Each call at the margin that a comment follows, and what the comment says it returns."""
    lines = code.splitlines()
    claims = []
    for statement in ast.parse(code).body:
        after = "".join(lines[statement.end_lineno : (statement.end_lineno or 0) + 1])
        if isinstance(statement, ast.Expr) and after.startswith("# "):
            claims.append((ast.unparse(statement), after.removeprefix("# ")))
    return claims


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "claims", "kept", "tiles"),
    [("docs/annotations.md", 3, "tumour", [0, 1024]), ("docs/heatmaps.md", 1, "likely", [0, 512])],
)
def test_a_page_s_calls_return_what_its_comments_say(tmp_path, page, claims, kept, tiles):
    said = [claim for code in python_blocks(ROOT / page) for claim in claims_of(code)]
    assert len(said) == claims
    calls = ", ".join(f"repr({call})" for call, _ in said)
    answer = f"{{'calls': [{calls}], 'kept': [row['x'] for row in {kept}.take_all()]}}"
    found = run_page(page, tmp_path, answer)
    assert found["calls"] == [answer for _, answer in said]
    assert sorted(found["kept"]) == tiles
