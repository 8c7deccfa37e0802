"""Overlays behind URLs: the same numbers as at hand, few bytes fetched, and clear errors."""

from __future__ import annotations

import importlib.util
import pickle
import threading
import traceback
from typing import Any

import fsspec
import numpy as np
import PIL.Image
import pytest

from overlays import blocks, colours, labels, write_overlay
from ratiopath import (
    OverlayAccessError,
    OverlayError,
    OverlayFormatError,
    OverlayNotFoundError,
    overlay_overlap,
    read_overlay,
)
from ratiopath.call.options import patch_options
from ratiopath.readers.opening import open_reader
from ratiopath.segments.cache import cache
from ratiopath.storage import remote, remote_file
from readers_assembly import assemble
from servers import web_server

WHOLE: dict[str, Any] = {"mpp_x": 1.0, "mpp_y": 1.0, "tile_extent_x": 64, "tile_extent_y": 64}


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()
    remote_file.fetched.clear()


@pytest.fixture
def server():
    with web_server() as running:
        yield running


@pytest.fixture
def large(tmp_path):
    """Noise of 1024 x 1024 in tiles of 64, 1 MiB, and its path."""
    pixels = labels(1024, 1024)
    path = tmp_path / "large.tiff"
    return pixels, write_overlay(path, [pixels], 1.0, tile=(64, 64), compression=None)


def overlap(url, x: Any = 0, y: Any = 0, **options):
    return overlay_overlap(None, url, x, y, **WHOLE, **options)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [
    {"tile": (16, 16)},
    {"tile": (16, 16), "compression": None},
    {"tile": None, "rowsperstrip": 3},
    {"tile": None, "rowsperstrip": 5, "compression": None},
    {"tile": None, "compression": None},
    {"tile": (16, 16), "ome": True},
], ids=str)  # fmt: skip
def test_a_remote_tiff_holds_what_it_holds_at_hand(tmp_path, server, settings):
    path = write_overlay(tmp_path / "a.tiff", [labels(), labels()[::2, ::2]], 0.5, **settings)
    server.objects["/a.tiff"] = path.read_bytes()
    here, there = open_reader(path), open_reader(f"{server.url}/a.tiff")
    assert there.levels == here.levels
    assert there.resolution == here.resolution
    for level in range(2):
        np.testing.assert_array_equal(assemble(there, level), assemble(here, level))


def test_planes_and_colours_are_fetched_together(tmp_path, server):
    planes = np.stack([labels(seed=seed) for seed in range(3)])
    path = write_overlay(tmp_path / "a.tiff", [planes], 1.0, photometric="rgb", planarconfig=2)
    server.objects |= {"/planes.tiff": path.read_bytes()}
    path = write_overlay(tmp_path / "b.tiff", [colours()], 1.0, compression="jpeg")
    server.objects |= {"/colours.tiff": path.read_bytes()}
    patches = read_overlay(None, f"{server.url}/planes.tiff", 0, 0, **WHOLE, outside=0)
    np.testing.assert_array_equal(patches.data[0, :37, :45], np.moveaxis(planes, 0, 2))
    patches = read_overlay(None, f"{server.url}/colours.tiff", 0, 0, **WHOLE, outside=0)
    np.testing.assert_array_equal(patches.data[0, :37, :45], assemble(open_reader(path)))


def test_simple_rasters_are_read_from_afar(tmp_path, server):
    np.save(tmp_path / "a.npy", labels())
    PIL.Image.fromarray(colours()).save(tmp_path / "a.png")
    for name in ("a.npy", "a.png"):
        server.objects[f"/{name}"] = (tmp_path / name).read_bytes()
        found, expected = (assemble(open_reader(f"{at}/{name}")) for at in (server.url, tmp_path))
        np.testing.assert_array_equal(found, expected)


def test_a_few_tiles_do_not_fetch_the_file(large, server):
    pixels, path = large
    server.objects["/large.tiff"] = path.read_bytes()
    url = f"{server.url}/large.tiff"
    assert overlap(url, [0, 960], [0, 960]) == overlap(path, [0, 960], [0, 960])
    # Beside the two tiles: the header, and the tables of 256 offsets and counts in one block.
    assert server.sent <= 2 * 64 * 64 + remote_file.BLOCK + 1
    assert server.sent < pixels.nbytes // 5


def test_neighbouring_segments_come_in_one_request(large, server, monkeypatch):
    _, path = large
    server.objects["/large.tiff"] = path.read_bytes()
    open_reader(f"{server.url}/large.tiff")
    before = server.gets()
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "1")
    expected = overlap(path, np.arange(0, 1024, 64), 512)
    assert overlap(f"{server.url}/large.tiff", np.arange(0, 1024, 64), 512) == expected
    assert server.gets() == before + 1


def test_what_was_decoded_is_not_fetched_again(large, server):
    _, path = large
    server.objects["/large.tiff"] = path.read_bytes()
    url = f"{server.url}/large.tiff"
    first = overlap(url, [0, 640], 0)
    remote_file.fetched.clear()
    before = server.sent
    assert overlap(url, [0, 640], 0) == first
    assert server.sent == before


