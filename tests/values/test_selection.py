"""Which values count and what they are called: nodata, classes and bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shapely import box

from ratiopath import OverlayValueError, overlay_overlap
from ratiopath.call.batch import Batch
from ratiopath.call.options import overlap_options
from ratiopath.call.query import Call
from ratiopath.call.region import Region
from ratiopath.measure.pipeline import fractions
from ratiopath.results.arrow import struct_column
from ratiopath.results.entries import Fractions

LABELS = np.array([[0, 0, 1, 1], [2, 2, 2, 255]], np.uint8)
HEAT = np.array([[0.0, 0.1, 0.25, 0.5], [1.0, -0.0, np.nan, 0.5]], np.float32)
COLOURS = np.array([[(255, 0, 0), (7, 7, 7)], [(0, 0, 0), (255, 0, 0)]], np.uint8)


def overlap(pixels, **options):
    height, width = pixels.shape[:2]
    mpp: dict[str, Any] = {"overlay_mpp_x": 1, "overlay_mpp_y": 1}
    (found,) = overlay_overlap(box(0, 0, width, height), pixels, 0, 0, 1, 1, **mpp, **options)
    return found


def struct(pixels, x=(0,), *, absent: float | None = 0.0, **options):
    """The same as rows of a struct column."""
    settings: dict[str, Any] = dict.fromkeys(
        ("nodata", "classes", "bins", "storage_options", "channel")
    )
    settings |= {"coverage": "center", "outside": "clip", "on_missing": "error"} | options
    checked = overlap_options(**settings, absent=absent)
    numbers = {"tile_x": list(x), "tile_y": 0, "mpp_x": 1, "mpp_y": 1}
    batch = Batch.of(overlay_path=pixels, **numbers, overlay_mpp_x=1, overlay_mpp_y=1)
    region = Region.rectangle(pixels.shape[1], pixels.shape[0])
    found = Fractions.joined(list(fractions(Call(region, batch, checked))))
    declared = checked.selection.declared_keys
    return struct_column(found, batch.size, declared, absent).to_pylist()


def test_values_are_keyed_by_themselves():
    assert overlap(LABELS) == {0: 0.25, 1: 0.25, 2: 0.375, 255: 0.125}


def test_nodata_leaves_the_numerator_and_the_denominator():
    assert overlap(LABELS, nodata=0) == {1: 2 / 6, 2: 3 / 6, 255: 1 / 6}
    assert overlap(LABELS, nodata=(0, 255)) == {1: 0.4, 2: 0.6}
    assert overlap(LABELS, nodata=[0, 1, 2, 255]) == {}


def test_nodata_may_be_a_colour():
    assert overlap(COLOURS, nodata=[(255, 0, 0)]) == {0: 0.5, 7: 0.5}


@pytest.mark.parametrize(
    "several",
    [
        [1, 255],
        (1, 255),
        {1, 255},
        range(1, 256, 254),
        np.array([1, 255]),
        np.array([1, 255], np.uint8),
        pd.Series([1, 255]),
        pa.array([1, 255]),
        [pa.scalar(1), np.array(255)],
    ],
    ids=str,
)
def test_several_values_may_be_of_any_kind(several):
    assert overlap(LABELS, nodata=several) == {0: 2 / 5, 2: 3 / 5}
    ones = np.where(LABELS > 1, np.uint8(255), np.uint8(1))
    assert overlap(ones, classes=several) == {1: 0.5, 255: 0.5}


@pytest.mark.parametrize("one", [255, 255.0, np.uint8(255), np.array(255), pa.scalar(255)])
def test_one_value_may_be_any_scalar(one):
    assert overlap(LABELS, nodata=one) == {0: 2 / 7, 1: 2 / 7, 2: 3 / 7}
    assert overlap(np.full((2, 2), 255, np.uint8), classes=one) == {255: 1.0}


def test_a_row_of_an_array_is_a_colour():
    red = np.array([[255, 0, 0]], np.uint8)
    assert overlap(COLOURS, nodata=red) == {0: 0.5, 7: 0.5}
    found = overlap(COLOURS, classes=[*red, "other"])
    assert found == {(255, 0, 0): 0.5, "other": 0.5}


def test_classes_name_values_and_sum_those_of_one_name():
    classes = {0: "background", 1: "tissue", 2: "tissue", 255: "fat"}
    assert overlap(LABELS, classes=classes) == {"background": 0.25, "tissue": 0.625, "fat": 0.125}


def test_declared_values_without_names_are_their_own_keys():
    found = overlap(LABELS, classes=(0, 1, 2, "other"))
    assert found == {0: 0.25, 1: 0.25, 2: 0.375, "other": 0.125}
    found = overlap(COLOURS, classes=[(255, 0, 0), (7, 7, 7), 0])
    assert found == {(255, 0, 0): 0.5, 7: 0.25, 0: 0.25}
    assert overlap(HEAT, classes=(0.1, "other"))[0.1] == 0.125
    (row,) = struct(COLOURS, classes=[(255, 0, 0), (7, 7, 7), 0])
    assert row == {"255,0,0": 0.5, "7": 0.25, "0": 0.25}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_declared_float_is_named_by_its_shortest_text(dtype):
    classes = np.array([0.1, 255.0, -0.0], dtype)
    assert list(struct(LABELS, classes=[*classes, "other"])[0]) == ["0.1", "255", "0", "other"]
    colour = [(dtype(0.1), dtype(2), dtype(0.3)), "other"]
    assert list(struct(LABELS, classes=colour)[0]) == ["0.1,2,0.3", "other"]


def test_classes_that_are_one_value_in_the_overlay_s_dtype_are_refused():
    classes = {0.1: "low", 0.1 + 1e-12: "high", "other": "rest"}
    with pytest.raises(OverlayValueError, match="is the same float32 as another"):
        overlap(HEAT, classes=classes)
    assert overlap(HEAT.astype(np.float64), classes=classes) == {"rest": 1.0}
    with pytest.raises(OverlayValueError, match="both classes and nodata"):
        overlap(HEAT, classes=(0.1, "other"), nodata=0.1 + 1e-12)


def test_a_whole_number_that_float16_lacks_is_not_its_neighbour():
    pixels = np.full((2, 2), 2048, np.float16)
    assert overlap(pixels, classes={2049: "a", 2048: "b"}) == {"b": 1.0}
    assert overlap(pixels, nodata=2049) == {2048: 1.0}


def test_other_gathers_what_is_not_declared():
    assert overlap(LABELS, classes={0: "background", "other": "rest"}) == {
        "background": 0.25,
        "rest": 0.75,
    }


def test_a_colour_may_be_a_class_and_a_grey_one_is_its_number():
    classes = {(255, 0, 0): "tumour", 7: "stroma", (0, 0, 0): "background"}
    assert overlap(COLOURS, classes=classes) == {"tumour": 0.5, "stroma": 0.25, "background": 0.25}


def test_a_class_matches_in_the_overlay_s_own_precision():
    classes = {0.1: "low", "other": "rest"}
    assert overlap(HEAT, classes=classes) == {"low": 0.125, "rest": 0.875}


def test_a_value_that_was_not_declared_is_named_with_its_row():
    pixels = np.hstack([np.zeros((2, 4), np.uint8), LABELS])
    mpp: dict[str, Any] = {"overlay_mpp_x": 1, "overlay_mpp_y": 1}
    with pytest.raises(OverlayValueError, match=r"value 255 is not among the classes.*row=1"):
        overlay_overlap(box(0, 0, 4, 2), pixels, [0, 4], 0, 1, 1, **mpp, classes=(0, 1, 2))


def test_bins_are_right_open_and_the_last_is_closed():
    expected = {"[0,0.25)": 3 / 8, "[0.25,0.5)": 1 / 8, "[0.5,1]": 3 / 8, "nan": 1 / 8}
    assert overlap(HEAT, bins=(0, 0.25, 0.5, 1)) == expected


def test_a_value_in_no_bin_is_named():
    with pytest.raises(OverlayValueError, match=r"value 1 is in no bin: .*-inf"):
        overlap(HEAT, bins=(0, 0.25, 0.75))


def test_edges_may_reach_infinity():
    assert overlap(LABELS, bins=(-np.inf, 1, np.inf)) == {"[-inf,1)": 0.25, "[1,inf]": 0.75}


def test_bins_of_colours_need_a_channel():
    with pytest.raises(OverlayValueError, match="channel"):
        overlap(COLOURS, bins=(0, 256))
    assert overlap(COLOURS, bins=(0, 10, 256), channel=0) == {"[0,10)": 0.5, "[10,256]": 0.5}


@pytest.mark.parametrize(
    "options",
    [
        {"classes": (0, 1), "bins": (0, 1)},
        {"classes": (0, 1), "nodata": 1},
        {"classes": (0, 0)},
        {"classes": ()},
        {"bins": (1,)},
        {"bins": (0, 0)},
        {"bins": (1, 0)},
        {"bins": (0, np.nan)},
    ],
)
def test_options_that_contradict_are_refused(options):
    with pytest.raises(ValueError, match=r"classes|bins|nodata"):
        overlap(LABELS, **options)


@pytest.mark.parametrize("options", [{"classes": ("a",)}, {"nodata": "a"}, {"nodata": [None]}])
def test_values_that_are_no_numbers_are_refused(options):
    with pytest.raises(TypeError):
        overlap(LABELS, **options)


def test_struct_keys_are_text_in_the_order_of_the_values():
    (row,) = struct(HEAT)
    assert list(row) == ["0", "0.1", "0.25", "0.5", "1", "nan"]
    (row,) = struct(COLOURS)
    assert row == {"0": 0.25, "7": 0.25, "255,0,0": 0.5}


def test_struct_rows_share_their_keys_and_absent_fills_them():
    first, second = struct(LABELS, x=(0, 3))
    assert first == {"0": 0.25, "1": 0.25, "2": 0.375, "255": 0.125}
    assert second == {"0": 0.0, "1": 0.5, "2": 0.0, "255": 0.5}
    assert struct(LABELS, x=(0, 3), absent=None)[1] == {"0": None, "1": 0.5, "2": None, "255": 0.5}


def test_struct_keys_of_large_integers_and_of_colours_with_nan_are_in_order():
    big = np.array([[2**64 - 1, 2**53 + 1], [2**53, 2**64 - 2]], np.uint64)
    assert list(struct(big)[0]) == [str(n) for n in sorted(big.ravel().tolist())]
    nan = np.nan
    colours = np.array([[(nan, 1), (1, nan)], [(0, nan), (nan, 0)]], np.float32)
    assert list(struct(colours)[0]) == ["0,nan", "1,nan", "nan,0", "nan,1"]


def test_a_struct_without_any_key_has_the_key_0():
    assert struct(LABELS, x=(100,)) == [{"0": 0.0}]
    assert struct(LABELS, x=(100,), absent=None) == [{"0": None}]


def test_a_struct_has_no_key_for_nodata():
    assert struct(LABELS, nodata=(0, 255)) == [{"1": 0.4, "2": 0.6}]
    assert struct(LABELS, nodata=(0, 1, 2, 255)) == [{"0": 0.0}]


def test_a_struct_of_declared_classes_has_them_all():
    assert struct(LABELS, x=(100,), classes={0: "a", 1: "b"}) == [{"a": 0.0, "b": 0.0}]
