"""Counting in pieces, on threads and from what is known gives what counting at once gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from overlays import blocks, labels, write_overlay
from ratiopath import OverlayValueError, overlay_overlap, read_overlay
from ratiopath.measure import areas as collect
from ratiopath.segments.cache import cache


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_overlay(tmp_path_factory.mktemp("overlays") / "labels.tiff", [labels()], 1.0)


@pytest.fixture
def tiles():
    x, y = np.meshgrid(np.arange(-8, 45, 7), np.arange(-8, 37, 7))
    return x.ravel(), y.ravel()


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize(
    "options", [{"bins": (0, 1, 3, 5)}, {"classes": (0, 3, "other")}, {"classes": range(5)}]
)
def test_pieces_make_the_whole(
    path, tiles: tuple[np.ndarray, np.ndarray], options, threads, monkeypatch
):
    whole = overlay_overlap(Point(5, 5).buffer(5), path, *tiles, 1.0, 1.0, **options)
    cache.clear()
    monkeypatch.setattr(collect, "_MANY_AREAS", 3)
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", threads)
    assert overlay_overlap(Point(5, 5).buffer(5), path, *tiles, 1.0, 1.0, **options) == whole


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("many", [1, 1000])
def test_the_same_row_and_value_are_named_however_the_work_is_split(
    path, tiles, threads, many, monkeypatch
):
    cache.clear()
    monkeypatch.setattr(collect, "_MANY_AREAS", many)
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", threads)
    x, y = (axis[::-1] for axis in tiles)
    # The first row sees a corner of the overlay, 1 and 4 undeclared.
    assert set(np.unique(labels()[34:, 41:])) == {0, 1, 2, 4}
    with pytest.raises(OverlayValueError, match="value 1 is not among") as caught:
        overlay_overlap(box(0, 0, 9, 9), path, x, y, 1.0, 1.0, classes=(0, 2))
    assert caught.value.row == 0


def test_a_bin_for_nan_is_found_in_any_piece(monkeypatch):
    monkeypatch.setattr(collect, "_MANY_AREAS", 1)
    pixels = np.zeros((1024, 1024), np.float32)
    pixels[:512, 512:] = np.nan
    found = overlay_overlap(
        box(0, 0, 1024, 1024),
        pixels,
        0,
        0,
        1,
        1,
        overlay_mpp_x=1,
        overlay_mpp_y=1,
        bins=(0, 1),
    )
    assert found == [{"[0,1]": 0.75, "nan": 0.25}]


@pytest.fixture(scope="module")
def colour(tmp_path_factory):
    """Red everywhere, in tiles that are stored alike, but for one pixel."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :, 0] = 255
    pixels[0, 0] = (1, 2, 3)
    path = tmp_path_factory.mktemp("overlays") / "colour.tiff"
    return write_overlay(path, [pixels], 1.0, tile=(32, 32)), pixels


@pytest.mark.parametrize(("channel", "value"), [(None, (255, 0, 0)), (0, 255), (1, 0)])
def test_a_channel_of_segments_that_are_stored_alike(colour, channel, value):
    path, pixels = colour
    cache.clear()
    x = np.array([0, 0, 32])
    y = np.array([0, 32, 32])
    for _ in range(2):
        found = overlay_overlap(box(0, 0, 32, 32), path, x, y, 1, 1, channel=channel)
        assert found[1:] == [{value: 1.0}] * 2
        assert len(found[0]) == 2
        data = read_overlay(box(0, 0, 32, 32), path, x, y, 1, 1, channel=channel).data
        wanted = pixels if channel is None else pixels[:, :, channel : channel + 1]
        np.testing.assert_array_equal(data[0], wanted[:32, :32])
        np.testing.assert_array_equal(data[2], wanted[32:, 32:])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-20, 50), st.integers(-20, 40)), min_size=1, max_size=12),
    st.sampled_from([box(0, 0, 16, 16), box(0, 0, 32, 16), Point(8, 8).buffer(9), box(2, 3, 9, 8)]),
    st.sampled_from(["center", "all_touched", "exact"]),
)
def test_what_is_known_changes_no_answer(tmp_path_factory, tiles, roi, coverage):
    """The same overlay in memory is never cached, and the file is asked twice, warm from before."""
    pixels = blocks()
    folder = tmp_path_factory.getbasetemp() / "known"
    folder.mkdir(exist_ok=True)
    path = folder / "blocks.tiff"
    if not path.exists():
        write_overlay(path, [pixels], 1.0)
    x, y = np.array(tiles).T
    rows = overlay_overlap(
        roi, pixels, x, y, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1, coverage=coverage
    )
    expected = [pytest.approx(row) for row in rows]
    for _ in range(2):
        assert overlay_overlap(roi, path, x, y, 1, 1, coverage=coverage) == expected