def test_empty_segments_that_are_known_by_their_bytes_are_not_fetched_again(tmp_path, server):
    path = write_overlay(tmp_path / "a.tiff", [blocks().repeat(8, 0).repeat(8, 1)], 1.0)
    server.objects["/a.tiff"] = path.read_bytes()
    first = overlap(f"{server.url}/a.tiff", [0, 64, 128], 0)
    before = server.sent
    assert overlap(f"{server.url}/a.tiff", [0, 64, 128], 0) == first
    assert server.sent == before


@pytest.mark.slow
def test_read_ahead_is_bounded_in_bytes(large, server, monkeypatch):
    _, path = large
    monkeypatch.setattr(remote_file, "AHEAD_BYTES", 5 * 64 * 64)
    monkeypatch.setattr(remote_file, "KEPT_BYTES", 10)
    server.objects["/large.tiff"] = path.read_bytes()
    x, y = np.meshgrid(np.arange(0, 1024, 64), np.arange(0, 1024, 64))
    expected = overlap(path, x.ravel(), y.ravel())
    assert overlap(f"{server.url}/large.tiff", x.ravel(), y.ravel()) == expected


def test_urls_and_files_may_share_a_column(tmp_path, server):
    paths = [write_overlay(tmp_path / f"{i}.tiff", [labels(seed=i)], 1.0) for i in range(3)]
    server.objects["/1.tiff"] = paths[1].read_bytes()
    fsspec.filesystem("memory").pipe_file("/2.tiff", paths[2].read_bytes())
    mixed = [f"file://{paths[0]}", f"{server.url}/1.tiff", "memory://2.tiff", None]
    expected = [*overlap(list(map(str, paths)), 0, 0), {}]
    assert overlap(mixed, 0, 0, on_missing="empty", storage_options={}) == expected


def test_a_missing_object_is_missing_and_nothing_else_is(server):
    url = f"{server.url}/a.tiff"
    with pytest.raises(OverlayNotFoundError, match="no such file"):
        overlap(url)
    assert overlap(url, on_missing="empty") == [{}]
    for status in (401, 403, 500, 503):
        server.status = status
        with pytest.raises(OverlayAccessError, match=str(status)) as caught:
            overlap(url, on_missing="empty")
        assert (caught.value.path, caught.value.row) == (url, 0)


def test_a_server_that_is_not_there_is_no_missing_overlay():
    with web_server() as gone:
        url = f"{gone.url}/a.tiff"
    with pytest.raises(OverlayAccessError, match="cannot be reached"):
        overlap(url, on_missing="empty")


def test_a_server_that_says_nothing_is_given_up(server, monkeypatch):
    monkeypatch.setattr(remote, "_READ_SECONDS", 0.2)
    released = threading.Event()
    server.before = lambda *_: released.wait(20)
    with pytest.raises(OverlayAccessError, match=r"(?i)timeout"):
        overlap(f"{server.url}/a.tiff")
    released.set()


def test_a_server_without_ranges_is_refused_before_it_sends_the_file(server):
    server.ranges = False
    server.objects["/a.tiff"] = b"II*\0" + bytes(2**25)
    with pytest.raises(OverlayAccessError, match="whole files, no ranges"):
        overlap(f"{server.url}/a.tiff")
    assert server.sent < 2**24


def test_a_small_overlay_needs_no_ranges(tmp_path, server):
    path = write_overlay(tmp_path / "a.tiff", [labels()], 1.0)
    server.ranges = False
    server.objects["/a.tiff"] = path.read_bytes()
    with pytest.raises(OverlayAccessError, match="whole files, no ranges"):
        overlap(f"{server.url}/a.tiff")


def test_a_server_that_stops_sending_ranges_never_gives_wrong_numbers(large, server):
    _, path = large
    server.objects["/a.tiff"] = path.read_bytes()
    open_reader(f"{server.url}/a.tiff")
    server.ranges = False
    with pytest.raises(OverlayAccessError, match="whole files, no ranges"):
        overlap(f"{server.url}/a.tiff", 512, 512)


def test_a_server_that_does_not_say_the_size_is_refused(large, server):
    server.objects["/a.tiff"] = large[1].read_bytes()
    server.size = False
    server.before = lambda method, _: setattr(server, "size", method == "GET" and server.size)
    with pytest.raises(OverlayAccessError, match="how many bytes"):
        overlap(f"{server.url}/a.tiff")


def test_a_replaced_overlay_is_opened_anew(tmp_path, server):
    for seed in range(2):
        path = write_overlay(tmp_path / "a.tiff", [labels(seed=seed)], 1.0)
        server.objects["/a.tiff"] = path.read_bytes()
        assert overlap(f"{server.url}/a.tiff") == overlap(path)


