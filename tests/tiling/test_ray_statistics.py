"""Statistics of heatmaps as Ray expressions: one schema, and the NumPy function's numbers."""

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

from ratiopath.tiling import tile_overlay_stats  # noqa: E402 - after the skip
from ray_since import planned_schemas  # noqa: E402 - after the skip

pytestmark = pytest.mark.usefixtures("ray_session")

ROI = box(2, 2, 14, 14)
STATS = ("mean", "q90", "count")
COLUMNS: dict[str, Any] = {
    "overlay_path": col("heat"),
    "tile_x": col("x"),
    "tile_y": col("y"),
    "mpp_x": col("mpp"),
    "mpp_y": col("mpp"),
}


@pytest.fixture(scope="module")
def heat(tmp_path_factory):
    pixels = np.random.default_rng(3).random((64, 64), np.float32)
    return write_overlay(tmp_path_factory.mktemp("stats") / "heat.tiff", [pixels], 1.0)


@pytest.fixture(scope="module")
def rows(heat):
    grid = [(x, y) for y in range(0, 160, 16) for x in range(0, 160, 16)]
    return [{"x": x, "y": y, "mpp": 0.5, "heat": str(heat)} for x, y in grid]


@pytest.mark.parametrize("method", ["with_column", "add_column"])
def test_a_column_holds_the_function_s_numbers_and_nulls_where_there_is_none(rows, heat, method):
    tiles = ray.data.from_items(rows, override_num_blocks=3)
    expression = tile_overlay_stats(ROI, **COLUMNS, stats=STATS, coverage="exact")
    got = getattr(tiles, method)("stats", expression).take_all()
    got.sort(key=lambda row: (row["y"], row["x"]))
    xs, ys = [row["x"] for row in rows], [row["y"] for row in rows]
    direct = ratiopath.overlay_stats(ROI, heat, xs, ys, 0.5, 0.5, stats=STATS, coverage="exact")
    for index, row in enumerate(got):
        expected = {name: column[index].item() for name, column in direct.items()}
        nulls = {name: None if np.isnan(value) else value for name, value in expected.items()}
        assert row["stats"] == nulls
    assert got[-1]["stats"] == {"mean": None, "q90": None, "count": 0.0}


@planned_schemas
def test_the_schema_is_known_before_an_overlay_is_read(tmp_path):
    rows = [{"x": 0, "y": 0, "mpp": 0.5, "heat": str(tmp_path / "not there yet.tiff")}]
    tiles = ray.data.from_items(rows).with_column(
        "stats", tile_overlay_stats(ROI, **COLUMNS, stats=STATS)
    )
    kind = pa.struct([(name, pa.float64()) for name in STATS])
    assert tiles.schema().base_schema.field("stats").type == kind


def test_wrong_arguments_fail_when_the_expression_is_built():
    with pytest.raises(ValueError, match="no statistic"):
        tile_overlay_stats(ROI, **COLUMNS, stats="average")
    with pytest.raises(ValueError, match="without a roi"):
        tile_overlay_stats(None, **COLUMNS)
    array: dict[str, Any] = COLUMNS | {"overlay_path": np.zeros((2, 2))}
    with pytest.raises(TypeError, match="overlay_path must be a column or a path"):
        tile_overlay_stats(ROI, **array)
