"""A real slide and a real tissue mask of it, at a scale that is no simple ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from shapely import box

from overlays import write_overlay
from ratiopath import overlay_overlap, read_overlay

SLIDE_WIDTH, SLIDE_HEIGHT = 2220, 2967
SLIDE_MPP = 0.499
TILE = 256


@pytest.fixture(scope="module")
def tissue(shared_data):
    """Tissue mask of the whole slide, u8: 0 or 255."""
    path = shared_data / "overlays" / "histolab" / "tissue-mask-cmu-1-small-region.npy"
    return np.load(path).astype(np.uint8) * 255


@pytest.fixture(scope="module")
def tiles():
    """Every tile of the slide, those that reach past its right and bottom border too."""
    xs, ys = np.meshgrid(np.arange(0, SLIDE_WIDTH, TILE), np.arange(0, SLIDE_HEIGHT, TILE))
    return xs.ravel(), ys.ravel()


def tissue_mpp(tissue: np.ndarray) -> tuple[float, float]:
    height, width = tissue.shape
    return SLIDE_MPP * SLIDE_WIDTH / width, SLIDE_MPP * SLIDE_HEIGHT / height


def place(coordinate: int, scale: float) -> int:
    return int(np.floor(coordinate * scale + 0.5))


def expected_shares(tissue: np.ndarray, x: int, y: int) -> dict[int, float]:
    """Straight from the array: round, slice, clip, take the mean."""
    scale_x, scale_y = tissue.shape[1] / SLIDE_WIDTH, tissue.shape[0] / SLIDE_HEIGHT
    left, top = place(x, scale_x), place(y, scale_y)
    width, height = place(TILE, scale_x), place(TILE, scale_y)
    found = tissue[top : top + height, left : left + width]
    counts = {0: int((found == 0).sum()), 255: int((found == 255).sum())}
    return {value: count / found.size for value, count in counts.items() if count}


def test_the_mask_is_the_one_expected(tissue):
    assert tissue.shape == (296, 221)
    assert tissue_mpp(tissue) == pytest.approx((10.045 * SLIDE_MPP, 10.024 * SLIDE_MPP), rel=1e-4)


def test_tissue_per_tile_with_the_resolution_from_the_tags(
    tmp_path, tissue, tiles: tuple[np.ndarray, np.ndarray]
):
    path = write_overlay(tmp_path / "tissue.tiff", [tissue], tissue_mpp(tissue), tile=(64, 64))
    found = overlay_overlap(box(0, 0, TILE, TILE), path, *tiles, SLIDE_MPP, SLIDE_MPP)
    assert found == [expected_shares(tissue, x, y) for x, y in zip(*tiles, strict=True)]
    assert any(0 < shares.get(255, 0) < 1 for shares in found)


def test_tissue_per_tile_with_the_resolution_from_the_slide_s_extent(
    tmp_path, tissue, tiles: tuple[np.ndarray, np.ndarray]
):
    path = write_overlay(tmp_path / "bare.tiff", [tissue], tile=(64, 64))
    extent: dict[str, Any] = {"slide_extent_x": SLIDE_WIDTH, "slide_extent_y": SLIDE_HEIGHT}
    found = overlay_overlap(box(0, 0, TILE, TILE), path, *tiles, SLIDE_MPP, SLIDE_MPP, **extent)
    assert found == [expected_shares(tissue, x, y) for x, y in zip(*tiles, strict=True)]


def test_tissue_per_tile_straight_from_the_array(tissue, tiles: tuple[np.ndarray, np.ndarray]):
    mpp_x, mpp_y = tissue_mpp(tissue)
    resolution: dict[str, Any] = {"overlay_mpp_x": mpp_x, "overlay_mpp_y": mpp_y}
    whole_tile: dict[str, Any] = {"tile_extent_x": TILE, "tile_extent_y": TILE}
    found = overlay_overlap(None, tissue, *tiles, SLIDE_MPP, SLIDE_MPP, **resolution, **whole_tile)
    assert found == [expected_shares(tissue, x, y) for x, y in zip(*tiles, strict=True)]


def test_patches_of_the_tiles_put_the_whole_mask_together_again(tmp_path, tissue):
    path = write_overlay(tmp_path / "tissue.tiff", [tissue], tissue_mpp(tissue), tile=(64, 64))
    whole = box(0, 0, SLIDE_WIDTH, SLIDE_HEIGHT)
    found = read_overlay(whole, path, 0, 0, SLIDE_MPP, SLIDE_MPP)
    np.testing.assert_array_equal(found.data[0, :, :, 0], tissue)
    assert not found.mask.any()


TUTORIAL_COLUMNS = ("tile_x", "tile_y", "mpp_x", "mpp_y")


def tutorial_tiles(slide):
    """The quick start: slides, then their tiles, each a row."""
    from ratiopath.ray import read_slides  # noqa: PLC0415 - Ray only where a test needs it
    from ratiopath.tiling import grid_tiles  # noqa: PLC0415 - likewise

    def tiling(row):
        names = ("path", "level", "mpp_x", "mpp_y", "tile_extent_x", "tile_extent_y")
        kept = {name: row[name] for name in names}
        extent = (row["tile_extent_x"], row["tile_extent_y"])
        grid = grid_tiles(
            (row["extent_x"], row["extent_y"]), extent, (row["stride_x"], row["stride_y"])
        )
        return [{**kept, "tile_x": x, "tile_y": y} for x, y in grid]

    return read_slides(str(slide), tile_extent=TILE, stride=TILE, mpp=0.5).flat_map(tiling)


@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize("method", ["add_column", "with_column"])
def test_the_tutorial_gives_every_tile_the_fraction_that_the_mask_has(
    tmp_path, shared_data, tissue, method
):
    from ray.data.expressions import col  # noqa: PLC0415 - Ray only where a test needs it

    from ratiopath.tiling import tile_overlay_overlap  # noqa: PLC0415 - likewise

    path = write_overlay(tmp_path / "tissue.tiff", [tissue], tissue_mpp(tissue), tile=(64, 64))

    def add_overlay_path(batch):
        batch["tissue_mask_path"] = str(path)
        return batch

    tiles = tutorial_tiles(shared_data / "wsi" / "cmu" / "CMU-1-Small-Region.svs")
    tiles = tiles.map_batches(add_overlay_path, batch_format="pandas")
    columns: dict[str, Any] = {name: col(name) for name in TUTORIAL_COLUMNS}
    overlap = tile_overlay_overlap(
        roi=box(0, 0, TILE, TILE), overlay_path=col("tissue_mask_path"), **columns
    )
    found = getattr(tiles, method)("tissue_overlap", overlap, num_cpus=1).take_all()
    assert len(found) == 9 * 12
    for row in found:
        shares = {int(key): share for key, share in row["tissue_overlap"].items() if share}
        assert shares == expected_shares(tissue, row["tile_x"], row["tile_y"])
