"""One row per slide: paths, levels, resolutions, and the quick start from slides to tiles."""

from __future__ import annotations

import hashlib
import math
import shutil
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from overlays import write_overlay
from ratiopath.errors import (
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayResolutionError,
    OverlayValueError,
)
from ratiopath.ray import read_slides
from ratiopath.ray.read_slides import _read_rows
from ratiopath.readers.base import Level, ResolutionMetadata
from ratiopath.slides.grid import grid_tiles
from ratiopath.slides.paths import find_slides
from ratiopath.slides.rows import Tiling, read_slide_row
from ratiopath.tiling.utils import row_hash

SIZES = [(64, 96), (32, 48), (16, 24)]


def write_slide(path, mpp: Any = 0.25, sizes=SIZES, **options):
    levels = [np.full((*size, 3), 255, dtype=np.uint8) for size in sizes]
    return str(write_overlay(path, levels, mpp, **options))


def describe(path, **wanted):
    tiling = Tiling.checked(
        tile_extent=wanted.pop("tile_extent", 16),
        stride=wanted.pop("stride", 8),
        mpp=wanted.pop("mpp", None),
        level=wanted.pop("level", None),
        slide_mpp=wanted.pop("slide_mpp", None),
    )
    (row,) = read_slide_row(path, tiling).to_pylist()
    return row


# --- one slide ------------------------------------------------------------------------------


def test_a_row_describes_the_chosen_level(tmp_path):
    path = write_slide(tmp_path / "slide.tif")
    assert describe(path, mpp=0.5, tile_extent=(16, 12), stride=(8, 6)) == {
        "path": path,
        "extent_x": 48,
        "extent_y": 32,
        "tile_extent_x": 16,
        "tile_extent_y": 12,
        "stride_x": 8,
        "stride_y": 6,
        "mpp_x": pytest.approx(0.5),
        "mpp_y": pytest.approx(0.5),
        "level": 1,
        "downsample": 2.0,
    }


@pytest.mark.parametrize(
    ("mpp", "level"),
    [(0.1, 0), (0.25, 0), (0.3, 0), (0.45, 1), (0.8, 2), (9.0, 2), ((0.4, 0.6), 1)],
)
def test_mpp_chooses_the_nearest_level(tmp_path, mpp, level):
    assert describe(write_slide(tmp_path / "slide.tif"), mpp=mpp)["level"] == level


def test_level_is_taken_as_given(tmp_path):
    row = describe(write_slide(tmp_path / "slide.tif", mpp=(0.25, 0.5)), level=2)
    assert (row["level"], row["extent_x"], row["extent_y"]) == (2, 24, 16)
    assert (row["mpp_x"], row["mpp_y"]) == (pytest.approx(1.0), pytest.approx(2.0))


def test_content_not_the_name_decides_the_backend(tmp_path):
    # OpenSlide sees one level of an OME pyramid, whatever its name.
    path = write_slide(tmp_path / "slide.svs", ome=True)
    assert describe(path, mpp=1.0)["level"] == 2


def test_the_downsample_is_the_mean_of_both_axes(monkeypatch):
    reader = SimpleNamespace(
        levels=(Level(96, 64, 16, 16), Level(24, 32, 16, 16)),
        resolution=ResolutionMetadata(ome=(0.25, 0.25)),
    )
    monkeypatch.setattr("ratiopath.slides.rows.open_reader", lambda _: reader)
    row = describe("slide.tif", level=1)
    assert (row["mpp_x"], row["mpp_y"], row["downsample"]) == (1.0, 0.5, 3.0)


def test_with_a_level_an_unknown_resolution_is_null(tmp_path):
    row = describe(write_slide(tmp_path / "slide.tif", mpp=None), level=1)
    assert (row["mpp_x"], row["mpp_y"], row["downsample"]) == (None, None, 2.0)


def test_with_mpp_an_unknown_resolution_names_the_slide_and_the_ways_out(tmp_path):
    path = write_slide(tmp_path / "slide.tif", mpp=None)
    with pytest.raises(OverlayResolutionError, match=r"slide_mpp.*level=.*slide\.tif"):
        describe(path, mpp=0.5)


def test_slide_mpp_stands_for_what_the_file_says(tmp_path):
    silent = write_slide(tmp_path / "silent.tif", mpp=None)
    wrong = write_slide(tmp_path / "wrong.tif", mpp=7.0)
    for path in (silent, wrong):
        row = describe(path, mpp=1.0, slide_mpp=(0.5, 0.25))
        assert (row["level"], row["mpp_x"], row["mpp_y"]) == (1, 1.0, 0.5)


def test_slide_mpp_may_be_given_for_some_slides_by_path_or_name(tmp_path):
    first, second, third = (write_slide(tmp_path / f"{name}.tif") for name in "abc")
    given = {first: 0.5, "b.tif": (0.1, 0.2)}
    rows = [describe(path, level=0, slide_mpp=given) for path in (first, second, third)]
    assert [(row["mpp_x"], row["mpp_y"]) for row in rows] == [
        (0.5, 0.5),
        (0.1, 0.2),
        (pytest.approx(0.25), pytest.approx(0.25)),
    ]
    with pytest.raises(ValueError, match=r"slide_mpp of b\.tif must be finite and positive"):
        describe(second, level=0, slide_mpp={"b.tif": 0})


@pytest.mark.parametrize(
    ("mpp", "has", "text"),
    [
        (0.5, (0.5, 0.5), None),
        (0.5, (0.59, 0.42), None),
        (0.5, (1.01, 1.0), "nearest to 0.5 x 0.5 µm per pixel has 1.01 x 1"),
        ((0.5, 1.0), (0.5, 0.5), "nearest to 0.5 x 1 µm per pixel has 0.5 x 0.5"),
    ],
)
def test_a_level_far_from_the_mpp_asked_for_is_described(mpp, has, text):
    tiling = Tiling.checked(16, 8, mpp, None, None)
    found = tiling.describe_far_level(has)
    assert found is None if text is None else text in str(found)
    assert Tiling.checked(16, 8, None, 0, None).describe_far_level(has) is None


def test_reading_warns_of_a_far_level_once_for_all_slides_alike(tmp_path):
    paths = [write_slide(tmp_path / f"{name}.tif") for name in "ab"]
    rows = _read_rows(paths, Tiling.checked(16, 8, 0.01, None, None))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        assert sum(row.num_rows for row in rows) == 2
    assert [str(warning.message)[:50] for warning in caught] == [
        "the level nearest to 0.01 x 0.01 µm per pixel has "
    ]


def test_a_level_that_the_slide_lacks_names_the_slide(tmp_path):
    path = write_slide(tmp_path / "slide.tif")
    with pytest.raises(OverlayValueError, match=r"level 3: .* levels 0 to 2 .*slide\.tif"):
        describe(path, level=3)


def test_a_real_slide(shared_data):
    path = str(shared_data / "wsi" / "cmu" / "CMU-1-Small-Region.svs")
    row = describe(path, mpp=0.5, tile_extent=512, stride=512)
    assert (row["extent_x"], row["extent_y"], row["level"]) == (2220, 2967, 0)
    assert (row["mpp_x"], row["mpp_y"], row["downsample"]) == (0.499, 0.499, 1.0)


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
