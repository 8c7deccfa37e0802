"""A real slide's tissue, once as a mask and once as the outlines of the same mask."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from rasterio.features import shapes
from shapely import Point, box
from shapely.geometry import shape

import ratiopath
from annotation_files import plain_overlap, write_qupath
from ratiopath.slides.rows import Tiling, read_slide_row
from ratiopath.tiling import grid_tiles

# Slide pixels per pixel of the mask, along x and y.
STEP = (2220 / 221, 2967 / 296)


@pytest.fixture(scope="module")
def mask(shared_data):
    return np.load(shared_data / "overlays/histolab/tissue-mask-cmu-1-small-region.npy")


@pytest.fixture(scope="module")
def outlines(mask):
    """The mask's outlines in pixels of the slide's level 0, tissue and glass."""
    found = shapes(mask.astype(np.uint8), connectivity=4)
    return [
        (shapely.transform(shape(geometry), lambda p: p * STEP), "tissue" if value else "glass")
        for geometry, value in found
    ]


@pytest.fixture(scope="module")
def tiles(shared_data):
    tiling = Tiling.checked(256, 200, mpp=0.5, level=None, slide_mpp=None)
    path = str(shared_data / "wsi/cmu/CMU-1-Small-Region.svs")
    (slide,) = read_slide_row(path, tiling).to_pylist()
    extent = (slide["extent_x"], slide["extent_y"])
    return slide, grid_tiles(extent, (256, 256), (200, 200), last="shift")


@pytest.mark.parametrize("roi", [box(0, 0, 256, 256), Point(128, 128).buffer(99.5)])
def test_outlines_of_a_mask_cover_what_the_mask_covers(tmp_path, mask, outlines, tiles, roi):
    slide, corners = tiles
    path = write_qupath(tmp_path / "tissue.geojson", outlines)
    mpp = (slide["mpp_x"], slide["mpp_y"])
    by_outline = ratiopath.annotation_overlap(
        roi, path, corners[:, 0], corners[:, 1], downsample=slide["downsample"]
    )
    by_mask = ratiopath.overlay_overlap(
        roi,
        mask,
        corners[:, 0],
        corners[:, 1],
        *mpp,
        overlay_mpp_x=mpp[0] * STEP[0],
        overlay_mpp_y=mpp[1] * STEP[1],
        coverage="exact",
    )
    assert len(by_mask) == len(corners) > 100
    mixed = 0
    for ours, theirs in zip(by_outline, by_mask, strict=True):
        assert ours.get("tissue", 0) == pytest.approx(theirs.get(1, 0), rel=0, abs=1e-9)
        assert ours.get("glass", 0) == pytest.approx(theirs.get(0, 0), rel=0, abs=1e-9)
        mixed += len(ours) == 2
    assert mixed > 20


def test_real_outlines_are_measured_as_shapely_measures_them(tmp_path, outlines, tiles):
    _, corners = tiles
    path = write_qupath(tmp_path / "tissue.geojson", outlines)
    roi = Point(128, 128).buffer(99.5)
    some = [(int(x), int(y)) for x, y in corners[::7]]
    found = ratiopath.annotation_overlap(
        roi, path, [x for x, _ in some], [y for _, y in some], downsample=1
    )
    for ours, theirs in zip(found, plain_overlap(outlines, roi, some, (1, 1)), strict=True):
        for name, fraction in theirs.items():
            assert ours.get(name, 0) == pytest.approx(fraction, rel=0, abs=1e-9)
