"""What is kept of files of annotations, and which threads wait for which parse."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from shapely import box

import ratiopath
from annotation_files import write_qupath
from ratiopath.annotations.formats import read_features
from ratiopath.annotations.layer import LayerCache, _Parse, build_layer, cache
from ratiopath.call.annotation_options import AnnotationOptions
from ratiopath.errors import OverlayFormatError


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that are parsed, in order."""
    found = []

    def counting(path, class_column):
        found.append(Path(path).stem)
        return read_features(path, class_column)

    monkeypatch.setattr("ratiopath.annotations.layer.read_features", counting)
    return found


def test_a_file_is_read_once_and_anew_when_it_changes(tmp_path, reads):
    cache.clear()
    path = write_qupath(tmp_path / "a.geojson", [(box(0, 0, 5, 10), "a")])
    for _ in range(3):
        rows = ratiopath.annotation_overlap(box(0, 0, 10, 10), path, 0, 0, downsample=1)
        assert rows == [{"a": 0.5}]
    assert len(reads) == 1
    write_qupath(tmp_path / "a.geojson", [(box(0, 0, 2.5, 10), "a")])
    assert ratiopath.annotation_overlap(box(0, 0, 10, 10), path, 0, 0, downsample=1) == [
        {"a": 0.25}
    ]
    assert len(reads) == 2


def test_what_is_kept_is_bounded_but_the_latest_stays(tmp_path, monkeypatch, reads):
    kept = LayerCache()
    # Of layers like these, two.
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", "2000")
    shapes = [(box(0, 0, 5, 10), "a")]
    paths = [write_qupath(tmp_path / f"{number}.geojson", shapes) for number in range(5)]
    for path in (*paths, paths[3], paths[4], paths[2]):
        kept.read(path, AnnotationOptions())
    assert reads == ["0", "1", "2", "3", "4", "2"]
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", "0")
    for path in (paths[2], paths[4], paths[4]):
        kept.read(path, AnnotationOptions())
    assert reads[6:] == ["4"]


@pytest.fixture
def slow(monkeypatch):
    """A parse of slow.geojson that has begun and does not go on before it is told to."""
    parse = SimpleNamespace(begun=threading.Event(), may_end=threading.Event(), count=0)

    def waiting(path, class_column):
        if Path(path).stem == "slow":
            parse.count += 1
            parse.begun.set()
            parse.may_end.wait()
        return read_features(path, class_column)

    monkeypatch.setattr("ratiopath.annotations.layer.read_features", waiting)
    yield parse
    parse.may_end.set()


def test_files_do_not_wait_for_the_parse_of_another(tmp_path, slow):
    kept, options = LayerCache(), AnnotationOptions()
    shapes = [(box(0, 0, 5, 10), "a")]
    there, new, path = (
        write_qupath(tmp_path / f"{name}.geojson", shapes) for name in ("there", "new", "slow")
    )
    layer = kept.read(there, options)
    with ThreadPoolExecutor(1) as pool:
        parsing = pool.submit(kept.read, path, options)
        slow.begun.wait()
        assert kept.read(there, options) is layer
        assert kept.read(new, options) is not None
        assert not parsing.done()
        slow.may_end.set()
        assert kept.read(path, options) is parsing.result()


def ask_at_once(kept, path, slow, monkeypatch):
    """Ask for a file in a thread, and in three more while it is being parsed."""
    waiting = threading.Semaphore(0)

    class Waits(threading.Event):
        def wait(self, timeout=None):
            waiting.release()
            return super().wait(timeout)

    class Parse(_Parse):
        def __init__(self):
            super().__init__()
            self.is_over = Waits()

    monkeypatch.setattr("ratiopath.annotations.layer._Parse", Parse)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(kept.read, path, AnnotationOptions())]
        slow.begun.wait()
        asked += [pool.submit(kept.read, path, AnnotationOptions()) for _ in range(3)]
        for _ in range(3):
            waiting.acquire()
        slow.may_end.set()
    return asked


def test_threads_that_ask_for_one_file_at_once_have_it_parsed_once(tmp_path, slow, monkeypatch):
    path = write_qupath(tmp_path / "slow.geojson", [(box(0, 0, 5, 10), "a")])
    asked = ask_at_once(LayerCache(), path, slow, monkeypatch)
    assert len({id(one.result()) for one in asked}) == 1
    assert slow.count == 1


def test_an_error_reaches_all_that_wait_and_is_not_kept(tmp_path, slow, monkeypatch):
    path, kept = tmp_path / "slow.geojson", LayerCache()
    path.write_text("no JSON")
    for one in ask_at_once(kept, str(path), slow, monkeypatch):
        assert isinstance(one.exception(), OverlayFormatError)
    assert slow.count == 1
    with pytest.raises(OverlayFormatError):
        kept.read(str(path), AnnotationOptions())
    assert slow.count == 2


def test_who_waits_for_a_thread_that_is_stopped_parses_the_file(tmp_path, slow, monkeypatch):
    path = write_qupath(tmp_path / "slow.geojson", [(box(0, 0, 5, 10), "a")])

    def stopped_once(features, *rest):
        if slow.count == 1:
            raise KeyboardInterrupt
        return build_layer(features, *rest)

    monkeypatch.setattr("ratiopath.annotations.layer.build_layer", stopped_once)
    first, *others = ask_at_once(LayerCache(), path, slow, monkeypatch)
    assert isinstance(first.exception(), KeyboardInterrupt)
    assert len({id(one.result()) for one in others}) == 1
    assert slow.count == 2
