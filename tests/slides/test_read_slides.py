"""One row per slide: paths, levels, resolutions, and the quick start from slides to tiles."""

from __future__ import annotations

import hashlib
import math
import shutil
from typing import Any

import pyarrow as pa
import pytest

from ratiopath.errors import (
    OverlayFormatError,
    OverlayNotFoundError,
)
from ratiopath.ray import read_slides
from ratiopath.slides.grid import grid_tiles
from ratiopath.slides.paths import find_slides
from ratiopath.tiling.utils import row_hash
from slide_files import write_slide

# --- arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "exactly one of mpp and level"),
        ({"mpp": 0.5, "level": 0}, "exactly one of mpp and level"),
        ({"level": -1}, "level"),
        ({"mpp": 0.0}, "mpp"),
        ({"mpp": math.nan}, "mpp"),
        ({"mpp": (0.5, -0.5)}, "mpp"),
        ({"level": 0, "slide_mpp": math.inf}, "slide_mpp"),
        ({"level": 0, "tile_extent": 0}, "tile_extent"),
        ({"level": 0, "stride": (8, -8)}, "stride"),
    ],
)
def test_wrong_numbers_fail_at_the_call(tmp_path, wrong, message):
    path = write_slide(tmp_path / "slide.tif")
    options: dict[str, Any] = {"tile_extent": 16, "stride": 16, **wrong}
    with pytest.raises(ValueError, match=message):
        read_slides(path, **options)


@pytest.mark.parametrize("wrong", [{"tile_extent": 1.5}, {"stride": 2.0}, {"level": 0.0}])
def test_a_number_of_pixels_is_an_integer(tmp_path, wrong):
    path = write_slide(tmp_path / "slide.tif")
    options: dict[str, Any] = {"tile_extent": 16, "stride": 16, "level": 0, **wrong}
    with pytest.raises(TypeError):
        read_slides(path, **options)


# --- paths ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    for name in ("b.SVS", "a.tiff", "deep/c.mrxs", "deep/c/Data0001.dat", "._a.tiff", "notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    return tmp_path


def names(found, folder):
    return [path.removeprefix(f"{folder}/") for path in found]


def test_a_folder_stands_for_the_slides_in_it_and_below(folder):
    assert names(find_slides(folder), folder) == ["a.tiff", "b.SVS", "deep/c.mrxs"]


def test_a_pattern_stands_for_what_it_matches(folder):
    assert names(find_slides(f"{folder}/*"), folder) == ["a.tiff", "b.SVS"]
    assert names(find_slides(f"{folder}/**/*.mrxs"), folder) == ["deep/c.mrxs"]


def test_a_path_that_exists_is_no_pattern(tmp_path):
    path = tmp_path / "slide[1].tif"
    path.touch()
    assert find_slides(path) == [str(path)]


def test_rows_come_in_the_order_given(folder):
    given = [f"{folder}/b.SVS", folder / "deep", f"{folder}/a.tiff"]
    assert names(find_slides(given), folder) == ["b.SVS", "deep/c.mrxs", "a.tiff"]


def test_extensions_can_be_chosen(folder):
    assert names(find_slides(folder, "svs"), folder) == ["b.SVS"]
    assert names(find_slides(folder, [".TIFF", "dat"]), folder) == ["a.tiff", "deep/c/Data0001.dat"]
    assert len(find_slides(folder, None)) == 5


def test_a_named_file_with_another_ending_is_left_out_with_a_warning(folder):
    with pytest.warns(UserWarning, match=r"leaves out .*notes\.txt"):
        found = find_slides([folder / "notes.txt", folder / "a.tiff"])
    assert names(found, folder) == ["a.tiff"]
    assert names(find_slides(folder / "notes.txt", None), folder) == ["notes.txt"]


@pytest.mark.parametrize("name", ["missing.svs", "missing", "*.ndpi"])
def test_a_missing_path_fails_at_the_call(folder, name):
    with pytest.raises(OverlayNotFoundError, match="matches no file") as caught:
        read_slides(str(folder / name), tile_extent=16, stride=16, level=0)
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.path == str(folder / name)


def test_missing_paths_can_be_ignored(folder):
    found = find_slides([folder / "no.svs", folder / "a.tiff"], ignore_missing=True)
    assert names(found, folder) == ["a.tiff"]


def test_no_slide_at_all_is_an_error(folder):
    with pytest.raises(OverlayNotFoundError, match=r"no file that ends in \.svs"):
        find_slides(folder / "no.svs", ignore_missing=True)
    with pytest.raises(OverlayNotFoundError, match=r"no file that ends in \.czi in /"):
        find_slides(folder, ["czi"])


