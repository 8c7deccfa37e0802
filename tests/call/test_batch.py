"""What a column or an overlay may be: any kind of array, list, table column or scalar."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from shapely import box

from overlays import labels, write_overlay
from ratiopath import OverlayValueError, overlay_overlap

SQUARE = box(0, 0, 4, 4)
MPP: dict[str, Any] = {"overlay_mpp_x": 0.5, "overlay_mpp_y": 0.5}
X, Y = [3, 20, 40], [2, 7, 30]

COLUMNS: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "big-endian": lambda column: np.array(column, ">i4"),
    "objects": lambda column: np.array(column, object),
    "strided": lambda column: np.repeat(column, 2)[::2],
    "reversed": lambda column: np.array(column[::-1])[::-1],
    "Series": lambda column: pd.Series(column, index=[7, 3, 5]),
    "nullable Series": lambda column: pd.Series(column, dtype="Int64"),
    "Arrow Series": lambda column: pd.Series(column, dtype="int64[pyarrow]"),
    "Arrow": pa.array,
    "chunks": lambda column: pa.chunked_array([column[:1], column[1:]]),
    "Arrow scalars": lambda column: [pa.scalar(one) for one in column],
}

PATHS: dict[str, Any] = {
    "text": str,
    "Path": Path,
    "bytes": os.fsencode,
    "NumPy text": np.str_,
    "array without axes": np.array,
    "Arrow scalar": pa.scalar,
    "list": lambda path: [path] * 3,
    "Paths": lambda path: [Path(path)] * 3,
    "all bytes": lambda path: [os.fsencode(path)] * 3,
    "array": lambda path: np.array([path] * 3),
    "Series": lambda path: pd.Series([path] * 3),
    "Series of Paths": lambda path: pd.Series([Path(path)] * 3),
    "categories": lambda path: pd.Series([path] * 3, dtype="category"),
    "Arrow": lambda path: pa.array([path] * 3),
    "Arrow bytes": lambda path: pa.array([os.fsencode(path)] * 3),
    "dictionary": lambda path: pa.array([path] * 3).dictionary_encode(),
    "Arrow scalars": lambda path: [pa.scalar(path)] * 3,
}

PIXELS: dict[str, Any] = {
    "list": np.ndarray.tolist,
    "tuple": lambda pixels: tuple(map(tuple, pixels.tolist())),
    "rows": list,
    "Fortran": np.asfortranarray,
    "mirrored": lambda pixels: np.ascontiguousarray(pixels[::-1, ::-1])[::-1, ::-1],
    "DataFrame": pd.DataFrame,
    "nothing masked": np.ma.array,
    "memory": memoryview,
    "Pillow": Image.fromarray,
}


@pytest.fixture
def overlay(tmp_path):
    """Labels of 0.5 µm per pixel."""
    return str(write_overlay(tmp_path / "labels.tiff", [labels()], 0.5))


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_may_be_of_any_kind(overlay, kind):
    expected = overlay_overlap(SQUARE, overlay, np.array(X), Y, 0.5, 0.5)
    assert overlay_overlap(SQUARE, overlay, COLUMNS[kind](X), Y, 0.5, 0.5) == expected


@pytest.mark.parametrize("kind", PATHS)
def test_a_path_may_be_of_any_kind(overlay, kind):
    expected = overlay_overlap(SQUARE, [overlay] * 3, X, Y, 0.5, 0.5)
    assert overlay_overlap(SQUARE, PATHS[kind](overlay), X, Y, 0.5, 0.5) == expected


@pytest.mark.parametrize("kind", PIXELS)
def test_an_overlay_in_memory_may_be_of_any_kind(kind):
    expected = overlay_overlap(SQUARE, labels(), X, Y, 0.5, 0.5, **MPP)
    assert overlay_overlap(SQUARE, PIXELS[kind](labels()), X, Y, 0.5, 0.5, **MPP) == expected


@pytest.mark.parametrize("scalar", [3, 3.0, np.int8(3), np.array(3), pa.scalar(3)])
def test_a_scalar_holds_for_all_rows(overlay, scalar):
    expected = overlay_overlap(SQUARE, overlay, [3, 3, 3], Y, 0.5, 0.5)
    assert overlay_overlap(SQUARE, overlay, scalar, Y, 0.5, 0.5) == expected


@pytest.mark.parametrize(
    "null",
    [
        [3, None, 40],
        [3, np.nan, 40],
        pd.Series([3, None, 40], dtype="Int64"),
        pa.array([3, None, 40]),
        np.ma.array([3, 20, 40], mask=[False, True, False]),
    ],
    ids=["list", "NaN", "nullable Series", "Arrow", "masked"],
)
def test_a_null_is_named_by_its_row(overlay, null):
    with pytest.raises(OverlayValueError, match="tile_x") as caught:
        overlay_overlap(SQUARE, overlay, null, Y, 0.5, 0.5)
    assert (caught.value.row, caught.value.path) == (1, overlay)


@pytest.mark.parametrize("name", ["tile_x", "tile_y", "mpp_x", "mpp_y"])
def test_a_number_that_every_tile_needs_cannot_be_none(overlay, name):
    numbers: dict[str, Any] = {"tile_x": X, "tile_y": Y, "mpp_x": 0.5, "mpp_y": 0.5} | {name: None}
    with pytest.raises(OverlayValueError, match=name) as caught:
        overlay_overlap(SQUARE, overlay, **numbers)
    assert caught.value.row == 0


@pytest.mark.parametrize(
    "column",
    [["a"] * 3, np.array([1j] * 3), np.array(["2020-01-01"] * 3, "M8[D]"), pd.Series([1j] * 3)],
    ids=["text", "complex", "dates", "complex Series"],
)
def test_a_column_of_what_is_no_number_is_refused_by_name(overlay, column):
    with pytest.raises(TypeError, match="tile_x"):
        overlay_overlap(SQUARE, overlay, column, Y, 0.5, 0.5)


@pytest.mark.parametrize("path", [5, object(), [5], [labels(), labels()], (labels(), labels())])
def test_what_is_neither_a_path_nor_an_array_is_refused_by_name(path):
    with pytest.raises(TypeError, match="overlay_path"):
        overlay_overlap(SQUARE, path, 0, 0, 0.5, 0.5, **MPP)
