"""``ratiopath overlap``: its table, its words, its exit codes, and a run that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
from typer.testing import CliRunner

from overlays import write_overlay
from ratiopath.cli.app import app

TILE = 32
COLUMNS = [
    "path",
    "tile_x",
    "tile_y",
    "tile_extent_x",
    "tile_extent_y",
    "mpp_x",
    "mpp_y",
    "level",
    "downsample",
    "overlay_path",
]


def write_slide(folder: Path, name: str, mask: np.ndarray | None, size=(256, 192)) -> Path:
    """A grey slide at 0.5 µm/px, and beside it a mask of pixels of 8 x 8 slide pixels."""
    folder.mkdir(exist_ok=True)
    width, height = size
    pixels = np.full((height, width, 3), 200, np.uint8)
    if mask is not None:
        write_overlay(folder / f"{name}_mask.tif", [mask], 4.0)
    return write_overlay(folder / f"{name}.tif", [pixels, pixels[::2, ::2]], 0.5)


def random_mask(seed: int, values=(0, 255), size=(256, 192)) -> np.ndarray:
    shape = (size[1] // 8, size[0] // 8)
    return np.random.default_rng(seed).choice(np.array(values, np.uint8), shape)


@pytest.fixture
def slides(tmp_path) -> Path:
    folder = tmp_path / "slides"
    for seed, name in enumerate("abc"):
        write_slide(folder, name, random_mask(seed))
    return folder


def run(*arguments: object, code: int = 0, overlay: str = "{stem}_mask.tif"):
    texts = [str(argument) for argument in arguments]
    command = ["overlap", *texts, "--overlay", overlay, "--tile", str(TILE)]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def expected_rows(folder: Path, threshold: float, key: int = 255) -> list[tuple[Any, ...]]:
    """Straight from the masks: name, corner and fraction of the tiles kept."""
    rows = []
    for mask_path in sorted(folder.glob("*_mask.tif")):
        slide = folder / mask_path.name.replace("_mask", "")
        counted = tifffile.imread(mask_path) == key
        for y in range(0, 192, TILE):
            for x in range(0, 256, TILE):
                # A pixel of the mask is 8 x 8 of the slide's, so a tile holds whole ones.
                share = counted[y // 8 : (y + TILE) // 8, x // 8 : (x + TILE) // 8].mean()
                if share >= threshold:
                    rows.append((str(slide), x, y, share))
    return rows


def rows_of(path: Path, column: str = "coverage_255") -> list[tuple[Any, ...]]:
    names = ("path", "tile_x", "tile_y", column)
    return [tuple(row[name] for name in names) for row in pq.read_table(path).to_pylist()]


def test_the_table_holds_the_tiles_worth_keeping(slides, tmp_path):
    output = tmp_path / "out" / "tiles.parquet"
    result = run(slides, "--keep", "255>=0.5", "-o", output)
    expected = expected_rows(slides, 0.5)
    assert 10 < len(expected) < 134
    assert rows_of(output) == expected
    table = pq.read_table(output)
    assert table.column_names == [*COLUMNS, "coverage_0", "coverage_255"]
    first = table.slice(0, 1).to_pylist()[0]
    assert first["overlay_path"] == str(slides / "a_mask.tif")
    assert [first[name] for name in COLUMNS[3:9]] == [TILE, TILE, 0.5, 0.5, 0, 1.0]
    assert f"{len(expected)} of 144 tiles kept" in result.stdout
    assert f"{output}: {len(expected)} rows" in result.stdout
    assert sorted(path.name for path in output.parent.iterdir()) == ["tiles.parquet"]


def test_all_tiles_are_told_apart_by_a_column(slides, tmp_path):
    output = tmp_path / "t.parquet"
    names = "0=background,255=tissue"
    run(slides, "--keep", "tissue>=0.5", "--classes", names, "--all", "-o", output)
    table = pq.read_table(output)
    assert table.column_names == [*COLUMNS, "kept", "coverage_background", "coverage_tissue"]
    assert rows_of(output, "coverage_tissue") == expected_rows(slides, 0.0)
    kept = table.filter(table["kept"])
    assert kept.num_rows == len(expected_rows(slides, 0.5))
    np.testing.assert_allclose(
        np.add(table["coverage_background"], table["coverage_tissue"]), 1.0, atol=1e-12
    )


def test_slides_with_other_values_share_columns_and_absent_fills_them(tmp_path):
    folder = tmp_path / "slides"
    write_slide(folder, "a", random_mask(0, (0, 10)))
    write_slide(folder, "b", random_mask(1, (0, 9)))
    output = tmp_path / "t.parquet"
    run(folder, "-o", output, "--absent", "null")
    table = pq.read_table(output)
    assert table.column_names[len(COLUMNS) :] == ["coverage_0", "coverage_9", "coverage_10"]
    of_a = table.slice(0, 48)
    assert of_a["coverage_9"].null_count == 48
    run(folder, "-o", output)
    assert pq.read_table(output)["coverage_9"].to_pylist()[:48] == [0.0] * 48


def test_options_reach_the_pipeline(tmp_path):
    folder = tmp_path / "slides"
    heat = np.linspace(0, 1, 24 * 32, dtype=np.float32).reshape(24, 32)
    write_slide(folder, "x", None)
    write_overlay(tmp_path / "heat.tif", [heat])
    output = tmp_path / "t.parquet"
    options = ["--bins", "0,0.5,1", "--overlay-mpp", "4", "--stride", "64x96", "--roi", "inset:8"]
    overlay = str(tmp_path / "heat.tif")
    run(folder, *options, "--keep", "[0.5,1]>=1", "-o", output, overlay=overlay, code=0)
    rows = rows_of(output, "coverage_[0.5,1]")
    assert [row[1:] for row in rows] == [(x, 96, 1.0) for x in (0, 64, 128, 192)]

    run(folder, "--spans-slide", "--bins", "0,0.5,1", "-o", output, overlay=overlay)
    whole = pq.read_table(output)
    np.testing.assert_allclose(np.mean(whole["coverage_[0,0.5)"]), (heat < 0.5).mean())

    options = ["--overlay-mpp", "4", "--level", "1", "--last", "drop", "--bins", "0,1"]
    run(folder, *options, "-o", output, overlay=overlay)
    table = pq.read_table(output)
    assert set(table["mpp_x"].to_pylist()) == {1.0}
    assert table.num_rows == 4 * 3


def test_a_bad_slide_costs_only_itself(slides, tmp_path):
    (slides / "bad.svs").write_bytes(b"no slide")
    write_slide(slides, "lonely", None)
    output = tmp_path / "t.parquet"
    result = run(slides, "--keep", "255>=0.5", "-o", output, code=1)
    assert rows_of(output) == expected_rows(slides, 0.5)
    assert "2 slides failed" in result.stdout
    assert f"no such overlay file ({slides / 'lonely_mask.tif'})" in result.stdout
    assert "-> check --overlay; --on-missing skip leaves such slides out" in result.stdout
    assert "-> the file is damaged or of an unknown kind" in result.stdout
    assert "same command does only the slides that failed" in result.stdout

    (slides / "bad.svs").unlink()
    write_overlay(slides / "lonely_mask.tif", [random_mask(9)], 4.0)
    again = json.loads(run(slides, "--keep", "255>=0.5", "-o", output, "--json").stdout)
    before = {Path(slide["path"]).name: slide["done_before"] for slide in again["slides"]}
    assert before == {"a.tif": True, "b.tif": True, "c.tif": True, "lonely.tif": False}
    assert rows_of(output) == expected_rows(slides, 0.5)
    assert not (tmp_path / ".t.parquet.parts").exists()


def test_a_corrupt_segment_is_a_failed_slide(slides, tmp_path):
    path = slides / "b_mask.tif"
    data = path.read_bytes()
    path.write_bytes(data[:200])
    result = run(slides, "-o", tmp_path / "t.parquet", "--json", code=1)
    summary = json.loads(result.stdout)
    assert [Path(one["path"]).name for one in summary["failed"]] == ["b.tif"]
    assert summary["failed"][0]["error"] == "OverlayFormatError"
    assert summary["tiles"] == 96


@pytest.mark.parametrize("bad", ["a.tif", "c_mask.tif"])
def test_strict_stops_and_writes_no_table(slides, tmp_path, bad):
    (slides / bad).write_bytes(b"")
    result = run(slides, "-o", tmp_path / "t.parquet", "--strict", code=1)
    assert "1 slide failed" in result.stdout
    assert "No table was written." in result.stdout
    assert not (tmp_path / "t.parquet").exists()


def test_a_missing_overlay_can_be_skipped_or_taken_for_empty(slides, tmp_path):
    write_slide(slides, "lonely", None)
    output = tmp_path / "t.parquet"
    result = run(slides, "-o", output, "--on-missing", "skip")
    assert "1 slide left out for want of an overlay" in result.stdout
    assert pq.read_table(output).num_rows == 144
    run(slides, "-o", output, "--on-missing", "empty", "--keep", "255<0.1")
    rows = [row for row in pq.read_table(output).to_pylist() if row["path"].endswith("lonely.tif")]
    assert len(rows) == 48
    assert {(row["overlay_path"], row["coverage_0"], row["coverage_255"]) for row in rows} == {
        (None, 0.0, 0.0)
    }


def test_an_undeclared_value_says_how_to_declare_it(slides, tmp_path):
    result = run(slides, "-o", tmp_path / "t.parquet", "--classes", "0=background", code=1)
    assert "value 255 is not among the classes" in result.stdout
    assert "name it in --classes, or gather the rest with --classes other=NAME" in result.stdout


def test_a_heatmap_without_bins_is_refused_before_it_fills_the_memory(tmp_path):
    folder = tmp_path / "slides"
    write_slide(folder, "a", None)
    noise = np.random.default_rng(0).random((192, 256)).astype(np.float32)
    write_overlay(folder / "a_mask.tif", [noise], 0.5)
    result = run(folder, "-o", tmp_path / "t.parquet", code=1)
    assert "more than 4096 distinct values are a heatmap" in result.stdout
    assert "count ranges with --bins 0,0.5,1" in result.stdout


def test_a_missing_resolution_names_the_option(tmp_path):
    folder = tmp_path / "slides"
    write_slide(folder, "a", None)
    write_overlay(folder / "a_mask.tif", [random_mask(0)])
    write_overlay(folder / "b.tif", [np.zeros((64, 64, 3), np.uint8)])
    result = run(folder, "-o", tmp_path / "t.parquet", code=1)
    reason = "the file does not say how many µm a pixel measures"
    assert f"    {reason} ({folder / 'a_mask.tif'})\n    -> --overlay-mpp says it;" in result.stdout
    assert "-> --slide-mpp says how many µm a pixel of level 0 measures" in result.stdout
    assert "pass overlay_mpp_x" not in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--keep", "tissue>=0.5"], "'tissue' is no value of an overlay"),
        (["--keep", "255>=0.5", "--classes", "255=tissue"], "'255' is none of the classes"),
        (["--mpp", "0.5", "--level", "1"], "exactly one of mpp and level"),
        (["--classes", "0=a", "--bins", "0,1"], "exclude each other"),
        (["--tile", "0"], "'0' must be positive"),
        (["--roi", "square"], "no region of interest"),
        (["-o", "tiles.csv"], "must end in .parquet"),
        (["--overlay", "{suffix}"], "only {stem}, {name}, {parent} are filled in"),
        (["--coverage", "most"], "'most' is not one of"),
    ],
)
def test_wrong_usage_is_told_before_any_work(slides, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    command = ["overlap", str(slides), "--overlay", "{stem}_mask.tif", *options]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 2, result.output
    assert message in result.stderr.replace("│\n│ ", "")
    assert result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["slides"]


def test_no_slides_is_wrong_usage(tmp_path):
    result = run(tmp_path / "nowhere", code=2)
    assert "matches no file" in result.stderr


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(slides, tmp_path):
    write_slide(slides, "lonely", None)
    output = tmp_path / "out" / "t.parquet"
    result = run(slides, "-o", output, "--dry-run", code=1)
    assert "3 slides to do, 144 tiles." in result.stdout
    assert f"{slides / 'a_mask.tif'}, level 0" in result.stdout
    assert "1 slide failed" in result.stdout
    assert not output.parent.exists()
    summary = json.loads(run(slides, "-o", output, "--dry-run", "--json", code=1).stdout)
    assert summary["status"] == "failed"
    assert [plan["tiles"] for plan in summary["to_do"]] == [48, 48, 48]
    assert len(summary["failed"]) == 1


def test_the_json_summary_is_all_that_is_on_standard_output(slides, tmp_path):
    output = tmp_path / "t.parquet"
    summary = json.loads(run(slides, "--keep", "255>=0.5", "-o", output, "--json").stdout)
    kept = len(expected_rows(slides, 0.5))
    shares = [row[3] for row in expected_rows(slides, 0.0)]
    assert (summary["status"], summary["tiles"], summary["kept"]) == ("done", 144, kept)
    assert (summary["dropped"], summary["rows"]) == (144 - kept, kept)
    assert summary["coverage"]["255"] == pytest.approx(np.mean(shares))
    assert sum(summary["coverage"].values()) == pytest.approx(1.0)
    assert summary["output"] == str(output)
    assert [Path(slide["path"]).name for slide in summary["slides"]] == ["a.tif", "b.tif", "c.tif"]
    assert summary["keep"] == "255 >= 0.5"


def test_a_value_that_never_occurs_is_pointed_out(slides, tmp_path):
    result = run(slides, "--keep", "1>=0.5", "-o", tmp_path / "t.parquet")
    assert "--keep asks for 1, which no tile holds; found: 0, 255" in result.stdout
    assert pq.read_table(tmp_path / "t.parquet").num_rows == 0


def test_tiles_from_another_resolution_than_asked_for_are_pointed_out(slides, tmp_path):
    result = run(slides, "--mpp", "0.25", "-o", tmp_path / "t.parquet")
    assert "the level nearest to 0.25 x 0.25 µm per pixel has 0.5 x 0.5" in result.stdout


def test_many_tiles_are_measured_in_chunks_alike(slides, tmp_path, monkeypatch):
    whole, chunked = tmp_path / "whole.parquet", tmp_path / "chunked.parquet"
    run(slides, "--stride", "5", "-o", whole, "--coverage", "exact")
    monkeypatch.setattr("ratiopath.runs.plan.MOST_TILES", 7)
    monkeypatch.setattr("ratiopath.runs.table.ROW_GROUP", 11)
    monkeypatch.setattr("ratiopath.runs.table.MOST_CELLS", 20)
    run(slides, "--stride", "5", "-o", chunked, "--coverage", "exact")
    assert pq.read_table(whole).equals(pq.read_table(chunked))
    assert pq.read_table(whole).num_rows == 3 * 46 * 33


def start(folder: Path, output: Path) -> list[str]:
    command = [sys.executable, "-m", "ratiopath", "overlap", str(folder)]
    options = ["--overlay", "../mask.tif", "--tile", "16", "--stride", "4", "--keep", "255>=0.5"]
    return [*command, *options, "-o", str(output)]


def kill_midway(command: list[str], parts: Path, least: int) -> None:
    """Kill a run while it writes a part, some parts being done; it gets no chance to tidy up."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - the product
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        done = [path for path in parts.glob("*.parquet") if not path.name.startswith(".")]
        if len(done) >= least and any(parts.glob(".*.part.parquet")):
            break
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_killed_run_goes_on_and_gives_the_same_table(tmp_path):
    folder = tmp_path / "slides"
    for index in range(18):
        write_slide(folder, f"s{index:02}", None, (1024, 768))
    write_overlay(tmp_path / "mask.tif", [random_mask(3, size=(1024, 768))], 4.0)
    whole, killed = tmp_path / "whole.parquet", tmp_path / "killed.parquet"
    subprocess.run(start(folder, whole), check=True, capture_output=True)  # noqa: S603 - the product

    parts = tmp_path / ".killed.parquet.parts"
    kill_midway(start(folder, killed), parts, 3)
    assert not killed.exists()
    kill_midway(start(folder, killed), parts, 6)

    other = subprocess.run(  # noqa: S603 - the product
        [*start(folder, killed), "--roi", "circle"], check=False, capture_output=True, text=True
    )
    assert other.returncode == 2
    assert "other options" in other.stderr
    # A slide that changed meanwhile is done again.
    os.utime(folder / "s00.tif", ns=(1, 1))
    ended = subprocess.run(  # noqa: S603 - the product
        [*start(folder, killed), "--json"], check=True, capture_output=True, text=True
    )
    before = [slide["done_before"] for slide in json.loads(ended.stdout)["slides"]]
    assert before[:6] == [False, True, True, True, True, True]
    assert not all(before[6:])
    assert pq.read_table(killed).equals(pq.read_table(whole))
    assert not parts.exists()


