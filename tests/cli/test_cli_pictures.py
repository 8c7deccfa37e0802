"""``ratiopath overlap --plot``: which pictures a run draws, and when it need not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from overlays import write_overlay
from ratiopath.cli.app import app
from ratiopath.cli.pictures import picture_names
from ratiopath.runs.pairing import SlidePair


@pytest.fixture
def slides(tmp_path) -> Path:
    folder = tmp_path / "slides"
    folder.mkdir()
    for seed, name in enumerate("ab"):
        write_overlay(folder / f"{name}.tif", [np.full((96, 128, 3), 200, np.uint8)], 0.5)
        mask = np.random.default_rng(seed).choice(np.array([0, 255], np.uint8), (12, 16))
        write_overlay(folder / f"{name}_mask.tif", [mask], 4.0)
    return folder


def run(*arguments: object, code: int = 0):
    texts = [str(argument) for argument in arguments]
    command = ["overlap", *texts, "--overlay", "{stem}_mask.tif", "--tile", "32"]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def test_a_picture_of_each_slide_and_a_sheet_of_all(slides, tmp_path):
    plots = tmp_path / "plots"
    options = ["-o", tmp_path / "t.parquet", "--keep", "255>=0.5", "--plot", plots, "--json"]
    summary = json.loads(run(slides, *options).stdout)
    assert sorted(path.name for path in plots.iterdir()) == ["a.png", "b.png", "contact-sheet.png"]
    assert [slide["picture"] for slide in summary["slides"]] == [
        str(plots / "a.png"),
        str(plots / "b.png"),
    ]
    assert summary["contact_sheets"] == [str(plots / "contact-sheet.png")]
    for path in plots.iterdir():
        with Image.open(path) as picture:
            assert picture.width > 500


@pytest.mark.slow
def test_pictures_of_an_earlier_run_are_not_drawn_again(slides, tmp_path, monkeypatch):
    (slides / "bad.svs").touch()
    options = ["-o", tmp_path / "t.parquet", "--plot", tmp_path / "plots"]
    run(slides, *options, code=1)
    drawn = []
    original = "ratiopath.cli.pictures.plot_slide"
    monkeypatch.setattr(original, lambda slide, *_, **__: drawn.append(slide))
    run(slides, *options, code=1)
    assert drawn == []


def test_a_slide_without_pixels_that_can_be_drawn_is_in_the_table_all_the_same(slides, tmp_path):
    # Its tags are whole, its last tile is not there.
    write_overlay(slides / "a.tif", [np.zeros((96, 128, 3), np.uint8)], 0.5, compression="jpeg")
    data = bytearray((slides / "a.tif").read_bytes())
    start = data.index(b"\xff\xd8")
    data[start : start + 40] = bytes(40)
    (slides / "a.tif").write_bytes(data)
    options = ["-o", tmp_path / "t.parquet", "--plot", tmp_path / "plots", "--json"]
    summary = json.loads(run(slides, *options, code=1).stdout)
    assert [Path(one["path"]).name for one in summary["failed"]] == ["a.tif"]
    assert summary["rows"] == 24
    assert [slide["picture"] is None for slide in summary["slides"]] == [True, False]


def test_without_matplotlib_pictures_are_a_usage_error(slides, tmp_path, monkeypatch):
    monkeypatch.setattr("ratiopath.cli.steps.find_spec", lambda _: None)
    result = run(slides, "-o", tmp_path / "t.parquet", "--plot", tmp_path / "plots", code=2)
    assert "run pip install 'ratiopath[plots]'" in result.stderr
    assert not (tmp_path / "t.parquet").exists()


def test_pictures_of_many_values_show_those_that_cover_most(tmp_path):
    values = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    values[6:] = 7
    write_overlay(tmp_path / "a.tif", [np.full((96, 128, 3), 200, np.uint8)], 0.5)
    write_overlay(tmp_path / "a_mask.tif", [values], 4.0)
    options = ["-o", tmp_path / "t.parquet", "--keep", "9>=0", "--plot", tmp_path / "plots"]
    summary = json.loads(run(tmp_path / "a.tif", *options, "--json").stdout)
    assert len(summary["coverage"]) == 96
    assert (tmp_path / "plots" / "a.png").exists()


def test_pictures_are_named_like_the_slides_folders():
    paths = ["/d/a/s.svs", "/d/b/s.svs", "/d/b/t.svs", "/d/b/t.tif"]
    names = picture_names([SlidePair(path, "") for path in paths])
    assert list(names.values()) == ["a/s.png", "b/s.png", "b/t.svs.png", "b/t.tif.png"]
    assert picture_names([SlidePair("/d/a/s.svs", "")]) == {SlidePair("/d/a/s.svs", ""): "s.png"}