def test_a_url_is_passed_on_unseen():
    assert find_slides("s3://bucket/slide.svs") == ["s3://bucket/slide.svs"]


# --- in Ray ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("ray_session")
def test_the_schema_is_known_without_opening_a_slide(folder):
    # The files are empty: opening one would fail.
    slides = read_slides(folder, tile_extent=16, stride=16, mpp=0.5)
    schema = slides.schema()
    assert schema.names == [
        "path",
        "extent_x",
        "extent_y",
        "tile_extent_x",
        "tile_extent_y",
        "stride_x",
        "stride_y",
        "mpp_x",
        "mpp_y",
        "level",
        "downsample",
    ]
    floats = {"mpp_x", "mpp_y", "downsample"}
    expected = [
        pa.string() if name == "path" else pa.float64() if name in floats else pa.int64()
        for name in schema.names
    ]
    assert schema.types == expected
    assert slides.count() == 3


@pytest.mark.usefixtures("ray_session")
def test_a_dataset_has_one_row_per_slide(tmp_path):
    paths = [write_slide(tmp_path / f"{n}.tif", mpp=0.25 * 2**n) for n in range(3)]
    slides = read_slides(paths, tile_extent=16, stride=16, mpp=0.5, override_num_blocks=2)
    rows = sorted(slides.take_all(), key=lambda row: row["path"])
    assert [row["path"] for row in rows] == paths
    assert [row["level"] for row in rows] == [1, 0, 0]
    assert [row["mpp_x"] for row in rows] == pytest.approx([0.5, 0.5, 1.0])


@pytest.mark.usefixtures("ray_session")
def test_null_resolutions_keep_their_type(tmp_path):
    paths = [write_slide(tmp_path / "a.tif", mpp=None), write_slide(tmp_path / "b.tif", mpp=0.25)]
    slides = read_slides(paths, tile_extent=16, stride=16, level=0, override_num_blocks=2)
    table = pa.concat_tables(slides.iter_batches(batch_format="pyarrow", batch_size=None))
    assert table.schema.field("mpp_x").type == pa.float64()
    by_path = dict(zip(table["path"].to_pylist(), table["mpp_x"].to_pylist(), strict=True))
    assert by_path == {paths[0]: None, paths[1]: pytest.approx(0.25)}


@pytest.mark.usefixtures("ray_session")
def test_a_bad_slide_names_itself(tmp_path):
    good = write_slide(tmp_path / "good.tif")
    (tmp_path / "bad.tif").write_bytes(b"II*\0 this is no slide")
    slides = read_slides(tmp_path, tile_extent=16, stride=16, mpp=0.5)
    with pytest.raises(OverlayFormatError, match=r"bad\.tif"):
        slides.take_all()
    assert read_slides(good, tile_extent=16, stride=16, mpp=0.5).count() == 1


@pytest.mark.usefixtures("ray_session")
def test_options_of_the_reading_tasks_are_passed_on(tmp_path):
    path = write_slide(tmp_path / "slide.tif")
    slides = read_slides(
        path,
        tile_extent=16,
        stride=16,
        level=0,
        concurrency=1,
        override_num_blocks=1,
        ray_remote_args={"num_cpus": 0.5},
    )
    assert slides.take_all()[0]["path"] == path


@pytest.mark.usefixtures("ray_session")
def test_the_quick_start_from_slides_to_tiles(tmp_path):
    def tiles_of(row):
        return [
            {
                "tile_x": x,
                "tile_y": y,
                "path": row["path"],
                "slide_id": row["id"],
                "level": row["level"],
                "mpp_x": row["mpp_x"],
            }
            for x, y in grid_tiles(
                slide_extent=(row["extent_x"], row["extent_y"]),
                tile_extent=(row["tile_extent_x"], row["tile_extent_y"]),
                stride=(row["stride_x"], row["stride_y"]),
                last="keep",
            )
        ]

    path = write_slide(tmp_path / "one.tif")
    shutil.copy(path, tmp_path / "two.tif")
    slides = read_slides(tmp_path, mpp=0.5, tile_extent=16, stride=16)
    tiles = slides.map(row_hash).flat_map(tiles_of)
    rows = sorted(tiles.take_all(), key=lambda row: (row["path"], row["tile_y"], row["tile_x"]))
    corners = [(0, 0), (16, 0), (32, 0), (0, 16), (16, 16), (32, 16)]
    assert [(row["tile_x"], row["tile_y"]) for row in rows] == corners * 2
    assert {row["level"] for row in rows} == {1}
    described = {row["path"]: row for row in slides.take_all()}
    for row in rows:
        digest = hashlib.sha256(str(described[row["path"]]).encode()).hexdigest()
        assert row["slide_id"] == digest
