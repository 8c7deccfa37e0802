"""Many threads at once, on one file, one cache and the same arrays, get what one thread gets."""

from __future__ import annotations

import itertools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from shapely import Point, box

from annotation_files import drawn_annotations, write_qupath
from forking import Stuck, StuckIds, in_child
from overlays import write_overlay
from ratiopath import (
    OverlayFormatError,
    _core,
    annotation_overlap,
    count_values,
    overlay_overlap,
    overlay_stats,
    polygon_coverage,
    polygon_mask,
    polygon_overlap,
    read_overlay,
    scale_coordinates,
)
from ratiopath.annotations.layer import cache as layers
from ratiopath.readers.opening import MAX_OPEN_READERS, open_reader
from ratiopath.readers.openslide import OpenSlideReader
from ratiopath.segments.cache import SegmentCache, cache
from ratiopath.segments.ids import IdCounter

THREADS = 8
SIZE = 512
TILES = np.arange(0, SIZE, 64)
X, Y = (axis.ravel() for axis in np.meshgrid(TILES, TILES))


@pytest.fixture(autouse=True)
def _threads_that_interleave(monkeypatch):
    """Threads change places as often as Python can, and calls have threads of their own."""
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "3")
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(scope="module")
def labels():
    pixels = np.random.default_rng(0).integers(0, 5, (SIZE, SIZE), np.uint8)
    pixels[: SIZE // 2, : SIZE // 2] = 7
    return pixels


@pytest.fixture(scope="module")
def overlay(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("overlays") / "labels.tiff"
    return write_overlay(path, [labels, labels[::2, ::2]], 1.0, tile=(64, 64))


def together(calls):
    """Run every call in a thread of its own, all started at once; their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def direct(labels, x, y):
    """The fractions of a 64 px tile, from the array itself."""
    values, counts = np.unique(labels[y : y + 64, x : x + 64], return_counts=True)
    return dict(zip(values.tolist(), (counts / counts.sum()).tolist(), strict=True))


@pytest.mark.parametrize("cache_bytes", ["0", "40000", "268435456"])
def test_threads_on_one_file_count_what_is_in_it(overlay, labels, cache_bytes, monkeypatch):
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", cache_bytes)
    expected = [direct(labels, x, y) for x, y in zip(X, Y, strict=True)]
    for _ in range(3):
        cache.clear()
        call = partial(overlay_overlap, box(0, 0, 64, 64), overlay, X, Y, 1.0, 1.0)
        assert together([call] * THREADS) == [expected] * THREADS


def test_threads_with_regions_and_levels_of_their_own_do_not_mix(overlay):
    regions = [Point(32, 32).buffer(radius) for radius in (9, 20, 31)]
    questions = [
        (region, mpp, coverage)
        for region in regions
        for mpp in (1.0, 2.0)
        for coverage in ("center", "exact")
    ]

    def answer(region, mpp, coverage):
        return overlay_overlap(region, overlay, X / mpp, Y / mpp, mpp, mpp, coverage=coverage)

    expected = [answer(*question) for question in questions]
    cache.clear()
    assert together([lambda q=question: answer(*q) for question in questions]) == expected


def test_threads_read_the_same_patches(overlay):
    region = Point(40, 30).buffer(50)
    expected = read_overlay(region, overlay, X, Y, 1.0, 1.0)
    cache.clear()
    for patches in together([lambda: read_overlay(region, overlay, X, Y, 1.0, 1.0)] * THREADS):
        np.testing.assert_array_equal(patches.data, expected.data)
        np.testing.assert_array_equal(patches.mask, expected.mask)


def test_threads_share_one_cached_segment(overlay, labels):
    shared, reader = SegmentCache(), open_reader(overlay)
    places = [(row, column) for row in range(8) for column in range(8)]

    def read_all():
        source = shared.source(reader, 0)
        return [source.read(source.lookup([8 * row + column])[0]) for row, column in places]

    first, *others = together([read_all] * THREADS)
    for other in [*others, read_all()]:
        assert all(found.pixels is kept.pixels for found, kept in zip(other, first, strict=True))
    for (row, column), kept in zip(places, first, strict=True):
        expected = labels[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        if kept.pixels is None:
            assert set(np.unique(expected)) == set(kept.constant)
        else:
            assert kept.pixels.shape == (64, 64, 1)
            np.testing.assert_array_equal(kept.pixels[:, :, 0], expected)


@pytest.mark.slow
@pytest.mark.parametrize("cache_bytes", ["0", "4000", "40000", "400000"])
def test_threads_that_ask_for_everything_push_each_other_out_of_the_cache(
    overlay, tmp_path, cache_bytes, monkeypatch
):
    """Tiles lie across segments, so that pixels are kept too.

    The coverage of the box is of whole 64ths, which add up exactly in any order.
    """
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", cache_bytes)
    few = np.random.default_rng(3).integers(0, 3, (16, 16), np.uint8)
    repeated = np.tile(few.repeat(8, axis=0).repeat(8, axis=1), (4, 4))
    other = write_overlay(tmp_path / "repeated.tiff", [repeated], 1.0, tile=(64, 64))
    region, dyadic = Point(30, 35).buffer(37), box(-3.5, 4.125, 60.75, 70.625)
    calls = [
        call
        for path, shift in itertools.product((overlay, other), (0, 17))
        for call in (
            lambda p=path, s=shift: overlay_overlap(region, p, X + s, Y - s, 1.0, 1.0),
            lambda p=path, s=shift: overlay_overlap(
                dyadic, p, X + s, Y + s, 1.0, 1.0, coverage="exact"
            ),
            lambda p=path, s=shift: read_overlay(region, p, X + s, Y, 1.0, 1.0).data.tobytes(),
            lambda p=path, s=shift: {
                name: column.tobytes()
                for name, column in overlay_stats(
                    region, p, X + s, Y, 1.0, 1.0, stats=("count", "min", "max", "median")
                ).items()
            },
        )
    ]
    expected = [call() for call in calls]
    for _ in range(3):
        cache.clear()
        *results, _ = together([*calls, cache.clear])
        assert results == expected


def test_no_number_is_given_to_two_threads():
    counter = IdCounter()
    found = together([lambda: [next(counter) for _ in range(5000)]] * THREADS)
    assert sorted(itertools.chain(*found)) == list(range(5000 * THREADS))


def test_threads_count_on_one_plan_and_one_table_of_known_counts(labels):
    vertices = np.array([(0, 0), (90, 10), (70, 80), (0, 0)], np.float64)
    ends = np.array([4])
    x, y = X - 9, Y + 11
    indices = np.zeros(len(x), np.uint32)
    whole = np.array([*labels.reshape(8, 64, 8, 64).swapaxes(1, 2).reshape(64, 64, 64)])
    known = _core.Memo()
    spans = _core.Stencil(vertices, ends, (80, 90), (0, 0, 90, 80), "center", (0, 80))
    plan = _core.Plan((SIZE, SIZE), (64, 64), [spans], x, y, indices)

    def count(known, limit):
        collector = _core.AreaCollector(1, known, limit)
        for index, place in enumerate(plan.segments.tolist()):
            if not collector.add_from_memo(plan, index, place):
                collector.add_segment(plan, index, whole[place], place)
        return [found.tobytes() for found in collector.finish(plan)]

    expected = count(None, 0)
    for limit in (3000, 30_000, 30_000_000):
        calls = [lambda limit=limit: count(known, limit)] * THREADS
        assert together([*calls, known.clear])[:-1] == [expected] * THREADS


@pytest.mark.parametrize("cache_bytes", ["0", "100000000"])
def test_threads_share_layers_of_annotations(tmp_path, cache_bytes, monkeypatch):
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", cache_bytes)
    paths = [
        write_qupath(tmp_path / f"{seed}.geojson", drawn_annotations(seed, 40, 400))
        for seed in range(3)
    ]
    region = Point(32, 32).buffer(40)
    calls = [lambda p=path: annotation_overlap(region, p, X, Y, downsample=1.0) for path in paths]
    expected = [call() for call in calls]
    for _ in range(3):
        layers.clear()
        *results, _ = together([*calls, *calls, layers.clear])
        assert results == expected * 2


def test_threads_share_one_reader(overlay):
    readers = together([lambda: open_reader(overlay)] * THREADS)
    assert len({id(reader) for reader in readers}) == 1


def test_a_reader_pushed_out_serves_the_threads_that_have_it(tmp_path):
    """More files than stay open, so that each thread's files push out those of the others."""
    count = MAX_OPEN_READERS + 16
    for value in range(count):
        pixels = np.full((16, 16), value, np.uint8)
        write_overlay(tmp_path / f"{value}.tiff", [pixels], 1.0)
    paths = [str(tmp_path / f"{value}.tiff") for value in range(count)]

    def read(first):
        order = [*range(first, count), *range(first)]
        chosen = [paths[value] for value in order]
        found = overlay_overlap(box(0, 0, 16, 16), chosen, 0, 0, 1.0, 1.0)
        return [list(row) for row in found] == [[value] for value in order]

    assert all(together([lambda first=first: read(first) for first in range(0, count, 10)]))


def test_a_corrupt_file_costs_only_the_thread_that_reads_it(overlay, tmp_path, labels):
    corrupt = tmp_path / "corrupt.tiff"
    content = overlay.read_bytes()
    corrupt.write_bytes(content[: len(content) // 3])

    def read_corrupt():
        with pytest.raises(OverlayFormatError):
            overlay_overlap(box(0, 0, 64, 64), corrupt, X, Y, 1.0, 1.0)

    def read_sound():
        return overlay_overlap(box(0, 0, 64, 64), overlay, X, Y, 1.0, 1.0)

    cache.clear()
    results = together([read_corrupt, read_sound] * (THREADS // 2))
    expected = [direct(labels, x, y) for x, y in zip(X, Y, strict=True)]
    assert results[1::2] == [expected] * (THREADS // 2)


def test_threads_share_one_openslide_handle(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 255, (600, 1200, 3), np.uint8)
    path = write_overlay(tmp_path / "slide.tiff", [pixels], 0.5, tile=(64, 64))
    reader = OpenSlideReader(path)
    for block in together([lambda: reader.read_segment(0, 0, 1)] * THREADS):
        np.testing.assert_array_equal(block, pixels[:512, 512:1024])


def test_threads_use_the_same_arrays():
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 9, (300, 300), np.uint16)
    pixels.flags.writeable = False
    region = Point(150, 150).buffer(120)
    coordinates = rng.integers(-1000, 1000, 5000)
    mask = polygon_mask(region, (300, 300))
    calls = [
        lambda: count_values(pixels, mask),
        lambda: count_values(pixels, weights=polygon_coverage(region, (300, 300))),
        lambda: (polygon_overlap(pixels, region, coverage="exact"),),
        lambda: (scale_coordinates(coordinates, 0.37),),
    ]
    expected = [call() for call in calls]
    for _ in range(5):
        for result, answer in zip(together(calls * 2), expected * 2, strict=True):
            for found, one in zip(result, answer, strict=True):
                np.testing.assert_equal(found, one)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_child_forked_while_a_thread_is_busy_with_the_cache_is_not_stuck(overlay):
    expected = overlay_overlap(box(0, 0, 64, 64), overlay, X, Y, 1.0, 1.0)

    def same():
        return overlay_overlap(box(0, 0, 64, 64), overlay, X, Y, 1.0, 1.0) == expected

    ids, key = StuckIds(), Stuck()
    with ThreadPoolExecutor(1) as pool:
        putting = pool.submit(cache.content_ids.put, ids, 10)
        ids.key.looked_for.wait()
        in_child(key, threading.Thread(target=cache._kept.get, args=(key,)), same)
        ids.key.found.set()
        assert putting.result() == []