def test_an_overlay_replaced_while_it_is_read_gives_no_numbers(large, tmp_path, server):
    _, path = large
    other = write_overlay(
        tmp_path / "b.tiff", [labels(1024, 1024, 1)], 1.0, tile=(64, 64), compression=None
    )
    assert other.stat().st_size == path.stat().st_size
    for replaced_at in range(1, 5):
        server.objects["/a.tiff"] = path.read_bytes()
        remote_file.fetched.clear()
        cache.clear()
        left = [replaced_at]

        def replace(method, _, left=left):
            left[0] -= method == "GET"
            if not left[0]:
                server.objects["/a.tiff"] = other.read_bytes()

        server.before = replace
        try:
            found = overlap(f"{server.url}/a.tiff", [512, 0], [512, 0])
        except OverlayFormatError as error:
            assert "replaced while it was read" in str(error)  # noqa: PT017 - either may happen
        else:
            expected = [overlap(p, [512, 0], [512, 0]) for p in (path, other)]
            assert found in expected


def test_a_slide_that_only_openslide_reads_says_what_to_do(server):
    server.objects["/a.mrxs"] = b"\xff\xd8\xff" + bytes(100)
    server.objects["/a.dcm"] = bytes(128) + b"DICM"
    for name in ("a.mrxs", "a.mrxs?version=1", "a.dcm"):
        with pytest.raises(OverlayFormatError, match="download the file, or convert it"):
            overlap(f"{server.url}/{name}")


def test_a_damaged_remote_overlay_is_damaged_not_out_of_reach(large, server):
    _, path = large
    data = path.read_bytes()
    server.objects["/a.tiff"] = data[: len(data) // 2]
    with pytest.raises(OverlayFormatError, match="past the end"):
        overlap(f"{server.url}/a.tiff", [0, 960], [0, 960])
    server.objects["/a.tiff"] = data[:100]
    with pytest.raises(OverlayFormatError):
        overlap(f"{server.url}/a.tiff")
    server.objects["/a.tiff"] = b""
    with pytest.raises(OverlayFormatError):
        overlap(f"{server.url}/a.tiff")


@pytest.mark.parametrize("url", ["nonsense://a.tiff", "gs://bucket/a.tiff"])
def test_what_no_file_system_reads_says_what_to_install(url):
    if url.startswith("gs") and importlib.util.find_spec("gcsfs"):
        pytest.skip("gcsfs is installed")
    with pytest.raises(OverlayFormatError, match=r"not known|pip install"):
        overlap(url)


def credentials(server):
    """URLs and options that hold `hunter2`, and are refused at different stages."""
    host = server.url.removeprefix("http://")
    yield f"http://user:hunter2@{host}/missing.tiff", None
    yield f"http://user:hunter2@{host}/large.tiff", None
    yield f"{server.url}/missing.tiff?X-Amz-Signature=hunter2", None
    yield f"{server.url}/large.tiff?sv=1&sig=hunter2", None
    yield "http://user:hunter2@127.0.0.1:9/a.tiff", None
    yield "nonsense://user:hunter2@host/a.tiff", None
    yield f"{server.url}/missing.tiff", {"headers": {"Authorization": "Bearer hunter2"}}
    yield "memory://a.tiff", {"password": "hunter2", "secret": {"key": "hunter2"}}


def test_credentials_are_in_no_message_repr_or_traceback(server):
    server.ranges = False
    server.objects["/large.tiff"] = bytes(2**20)
    for url, options in credentials(server):
        with pytest.raises(OverlayError) as caught:
            overlap(url, storage_options=options)
        error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
        shown = [str(error), repr(error), repr(error.__cause__), error.path]
        shown += traceback.format_exception(caught.value)
        assert not [text for text in shown if "hunter2" in text]


def test_options_show_no_values():
    options = patch_options(
        coverage="center", outside="clip", channel=None, on_missing="error", dtype=None,
        storage_options={"key": "me", "secret": "hunter2"},
    )  # fmt: skip
    assert "hunter2" not in repr(options)
    assert dict(pickle.loads(pickle.dumps(options)).storage_options)["secret"] == "hunter2"  # noqa: S301, S105 - our own
    with pytest.raises(TypeError, match="must be a dictionary") as caught:
        overlap("memory://a.tiff", storage_options="hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_remote_stream_reads_like_a_file(server):
    data = np.random.default_rng(0).bytes(3 * remote_file.BLOCK + 17)
    server.objects["/a"] = data
    place = remote.Storage(f"{server.url}/a")
    stream = remote_file.RemoteFile(place, place.status()).stream
    for offset, count in [
        (0, 4),
        (remote_file.BLOCK - 2, 4),
        (10, 2 * remote_file.BLOCK),
        (len(data), 3),
    ]:
        stream.seek(offset)
        assert stream.read(count) == data[offset : offset + count]
    assert stream.seek(-5, 2) == len(data) - 5
    assert stream.read() == data[-5:]
    with pytest.raises(ValueError, match="no file has a byte"):
        stream.seek(-1)
