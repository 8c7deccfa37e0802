"""OME-Zarr behind URLs: the same numbers as at hand, chunks fetched together, nothing else."""

from __future__ import annotations

from typing import Any

import fsspec
import numpy as np
import pytest

from overlays import labels
from ratiopath import (
    OverlayAccessError,
    OverlayFormatError,
    OverlayNotFoundError,
    overlay_overlap,
    read_overlay,
)
from ratiopath.lru import Lru
from ratiopath.segments.cache import cache
from ratiopath.storage import folders, remote_file
from servers import web_server
from zarrs import write_zarr

WHOLE: dict[str, Any] = {"mpp_x": 1.0, "mpp_y": 1.0, "tile_extent_x": 64, "tile_extent_y": 64}
KINDS = [
    {"version": "0.4", "chunks": (64, 64)},
    {"version": "0.5", "chunks": (64, 64)},
    {"version": "0.5", "chunks": (64, 64), "shards": (512, 512)},
    {"version": "0.5", "chunks": (64, 64), "shards": (128, 128)},
    {"version": "0.5", "chunks": (16, 16)},
]


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    cache.clear()
    remote_file.fetched.clear()
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "1")


@pytest.fixture
def server():
    with web_server() as running:
        yield running


def serve(server, path, under="/a.zarr"):
    for file in path.rglob("*"):
        if file.is_file():
            server.objects[f"{under}/{file.relative_to(path).as_posix()}"] = file.read_bytes()
    return f"{server.url}{under}"


def overlap(url, x: Any = 0, y: Any = 0, **options):
    return overlay_overlap(None, url, x, y, **WHOLE, **options)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_remote_zarr_holds_what_it_holds_at_hand(tmp_path, server, kind):
    pixels = labels(500, 600)
    pixels[:200, :200] = 0
    path = write_zarr(tmp_path / "a.zarr", [pixels, pixels[::2, ::2]], **kind)
    url = serve(server, path)
    x, y = np.arange(0, 500, 37), np.arange(0, 500, 37)
    for level in (0, 1):
        assert overlap(url, x, y, level=level) == overlap(path, x, y, level=level)
    found, expected = (
        read_overlay(None, url, x, y, **WHOLE),
        read_overlay(None, path, x, y, **WHOLE),
    )
    np.testing.assert_array_equal(found.data, expected.data)


class PushedOut(Lru[tuple[object, ...], bytes | None]):
    """Fetched bytes of which, after every look, other threads have pushed out all."""

    def __init__(self):
        super().__init__(remote_file._cost)

    def __contains__(self, key):
        found = super().__contains__(key)
        self.clear()
        return found

    def get(self, key, default=None):
        found = super().get(key, default)
        self.clear()
        return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_chunk_that_other_threads_push_out_is_fetched_again(tmp_path, server, kind, monkeypatch):
    path = write_zarr(tmp_path / "a.zarr", [labels(500, 600)], **kind)
    url = serve(server, path)
    for module in (folders, remote_file):
        monkeypatch.setattr(module, "fetched", PushedOut())
    assert overlap(url, [0, 300], [0, 300]) == overlap(path, [0, 300], [0, 300])


def test_bytes_in_the_place_of_none_count_as_bytes():
    kept, limit = Lru(remote_file._cost), 4 * (1000 + 512)
    for part in (None, b"1" * 1000):
        kept.put(("a",), part, limit)
        kept.put(("b",), part, limit)
    for key in "cde":
        kept.put((key,), b"1" * 1000, limit)
    assert [kept.get((key,)) for key in "abcde"] == [None, *[b"1" * 1000] * 4]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS[1:3], ids=str)
