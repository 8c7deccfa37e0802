"""Annotations as Ray expressions: the NumPy function's answers, in columns that last."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from shapely import box

import ratiopath
from annotation_files import drawn_annotations, write_qupath

ray = pytest.importorskip("ray")

from ray.data.expressions import col  # noqa: E402 - after the skip

from ratiopath.tiling import tile_annotation_overlap  # noqa: E402 - after the skip

pytestmark = pytest.mark.usefixtures("ray_session")

ROI = box(8, 8, 56, 56)
COLUMNS: dict[str, Any] = {
    "annotations_path": col("annotations"),
    "tile_x": col("x"),
    "tile_y": col("y"),
    "mpp_x": col("mpp"),
    "mpp_y": col("mpp"),
    "annotations_mpp_x": 0.25,
    "annotations_mpp_y": 0.25,
}
CLASSES = ("Tumor", "Stroma", "other")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotations")
    return write_qupath(folder / "slide.geojson", drawn_annotations(5, 40, 1000))


@pytest.fixture(scope="module")
def rows(path):
    grid = [(x, y) for y in range(0, 600, 64) for x in range(0, 600, 64)]
    return [{"x": x, "y": y, "mpp": 0.5, "annotations": path} for x, y in grid]


def direct(rows, path, **options):
    xs, ys = [row["x"] for row in rows], [row["y"] for row in rows]
    found = ratiopath.annotation_overlap(ROI, path, xs, ys, downsample=2, **options)
    return dict(zip(zip(xs, ys, strict=True), found, strict=True))


@pytest.mark.parametrize("method", ["with_column", "add_column"])
def test_a_column_holds_what_the_function_returns(rows, path, method):
    expected = direct(rows, path)
    keys = sorted({key for row in expected.values() for key in row})
    tiles = ray.data.from_items(rows, override_num_blocks=3)
    got = getattr(tiles, method)("overlap", tile_annotation_overlap(ROI, **COLUMNS)).take_all()
    assert len(got) == len(rows)
    for row in got:
        place = expected[row["x"], row["y"]]
        assert row["overlap"] == {key: place.get(key, 0.0) for key in keys}


def test_declared_classes_fix_the_schema_and_survive_parquet(rows, path, tmp_path):
    options: dict[str, Any] = {"classes": CLASSES, "exclusive": True, "uncovered": "glass"}
    overlap = tile_annotation_overlap(ROI, **COLUMNS, **options)
    tiles = ray.data.from_items(rows, override_num_blocks=3).with_column("overlap", overlap)
    kind = pa.struct([(key, pa.float64()) for key in (*CLASSES, "glass")])
    assert tiles.schema().base_schema.field("overlap").type == kind
    tiles.write_parquet(str(tmp_path / "tiles"))
    expected = direct(rows, path, **options)
    for row in ray.data.read_parquet(str(tmp_path / "tiles")).take_all():
        assert sum(row["overlap"].values()) == pytest.approx(1, abs=1e-9)
        place = expected[row["x"], row["y"]]
        assert {key: value for key, value in row["overlap"].items() if value} == place


def test_blocks_of_one_file_have_its_classes_even_where_no_tile_meets_them(path):
    far = [{"x": 10**6, "y": 0, "mpp": 0.5, "annotations": path}]
    tiles = ray.data.from_items(far).with_column("overlap", tile_annotation_overlap(ROI, **COLUMNS))
    (row,) = tiles.take_all()
    assert row["overlap"] == {"Immune cells": 0, "Necrosis": 0, "Stroma": 0, "Tumor": 0}


def test_a_block_without_a_class_can_still_be_written(tmp_path):
    missing = [{"x": 0, "y": 0, "mpp": 0.5, "annotations": None}]
    overlap = tile_annotation_overlap(ROI, **COLUMNS, on_missing="empty", absent=None)
    tiles = ray.data.from_items(missing).with_column("overlap", overlap)
    tiles.write_parquet(str(tmp_path / "tiles"))
    (row,) = ray.data.read_parquet(str(tmp_path / "tiles")).take_all()
    assert row["overlap"] == {"unclassified": None}


def test_wrong_arguments_fail_when_the_expression_is_built():
    with pytest.raises(ValueError, match="pass either downsample"):
        tile_annotation_overlap(ROI, col("annotations"), col("x"), col("y"))
    wrong: dict[str, Any] = {"absent": "nothing"}
    with pytest.raises(ValueError, match="absent must be"):
        tile_annotation_overlap(ROI, col("annotations"), col("x"), col("y"), downsample=1, **wrong)


def test_a_bad_file_names_itself_and_the_row(tmp_path):
    bad = tmp_path / "bad.geojson"
    bad.write_text("[")
    rows = [{"x": 0, "y": 0, "mpp": 0.5, "annotations": str(bad)}]
    tiles = ray.data.from_items(rows).with_column(
        "overlap", tile_annotation_overlap(ROI, **COLUMNS)
    )
    with pytest.raises(ray.exceptions.RayTaskError, match=r"no JSON.*bad\.geojson.*row=0"):
        tiles.take_all()
