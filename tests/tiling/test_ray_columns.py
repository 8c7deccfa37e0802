"""What Ray does to the columns afterwards leaves every row its own answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from shapely import box

import ratiopath
from overlays import write_overlay

ray = pytest.importorskip("ray")

from ray.data.expressions import col  # noqa: E402 - after the skip

from ratiopath.tiling import tile_overlay, tile_overlay_overlap  # noqa: E402 - after the skip
from ray_since import planned_schemas, string_expressions  # noqa: E402 - after the skip

pytestmark = pytest.mark.usefixtures("ray_session")

ROI = box(2, 2, 14, 14)
CLASSES = {0: "glass", 7: "pen", 255: "tissue"}
TYPE = pa.struct([(name, pa.float64()) for name in CLASSES.values()])
COLUMNS: dict[str, Any] = {
    "overlay_path": col("mask"),
    "tile_x": col("tile_x"),
    "tile_y": col("tile_y"),
    "mpp_x": 0.5,
    "mpp_y": 0.5,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The tiles of two overlays of 64 x 64 labels at 1 µm per pixel, which differ everywhere."""
    folder = tmp_path_factory.mktemp("columns")
    rows = []
    for index, labels in enumerate([(0, 255, 7), (7, 0, 255)]):
        pixels = np.full((64, 64), labels[0], np.uint8)
        pixels[:, 30:] = labels[1]
        pixels[45:] = labels[2]
        path = str(write_overlay(folder / f"mask_{index}.tiff", [pixels], 1.0))
        grid = [(x, y) for y in range(0, 128, 16) for x in range(0, 128, 16)]
        rows += [{"mask": path, "slide": index, "tile_x": x, "tile_y": y} for x, y in grid]
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="module")
def expected(table):
    """Fractions by class, and (data, mask) of every tile, from the direct calls."""
    paths, xs, ys = (table[name].to_numpy() for name in ("mask", "tile_x", "tile_y"))
    found = ratiopath.overlay_overlap(ROI, paths, xs, ys, 0.5, 0.5, classes=CLASSES)
    patches = ratiopath.read_overlay(ROI, paths, xs, ys, 0.5, 0.5)
    keys = zip(table["slide"].to_pylist(), xs.tolist(), ys.tolist(), strict=True)
    empty: dict[Any, float] = dict.fromkeys(CLASSES.values(), 0.0)
    return {
        key: ({**empty, **fractions}, data, mask)
        for key, fractions, data, mask in zip(keys, found, patches.data, patches.mask, strict=True)
    }


def attached(table, source="arrow"):
    """Both columns on blocks of eight tiles."""
    dataset = ray.data.from_pandas(table.to_pandas()) if source == "pandas" else arrow(table)
    return dataset.with_column(
        "overlap", tile_overlay_overlap(ROI, **COLUMNS, classes=CLASSES)
    ).with_column("patch", tile_overlay(ROI, **COLUMNS))


def arrow(table):
    return ray.data.from_arrow([table.slice(start, 8) for start in range(0, table.num_rows, 8)])


def check(rows, expected, count=None):
    """Every row holds its own tile's answer, and no row is lost or doubled."""
    keys = {(row["slide"], row["tile_x"], row["tile_y"]) for row in rows}
    assert len(keys) == len(rows) == (len(expected) if count is None else count)
    for row in rows:
        fractions, data, mask = expected[row["slide"], row["tile_x"], row["tile_y"]]
        assert row["overlap"] == fractions
        patch = np.asarray(row["patch"])
        np.testing.assert_array_equal(patch[0], data)
        np.testing.assert_array_equal(patch[1, :, :, 0], mask)


STEPS = {
    "nothing": lambda dataset: dataset,
    "repartition": lambda dataset: dataset.repartition(3),
    "repartition with a shuffle": lambda dataset: dataset.repartition(3, shuffle=True),
    "blocks of 5 rows": lambda dataset: dataset.repartition(target_num_rows_per_block=5),
    "sort": lambda dataset: dataset.sort(["tile_x", "slide"], descending=[True, False]),
    "random_shuffle": lambda dataset: dataset.random_shuffle(seed=1),
    "randomize_block_order": lambda dataset: dataset.randomize_block_order(seed=1),
    "materialize": lambda dataset: dataset.materialize(),
    "groupby": lambda dataset: dataset.groupby("slide").map_groups(lambda group: group),
    "pandas batches": lambda dataset: dataset.map_batches(lambda x: x, batch_format="pandas"),
    "Arrow batches": lambda dataset: dataset.map_batches(lambda x: x, batch_format="pyarrow"),
    "rows": lambda dataset: dataset.map(lambda row: row),
}


@pytest.mark.parametrize("source", ["arrow", "pandas"])
@pytest.mark.parametrize("step", STEPS)
def test_every_row_keeps_its_answer_through(table, expected, source, step):
    check(STEPS[step](attached(table, source)).take_all(), expected)


