"""The slide's own pixels, tile by tile, as a Ray column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from overlays import write_overlay
from ratiopath.errors import OverlayValueError

ray = pytest.importorskip("ray")

from ray.data.expressions import col  # noqa: E402 - after the skip

from ratiopath.tiling import read_slide_tiles  # noqa: E402 - after the skip

pytestmark = pytest.mark.usefixtures("ray_session")

COLUMNS = ("path", "tile_x", "tile_y", "tile_extent_x", "tile_extent_y", "level")


def pixels(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 200, (height, width, 3), np.uint8)


def tile_row(path, x, y, extent=16, level=0):
    values = (str(path), x, y, extent, extent, level)
    return dict(zip(COLUMNS, values, strict=True))


def read(rows, method="with_column", **options):
    columns: dict[str, Any] = {name: col(name) for name in COLUMNS}
    expression = read_slide_tiles(**columns, **options)
    dataset = ray.data.from_items(rows, override_num_blocks=1)
    found = getattr(dataset, method)("tile", expression).take_all()
    return [np.asarray(row["tile"]) for row in found]


@pytest.mark.parametrize("method", ["with_column", "add_column"])
def test_tiles_are_slices_of_their_level(tmp_path, method):
    levels = [pixels(40, 50), pixels(20, 25, seed=1)]
    path = write_overlay(tmp_path / "slide.tiff", levels, 0.5)
    rows = [tile_row(path, 0, 0), tile_row(path, 30, 20), tile_row(path, 5, 3, level=1)]
    first, second, third = read(rows, method)
    np.testing.assert_array_equal(first, levels[0][:16, :16])
    np.testing.assert_array_equal(second, levels[0][20:36, 30:46])
    np.testing.assert_array_equal(third, levels[1][3:19, 5:21])


@pytest.mark.parametrize("background", [255, 7])
def test_beyond_the_slide_there_is_background(tmp_path, background):
    slide = pixels(20, 20)
    path = write_overlay(tmp_path / "slide.tiff", [slide], 0.5)
    inner, outer = read([tile_row(path, 12, 8), tile_row(path, 100, 0)], background=background)
    expected = np.full((16, 16, 3), background, np.uint8)
    np.testing.assert_array_equal(outer, expected)
    expected[:12, :8] = slide[8:, 12:]
    np.testing.assert_array_equal(inner, expected)


@pytest.mark.parametrize("background", [-1, 256, 0.5])
def test_a_background_that_the_slide_cannot_hold_is_refused_by_name(tmp_path, background):
    path = write_overlay(tmp_path / "slide.tiff", [pixels(16, 16)], 0.5)
    columns = {name: col(name) for name in COLUMNS}
    expression = read_slide_tiles(**columns, background=background)
    with pytest.raises(OverlayValueError, match=f"background={background} is no value of uint8"):
        expression(pa.Table.from_pylist([tile_row(path, 8, 0)]))


def test_transparent_pixels_are_background(tmp_path):
    slide = np.dstack([pixels(16, 16), np.full((16, 16), 255, np.uint8)])
    slide[:8, :, 3] = 0
    path = write_overlay(tmp_path / "slide.tiff", [slide], 0.5)
    (tile,) = read([tile_row(path, 0, 0)])
    assert (tile[:8] == 255).all()
    np.testing.assert_array_equal(tile[8:], slide[8:, :, :3])


def test_tiles_of_two_extents_are_ragged_and_in_order(tmp_path):
    path = write_overlay(tmp_path / "slide.tiff", [pixels(40, 50)], 0.5)
    rows = [tile_row(path, 0, 0, 8), tile_row(path, 0, 0, 16), tile_row(path, 8, 0, 8)]
    assert [tile.shape for tile in read(rows)] == [(8, 8, 3), (16, 16, 3), (8, 8, 3)]


def test_a_level_that_is_not_there_names_slide_and_row(tmp_path):
    path = write_overlay(tmp_path / "slide.tiff", [pixels(40, 50)], 0.5)
    with pytest.raises(Exception, match=r"level 3: the file has only level 0.*slide.tiff', row=1"):
        read([tile_row(path, 0, 0), tile_row(path, 0, 0, level=3)])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"level": -1}, ValueError), ({"tile_x": "tile_x"}, TypeError), ({"path": 5}, TypeError)],
)
def test_a_wrong_argument_fails_when_the_expression_is_built(arguments, error):
    columns: dict[str, Any] = {name: col(name) for name in COLUMNS}
    columns |= arguments
    with pytest.raises(error):
        read_slide_tiles(**columns)


def test_a_real_slide_reads_as_openslide_reads_it(shared_data):
    openslide = pytest.importorskip("openslide")
    path = shared_data / "wsi" / "cmu" / "CMU-1-Small-Region.svs"
    with openslide.OpenSlide(path) as slide:
        region = np.asarray(slide.read_region((500, 700), 0, (64, 64)))[:, :, :3]
    (tile,) = read([tile_row(path, 500, 700, 64)])
    np.testing.assert_array_equal(tile, region)