def test_a_run_that_did_nothing_leaves_nothing(slides, tmp_path):
    options = ["-o", tmp_path / "t.parquet"]
    run(slides, *options, overlay="{stem}_musk.tif", code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["slides"]
    run(slides, *options)


def test_a_run_begins_anew_where_it_is_told_to(slides, tmp_path):
    output = tmp_path / "t.parquet"
    (slides / "bad.svs").touch()
    run(slides, "-o", output, code=1)
    (slides / "bad.svs").unlink()
    message = run(slides, "--roi", "circle", "-o", output, code=2).stderr
    assert "roi: tile, now circle" in message.replace("│\n│ ", "")
    run(slides, "--roi", "circle", "-o", output, "--restart")
    assert not (tmp_path / ".t.parquet.parts").exists()


def test_a_failed_write_leaves_the_table_that_was_there(slides, tmp_path, monkeypatch):
    output = tmp_path / "t.parquet"
    output.write_text("before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ratiopath.runs.table._table", fail)
    result = run(slides, "-o", output, code=1)
    assert "the results cannot be written: [Errno 28] No space left on device" in result.stderr
    assert output.read_text() == "before"
    monkeypatch.undo()
    run(slides, "-o", output)
    assert pq.read_table(output).num_rows == 144


def test_more_values_than_a_table_has_columns_are_refused(slides, tmp_path, monkeypatch):
    monkeypatch.setattr("ratiopath.runs.table.MOST_LABELS", 1)
    result = run(slides, "-o", tmp_path / "t.parquet", code=1)
    assert "the slides hold 2 different values, too many for a column each" in result.stderr
    assert not (tmp_path / "t.parquet").exists()


def test_an_interrupted_run_says_how_to_go_on(slides, tmp_path, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ratiopath.cli.steps.measure", interrupt)
    result = run(slides, "-o", tmp_path / "t.parquet", code=130)
    assert "The same command goes on where this one stopped." in result.stderr


def test_threads_hold_for_the_run_only(slides, tmp_path, monkeypatch):
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "5")
    seen = []

    def merge(*_, **__):
        seen.append(os.environ["RATIOPATH_NUM_THREADS"])
        return 0

    monkeypatch.setattr("ratiopath.cli.steps.merge", merge)
    run(slides, "-o", tmp_path / "t.parquet", "--threads", "1")
    assert seen == ["1"]
    assert os.environ["RATIOPATH_NUM_THREADS"] == "5"
