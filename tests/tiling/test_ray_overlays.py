"""Overlays as Ray expressions: the same answers as the NumPy functions, in columns that last."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tifffile
from shapely import box

import ratiopath
from overlays import write_overlay
from ratiopath.errors import OverlayFormatError, OverlayValueError

ray = pytest.importorskip("ray")

from ray.data.expressions import col, lit  # noqa: E402 - after the skip

from ratiopath.tiling import tile_overlay, tile_overlay_overlap  # noqa: E402 - after the skip
from ray_since import planned_schemas, string_expressions  # noqa: E402 - after the skip

pytestmark = pytest.mark.usefixtures("ray_session")

ROI = box(2, 2, 14, 14)
COLUMNS: dict[str, Any] = {
    "overlay_path": col("mask"),
    "tile_x": col("tile_x"),
    "tile_y": col("tile_y"),
    "mpp_x": col("mpp_x"),
    "mpp_y": col("mpp_y"),
}


@pytest.fixture(scope="module")
def mask(tmp_path_factory):
    """64 x 64 labels at 1 µm per pixel: 0 left, 255 right, 7 in the bottom quarter."""
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:, 32:] = 255
    pixels[48:] = 7
    return write_overlay(tmp_path_factory.mktemp("ray") / "mask.tiff", [pixels], 1.0)


def rows_of(mask, step=16, mpp=0.5) -> list[dict[str, Any]]:
    grid = [(x, y) for y in range(0, 128, step) for x in range(0, 128, step)]
    return [
        {"tile_x": x, "tile_y": y, "mpp_x": mpp, "mpp_y": mpp, "mask": str(mask)} for x, y in grid
    ]


def by_tile(rows):
    return {(row["tile_x"], row["tile_y"]): row for row in rows}


def direct(mask, rows, roi=ROI, **options):
    xs, ys = [row["tile_x"] for row in rows], [row["tile_y"] for row in rows]
    return ratiopath.overlay_overlap(
        roi, mask, xs, ys, rows[0]["mpp_x"], rows[0]["mpp_y"], **options
    )


def without_zeros(struct):
    return {int(key): fraction for key, fraction in struct.items() if fraction}


def sources(rows):
    frame = pa.Table.from_pylist(rows).to_pandas()
    return {"items": ray.data.from_items(rows), "pandas": ray.data.from_pandas(frame)}


@pytest.mark.parametrize("source", ["items", "pandas"])
@pytest.mark.parametrize("method", ["with_column", "add_column"])
def test_fractions_are_those_of_the_direct_call(mask, source, method):
    rows = rows_of(mask)
    dataset = getattr(sources(rows)[source], method)(
        "overlap", tile_overlay_overlap(ROI, **COLUMNS)
    )
    found = by_tile(dataset.take_all())
    for row, expected in zip(rows, direct(mask, rows), strict=True):
        assert without_zeros(found[row["tile_x"], row["tile_y"]]["overlap"]) == expected


@pytest.mark.parametrize("batch_format", ["pandas", "pyarrow", "numpy"])
def test_add_column_takes_every_batch_format(mask, batch_format):
    rows = rows_of(mask)
    dataset = ray.data.from_items(rows).add_column(
        "patch", tile_overlay(ROI, **COLUMNS), batch_format=batch_format
    )
    found = by_tile(dataset.take_all())
    assert {np.asarray(row["patch"]).shape for row in found.values()} == {(2, 6, 6, 1)}


@pytest.mark.parametrize("source", ["items", "pandas"])
@pytest.mark.parametrize("method", ["with_column", "add_column"])
def test_patches_hold_the_data_and_then_the_mask(mask, source, method):
    rows = rows_of(mask)
    dataset = getattr(sources(rows)[source], method)("patch", tile_overlay(ROI, **COLUMNS))
    found = by_tile(dataset.take_all())
    xs, ys = [row["tile_x"] for row in rows], [row["tile_y"] for row in rows]
    expected = ratiopath.read_overlay(ROI, mask, xs, ys, 0.5, 0.5)
    for row, data, outside in zip(rows, expected.data, expected.mask, strict=True):
        patch = found[row["tile_x"], row["tile_y"]]["patch"]
        assert patch.dtype == np.uint8
        np.testing.assert_array_equal(patch[0], data)
        np.testing.assert_array_equal(patch[1, :, :, 0], outside)


def test_the_level_may_be_a_column(tmp_path):
    """Levels that differ show which one was read."""
    levels = [np.full((64, 64), 1, np.uint8), np.full((32, 32), 2, np.uint8)]
    path = write_overlay(tmp_path / "levels.tiff", levels, 0.5)
    rows = [{**row, "level": row["tile_x"] // 16 % 2} for row in rows_of(path, step=16)[:2]]
    expression = tile_overlay_overlap(ROI, **COLUMNS, level=col("level"))
    found = by_tile(ray.data.from_items(rows).with_column("overlap", expression).take_all())
    overlaps = [without_zeros(found[row["tile_x"], 0]["overlap"]) for row in rows]
    assert overlaps == [{1: 1.0}, {2: 1.0}]


@string_expressions
def test_a_column_of_computed_paths_and_literals_works(mask):
    rows = [{**row, "mask": str(mask).replace(".tiff", ".svs")} for row in rows_of(mask)]
    expression = tile_overlay_overlap(
        ROI, col("mask").str.replace(".svs", ".tiff"), col("tile_x"), col("tile_y"), 0.5, 0.5
    )
    dataset = ray.data.from_items(rows)
    added = (
        dataset.add_column("o", expression, batch_format=batch_format)
        for batch_format in ("pandas", "pyarrow", "numpy")
    )
    for built in (dataset.with_column("o", expression), *added):
        found = by_tile(built.take_all())
        for row, expected in zip(rows, direct(mask, rows), strict=True):
            assert without_zeros(found[row["tile_x"], row["tile_y"]]["o"]) == expected


def test_a_key_that_does_not_occur_is_zero_so_that_the_tutorial_s_threshold_works(mask):
    dataset = ray.data.from_items(rows_of(mask)).with_column(
        "overlap", tile_overlay_overlap(ROI, **COLUMNS)
    )
    covered = dataset.map(lambda row: {**row, "coverage": row["overlap"].get("255", 0.0)})
    kept = [row for row in covered.take_all() if row["coverage"] >= 0.5]
    assert len(kept) == 4 * 6


def test_absent_none_gives_nulls(mask):
    rows = rows_of(mask)[:1]
    column = tile_overlay_overlap(ROI, **COLUMNS, classes=(0, 7, 255), absent=None)
    (row,) = ray.data.from_items(rows).with_column("o", column).take_all()
    assert row["o"] == {"0": 1.0, "7": None, "255": None}


@planned_schemas
def test_declared_classes_fix_the_schema_without_opening_an_overlay():
    rows = rows_of("nowhere.tiff")
    column = tile_overlay_overlap(ROI, **COLUMNS, classes={0: "background", 255: "tissue"})
    schema = ray.data.from_items(rows).with_column("o", column).schema()
    fields = dict(zip(schema.names, schema.types, strict=True))
    assert fields["o"] == pa.struct([("background", pa.float64()), ("tissue", pa.float64())])


def test_declared_classes_survive_merges_and_parquet(mask, tmp_path):
    rows = rows_of(mask)
    classes = {0: "background", 255: "tissue", "other": "rest"}
    column = tile_overlay_overlap(ROI, **COLUMNS, classes=classes)
    dataset = ray.data.from_items(rows, override_num_blocks=8).with_column("o", column)
    dataset.repartition(3).write_parquet(str(tmp_path / "tiles"))
    found = by_tile(ray.data.read_parquet(str(tmp_path / "tiles")).take_all())
    for row, expected in zip(rows, direct(mask, rows, classes=classes), strict=True):
        whole = {"background": 0.0, "tissue": 0.0, "rest": 0.0, **expected}
        assert found[row["tile_x"], row["tile_y"]]["o"] == whole


def test_blocks_of_different_keys_merge_and_sort(mask):
    rows = rows_of(mask)
    column = tile_overlay_overlap(ROI, **COLUMNS)
    dataset = ray.data.from_items(rows, override_num_blocks=8).with_column("o", column)
    merged = dataset.repartition(1).sort(["tile_y", "tile_x"]).take_all()
    for row, expected in zip(merged, direct(mask, rows), strict=True):
        assert without_zeros(row["o"]) == expected


def test_a_block_without_any_pixel_can_be_written(mask, tmp_path):
    rows = [{**row, "tile_x": row["tile_x"] + 10_000} for row in rows_of(mask)]
    dataset = ray.data.from_items(rows).with_column("o", tile_overlay_overlap(ROI, **COLUMNS))
    dataset.write_parquet(str(tmp_path / "outside"))
    found = ray.data.read_parquet(str(tmp_path / "outside")).take_all()
    assert [row["o"] for row in found] == [{"0": 0.0}] * len(rows)


def test_a_filter_pushed_below_the_columns_leaves_empty_blocks_whole(mask):
    dataset = (
        ray.data.from_items(rows_of(mask))
        .with_column("o", tile_overlay_overlap(ROI, **COLUMNS))
        .with_column("p", tile_overlay(ROI, **COLUMNS))
    )
    assert dataset.filter(expr=col("tile_x") >= 10**6).take_all() == []
    assert dataset.filter(expr=col("tile_x") >= 112).count() == 8


def test_tiles_of_two_resolutions_give_ragged_patches_in_order(mask):
    rows = [*rows_of(mask, step=64), *rows_of(mask, step=64, mpp=1.0)]
    dataset = ray.data.from_items(rows, override_num_blocks=1)
    found = dataset.with_column("p", tile_overlay(ROI, **COLUMNS)).take_all()
    shapes = {(row["mpp_x"], np.asarray(row["p"]).shape) for row in found}
    assert shapes == {(0.5, (2, 6, 6, 1)), (1.0, (2, 12, 12, 1))}


def test_overlays_of_two_dtypes_need_one_dtype(mask, tmp_path):
    wide = write_overlay(tmp_path / "wide.tiff", [np.full((64, 64), 9, np.uint16)], 1.0)
    rows = [rows_of(mask)[0], rows_of(wide)[0]]
    dataset = ray.data.from_items(rows, override_num_blocks=1)
    with pytest.raises(Exception, match=r"uint8 and uint16 in one column: pass dtype="):
        dataset.with_column("p", tile_overlay(ROI, **COLUMNS)).take_all()
    found = dataset.with_column("p", tile_overlay(ROI, **COLUMNS, dtype="uint16")).take_all()
    assert [row["p"][0].max() for row in found] == [0, 9]


def test_what_a_worker_raises_names_the_file_and_the_row(mask):
    rows = rows_of(mask)[:3]
    rows[2]["mask"] = "/nowhere/mask.tiff"
    dataset = ray.data.from_items(rows, override_num_blocks=1)
    built = dataset.with_column("o", tile_overlay_overlap(ROI, **COLUMNS))
    with pytest.raises(Exception, match=r"path='/nowhere/mask.tiff', row=2"):
        built.take_all()


def test_a_corrupt_segment_comes_out_as_itself_where_ray_raises_the_original(tmp_path, monkeypatch):
    """What imagecodecs raises cannot be unpickled, and Ray then hides all of it."""
    pixels = np.random.default_rng(0).integers(0, 9, (64, 64), np.uint8)
    path = write_overlay(tmp_path / "corrupt.tiff", [pixels], 1.0, compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[0].dataoffsets[0]
    with path.open("r+b") as file:
        file.seek(start + 2)
        file.write(b"\xff" * 10)
    context = ray.data.DataContext.get_current()
    monkeypatch.setattr(context, "raise_original_map_exception", True)
    dataset = ray.data.from_items(rows_of(path, step=64), override_num_blocks=1)
    with pytest.raises(OverlayFormatError, match="segment") as caught:
        dataset.with_column("o", tile_overlay_overlap(ROI, **COLUMNS)).take_all()
    assert (caught.value.path, caught.value.row) == (str(path), 0)
    # Ray raises a class that it makes of ours and its own, which has the cause.
    raised: Any = caught.value
    assert "BAD_DATA" in str(raised.cause.__cause__)


def test_a_missing_overlay_may_count_as_empty(mask):
    rows = rows_of(mask)[:2]
    rows[1]["mask"] = "/nowhere/mask.tiff"
    dataset = ray.data.from_items(rows, override_num_blocks=1)
    column = tile_overlay_overlap(ROI, **COLUMNS, on_missing="empty", classes=(0, 255))
    found = by_tile(dataset.with_column("o", column).take_all())
    assert found[0, 0]["o"] == {"0": 1.0, "255": 0.0}
    assert found[16, 0]["o"] == {"0": 0.0, "255": 0.0}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"roi": box(0, 0, 0, 0)}, ValueError),
        ({"roi": None}, ValueError),
        ({"roi": "box"}, TypeError),
        ({"coverage": "centre"}, ValueError),
        ({"classes": (0, 1), "bins": (0, 1)}, ValueError),
        ({"classes": (0, 1), "nodata": 0}, ValueError),
        ({"outside": "fill"}, ValueError),
        ({"on_missing": "skip"}, ValueError),
        ({"unknown": 1}, TypeError),
        ({"storage_options": "anon"}, TypeError),
        ({"tile_x": None}, ValueError),
        ({"mpp_y": None}, ValueError),
        ({"level": -1}, OverlayValueError),
        ({"level": 0.5}, OverlayValueError),
        ({"level": math.nan}, OverlayValueError),
        ({"level": "0"}, TypeError),
        ({"tile_x": "tile_x"}, TypeError),
        ({"tile_y": [0, 16]}, TypeError),
        ({"mpp_x": lit("0.5")}, TypeError),
        ({"overlay_mpp_x": 1j, "overlay_mpp_y": 1}, TypeError),
        ({"overlay_path": 5}, TypeError),
        ({"overlay_path": ["a.tiff", "b.tiff"]}, TypeError),
    ],
)
def test_a_wrong_argument_fails_when_the_expression_is_built(arguments, error):
    all_of_them: dict[str, Any] = {"roi": ROI, **COLUMNS, **arguments}
    with pytest.raises(error):
        tile_overlay_overlap(**all_of_them)


def test_one_value_may_stand_for_all_rows(mask):
    rows = rows_of(mask)
    numbers: list[Any] = [np.float32(0.5), pa.scalar(0.5)]
    level: Any = np.int64(0)
    expression = tile_overlay_overlap(ROI, mask, col("tile_x"), lit(0), *numbers, level=level)
    table = pa.Table.from_pylist(rows)
    found = [without_zeros(struct) for struct in expression(table).to_pylist()]
    assert found == direct(mask, [{**row, "tile_y": 0} for row in rows])


def test_null_for_all_rows_is_an_error_that_names_the_first(mask):
    columns: dict[str, Any] = COLUMNS | {"tile_x": lit(None)}
    expression = tile_overlay_overlap(ROI, **columns)
    with pytest.raises(OverlayValueError, match=r"tile_x must be .* not null.*row=0"):
        expression(pa.Table.from_pylist(rows_of(mask)))


def test_an_expression_of_literals_has_no_rows_to_answer():
    with pytest.raises(ValueError, match="at least one argument must be a column"):
        tile_overlay_overlap(ROI, "mask.tiff", 0, 0, 1.0, 1.0)


def test_a_missing_argument_fails_when_the_expression_is_built():
    arguments: dict[str, Any] = {"roi": ROI}
    with pytest.raises(TypeError, match="overlay_path"):
        tile_overlay(**arguments)


def test_a_heatmap_without_bins_is_refused_as_labels(tmp_path):
    heat = np.random.default_rng(0).random((80, 80), np.float32)
    path = write_overlay(tmp_path / "heat.tiff", [heat], 1.0, compression="zlib")
    rows = [{"tile_x": 0, "tile_y": 0, "mpp_x": 1.0, "mpp_y": 1.0, "mask": str(path)}]
    dataset = ray.data.from_items(rows)
    with pytest.raises(Exception, match=r"6398 distinct values in one tile are a heatmap"):
        dataset.with_column("o", tile_overlay_overlap(box(0, 0, 80, 80), **COLUMNS)).take_all()
    binned = tile_overlay_overlap(box(0, 0, 80, 80), **COLUMNS, bins=(0, 0.25, 1))
    (row,) = dataset.with_column("o", binned).take_all()
    assert row["o"] == {"[0,0.25)": (heat < 0.25).mean(), "[0.25,1]": (heat >= 0.25).mean()}
