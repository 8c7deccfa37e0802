"""Tile grids, row identifiers and the annotations under a tile."""

from __future__ import annotations

import hashlib
import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from ratiopath.annotations.clip import tile_annotations
from ratiopath.slides.grid import grid_tiles
from ratiopath.tiling.utils import row_hash

# --- grid_tiles -----------------------------------------------------------------------------


def test_x_varies_fastest():
    tiles = grid_tiles((6, 4), (2, 2), (2, 2))
    assert tiles.tolist() == [[0, 0], [2, 0], [4, 0], [0, 2], [2, 2], [4, 2]]


@pytest.mark.parametrize(
    ("last", "corners"),
    [("keep", [0, 3, 6, 9]), ("drop", [0, 3, 6]), ("shift", [0, 3, 6, 7])],
)
def test_the_last_tile_is_kept_dropped_or_shifted(last, corners):
    assert grid_tiles(11, 4, 3, last=last).tolist() == [[x] for x in corners]


@pytest.mark.parametrize("last", ["keep", "drop", "shift"])
def test_a_grid_that_ends_at_the_edge_is_the_same_for_every_rule(last):
    assert grid_tiles((10, 4), 4, 3, last=last).tolist() == [[0, 0], [3, 0], [6, 0]]


def test_keep_is_the_default():
    assert grid_tiles((5,), (4,), (4,)).tolist() == [[0], [4]]


@pytest.mark.parametrize(
    ("last", "corners"),
    [("keep", [[0, 0], [0, 4]]), ("shift", [[0, 0], [0, 1]]), ("drop", [])],
)
def test_a_tile_wider_than_the_slide_starts_at_0_or_is_dropped(last, corners):
    with pytest.warns(UserWarning, match=r"tile \[100, 4\] is larger than the slide \[3, 5\]"):
        tiles = grid_tiles((3, 5), (100, 4), (4, 4), last=last)
    assert tiles.tolist() == corners
    assert tiles.shape == (len(corners), 2)


def test_a_tile_as_large_as_the_slide_is_one_tile_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grid_tiles((7, 5), (7, 5), (1, 1)).tolist() == [[0, 0]]


def test_the_result_is_int64_and_unpacks_into_integers_that_a_row_takes():
    tiles = grid_tiles(np.array([6, 4], dtype=np.int32), [2, 2], np.int64(2))
    assert tiles.dtype == np.int64
    assert [{"tile_x": int(x), "tile_y": int(y)} for x, y in tiles][1] == {"tile_x": 2, "tile_y": 0}
    assert isinstance(tiles[0][0], np.integer)


def test_any_number_of_dimensions():
    assert grid_tiles((2, 1, 2), 1, 1).tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 1]]


def test_coordinates_beyond_32_bits():
    assert grid_tiles(3 * 2**32, 2**32, 2**32).tolist() == [[0], [2**32], [2**33]]


@pytest.mark.parametrize("bad", [0, -1, 1.5, math.nan, math.inf, (4, 0), (), ((4, 4),), "4", True])
@pytest.mark.parametrize("argument", ["slide_extent", "tile_extent", "stride"])
def test_lengths_are_positive_integers(argument, bad):
    lengths: dict[str, Any] = {"slide_extent": 8, "tile_extent": 4, "stride": 4} | {argument: bad}
    with pytest.raises(ValueError, match=argument):
        grid_tiles(**lengths)


def test_dimensions_must_match():
    with pytest.raises(ValueError, match="dimensions"):
        grid_tiles((8, 8), (4, 4, 4), 4)
    with pytest.raises(ValueError, match="dimensions"):
        grid_tiles((8, 8), (4,), 4)


@pytest.mark.parametrize(
    ("slide", "stride", "message"),
    [
        ((100_001, 100_000), 1, "100000 x 99999 tiles needs 159,998,400,000 bytes"),
        (2**62, 1, "more than 17,179,869,184"),
        ((2**62, 2**62), (2**61, 1), "more than 17,179,869,184"),
        ((2**62, 1), 1, "more than 17,179,869,184"),
    ],
)
@pytest.mark.parametrize("last", ["keep", "drop", "shift"])
@pytest.mark.filterwarnings("ignore:the tile")
def test_a_grid_too_large_for_memory_is_refused_before_it_is_made(slide, stride, message, last):
    with pytest.raises(ValueError, match=message):
        grid_tiles(slide, 2, stride, last)


def test_an_unknown_rule_for_the_last_tile_is_an_error():
    wrong: dict[str, Any] = {"last": "pad"}
    with pytest.raises(ValueError, match="'shift', 'drop' or 'keep', got 'pad'"):
        grid_tiles(8, 4, 4, **wrong)


def grid_by_loop(slide, tile, stride, last):
    def positions(slide, tile, stride):
        if last == "drop":
            return [x for x in range(0, slide, stride) if x + tile <= slide]
        # Every tile but the first is there because the tile before it ends inside the slide.
        kept = [x for x in range(0, slide + stride, stride) if x == 0 or x - stride + tile < slide]
        return [max(min(x, slide - tile), 0) for x in kept] if last == "shift" else kept

    axes = [positions(*lengths) for lengths in zip(slide, tile, stride, strict=True)]
    return [list(corner[::-1]) for corner in itertools.product(*axes[::-1])]


PAIR = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.mark.filterwarnings("ignore:the tile")
@given(PAIR, PAIR, PAIR, st.sampled_from(["keep", "drop", "shift"]))
def test_the_grid_agrees_with_a_loop(slide, tile, stride, last):
    expected = grid_by_loop(slide, tile, stride, last)
    assert grid_tiles(slide, tile, stride, last).tolist() == expected


