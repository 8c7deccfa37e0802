"""read_overlay: the overlay's pixels under a ROI and the mask of those outside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box

import oracle
from geometries import REGIONS, RESOLUTIONS, region_at, tiles_around
from overlays import HEIGHT, WIDTH, colours, labels, write_overlay
from ratiopath import OverlayError, read_overlay

SQUARE = box(0, 0, 4, 4)


@pytest.fixture
def overlay(tmp_path):
    """Labels of 0.5 µm per pixel."""
    return write_overlay(tmp_path / "labels.tiff", [labels()], 0.5)


def test_a_patch_by_hand(tmp_path):
    pixels = np.arange(1, 17, dtype=np.uint8).reshape(4, 4)
    path = write_overlay(tmp_path / "a.tiff", [pixels], 1.0)
    triangle = Polygon([(0, 0), (4, 0), (0, 4)])
    found = read_overlay(triangle, path, [0, 4], [0, -2], 0.5, 0.5)
    assert found.data.shape == (2, 2, 2, 1)
    assert found.data[:, :, :, 0].tolist() == [[[1, 2], [5, 6]], [[0, 0], [3, 4]]]
    assert found.mask.tolist() == [[[False, False], [False, True]], [[True, True], [False, True]]]
    assert (found.data.dtype, found.mask.dtype) == (np.uint8, np.bool_)


@pytest.mark.parametrize("coverage", ["center", "all_touched"])
@pytest.mark.parametrize("pixels", [labels(), colours()], ids=["labels", "colours"])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_patches_are_the_oracle_s(tmp_path, resolution, region, pixels, coverage):
    mpp, overlay_mpp = RESOLUTIONS[resolution]
    roi = region_at(region, mpp / overlay_mpp)
    path = write_overlay(tmp_path / "overlay.tiff", [pixels], overlay_mpp)
    xs, ys = tiles_around(WIDTH, HEIGHT, mpp / overlay_mpp)
    truth = oracle.Overlay.of([pixels], overlay_mpp)
    for outside in ("clip", 3):
        found = read_overlay(roi, path, xs, ys, mpp, mpp, coverage=coverage, outside=outside)
        for row, tile in enumerate(zip(xs, ys, strict=True)):
            expected = oracle.patch(
                truth, tile, roi, (mpp, mpp), coverage=coverage, outside=outside
            )
            np.testing.assert_array_equal(found.data[row], expected.data)
            np.testing.assert_array_equal(found.mask[row], expected.mask)


@given(
    tile=st.tuples(st.integers(-60, 120), st.integers(-60, 120)),
    mpp=st.tuples(st.floats(0.1, 2.0), st.floats(0.1, 2.0)),
    corner=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    extent=st.tuples(st.floats(0.1, 15), st.floats(0.1, 15)),
)
def test_any_box_at_any_resolution_is_the_oracle_s(tile, mpp, corner, extent):
    x, y = corner
    roi = box(x, y, x + extent[0], y + extent[1])
    pixels, overlay_mpp = labels(), (0.7, 0.9)
    found = read_overlay(
        roi, pixels, *tile, *mpp, overlay_mpp_x=overlay_mpp[0], overlay_mpp_y=overlay_mpp[1]
    )
    expected = oracle.patch(oracle.Overlay.of([pixels], overlay_mpp), tile, roi, mpp)
    np.testing.assert_array_equal(found.data[0], expected.data)
    np.testing.assert_array_equal(found.mask[0], expected.mask)


@pytest.mark.slow
@pytest.mark.parametrize("mpp", [0.25, 0.3, 0.5, 0.7, 0.75, 1.0, 1.5, 1.9, 2.0, 8.0])
@pytest.mark.parametrize("level", [None, 0, 1, 2])
def test_the_level_nearest_in_resolution_is_read_unless_one_is_forced(tmp_path, mpp, level):
    # Odd sizes: 23 and 19 are the ceil of a half, 11 and 9 the floor of a quarter.
    levels = [labels(), labels(23, 19, 1) + 10, labels(11, 9, 2) + 20]
    path = write_overlay(tmp_path / "pyramid.tiff", levels, 0.5)
    truth = oracle.Overlay.of(levels, 0.5)
    roi = REGIONS["polygon with hole"]
    for tile in [(0, 0), (5, 3), (17, 11)]:
        found = read_overlay(roi, path, *tile, mpp, mpp, level=level)
        expected = oracle.patch(truth, tile, roi, (mpp, mpp), level=level)
        np.testing.assert_array_equal(found.data[0], expected.data)
        np.testing.assert_array_equal(found.mask[0], expected.mask)


def test_rows_come_back_in_input_order_when_overlays_alternate(tmp_path):
    fine, coarse = labels(), labels(13, 11, 1) + 100
    paths = [
        write_overlay(tmp_path / "fine.tiff", [fine], 0.5),
        write_overlay(tmp_path / "coarse.tiff", [coarse], 1.5),
    ]
    truths = [oracle.Overlay.of([fine], 0.5), oracle.Overlay.of([coarse], 1.5)]
    rng = np.random.default_rng(8)
    xs, ys, which = rng.integers(-9, 40, 40), rng.integers(-9, 40, 40), rng.integers(0, 2, 40)
    roi = REGIONS["multipolygon"]
    found = read_overlay(roi, [paths[k] for k in which], xs, ys, 0.5, 0.5)
    assert found.data.dtype == object
    for row, k in enumerate(which):
        tile = (int(xs[row]), int(ys[row]))
        expected = oracle.patch(truths[k], tile, roi, (0.5, 0.5))
        np.testing.assert_array_equal(found.data[row], expected.data)
        np.testing.assert_array_equal(found.mask[row], expected.mask)


def test_tiles_of_different_resolution_give_patches_of_different_shape(overlay):
    found = read_overlay(SQUARE, overlay, [0, 0], [0, 0], [0.5, 1.0], [0.5, 1.5])
    assert (found.data.dtype, found.mask.dtype) == (object, object)
    assert [patch.shape for patch in found.data] == [(4, 4, 1), (12, 8, 1)]
    assert [mask.shape for mask in found.mask] == [(4, 4), (12, 8)]
    np.testing.assert_array_equal(found.data[1][:, :, 0], labels()[:12, :8])


def test_scalars_stand_for_every_row_and_one_row_is_a_batch_of_one(overlay):
    found = read_overlay(SQUARE, overlay, [0, 1, 2], 5, 0.5, 0.5)
    assert found.data.shape == (3, 4, 4, 1)
    np.testing.assert_array_equal(found.data[2, :, :, 0], labels()[5:9, 2:6])
    assert read_overlay(SQUARE, overlay, 0, 0, 0.5, 0.5).data.shape == (1, 4, 4, 1)
    assert len(read_overlay(SQUARE, overlay, [], [], 0.5, 0.5).data) == 0


def test_without_a_roi_the_whole_tile_counts(overlay):
    found = read_overlay(None, overlay, 3, 4, 0.5, 0.5, tile_extent_x=7, tile_extent_y=5)
    np.testing.assert_array_equal(found.data[0, :, :, 0], labels()[4:9, 3:10])
    assert not found.mask.any()


@pytest.mark.parametrize("pixels", [labels(), colours(), labels().astype(np.float32)])
def test_an_array_is_an_overlay(pixels):
    found = read_overlay(SQUARE, pixels, [3, 43], 4, 0.5, 0.5, overlay_mpp_x=0.5, overlay_mpp_y=0.5)
    expected = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    np.testing.assert_array_equal(found.data[0], expected[4:8, 3:7])
    np.testing.assert_array_equal(found.data[1, :, :2], expected[4:8, 43:45])
    assert found.data.dtype == pixels.dtype
    assert found.mask[1].tolist() == [[False, False, True, True]] * 4


def test_a_strided_array_is_read_like_its_copy_and_stays_as_it_was():
    view = labels(90, 74)[::-2, ::2].T
    before = view.copy()
    view.flags.writeable = False
    mpp: dict[str, Any] = {"overlay_mpp_x": 0.5, "overlay_mpp_y": 0.5}
    found = read_overlay(SQUARE, view, [3, -2], [4, 40], 0.5, 0.5, **mpp)
    expected = read_overlay(SQUARE, before, [3, -2], [4, 40], 0.5, 0.5, **mpp)
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_array_equal(view, before)


def test_columns_stay_as_they_were_and_may_be_strided(overlay):
    columns = np.arange(24, dtype=np.int32).reshape(6, 4)
    columns.flags.writeable = False
    mpp = np.full(12, 0.5)[::2]
    found = read_overlay(SQUARE, overlay, columns[:, 1], columns[::-1, 2], mpp, mpp)
    for row in range(6):
        y, x = columns[5 - row, 2], columns[row, 1]
        np.testing.assert_array_equal(found.data[row, :, :, 0], labels()[y : y + 4, x : x + 4])


def test_masked_is_a_numpy_masked_array(overlay):
    found = read_overlay(REGIONS["polygon with hole"], overlay, [0, 40], 0, 0.5, 0.5)
    masked = found.masked()
    assert isinstance(masked, np.ma.MaskedArray)
    assert masked.mask.shape == masked.shape == found.data.shape
    np.testing.assert_array_equal(np.asarray(masked.mask)[:, :, :, 0], found.mask)
    np.testing.assert_array_equal(masked.data, found.data)


def test_patches_unpack_into_data_and_mask(overlay):
    found = read_overlay(SQUARE, overlay, [0, 4], 0, 0.5, 0.5)
    data, mask = found
    assert data is found.data
    assert mask is found.mask


def test_one_channel_can_be_chosen(tmp_path):
    path = write_overlay(tmp_path / "rgb.tiff", [colours()], 0.5)
    found = read_overlay(SQUARE, path, 3, 4, 0.5, 0.5, channel=2)
    np.testing.assert_array_equal(found.data[0], colours()[4:8, 3:7, 2:])


def test_alpha_is_dropped_and_transparent_pixels_read_as_0(tmp_path):
    pixels = np.full((16, 16, 4), (10, 20, 30, 255), np.uint8)
    pixels[0, 0, 3], pixels[0, 1, 3] = 0, 1
    path = write_overlay(tmp_path / "rgba.tiff", [pixels], 0.5)
    found = read_overlay(box(0, 0, 3, 1), path, 0, 0, 0.5, 0.5)
    assert found.data[0, 0].tolist() == [[0, 0, 0], [10, 20, 30], [10, 20, 30]]


def test_the_overlay_s_resolution_may_differ_per_axis_and_per_row(tmp_path):
    path = write_overlay(tmp_path / "a.tiff", [labels()], (0.5, 0.25))
    assert read_overlay(SQUARE, path, 0, 0, 0.5, 0.5).data.shape == (1, 8, 4, 1)
    found = read_overlay(
        SQUARE, path, [0, 0], 0, 0.5, 0.5, overlay_mpp_x=[0.25, 1.0], overlay_mpp_y=0.5
    )
    assert [patch.shape for patch in found.data] == [(4, 8, 1), (4, 2, 1)]


def test_the_slide_s_extent_gives_the_resolution_where_no_tag_does(tmp_path):
    path = write_overlay(tmp_path / "bare.tiff", [labels()])
    found = read_overlay(
        SQUARE, path, 8, 4, 0.5, 0.5, slide_extent_x=WIDTH * 2, slide_extent_y=HEIGHT
    )
    np.testing.assert_array_equal(found.data[0, :, :, 0], labels()[4:8, 4:6])


def test_a_tile_wholly_outside_is_masked_and_no_error(overlay):
    found = read_overlay(SQUARE, overlay, [-500, 2**31], 0, 0.5, 0.5)
    assert found.mask.all()
    assert not found.data.any()


def test_missing_overlays_may_count_as_wholly_outside(tmp_path, overlay):
    paths = [str(tmp_path / "absent.tiff"), str(overlay), None]
    found = read_overlay(SQUARE, paths, 0, 0, 0.5, 0.5, on_missing="empty")
    assert found.data.shape == (3, 4, 4, 1)
    assert found.mask.all(axis=(1, 2)).tolist() == [True, False, True]
    assert not found.data[[0, 2]].any()
    assert found.data.dtype == np.uint8


def test_a_missing_overlay_takes_its_shape_from_the_resolution_given(tmp_path):
    options: dict[str, Any] = {"on_missing": "empty", "overlay_mpp_x": 1.0, "overlay_mpp_y": 0.25}
    found = read_overlay(SQUARE, tmp_path / "absent.tiff", 0, 0, 0.5, 0.5, **options)
    assert found.data.shape == (1, 8, 2, 1)


def test_a_patch_too_large_to_allocate_says_how_many_bytes(overlay):
    with pytest.raises((OverlayError, ValueError, MemoryError), match=r"\d+.*bytes"):
        read_overlay(box(0, 0, 2e7, 2e7), overlay, 0, 0, 0.5, 0.5)


def test_masked_patches_of_different_shapes_are_masked_one_by_one():
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    mpp: dict[str, Any] = {"overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}
    found = read_overlay(box(0, 0, 4, 4), pixels, [0, 0], 6, [1.0, 0.5], [1.0, 0.5], **mpp)
    first, second = found.masked()
    assert (first.shape, second.shape) == ((4, 4, 1), (2, 2, 1))
    # The first reaches two rows below the overlay.
    assert first.compressed().tolist() == [48, 49, 50, 51, 56, 57, 58, 59]
    assert second.compressed().tolist() == [24, 25, 32, 33]
