"""What ratiopath 1.5.0 answers wrongly, fault by fault: each test asserts the right answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
from PIL import Image
from ray.data.expressions import col
from shapely import Point, Polygon, box

from overlays import write_overlay
from ratiopath import (
    OverlayNotFoundError,
    OverlayResolutionError,
    OverlayValueError,
    overlay_overlap,
    read_overlay,
    scale_coordinates,
)
from ratiopath.tiling import tile_overlay, tile_overlay_overlap

MPP: dict[str, Any] = {"overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}
COLUMNS = ("path", "x", "y", "mpp_x", "mpp_y")


def halves(width=256, height=256, left=0, right=255, dtype=np.uint8):
    """An overlay of two values, side by side."""
    pixels = np.full((height, width), left, dtype)
    pixels[:, width // 2 :] = right
    return pixels


def overlap(roi, pixels, x: Any = 0, y=0, mpp: Any = 1.0, **options):
    return overlay_overlap(roi, pixels, x, y, mpp, mpp, **(MPP | options))


def structs(roi, path, xs, mpp=1.0, **options):
    """Rows of the Ray column."""
    expression = tile_overlay_overlap(roi, *map(col, COLUMNS), **options)
    columns = ([str(path)] * len(xs), xs, [0] * len(xs), [mpp] * len(xs), [mpp] * len(xs))
    return expression(pa.table(dict(zip(COLUMNS, columns, strict=True))))


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_f1_a_region_is_sampled_at_its_place_at_every_scale(scale):
    size = round(512 * scale)
    found = read_overlay(
        Point(256, 256).buffer(256, 64), np.ones((size, size), np.uint8), 0, 0, scale, scale, **MPP
    )
    assert (~found.mask).mean() == pytest.approx(np.pi / 4, abs=2e-3)
    assert overlap(box(0, 0, 512, 512), halves(size, size), mpp=scale) == [{0: 0.5, 255: 0.5}]


def test_f1b_the_middle_of_a_tile_at_scale_2_is_its_middle():
    pixels = halves(1024, 1024, 1, 2)
    assert overlap(box(128, 128, 384, 384), pixels, mpp=2.0) == [{1: 0.5, 2: 0.5}]


def test_f2_negative_coordinates_reach_beyond_the_overlay_and_are_clipped():
    pixels = halves(256, 256, 1, 2)
    assert overlap(box(-128, 0, 128, 256), pixels) == [{1: 1.0}]
    assert overlap(box(-128, 0, 128, 256), pixels, outside=0) == [{0: 0.5, 1: 0.5}]
    assert overlap(box(0, 0, 256, 256), pixels, x=-128) == [{1: 1.0}]


def test_f3_halves_round_up_and_leave_no_gap():
    assert scale_coordinates([16, 48, 80, 112, 144], 1 / 32).tolist() == [1, 2, 3, 4, 5]
    pixels = np.arange(8, dtype=np.uint8)[np.newaxis].repeat(4, axis=0)
    found = overlap(box(0, 0, 32, 32), pixels, [16, 48, 80, 112, 144], mpp=1 / 32)
    assert found == [{n: 1.0} for n in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize("scale", [0.4999, 0.5, 0.7001, 1.9999, 2.0])
def test_f4_coordinates_are_scaled_in_float64(scale):
    x = np.arange(250_000)
    np.testing.assert_array_equal(scale_coordinates(x, scale), np.floor(x * scale + 0.5))


@pytest.mark.parametrize("roi", [box(0, 0, 96, 64), box(0, 0, 64, 64)])
def test_f5_a_single_channel_ome_tiff_is_not_cut_at_its_columns(tmp_path, roi):
    pixels = halves(96, 96)
    path = write_overlay(tmp_path / "a.ome.tiff", [pixels], 1.0, ome=True)
    width = int(roi.bounds[2])
    expected = np.unique(pixels[:64, :width], return_counts=True)[1] / (64 * width)
    assert overlay_overlap(roi, path, 0, 0, 1.0, 1.0) == [
        dict(zip((0, 255), expected, strict=True))
    ]


@pytest.mark.parametrize("name", ["a.ome.tiff", "a.tif"])
def test_f6_and_f19_levels_in_subifds_are_seen_whatever_the_file_is_called(tmp_path, name):
    levels = [np.full((512 >> k, 512 >> k), k + 1, np.uint8) for k in range(3)]
    path = write_overlay(tmp_path / name, levels, 0.5, ome=True)
    for k in range(3):
        found = read_overlay(box(0, 0, 64, 64), path, 0, 0, 0.5 * 2**k, 0.5 * 2**k)
        assert found.data.shape == (1, 64, 64, 1)
        assert (found.data == k + 1).all()


def test_f6_channels_of_an_ome_tiff_are_no_levels(tmp_path):
    pixels = np.stack([halves(), halves(right=7), halves(right=9)])
    metadata = {"axes": "CYX", "PhysicalSizeX": 1.0, "PhysicalSizeY": 1.0}
    path = tmp_path / "a.ome.tiff"
    tifffile.imwrite(path, pixels, photometric="minisblack", ome=True, metadata=metadata)
    found = read_overlay(box(0, 0, 256, 256), path, 0, 0, 3.0, 3.0)
    np.testing.assert_array_equal(found.data[0, :256, :256], np.moveaxis(pixels, 0, 2))


@pytest.mark.parametrize(("unit", "per"), [("MICROMETER", 4.0), ("MILLIMETER", 4000.0)])
def test_f7_resolution_tags_are_pixels_per_unit(tmp_path, unit, per):
    path = tmp_path / "a.tiff"
    options: dict[str, Any] = {"resolution": (per, per), "resolutionunit": unit}
    tifffile.imwrite(path, halves(), photometric="minisblack", metadata=None, **options)
    found = read_overlay(box(0, 0, 8, 8), path, 0, 0, 0.25, 0.25)
    assert found.data.shape == (1, 8, 8, 1)


def test_f7_an_ome_tiff_s_physical_size_counts(tmp_path):
    path = write_overlay(tmp_path / "a.ome.tiff", [halves()], 0.5, ome=True)
    assert read_overlay(box(0, 0, 8, 8), path, 0, 0, 1.0, 1.0).data.shape == (1, 16, 16, 1)


@pytest.mark.parametrize("name", ["a.tiff", "a.ome.tiff"])
@pytest.mark.parametrize(("value", "dtype"), [(300, np.uint16), (0.7, np.float32)])
def test_f8_samples_keep_their_width(tmp_path, value, dtype, name):
    pixels = np.full((64, 64), value, dtype)
    path = write_overlay(tmp_path / name, [pixels], 1.0, ome="ome" in name)
    assert overlay_overlap(box(0, 0, 64, 64), path, 0, 0, 1, 1) == [{dtype(value).item(): 1.0}]
    assert structs(box(0, 0, 64, 64), path, [0]).to_pylist() == [{str(value): 1.0}]


def test_f9_colours_are_counted_as_pixels_and_not_as_samples():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32, 0] = pixels[:, 32:, 2] = 255
    assert overlap(box(0, 0, 64, 64), pixels) == [{(255, 0, 0): 0.5, (0, 0, 255): 0.5}]
    pixels[:] = (10, 20, 30)
    assert overlap(box(0, 0, 64, 64), pixels) == [{(10, 20, 30): 1.0}]


@pytest.mark.parametrize("size", [4096, 4097, 5001])
def test_f10_no_level_of_any_pyramid_invents_a_label(tmp_path, size):
    few = np.random.default_rng(size).choice(np.array([0, 200], np.uint8), (size, size // 8))
    pixels = few[:, :, np.newaxis].repeat(9, axis=2).reshape(size, -1)[:, :size]
    levels = [pixels, pixels[::2, ::2], pixels[::4, ::4]]
    path = write_overlay(tmp_path / "a.tiff", levels, 0.5, tile=(256, 256))
    xs, ys = (axis.ravel() for axis in np.meshgrid(range(0, 1000, 251), range(0, 1000, 251)))
    for k in range(3):
        mpp = 0.5 * 2**k
        found = overlay_overlap(box(0, 0, 250, 250), path, xs, ys, mpp, mpp)
        for x, y, shares in zip(xs, ys, found, strict=True):
            values, counts = np.unique(levels[k][y : y + 250, x : x + 250], return_counts=True)
            area = counts.sum()
            assert shares == {v: n / area for v, n in zip(values.tolist(), counts, strict=True)}


def test_f11_what_lies_outside_the_slide_is_not_class_0():
    fives = np.full((64, 64), 5, np.uint8)
    assert overlap(box(0, 0, 64, 64), fives, [32, 640]) == [{5: 1.0}, {}]


@pytest.mark.parametrize("extent", [1, 8, 16, 17, 31])
def test_f12_a_patch_has_at_least_one_pixel(extent):
    pixels = np.full((8, 8), 3, np.uint8)
    arguments = (box(0, 0, extent, extent), pixels, 128, 64, 1 / 64, 1 / 64)
    assert read_overlay(*arguments, **MPP).data.tolist() == [[[[3]]]]
    assert overlay_overlap(*arguments, **MPP, coverage="exact") == [{3: 1.0}]


def test_f13_a_region_without_any_pixel_s_centre_has_exact_fractions():
    thin = Polygon([(0, 10.1), (64, 10.1), (64, 10.3), (0, 10.3)])
    assert overlap(thin, halves(64, 64)) == [{}]
    found = overlap(thin, halves(64, 64), coverage="exact")
    assert found == [pytest.approx({0: 0.5, 255: 0.5}, abs=1e-12)]


def test_f14_declared_classes_are_in_every_row_of_every_block(tmp_path):
    path = write_overlay(tmp_path / "a.tiff", [halves()], 1.0)
    classes = {0: "background", 255: "tissue"}
    blocks = [structs(box(0, 0, 64, 64), path, [x], classes=classes) for x in (0, 192)]
    merged = pa.concat_arrays(blocks)
    assert [row["tissue"] >= 0.5 for row in merged.to_pylist()] == [False, True]
    assert merged.null_count == sum(field.null_count for field in merged.flatten()) == 0


def test_f14_without_classes_a_value_that_does_not_occur_covers_0(tmp_path):
    path = write_overlay(tmp_path / "a.tiff", [halves()], 1.0)
    rows = structs(box(0, 0, 64, 64), path, [0, 192]).to_pylist()
    assert [row.get("255", 0.0) >= 0.5 for row in rows] == [False, True]


def test_f15_a_block_without_any_pixel_can_be_written(tmp_path):
    path = write_overlay(tmp_path / "a.tiff", [halves()], 1.0)
    column = structs(box(0, 0, 64, 64), path, [5000, 6000])
    pq.write_table(pa.table({"overlap": column}), tmp_path / "a.parquet")
    read = pq.read_table(tmp_path / "a.parquet")["overlap"].to_pylist()
    assert read == [{"0": 0.0}, {"0": 0.0}]


def test_f16_tiles_of_two_resolutions_give_patches_of_two_shapes(tmp_path):
    path = write_overlay(tmp_path / "a.tiff", [halves()], 1.0)
    table = pa.table(
        dict(zip(COLUMNS, ([str(path)] * 2, [0, 0], [0, 0], [1, 2], [1, 2]), strict=True))
    )
    column = tile_overlay(box(0, 0, 8, 8), *map(col, COLUMNS))(table)
    shapes = [patch.shape for patch in column.to_numpy(zero_copy_only=False)]
    assert shapes == [(2, 8, 8, 1), (2, 16, 16, 1)]


def test_f17_a_mask_is_bool_and_has_no_channels():
    found = read_overlay(box(0, 0, 8, 8), np.zeros((9, 9, 3), np.uint8), 4, 0, 1, 1, **MPP)
    assert (found.mask.dtype, found.mask.shape) == (np.bool_, (1, 8, 8))


def test_f18_what_is_missing_is_named(tmp_path):
    roi = box(0, 0, 8, 8)
    bare = write_overlay(tmp_path / "bare.tiff", [halves()])
    with pytest.raises(OverlayResolutionError, match=r"overlay_mpp_x.*slide_extent_x.*bare\.tiff"):
        overlay_overlap(roi, bare, 0, 0, 1.0, 1.0)
    with pytest.raises(OverlayValueError, match=r"mpp_x .*row=1"):
        overlap(roi, halves(), [0, 0], mpp=[1.0, None])
    with pytest.raises(OverlayNotFoundError, match=r"null.*row=0"):
        overlay_overlap(roi, [None], 0, 0, 1.0, 1.0)
    for empty in (Polygon(), Polygon([(0, 0), (1, 1), (2, 2)])):
        with pytest.raises(ValueError, match="make_valid"):
            overlap(empty, halves())


def test_f18_strips_and_a_png_are_read_like_tiles(tmp_path):
    path = write_overlay(tmp_path / "strips.tiff", [halves()], 1.0, tile=None, rowsperstrip=7)
    assert overlay_overlap(box(0, 0, 256, 256), path, 0, 0, 1, 1) == [{0: 0.5, 255: 0.5}]
    Image.fromarray(halves()).save(tmp_path / "mask.png")
    found = overlay_overlap(box(0, 0, 256, 256), tmp_path / "mask.png", 0, 0, 1, 1, **MPP)
    assert found == [{0: 0.5, 255: 0.5}]


def test_f20_tile_extents_are_parameters_that_stand_for_a_region(tmp_path):
    path = write_overlay(tmp_path / "a.tiff", [halves()], 1.0)
    column = structs(None, path, [64], tile_extent_x=128, tile_extent_y=32)
    assert column.to_pylist() == [{"0": 0.5, "255": 0.5}]
