"""The columns' expressions on one block, in this process: what a worker of Ray runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("ray")
from ray.data.expressions import col
from shapely import box

from overlays import labels, write_overlay
from ratiopath import OverlayValueError
from ratiopath.tiling import (
    read_slide_tiles,
    tile_overlay,
    tile_overlay_overlap,
    tile_overlay_stats,
)

ROI = box(0, 0, 80, 80)
COLUMNS: dict[str, Any] = {
    "overlay_path": col("path"),
    "tile_x": col("x"),
    "tile_y": col("y"),
    "mpp_x": col("mpp"),
    "mpp_y": col("mpp"),
}


def block(*paths, x=0, y=0, mpp=1.0):
    return pa.Table.from_pylist([{"path": p and str(p), "x": x, "y": y, "mpp": mpp} for p in paths])


@pytest.fixture
def heatmap(tmp_path):
    pixels = np.arange(96 * 96, dtype=np.uint16).reshape(96, 96)
    return write_overlay(tmp_path / "heat.tiff", [pixels], 1.0)


def test_a_row_of_very_many_values_is_a_heatmap_and_named(heatmap):
    expression = tile_overlay_overlap(ROI, **COLUMNS)
    with pytest.raises(
        OverlayValueError, match=r"6400 distinct values .* bins=.*heat\.tiff.*row=0"
    ):
        expression(block(heatmap))
    binned = tile_overlay_overlap(ROI, **COLUMNS, bins=(0, 96 * 40, 96 * 96))
    assert expression_rows(binned, block(heatmap)) == [{"[0,3840)": 0.5, "[3840,9216]": 0.5}]


def expression_rows(expression, table) -> list[Any]:
    return expression(table).to_pylist()


def test_rows_that_have_very_many_values_together_warn(heatmap):
    table = pa.concat_tables([block(heatmap, y=y) for y in (0, 48)])
    expression = tile_overlay_overlap(box(0, 0, 64, 48), **COLUMNS)
    with pytest.warns(UserWarning, match="the column has 6144 keys: classes= or bins="):
        found = expression(table)
    assert len(found.type) == 6144
    assert [sum(share > 0 for share in row.values()) for row in found.to_pylist()] == [3072] * 2


def test_statistics_without_a_pixel_are_null(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [np.full((8, 8), 3, np.uint8)], 1.0)
    expression = tile_overlay_stats(box(0, 0, 4, 4), **COLUMNS, stats=("count", "mean"))
    assert expression_rows(expression, block(path)) == [{"count": 16.0, "mean": 3.0}]
    assert expression_rows(expression, block(path, x=99)) == [{"count": 0.0, "mean": None}]


def test_patches_of_different_dtypes_in_one_column_are_refused(tmp_path):
    paths = [
        write_overlay(tmp_path / f"{dtype}.tiff", [labels().astype(dtype)], 1.0)
        for dtype in ("u1", "u2")
    ]
    # Of different shapes too, for patches of one shape are widened to one dtype.
    table = pa.concat_tables([block(paths[0]), block(paths[1], mpp=0.5)])
    with pytest.raises(OverlayValueError, match=r"uint8 and uint16 in one column: pass dtype="):
        tile_overlay(box(0, 0, 4, 4), **COLUMNS)(table)
    found = tile_overlay(box(0, 0, 4, 4), **COLUMNS, dtype="u2")(table)
    assert [patch.shape for patch in found.to_numpy(zero_copy_only=False)] == [
        (2, 4, 4, 1),
        (2, 2, 2, 1),
    ]


@pytest.mark.parametrize("background", [255, 7])
def test_a_slide_s_tile_is_its_pixels_and_the_background_beyond(tmp_path, background):
    path = write_overlay(tmp_path / "slide.tiff", [labels()], 1.0)
    expression = read_slide_tiles(col("path"), col("x"), col("y"), 16, 16, 0, background=background)
    height, width = labels().shape
    (tile,) = expression(block(path, x=width - 5, y=height - 3)).to_numpy(zero_copy_only=False)
    expected = np.full((16, 16), background, np.uint8)
    expected[:3, :5] = labels()[-3:, -5:]
    np.testing.assert_array_equal(np.asarray(tile)[:, :, 0], expected)


def test_a_slide_without_a_path_is_named_by_its_row(tmp_path):
    path = write_overlay(tmp_path / "slide.tiff", [labels()], 1.0)
    expression = read_slide_tiles(col("path"), col("x"), col("y"), 16, 16, 0)
    with pytest.raises(OverlayValueError, match=r"path is null.*row=1"):
        expression(block(path, None))


def test_a_block_without_rows_gives_none():
    table = block("nowhere.tiff").slice(1)
    assert len(tile_overlay(ROI, **COLUMNS)(table)) == 0
    assert len(tile_overlay_overlap(ROI, **COLUMNS)(table)) == 0
    assert len(tile_overlay_stats(ROI, **COLUMNS)(table)) == 0
