"""The segment cache: each segment, and each content, is decoded once and within the bound."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from shapely import box

from overlays import write_overlay
from ratiopath import overlay_overlap
from ratiopath.readers.opening import open_reader
from ratiopath.segments.cache import SegmentCache, cache
from ratiopath.segments.ids import RecentIds
from ratiopath.storage.files import PositionalFile


@pytest.fixture
def labels():
    """4 x 4 tiles of 64 px: 0 everywhere, but noise in the first and 9 in the last."""
    pixels = np.zeros((256, 256), np.uint8)
    pixels[:64, :64] = np.random.default_rng(0).integers(0, 256, (64, 64))
    pixels[192:, 192:] = 9
    return pixels


@pytest.fixture
def reader(tmp_path, labels):
    return open_reader(write_overlay(tmp_path / "labels.tiff", [labels], 1.0, tile=(64, 64)))


@pytest.fixture
def decoded(reader, monkeypatch):
    """The segments that the reader decodes, in order."""
    places = []
    read_segment, read_segment_into = reader.read_segment, reader.read_segment_into

    def counting(*place):
        places.append(place)
        return read_segment(*place)

    def counting_into(slot, *place):
        places.append(place)
        return read_segment_into(slot, *place)

    decode_segment = reader.decode_segment

    def counting_stored(stored, slot, *place):
        places.append(place)
        return decode_segment(stored, slot, *place)

    monkeypatch.setattr(reader, "read_segment", counting)
    monkeypatch.setattr(reader, "decode_segment", counting_stored)
    monkeypatch.setattr(reader, "read_segment_into", counting_into)
    return places


def read(cache, reader, row, column):
    source = cache.source(reader, 0)
    return source.read(*source.lookup([4 * row + column]))


def read_all(cache, reader):
    return {
        (row, column): read(cache, reader, row, column) for row in range(4) for column in range(4)
    }


def pixels_of(segment):
    if segment.pixels is None:
        return np.full((64, 64), segment.constant[0], np.uint8)
    return segment.pixels[:, :, 0]


def test_segments_stored_alike_are_decoded_once(reader, decoded, labels):
    segments = read_all(SegmentCache(), reader)
    assert decoded == [(0, 0, 0), (0, 0, 1), (0, 3, 3)]
    for (row, column), segment in segments.items():
        expected = labels[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        np.testing.assert_array_equal(pixels_of(segment), expected)


@pytest.mark.parametrize(("size", "reads"), [("0", 1 + 15 + 15), ("100000000", 16)])
def test_the_bytes_of_a_segment_are_read_once_where_they_are_kept(reader, monkeypatch, size, reads):
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", size)
    ranges, read = [], PositionalFile.read

    def counting(file, offset, count):
        ranges.append((offset, count))
        return read(file, offset, count)

    monkeypatch.setattr(PositionalFile, "read", counting)
    source = SegmentCache().source(reader, 0)
    for status in source.lookup(range(16)):
        source.read(status)
    assert len(ranges) == reads


def test_only_equal_pixels_share_a_content_id(reader):
    segments = read_all(SegmentCache(), reader)
    assert segments[0, 0].content_id not in {
        segment.content_id for place, segment in segments.items() if place != (0, 0)
    }
    assert segments[0, 1].content_id == segments[2, 2].content_id is not None
    assert segments[0, 1].content_id != segments[3, 3].content_id


def test_a_second_pass_decodes_nothing(reader, decoded):
    cache = SegmentCache()
    read_all(cache, reader)
    decoded.clear()
    read_all(cache, reader)
    assert decoded == []


def test_a_cache_without_bytes_keeps_nothing(reader, decoded, monkeypatch):
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", "0")
    cache = SegmentCache()
    for _ in range(2):
        read(cache, reader, 0, 0)
    assert decoded == [(0, 0, 0), (0, 0, 0)]


def test_the_latest_numbers_are_kept():
    numbers = RecentIds()
    for key in range(100):
        assert numbers.put({key: -key}, 10) == [-key]
    assert numbers.put({99: 7, 100: 7}, 10) == [-99, 7]
    assert numbers.get(0) is None
    assert [numbers.get(key) for key in range(96, 101)] == [-96, -97, -98, -99, 7]
    assert sum(numbers.get(key) is not None for key in range(101)) <= 10
    numbers.clear()
    assert numbers.get(99) is None
    assert numbers.put({1: 2}, 0) == [2]
    assert numbers.get(1) is None


def test_what_a_batch_sees_all_of_is_counted_and_let_go(reader, decoded, monkeypatch):
    # Two threads may both decode what neither has seen yet.
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "1")
    cache.clear()
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(0, 256, 64), np.arange(0, 256, 64)))
    first = overlay_overlap(box(0, 0, 64, 64), reader.path, x, y, 1.0, 1.0)
    assert len(decoded) == 3
    # The same tiles again need no pixels, others do.
    assert overlay_overlap(box(0, 0, 64, 64), reader.path, x, y, 1.0, 1.0) == first
    assert len(decoded) == 3
    overlay_overlap(box(0, 0, 32, 64), reader.path, x, y, 1.0, 1.0)
    assert len(decoded) == 4


def test_what_lies_between_regions_is_let_go_with_the_rest(reader, decoded, monkeypatch):
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "1")
    cache.clear()
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(0, 256, 64), np.arange(0, 256, 64)))
    overlay_overlap(box(8, 8, 56, 56), reader.path, x, y, 1.0, 1.0)
    assert len(decoded) == 3
    overlay_overlap(box(0, 0, 8, 64), reader.path, 0, 0, 1.0, 1.0)
    assert len(decoded) == 4


def test_what_a_batch_sees_in_part_is_kept_for_the_next(reader, decoded):
    cache.clear()
    for y in (0, 32):
        overlay_overlap(box(0, 0, 64, 32), reader.path, 0, y, 1.0, 1.0)
    assert decoded == [(0, 0, 0)]


def test_a_file_that_is_replaced_is_read_anew(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [np.full((32, 32), 1, np.uint8)], 1.0)
    assert overlay_overlap(box(0, 0, 32, 32), path, 0, 0, 1.0, 1.0) == [{1: 1.0}]
    write_overlay(tmp_path / "other.tiff", [np.full((32, 32), 2, np.uint8)], 1.0).replace(path)
    assert overlay_overlap(box(0, 0, 32, 32), path, 0, 0, 1.0, 1.0) == [{2: 1.0}]


def test_threads_that_share_a_cache_see_the_same_pixels(reader, labels):
    cache = SegmentCache()
    with ThreadPoolExecutor(8) as pool:
        for segments in pool.map(lambda _: read_all(cache, reader), range(16)):
            whole = [np.hstack([pixels_of(segments[r, c]) for c in range(4)]) for r in range(4)]
            np.testing.assert_array_equal(np.vstack(whole), labels)


@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_the_answer_does_not_depend_on_threads_or_on_what_is_cached(
    tmp_path, labels, monkeypatch, threads
):
    path = write_overlay(tmp_path / "labels.tiff", [labels], 1.0, tile=(16, 16))
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(-8, 256, 24), np.arange(-8, 256, 24)))
    expected = overlay_overlap(
        box(0, 0, 24, 24), labels, x, y, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1
    )
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", threads)
    for size in ("0", "100000000", "1" + "0" * 30):
        monkeypatch.setenv("RATIOPATH_CACHE_BYTES", size)
        assert overlay_overlap(box(0, 0, 24, 24), path, x, y, 1, 1) == expected
