"""Segments that a TIFF leaves out: they hold its declared fill value, or 0, in every answer."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from shapely import Point, box

from overlays import write_overlay
from ratiopath import overlay_overlap, polygon_coverage, polygon_mask, read_overlay
from ratiopath.readers.opening import open_reader

SIZE, TILE = 64, 16
GDAL_NODATA, TILE_OFFSETS, TILE_BYTE_COUNTS = 42113, 324, 325
# By row and column of the 4 x 4 tiles.
LEFT_OUT = [(0, 0), (0, 1), (2, 3), (3, 3)]


@pytest.fixture(params=[None, 7], ids=["without nodata", "nodata 7"])
def fill(request):
    return request.param


@pytest.fixture
def pixels(fill):
    """What the file means: 1 to 4 at random, and the fill value where a tile is left out."""
    labels = np.random.default_rng(0).integers(1, 5, (SIZE, SIZE), np.uint8)
    for row, column in LEFT_OUT:
        labels[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE] = fill or 0
    return labels


@pytest.fixture
def overlay(tmp_path, pixels, fill):
    tags = [] if fill is None else [(GDAL_NODATA, "s", 0, str(fill), True)]
    path = write_overlay(
        tmp_path / "sparse.tiff", [pixels], 1.0, compression=None, tile=(TILE, TILE), extratags=tags
    )
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for code in (TILE_OFFSETS, TILE_BYTE_COUNTS):
            values = np.array(tiff.pages.first.tags[code].value)
            values[[row * SIZE // TILE + column for row, column in LEFT_OUT]] = 0
            tiff.pages.first.tags[code].overwrite(values.tolist())
    return path


def fractions(labels, weights):
    values = np.unique(labels[weights > 0])
    areas = np.array([weights[labels == value].sum() for value in values])
    return dict(zip(values.tolist(), (areas / areas.sum()).tolist(), strict=True))


def test_the_reader_has_no_pixels_for_them(overlay, fill):
    reader = open_reader(overlay)
    assert reader.fill == (fill or 0)
    assert [reader.read_segment(0, *place) for place in LEFT_OUT] == [None] * len(LEFT_OUT)


@pytest.mark.parametrize("coverage", ["center", "exact"])
@pytest.mark.parametrize(
    "roi", [box(0, 0, SIZE, SIZE), box(2, 3, 30, 9), Point(40, 40).buffer(21), box(48, 32, 64, 64)]
)
def test_their_area_counts_as_the_fill_value(overlay, pixels, roi, coverage):
    (found,) = overlay_overlap(roi, overlay, [0], [0], 1.0, 1.0, coverage=coverage)
    weights = (
        polygon_coverage(roi, (SIZE, SIZE))
        if coverage == "exact"
        else 1.0 - polygon_mask(roi, (SIZE, SIZE))
    )
    assert found == pytest.approx(fractions(pixels, weights), abs=1e-9)


def test_they_are_left_out_where_the_fill_value_is_no_data(overlay, pixels, fill):
    roi = box(0, 0, SIZE, SIZE)
    (found,) = overlay_overlap(roi, overlay, [0], [0], 1.0, 1.0, nodata=fill or 0)
    kept = pixels != (fill or 0)
    assert found == pytest.approx(fractions(pixels, kept.astype(float)), abs=1e-9)


def test_their_pixels_are_the_fill_value(overlay, pixels):
    patches = read_overlay(box(0, 0, 40, 40), overlay, [0, 30], [0, 20], 1.0, 1.0)
    np.testing.assert_array_equal(patches.data[0, :, :, 0], pixels[:40, :40])
    np.testing.assert_array_equal(patches.data[1, :40, :34, 0], pixels[20:60, 30:64])
    assert patches.mask[1, :, 34:].all()
