"""``ratiopath info``: what it says of small files whose every pixel is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import ratiopath
from overlays import write_overlay
from ratiopath.cli.app import app
from ratiopath.slides import report as inspection
from ratiopath.slides.report import inspect


def run(*arguments: object, code: int = 0):
    command = ["info", *map(str, arguments)]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture
def labels() -> np.ndarray:
    values = np.zeros((48, 64), np.uint8)
    values[:12] = 3
    return values


def test_levels_values_and_resolution(tmp_path, labels):
    path = write_overlay(tmp_path / "m.tif", [labels, labels[::2, ::2]], 4.0)
    text = run(path).stdout
    assert "TIFF, DEFLATE, MINISBLACK; 1 channel of uint8" in text
    assert "µm per pixel: the resolution tags" in text
    assert "64 x 48" in text
    assert "12 of 16 x 16" in text
    assert text.count("0 (75.0%), 3 (25.0%)") == 2
    assert "warning" not in text
    report = json.loads(run(path, "--json").stdout)
    assert report["mpp_source"] == "tags"
    assert [level["mpp"] for level in report["levels"]] == [[4, 4], [8, 8]]
    assert report["levels"][1]["downsample"] == [2, 2]
    assert report["levels"][0]["values"] == {"0": 0.75, "3": 0.25}
    assert (report["levels"][0]["lowest"], report["levels"][0]["highest"]) == (0, 3)
    assert report["levels"][0]["complete"] is True


def test_an_averaged_pyramid_is_warned_of(tmp_path, labels):
    averaged = labels[::2, ::2].copy()
    averaged[0, :2] = 1, 2
    path = write_overlay(tmp_path / "m.tif", [labels, averaged], 4.0)
    (warning,) = inspect(str(path)).warnings
    assert warning.startswith("averaged pyramid: level 1 has values that level 0 has not (1, 2);")
    assert warning.endswith("--overlay-level 0 is the safe reading")


def test_a_missing_and_a_disbelieved_resolution_are_warned_of(tmp_path, labels):
    bare = write_overlay(tmp_path / "bare.tif", [labels])
    screen = write_overlay(tmp_path / "screen.tif", [labels], 25400 / 72)
    oblong = write_overlay(tmp_path / "oblong.tif", [labels], (4.0, 5.0))
    (missing,) = inspect(str(bare)).warnings
    assert missing.startswith("the file does not say how many µm a pixel measures: --overlay-mpp")
    (default,) = inspect(str(screen)).warnings
    assert "(its resolution tags hold a software default)" in default
    assert inspect(str(oblong)).warnings == ["pixels are not square: 4 x 5 µm"]


def test_levels_that_are_no_integer_fraction_are_warned_of(tmp_path, labels):
    path = write_overlay(tmp_path / "m.tif", [labels, labels[:22, :30]], 4.0)
    (warning,) = inspect(str(path)).warnings
    assert warning == "level 1 is no integer fraction of level 0: 2.1333 along x, 2.1818 along y"


def test_lossy_labels_are_warned_of(tmp_path):
    path = write_overlay(
        tmp_path / "m.tif", [np.zeros((32, 32), np.uint8)], 1.0, compression="jpeg"
    )
    assert (
        "lossy compression: values near edges are not those that were drawn"
        in inspect(str(path)).warnings
    )


def test_a_large_level_is_sampled_all_over_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(inspection, "SAMPLED_PIXELS", 16 * 16 * 6)
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) // 1024
    path = write_overlay(tmp_path / "m.tif", [values], 1.0)
    level = inspect(str(path)).levels[0]
    assert not level.values.complete
    assert set(level.values.shares) == {"0", "1", "2", "3"}
    assert "sampled: 0 (" in run(path).stdout
    assert "sampled:" not in run(path, "--complete").stdout
    assert inspect(str(path), complete=True).levels[0].values.shares == dict.fromkeys("0123", 0.25)


@pytest.mark.parametrize("total", [1, 2, 3, 10, 12, 97, 1000])
def test_every_segment_is_visited_once(total):
    step = inspection._spreading(total)
    assert sorted(number * step % total for number in range(total)) == list(range(total))


def test_many_values_colours_and_nan(tmp_path):
    noise = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    path = write_overlay(tmp_path / "heat.tif", [noise], 1.0)
    assert "more than 4,096 different, samples from" in run(path).stdout
    colours = np.zeros((16, 16, 3), np.uint8)
    colours[:4] = 255, 0, 0
    path = write_overlay(tmp_path / "rgb.tif", [colours], 1.0)
    assert inspect(str(path)).levels[0].values.shares == {"0": 0.75, "255,0,0": 0.25}
    path = write_overlay(tmp_path / "nan.tif", [np.full((16, 16), np.nan, np.float32)], 1.0)
    assert inspect(str(path)).levels[0].values.shares == {"nan": 1.0}
    gradient = np.arange(256, dtype=np.uint8).reshape(16, 16)
    path = write_overlay(tmp_path / "g.tif", [gradient], 1.0)
    assert "256 different, samples from 0 to 255" in run(path).stdout


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "bad.tif").write_bytes(b"II*\0")
    result = run(tmp_path / "bad.tif", code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "no such file" in run(tmp_path / "none.tif", code=1).stderr


def test_the_real_slide(shared_data):
    report = inspect(str(shared_data / "wsi" / "cmu" / "CMU-1-Small-Region.svs"))
    assert (report.encoding, report.mpp_source) == ("TIFF, JPEG, RGB", "vendor")
    grid = report.levels[0].grid
    assert (grid.width, grid.height, grid.segment_width) == (2220, 2967, 240)
    assert report.levels[0].mpp == (0.499, 0.499)
    assert report.warnings == []


def test_segments_that_the_file_leaves_out_count_as_what_they_read_as(tmp_path):
    pixels = np.zeros((32, 32), np.uint8)
    pixels[:16, :16] = 5
    path = write_overlay(tmp_path / "sparse.tif", [pixels], 1.0, compression=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for tag in (324, 325):
            values = list(tiff.pages.first.tags[tag].value)
            tiff.pages.first.tags[tag].overwrite([values[0], 0, 0, 0])
    assert inspect(str(path)).levels[0].values.shares == {"0": 0.75, "5": 0.25}


def test_a_default_of_software_is_said_to_be_ignored(tmp_path, labels):
    path = tmp_path / "dpi.ome.tif"
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(
        path,
        labels,
        ome=True,
        metadata=metadata,
        resolution=(72, 72),
        resolutionunit="INCH",
        tile=(16, 16),
    )
    text = run(path).stdout
    assert "warning: the resolution tags hold a software default, such as 72 dpi" in text


def test_a_level_of_nan_alone_says_so(tmp_path):
    path = write_overlay(tmp_path / "nan.tif", [np.full((16, 16), np.nan, np.float32)], 1.0)
    assert "nan" in run(path).stdout


def test_the_command_says_its_version():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"{ratiopath.__version__}\n")
