"""The demo on a small slide: its table is right, its files are whole, its errors are words."""

from __future__ import annotations

import io
from importlib import import_module

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from overlays import write_overlay
from ratiopath import cli
from ratiopath.cli.app import app
from ratiopath.demo.sample import MASK_MPP, SLIDE_MPP, write_sample
from ratiopath.demo.tutorial import DemoSettings, run
from ratiopath.errors import OverlayValueError
from ratiopath.storage.atomic import replacing

COLUMNS = [
    "path",
    "tile_x",
    "tile_y",
    "tile_extent_x",
    "tile_extent_y",
    "mpp_x",
    "mpp_y",
    "level",
    "tissue_overlap",
    "tissue_coverage",
]


def central_coverage(mask: np.ndarray, x: int, y: int, extent: int) -> float:
    """The share of 255 in the middle of a tile, where one mask pixel is 8 x 8 slide pixels."""
    rows = slice((y + extent // 4) // 8, (y + extent * 3 // 4) // 8)
    columns = slice((x + extent // 4) // 8, (x + extent * 3 // 4) // 8)
    return float(np.mean(mask[rows, columns] == 255))


@pytest.mark.usefixtures("ray_session")
def test_the_table_holds_every_tile_s_coverage(tmp_path):
    settings = DemoSettings(output=tmp_path, tile_extent=256, stride=128, sample_size=(2048, 1536))
    text = io.StringIO()
    run(settings, Console(file=text))

    table = pq.read_table(tmp_path / "tiles.parquet")
    assert table.column_names == COLUMNS
    mask = tifffile.imread(tmp_path / "slide_tissue_mask.tiff", level=0)
    corners = [(x, y) for y in range(0, 1408, 128) for x in range(0, 1920, 128)]
    assert [(row["tile_x"], row["tile_y"]) for row in table.to_pylist()] == corners
    expected = [central_coverage(mask, x, y, 256) for x, y in corners]
    assert 0 < sum(expected) < len(expected)
    np.testing.assert_allclose(table["tissue_coverage"], expected, atol=1e-12)

    kept = sum(share >= 0.5 for share in expected)
    assert f"{kept} of {len(corners)} tiles" in text.getvalue()
    names = {"coverage.png", "slide.tiff", "slide_tissue_mask.tiff", "tiles.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == names
    with Image.open(tmp_path / "coverage.png") as picture:
        assert picture.format == "PNG"


@pytest.mark.usefixtures("ray_session")
def test_the_user_s_files_are_measured_by_the_value_and_resolution_given(tmp_path):
    slide = write_overlay(tmp_path / "s.tiff", [np.zeros((1024, 1024, 3), np.uint8)], 0.5)
    labels = np.zeros((128, 128), np.uint8)
    labels[:64, :48] = 3
    overlay = write_overlay(tmp_path / "o.tiff", [labels])
    settings = DemoSettings(
        output=tmp_path / "out", slide=slide, overlay=overlay, overlay_mpp=4.0, value="3"
    )
    table = run(settings, Console(file=io.StringIO()))
    assert table["tissue_coverage"].to_pylist() == [1.0, 0.0, 0.0, 0.0]
    assert table["tissue_overlap"].to_pylist()[0] == {"0": 0.0, "3": 1.0}
    assert {path.name for path in settings.output.iterdir()} == {"coverage.png", "tiles.parquet"}


@pytest.mark.usefixtures("ray_session")
def test_a_value_that_does_not_occur_is_an_error_that_writes_nothing(tmp_path):
    slide = write_overlay(tmp_path / "s.tiff", [np.zeros((512, 512, 3), np.uint8)], 0.5)
    overlay = write_overlay(tmp_path / "o.tiff", [np.ones((64, 64), np.uint8)], 4.0)
    settings = DemoSettings(output=tmp_path / "out", slide=slide, overlay=overlay)
    with pytest.raises(
        OverlayValueError, match=r"no tile holds the value 255 .* found: 1: --value"
    ):
        run(settings, Console(file=io.StringIO()))
    assert not settings.output.exists()


@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize(("slide_mpp", "mask_mpp"), [(0.5, None), (None, 4.0)])
def test_a_file_without_resolution_is_an_error_in_words(tmp_path, slide_mpp, mask_mpp):
    slide = write_overlay(tmp_path / "s.tiff", [np.zeros((512, 512, 3), np.uint8)], slide_mpp)
    overlay = write_overlay(tmp_path / "o.tiff", [np.ones((64, 64), np.uint8)], mask_mpp)
    arguments = ["demo", "--slide", str(slide), "--overlay", str(overlay)]
    result = CliRunner().invoke(app, [*arguments, "--output", str(tmp_path / "out")])
    assert result.exit_code == 1
    nameless = slide if slide_mpp is None else overlay
    first, *_, last = result.stderr.splitlines()
    assert first.startswith("error: the")
    assert "how many µm a pixel measures" in first
    assert f"path='{nameless}'" in result.stderr
    assert last == "The options --overlay-mpp and --slide-mpp give a file's µm per pixel."
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_a_slide_without_an_overlay_is_a_usage_error(tmp_path):
    slide = tmp_path / "slide.tiff"
    slide.touch()
    result = CliRunner().invoke(app, ["demo", "--slide", str(slide)])
    assert result.exit_code == 2
    assert "--slide and --overlay go together" in result.output


def test_a_missing_extra_is_named(monkeypatch):
    def lacks_typer(_: str) -> None:
        raise ModuleNotFoundError("No module named 'typer'", name="typer")

    monkeypatch.setattr(cli, "import_module", lacks_typer)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == "typer is not installed: run pip install 'ratiopath[cli]'"


def test_a_missing_module_that_is_no_part_of_the_extra_is_an_error(monkeypatch):
    monkeypatch.setattr(cli, "import_module", lambda _: import_module("ratiopath.nowhere"))
    with pytest.raises(ModuleNotFoundError, match=r"ratiopath\.nowhere"):
        cli.main()


@pytest.mark.slow
def test_the_mask_marks_where_the_sample_is_stained(tmp_path):
    sample = write_sample(tmp_path, 1024, 512)
    with tifffile.TiffFile(sample.slide) as slide, tifffile.TiffFile(sample.mask) as mask:
        sizes = [page.shape[:2] for page in slide.pages]
        resolutions = [file.pages.first.resolution for file in (slide, mask)]
        stain = 243.0 - slide.pages.first.asarray().reshape(64, 8, 128, 8, 3).mean(axis=(1, 3, 4))
        values = mask.pages.first.asarray()
    assert sizes == [(512, 1024), (256, 512)]
    assert resolutions == [(1e4 / SLIDE_MPP,) * 2, (1e4 / MASK_MPP,) * 2]
    assert values.shape == (64, 128)
    assert set(np.unique(values)) == {0, 255}
    assert stain[values == 255].mean() > 10 * stain[values == 0].mean()


@pytest.mark.parametrize("size", [(0, 512), (512, 500)])
def test_a_sample_of_another_size_is_refused(tmp_path, size):
    with pytest.raises(ValueError, match="multiples of 256"):
        write_sample(tmp_path, *size)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_file_that_was_there(tmp_path):
    target = tmp_path / "table.parquet"
    target.write_text("before")

    def fail_half_way() -> None:
        with replacing(target) as path:
            path.write_text("half")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way()
    assert [p.name for p in tmp_path.iterdir()] == ["table.parquet"]
    assert target.read_text() == "before"
