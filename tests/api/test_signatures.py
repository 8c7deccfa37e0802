"""The functions of overlays and annotations, and their twins for Ray: one signature and meaning."""

from __future__ import annotations

import inspect
import pickle
import re
from typing import Any

import pytest
from ray.data.expressions import col
from shapely import box

from ratiopath import annotation_overlap, overlay_overlap, overlay_stats, read_overlay
from ratiopath.call.annotation_options import annotation_options
from ratiopath.call.columns import ANNOTATION_COLUMNS, OVERLAY_COLUMNS
from ratiopath.call.options import overlap_options, patch_options
from ratiopath.call.statistics_options import stats_options
from ratiopath.tiling import (
    tile_annotation_overlap,
    tile_overlay,
    tile_overlay_overlap,
    tile_overlay_stats,
)

TWINS: dict[Any, Any] = {
    read_overlay: tile_overlay,
    overlay_overlap: tile_overlay_overlap,
    overlay_stats: tile_overlay_stats,
    annotation_overlap: tile_annotation_overlap,
}
CHECKS: dict[Any, Any] = {
    read_overlay: patch_options,
    overlay_overlap: overlap_options,
    overlay_stats: stats_options,
    annotation_overlap: annotation_options,
}
FUNCTIONS = [*TWINS, *TWINS.values()]
OWN = {"absent": "only a struct has keys that do not occur"}
# One name, and in each function what it is there.
DIFFERENT = {
    "coverage": "a patch has no weights",
    "outside": "a patch has a mask, an overlap a denominator",
    "nodata": "of statistics they are numbers",
    "classes": "of overlays they are values, of annotations names",
    "on_missing": "annotations have no pixels",
    "mpp_x": "annotations may do without",
    "mpp_y": "annotations may do without",
}


def name_of(function):
    return function.__name__


def texts(function):
    """What a docstring says of each parameter, on one line."""
    (block,) = re.findall(r"Args:\n(.*?)\n\n", inspect.getdoc(function) or "", re.DOTALL)
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", block, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text) for name, text in entries}


def leads(short, long):
    """Whether one text is another's, or ends where a part of the other does."""
    start = short.rstrip(".")
    return long.startswith(start) and long[len(start) :][:1] in ("", ".", ",", ";", ":")


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_every_parameter_is_the_roi_a_column_or_an_option_and_is_described(function):
    numpy = {twin: namesake for namesake, twin in TWINS.items()}.get(function, function)
    columns = ANNOTATION_COLUMNS if numpy is annotation_overlap else OVERLAY_COLUMNS
    options = set(inspect.signature(CHECKS[numpy]).parameters)
    own = set() if function is not numpy else set(OWN)
    parameters = set(inspect.signature(function).parameters)
    assert parameters == {"roi", *columns} | (options - own)
    assert texts(function).keys() == parameters


@pytest.mark.parametrize("function", TWINS, ids=name_of)
def test_twins_have_one_signature(function):
    mine = inspect.signature(function).parameters
    twin = inspect.signature(TWINS[function]).parameters
    assert set(twin) - set(mine) <= OWN.keys()
    assert {name: (mine[name].kind, mine[name].default) for name in mine} == {
        name: (twin[name].kind, twin[name].default) for name in mine
    }


@pytest.mark.parametrize("function", TWINS, ids=name_of)
def test_a_twin_says_of_a_parameter_what_its_namesake_begins_with(function):
    mine, twin = texts(function), texts(TWINS[function])
    assert f"`ratiopath.{function.__name__}`" in (TWINS[function].__doc__ or "")
    # Only functions for NumPy take an overlay in memory.
    shared = [name for name in mine if name != "overlay_path"]
    wrong = {name: twin[name] for name in shared if not leads(twin[name], mine[name])}
    assert wrong == {}


@pytest.mark.parametrize(
    "name", sorted({name for one in TWINS for name in texts(one)} - {*DIFFERENT})
)
def test_a_parameter_that_several_functions_have_means_one_thing(name):
    said = [texts(function)[name] for function in TWINS if name in texts(function)]
    longest = max(said, key=len)
    assert all(leads(text, longest) for text in said), said


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_an_argument_that_is_missing_or_unknown_is_named_with_the_function(function):
    with pytest.raises(TypeError, match=rf"{function.__name__}\(\) .*'nonsense'"):
        function(None, "a.tif", 0, 0, 1, 1, nonsense=1)
    with pytest.raises(TypeError, match=rf"{function.__name__}\(\) missing .*'tile_y'"):
        function(None, "a.tif", 0)


def test_what_is_shipped_to_workers_is_the_region_and_the_options():
    shipped: Any = tile_overlay_overlap(box(0, 0, 512, 512), col("path"), col("x"), col("y"), 1, 1)
    query = shipped.kwargs["query"].value
    assert not query.columns
    assert len(pickle.dumps(query)) < 1000
