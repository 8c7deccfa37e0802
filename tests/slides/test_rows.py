"""A slide described in one row: its level, its resolution, its tiles."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

from ratiopath.errors import (
    OverlayResolutionError,
    OverlayValueError,
)
from ratiopath.ray.read_slides import _read_rows
from ratiopath.readers.base import Level, ResolutionMetadata
from ratiopath.slides.rows import Tiling, read_slide_row
from slide_files import write_slide


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