def test_a_union_of_columns_made_apart_is_the_column_made_at_once(table, expected):
    halves = [table.slice(0, 64), table.slice(64)]
    first, second = (
        attached(half, source) for half, source in zip(halves, ("arrow", "pandas"), strict=True)
    )
    check(first.union(second).take_all(), expected)


def test_numpy_batches_stack_the_patches(table, expected):
    batches = list(attached(table).iter_batches(batch_size=32, batch_format="numpy"))
    assert [batch["patch"].shape for batch in batches] == [(32, 2, 6, 6, 1)] * 4
    rows = [
        dict(zip(batch, values, strict=True))
        for batch in batches
        for values in zip(*batch.values(), strict=True)
    ]
    check(rows, expected)


@pytest.mark.parametrize("batch_format", ["pandas", "pyarrow"])
def test_batches_of_tables_hold_the_same_rows(table, expected, batch_format):
    rows = []
    for batch in attached(table).iter_batches(batch_size=32, batch_format=batch_format):
        if batch_format == "pandas":
            rows += batch.to_dict("records")
            continue
        patches = batch["patch"].combine_chunks()
        patches = patches.chunk(0) if isinstance(patches, pa.ChunkedArray) else patches
        stacked = patches.to_numpy()
        others = batch.drop_columns(["patch"]).to_pylist()
        rows += [{**row, "patch": patch} for row, patch in zip(others, stacked, strict=True)]
    check(rows, expected)


def test_torch_batches_hold_the_patches(table, expected):
    torch = pytest.importorskip("torch")
    dataset = attached(table).select_columns(["slide", "tile_x", "tile_y", "patch"])
    for batch in dataset.iter_torch_batches(batch_size=32):
        assert batch["patch"].dtype == torch.uint8
        keys = zip(*(batch[name].tolist() for name in ("slide", "tile_x", "tile_y")), strict=True)
        for key, patch in zip(keys, batch["patch"].numpy(), strict=True):
            np.testing.assert_array_equal(patch[0], expected[key][1])


@pytest.mark.parametrize("source", ["arrow", "pandas"])
def test_parquet_and_back(table, expected, source, tmp_path):
    attached(table, source).write_parquet(str(tmp_path))
    check(ray.data.read_parquet(str(tmp_path)).take_all(), expected)


def test_parquet_of_declared_classes_is_read_by_pandas_and_arrow(table, expected, tmp_path):
    import pandas as pd  # noqa: PLC0415 - this test's reader

    attached(table).drop_columns(["patch"]).write_parquet(str(tmp_path))
    keys = ["slide", "tile_x", "tile_y"]
    for row in pd.read_parquet(tmp_path).to_dict("records"):
        assert row["overlap"] == expected[tuple(row[key] for key in keys)][0]


@pytest.mark.filterwarnings("ignore:Use 'expr' instead of 'fn'")
def test_rows_filtered_before_and_after_keep_their_answers(table, expected):
    dataset = attached(table)
    check(dataset.filter(expr=col("tile_x") >= 64).take_all(), expected, count=64)
    tissue = [key for key, (fractions, *_) in expected.items() if fractions["tissue"] >= 0.5]
    by_row = dataset.filter(lambda row: row["overlap"]["tissue"] >= 0.5)
    check(by_row.take_all(), expected, count=len(tissue))


@string_expressions
def test_rows_are_filtered_by_an_expression_of_a_declared_class(table, expected):
    dataset = attached(table).filter(expr=col("overlap").struct["tissue"] >= 0.5)
    tissue = [key for key, (fractions, *_) in expected.items() if fractions["tissue"] >= 0.5]
    check(dataset.take_all(), expected, count=len(tissue))


@planned_schemas
def test_the_schema_is_the_declared_one_before_and_after(table):
    dataset = arrow(table).with_column(
        "overlap", tile_overlay_overlap(ROI, **COLUMNS, classes=CLASSES)
    )
    for stage in (dataset, dataset.repartition(2), dataset.materialize(), dataset.limit(0)):
        schema = stage.schema()
        assert dict(zip(schema.names, schema.types, strict=True))["overlap"] == TYPE


@planned_schemas
def test_planning_opens_no_overlay(table):
    rows = table.set_column(0, "mask", pa.array(["nowhere.tiff"] * table.num_rows))
    dataset = arrow(rows).with_column(
        "overlap", tile_overlay_overlap(ROI, **COLUMNS, classes=CLASSES)
    )
    assert dataset.columns() == ["mask", "slide", "tile_x", "tile_y", "overlap"]
    assert dataset.count() == 128
    assert dataset.select_columns(["slide"]).take(1) == [{"slide": 0}]
    assert "overlap" in repr(dataset.schema())


def test_ragged_patches_of_different_blocks_merge(table):
    columns: dict[str, Any] = COLUMNS | {"mpp_x": col("slide") * 0.5 + 0.5}
    dataset = arrow(table).with_column("patch", tile_overlay(ROI, **columns))
    for row in dataset.repartition(1).sort("tile_x").take_all():
        assert np.asarray(row["patch"]).shape == (2, 6, 12 if row["slide"] else 6, 1)