def test_only_the_chunks_under_the_tiles_are_fetched_together(tmp_path, server, kind):
    pixels = np.random.default_rng(0).integers(0, 255, (2048, 2048), np.uint8)
    path = write_zarr(tmp_path / "a.zarr", [pixels], compressors=None, **kind)
    url = serve(server, path)
    overlap(url, 1920, 1920)
    opened, sent = len(server.log), server.sent
    found = overlap(url, [0, 512, 1024], [0, 512, 1024])
    assert found == overlap(path, [0, 512, 1024], [0, 512, 1024])
    # A segment is 4 x 4 chunks; a shard's index has 16 places and a checksum.
    chunks, indices = 3 * 16, 3 if "shards" in kind else 0
    assert server.sent - sent == chunks * 64 * 64 + indices * (64 * 16 + 4)
    # Whether the Zarr is still the same is asked when it is opened, and after each batch.
    batches = 2 if indices else 1
    assert len(server.log) - opened == chunks + indices + 1 + batches


def test_a_zarr_in_any_file_system_is_found_by_what_is_at_its_root(tmp_path):
    path = write_zarr(tmp_path / "a", [labels()])
    fsspec.filesystem("memory").put(str(path), "/labels/tissue", recursive=True)
    assert overlap("memory://labels/tissue") == overlap(path)
    with pytest.raises(OverlayNotFoundError, match="neither a file nor a Zarr"):
        overlap("memory://labels")
    with pytest.raises(OverlayNotFoundError):
        overlap("memory://labels/missing.zarr")
    assert overlap("memory://labels/missing.zarr", on_missing="empty") == [{}]


def test_a_signature_goes_with_every_object_and_into_no_message(tmp_path, server):
    url = serve(server, write_zarr(tmp_path / "a.zarr", [labels()]))
    assert overlap(f"{url}?sig=hunter2") == overlap(tmp_path / "a.zarr")
    assert all(path.endswith("?sig=hunter2") for _, path, _ in server.log)
    server.objects["/a.zarr/0/c/0/0"] = b"torn"
    remote_file.fetched.clear()
    cache.clear()
    with pytest.raises(OverlayFormatError) as caught:
        overlap(f"{url}?sig=hunter2")
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__!r}"


def test_a_zarr_replaced_while_it_is_read_gives_no_numbers(tmp_path, server):
    paths = [write_zarr(tmp_path / f"{seed}.zarr", [labels(seed=seed)]) for seed in range(2)]
    url = serve(server, paths[0])
    server.objects["/a.zarr/zarr.json"] += b" "

    def replace(_, path):
        if "/c/" in path:
            serve(server, paths[1])

    server.before = replace
    with pytest.raises(OverlayFormatError, match="replaced while it was read"):
        overlap(url)
    server.before = lambda *_: None
    assert overlap(url) == overlap(paths[1])


def test_a_server_that_fails_leaves_no_chunk_out(tmp_path, server):
    url = serve(server, write_zarr(tmp_path / "a.zarr", [labels()]))

    def fail(_, path):
        server.status = 503 if "/c/" in path else None

    server.before = fail
    with pytest.raises(OverlayAccessError, match="503"):
        overlap(url)


def test_a_server_without_ranges_serves_chunks_but_no_shards(tmp_path, server):
    server.ranges = False
    path = write_zarr(tmp_path / "a.zarr", [labels()])
    assert overlap(serve(server, path)) == overlap(path)
    sharded = write_zarr(tmp_path / "b.zarr", [labels()], shards=(64, 64))
    with pytest.raises(OverlayAccessError, match="no ranges"):
        overlap(serve(server, sharded, "/b.zarr"))


def test_a_shard_s_index_that_points_past_its_end_is_an_error(tmp_path, server):
    path = write_zarr(tmp_path / "a.zarr", [labels()], shards=(48, 48))
    shard = path / "0" / "c" / "0" / "0"
    data = shard.read_bytes()
    shard.write_bytes(data[:200] + data[-(9 * 16 + 4) :])
    for place in (path, serve(server, path)):
        with pytest.raises(OverlayFormatError, match=r"ends within|decompression"):
            overlap(place)
