"""Input that once gave a wrong number or ended the process: each has an answer or a clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from shapely import Polygon, box

from ratiopath import (
    OverlayError,
    OverlayValueError,
    _core,
    count_values,
    overlay_overlap,
    polygon_overlap,
    read_overlay,
)
from ratiopath.call.batch import Batch
from ratiopath.call.options import patch_options
from ratiopath.call.query import Call
from ratiopath.call.region import Region
from ratiopath.measure.pipeline import stacked_patches

ROI = box(0, 0, 4, 4)
MPP: dict[str, Any] = {"overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}
ZEROS = np.zeros((8, 8), np.uint8)


def overlap(pixels, roi=ROI, x: Any = 0, **options):
    return overlay_overlap(roi, pixels, x, 0, 1.0, 1.0, **MPP, **options)


def stacked(roi, pixels, x, y, mpp_x, mpp_y, *, dtype, outside="clip", channel=None, **mpp):
    """What a tensor column holds: the data and then the mask."""
    options: dict[str, Any] = {"coverage": "center", "on_missing": "error", "storage_options": None}
    checked = patch_options(dtype=dtype, outside=outside, channel=channel, **options)
    batch = Batch.of(overlay_path=pixels, tile_x=x, tile_y=y, mpp_x=mpp_x, mpp_y=mpp_y, **mpp)
    return stacked_patches(Call(Region.from_geometry(roi), batch, checked))


@pytest.mark.parametrize("coverage", ["center", "all_touched", "exact"])
def test_a_region_far_larger_than_its_overlay_costs_what_is_seen(coverage):
    wide = Polygon([(-2e8, -3), (2e8, -3), (0, 2e8)])
    assert overlap(ZEROS, wide, coverage=coverage) == [{0: 1.0}]


def test_an_exact_sliver_far_wider_than_its_overlay_costs_what_is_seen():
    assert overlap(ZEROS, Polygon([(0, 0), (2e8, 3), (0, 6)]), coverage="exact") == [{0: 1.0}]


def test_a_region_that_must_be_made_whole_states_its_bytes():
    with pytest.raises(OverlayValueError, match=r"needs 21,600,000,\d+ bytes"):
        overlap(ZEROS, box(0, 0, 4, 3e8), outside=0)


def test_patches_that_touch_too_many_segments_are_refused():
    huge = as_strided(ZEROS, (200_000, 200_000), (0, 0))
    with pytest.raises(OverlayValueError, match="touch 611524000 segments together"):
        overlap(huge, box(-1e6, -1e6, 1e6, 1e6), np.zeros(4000))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"channel": 1}, {}),
        ({"outside": -1}, {-1: 1.0}),
        ({"outside": 0.5}, {0.5: 1.0}),
        ({"outside": 70_000}, {70_000: 1.0}),
    ],
)
def test_a_missing_overlay_may_count_as_empty_whatever_the_others_are(options, expected):
    assert overlap("/nowhere/mask.tiff", on_missing="empty", **options) == [expected]


@pytest.mark.parametrize(
    ("value", "dtype"), [(2**64 - 1, "u8"), (2**63 - 1, "i8"), (2**53 + 1, "i8")]
)
def test_an_integer_that_float64_cannot_hold_is_refused(value, dtype):
    with pytest.raises(OverlayValueError, match=f"value {value} of .* is no float64"):
        read_overlay(ROI, np.full((4, 4), value, dtype), 0, 0, 1, 1, **MPP, dtype="f8")


@pytest.mark.parametrize(
    ("value", "stored", "dtype"),
    [
        (255, "u1", "i1"),
        (-1, "i1", "u1"),
        (-1, "i4", "u8"),
        (2**64 - 1, "u8", "i8"),
        (2**63, "u8", "i8"),
        (2.0**63, "f8", "i8"),
        (2.0**64, "f8", "u8"),
        (-1.0, "f4", "u2"),
        (0.5, "f4", "u1"),
        (2, "u1", "?"),
        (np.nan, "f2", "i2"),
        (2049, "u2", "f2"),
        (1e300, "f8", "f4"),
    ],
)
def test_a_value_that_the_dtype_asked_for_cannot_hold_is_refused_by_row(value, stored, dtype):
    pixels = np.zeros((4, 12), stored)
    pixels[1, 9] = value
    for read in (read_overlay, stacked):
        with pytest.raises(OverlayValueError, match=r"is no \w+: check dtype= .*row=2"):
            read(ROI, pixels, [0, 4, 8], 0, 1, 1, **MPP, dtype=dtype)


@pytest.mark.parametrize(
    ("value", "stored", "dtype"),
    [
        (127, "u1", "i1"),
        (255, "i2", "u1"),
        (2**63 - 1, "u8", "i8"),
        (2.0**62, "f8", "i8"),
        (1.0, "f4", "?"),
        (True, "?", "u1"),
        (2048, "u2", "f2"),
        (np.inf, "f8", "f2"),
        (np.nan, "f2", "f8"),
    ],
)
def test_a_value_that_the_dtype_asked_for_holds_is_kept(value, stored, dtype):
    found = read_overlay(ROI, np.full((4, 4), value, stored), 0, 0, 1, 1, **MPP, dtype=dtype)
    assert found.data.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.data, np.full((1, 4, 4, 1), value, dtype))


@pytest.mark.parametrize(("outside", "dtype"), [(-1, "i2"), (np.nan, "f4"), (0.1, "f8"), (7, "f8")])
def test_the_value_outside_is_one_of_the_dtype_asked_for(outside, dtype):
    pixels = np.array([[(1, 2), (3, 4)]], np.uint8)
    options: dict[str, Any] = {"outside": outside, "dtype": dtype, **MPP}
    expected = np.full((2, 2, 3, 2), outside, dtype)
    expected[0, 0, 1:] = pixels[0]
    for channel in (None, 1):
        arguments = (box(0, 0, 3, 2), pixels, [-1, 9], 0, 1, 1)
        wanted = expected if channel is None else expected[..., 1:]
        found = read_overlay(*arguments, **options, channel=channel)
        np.testing.assert_array_equal(found.data, wanted)
        assert not found.mask.any()
        both = stacked(*arguments, **options, channel=channel)
        np.testing.assert_array_equal(both, np.stack([wanted, np.zeros_like(wanted)], 1))


@pytest.mark.parametrize(
    ("outside", "dtype"), [(256, None), (0.5, None), (2**64, None), (np.nan, "i4"), (-1, "u4")]
)
def test_a_value_outside_that_the_dtype_cannot_hold_is_refused(outside, dtype):
    with pytest.raises(OverlayValueError, match=f"outside={outside} is no value of u?int"):
        read_overlay(ROI, ZEROS, -2, 0, 1, 1, **MPP, outside=outside, dtype=dtype)


def test_a_whole_number_outside_that_a_float_overlay_cannot_hold_is_refused():
    with pytest.raises(OverlayValueError, match="outside=16777217 is no value of float32"):
        overlap(ZEROS.astype(np.float32), x=-2, outside=2**24 + 1)
    assert overlap(ZEROS.astype(np.float32), x=-4, outside=0.1) == [{float(np.float32(0.1)): 1.0}]


@pytest.mark.parametrize("coverage", ["center", "exact"])
def test_a_scaled_coordinate_that_is_no_pixel_s_names_its_row(coverage):
    mpp: dict[str, Any] = {"overlay_mpp_x": 1.1e-4, "overlay_mpp_y": 1.0}
    tiles = [0, 1, -(2**52)]
    with pytest.raises(OverlayValueError, match=r"coordinate -4503599627370496 .*row=2"):
        overlay_overlap(ROI, ZEROS, tiles, 0, 1.0, 1.0, **mpp, coverage=coverage)


@pytest.mark.parametrize("x", [2**53, 2**53 + 1, -(2**53) - 1])
def test_a_coordinate_that_float64_rounds_is_refused(x):
    with pytest.raises(OverlayValueError, match=r"tile_x .*row=0"):
        overlap(ZEROS, x=[x])


def test_an_array_with_masked_elements_is_refused_rather_than_unmasked():
    masked = np.ma.MaskedArray(ZEROS, ZEROS == 0)
    for function in (count_values, lambda pixels: polygon_overlap(pixels, ROI), overlap):
        with pytest.raises(TypeError, match=r"masked: pass its \.data"):
            function(masked)
    assert overlap(np.ma.MaskedArray(ZEROS)) == [{0: 1.0}]


def test_a_list_of_arrays_is_no_overlay_of_channels():
    with pytest.raises(TypeError, match="not a list of arrays"):
        overlap([ZEROS, ZEROS], x=[0, 0])


NAN_BITS = {
    np.float16: [0x7C01, 0x7E01, 0xFE00, 0x8000],
    np.float32: [0x7F800001, 0x7FC00001, 0xFFC00000, 0x80000000],
    np.float64: [0x7FF0000000000001, 0x7FF8000000000001, 0xFFF8000000000000, 1 << 63],
}


@pytest.mark.parametrize("dtype", NAN_BITS)
def test_every_nan_is_one_value_whatever_its_payload_and_minus_zero_is_zero(dtype):
    bits = np.array(NAN_BITS[dtype], f"u{np.dtype(dtype).itemsize}").reshape(2, 2)
    pixels = bits.view(dtype)
    values, counts = count_values(pixels)
    assert (str(values.tolist()), counts.tolist()) == ("[0.0, nan]", [1, 3])
    assert str(polygon_overlap(pixels, box(0, 0, 2, 2))) == "{0.0: 0.25, nan: 0.75}"
    (found,) = overlap(pixels, box(0, 0, 2, 2))
    assert str(dict(sorted(found.items()))) == "{0.0: 0.25, nan: 0.75}"
    assert overlap(pixels, box(0, 0, 2, 2), nodata=[np.nan]) == [{0.0: 1.0}]
    # Patches are the file's own samples to the bit.
    found = read_overlay(box(0, 0, 2, 2), pixels, 0, 0, 1, 1, **MPP)
    np.testing.assert_array_equal(found.data.view(bits.dtype)[0, :, :, 0], bits)


@pytest.mark.parametrize("value", [2**53, -(2**63), 2**62])
def test_an_integer_that_float64_holds_is_kept(value):
    found = read_overlay(ROI, np.full((4, 4), value, "i8"), 0, 0, 1, 1, **MPP, dtype="f8")
    assert (found.data == float(value)).all()


def test_large_integers_are_told_apart_when_declared():
    pixels = np.full((4, 4), 2**53 + 1, np.uint64)
    assert overlap(pixels, classes={2**53: "a", 2**53 + 1: "b"}) == [{"b": 1.0}]
    assert overlap(pixels, classes={2**53 + 1: "a", "other": "b"}, nodata=2**53) == [{"a": 1.0}]


def test_a_value_beyond_a_float_s_range_is_not_its_infinity():
    pixels = np.full((4, 4), np.inf, np.float16)
    assert overlap(pixels, nodata=1e6) == [{np.inf: 1.0}]
    assert overlap(pixels, classes={70_000: "big", "other": "rest"}) == [{"rest": 1.0}]
    assert overlap(pixels, nodata=np.inf) == [{}]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_a_value_of_no_weight_does_not_occur(dtype):
    values, counts = count_values(np.array([[1, 2]], dtype), weights=[[0, 1]])
    assert (values.tolist(), counts.tolist()) == ([2], [1.0])


@pytest.mark.parametrize("coverage", ["center", "exact"])
def test_a_coordinate_that_is_no_pixel_s_is_refused(coverage):
    with pytest.raises(OverlayValueError, match=r"tile_x .* got 1e\+300 .*row=1"):
        overlap(ZEROS, x=[0, 1e300, -1e300], coverage=coverage)


def test_a_level_without_end_is_refused():
    with pytest.raises(OverlayValueError, match="level inf"):
        overlap(ZEROS, level=np.inf)


def test_a_path_in_an_array_of_no_dimension_is_a_path():
    with pytest.raises(OverlayError, match=r"/nowhere/mask\.tiff"):
        overlay_overlap(ROI, np.array("/nowhere/mask.tiff"), 0, 0, 1, 1)


@pytest.mark.parametrize("name", ["overlay_mpp_x", "slide_extent_y", "tile_extent_x"])
def test_one_of_a_pair_without_the_other_is_refused_by_name(name):
    one: dict[str, Any] = {name: 1.0}
    with pytest.raises(ValueError, match=f"{name[:-2]}_x and {name[:-2]}_y go together"):
        overlay_overlap(ROI, ZEROS, 0, 0, 1, 1, **one)


def test_vertices_of_three_numbers_are_refused_where_polygons_enter_the_core():
    vertices, ends = np.zeros((4, 3)), np.array([4])
    with pytest.raises(ValueError, match="pairs of x and y"):
        _core.Stencil(vertices, ends, (4, 4), (0.0, 0.0, 4.0, 4.0), "center", (0, 4))
    with pytest.raises(ValueError, match="pairs of x and y"):
        _core.Layer(vertices, ends, np.array([1]), np.zeros(1, np.uint32), 1)