@given(PAIR, st.integers(1, 9))
def test_every_pixel_lies_in_a_tile_when_the_stride_is_at_most_the_tile(slide, tile):
    tile = min(tile, *slide)
    for last in ("keep", "shift"):
        covered = np.zeros(slide, dtype=bool)
        for x, y in grid_tiles(slide, tile, max(tile - 1, 1), last=last):
            covered[x : x + tile, y : y + tile] = True
        assert covered.all()


# --- row_hash -------------------------------------------------------------------------------


def test_the_identifier_is_the_digest_of_the_rows_text():
    row = {"path": "a.svs", "extent_x": 10, "mpp_x": 0.5, "tags": ["a", None, True]}
    text = "{'path': 'a.svs', 'extent_x': 10, 'mpp_x': 0.5, 'tags': ['a', None, True]}"
    assert row_hash(row) == row | {"id": hashlib.sha256(text.encode()).hexdigest()}


def test_the_row_itself_is_left_alone():
    row = {"path": "a.svs"}
    assert row_hash(row) is not row
    assert row == {"path": "a.svs"}


def test_column_and_algorithm_can_be_chosen():
    digest = hashlib.md5(b"{'a': 1}").hexdigest()  # noqa: S324 - any algorithm is the caller's
    assert row_hash({"a": 1}, column="key", algorithm=hashlib.md5) == {"a": 1, "key": digest}


def test_numpy_values_count_as_the_numbers_they_hold():
    plain = {"x": 3, "mpp": 0.5, "box": [1, 2], "nested": {"y": [4]}}
    numpy = {
        "x": np.int64(3),
        "mpp": np.float64(0.5),
        "box": np.array([1, 2]),
        "nested": {"y": [np.int32(4)]},
    }
    assert row_hash(numpy)["id"] == row_hash(plain)["id"]


def test_large_arrays_differ_in_every_element():
    image = np.zeros(100_000, dtype=np.uint8)
    other = image.copy()
    other[50_000] = 1
    assert row_hash({"image": image})["id"] != row_hash({"image": other})["id"]


# --- tile_annotations -----------------------------------------------------------------------


def annotations_under(annotations, roi, coordinates, downsample=1.0):
    return list(tile_annotations(annotations, roi, coordinates, downsample))


def test_annotations_are_cut_to_the_roi_in_slide_coordinates_of_the_tiles_level():
    # Level 0: the annotation spans 0..40. At downsample 4 it spans 0..10.
    found = annotations_under([box(0, 0, 40, 40)], box(1, 1, 4, 4), [(0, 0), (8, 4)], 4.0)
    assert found[0].equals(box(1, 1, 4, 4))
    assert found[1].equals(box(9, 5, 10, 8))


def test_a_tile_without_annotations_gives_an_empty_polygon():
    (found,) = annotations_under([box(0, 0, 4, 4)], box(0, 0, 2, 2), [(100, 100)])
    assert isinstance(found, Polygon)
    assert found.is_empty
    (none,) = annotations_under([], box(0, 0, 2, 2), [(0, 0)])
    assert none.is_empty


def test_overlapping_annotations_are_united():
    (found,) = annotations_under([box(0, 0, 3, 4), box(2, 0, 4, 4)], box(0, 0, 8, 2), [(0, 1)])
    assert found.equals(box(0, 1, 4, 3))
    assert found.area == 8.0


def test_annotations_may_be_points_and_any_iterable():
    (found,) = annotations_under(iter([Point(5, 5), Point(50, 50)]), box(0, 0, 4, 4), [(2, 2)])
    assert found.equals(Point(5, 5))


def test_the_roi_may_be_any_polygon_and_exceed_the_tile():
    ring = box(-2, -2, 6, 6).difference(box(0, 0, 4, 4))
    (found,) = annotations_under([box(8, 8, 30, 30)], ring, np.array([[10, 10]]))
    assert found.equals(box(8, 8, 16, 16).difference(box(10, 10, 14, 14)))


def test_tiles_are_cut_one_by_one_as_they_are_asked_for():
    endless = ((x, 0) for x in itertools.count())
    found = tile_annotations([box(0, 0, 10, 10)], box(0, 0, 1, 1), endless, 1.0)
    assert next(found).equals(box(0, 0, 1, 1))
    assert next(found).equals(box(1, 0, 2, 1))


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_downsample_that_cannot_be_fails_before_iterating(bad):
    with pytest.raises(ValueError, match="downsample"):
        tile_annotations([], box(0, 0, 1, 1), [], bad)


def test_the_annotated_area_of_a_grid_adds_up_to_the_annotation():
    circle = Point(500, 400).buffer(300)
    tiles = grid_tiles((250, 200), 64, 64)
    areas = [part.area for part in tile_annotations([circle], box(0, 0, 64, 64), tiles, 4.0)]
    assert sum(areas) == pytest.approx(circle.area / 16, rel=1e-9)


def test_the_inputs_are_not_modified():
    annotation, roi, corners = box(0, 0, 4, 4), box(0, 0, 2, 2), np.array([[1, 1]])
    annotations_under([annotation], roi, corners, 2.0)
    assert shapely.equals_exact([annotation, roi], [box(0, 0, 4, 4), box(0, 0, 2, 2)]).all()
    assert corners.tolist() == [[1, 1]]
