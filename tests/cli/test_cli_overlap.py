"""``ratiopath overlap``: its table, its words, its exit codes, and a run that is killed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cli_runs import TILE, expected_rows, random_mask, rows_of, run, write_slide
from overlays import write_overlay
from ratiopath.cli.app import app

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


@pytest.mark.slow
def test_many_tiles_are_measured_in_chunks_alike(slides, tmp_path, monkeypatch):
    whole, chunked = tmp_path / "whole.parquet", tmp_path / "chunked.parquet"
    run(slides, "--stride", "5", "-o", whole, "--coverage", "exact")
    monkeypatch.setattr("ratiopath.runs.plan.MOST_TILES", 7)
    monkeypatch.setattr("ratiopath.runs.table.ROW_GROUP", 11)
    monkeypatch.setattr("ratiopath.runs.table.MOST_CELLS", 20)
    run(slides, "--stride", "5", "-o", chunked, "--coverage", "exact")
    assert pq.read_table(whole).equals(pq.read_table(chunked))
    assert pq.read_table(whole).num_rows == 3 * 46 * 33
