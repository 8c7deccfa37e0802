"""Overlays in a bucket, behind a real S3 interface on this machine."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from overlays import labels, write_overlay
from ratiopath import (
    OverlayAccessError,
    OverlayFormatError,
    OverlayNotFoundError,
    overlay_overlap,
    read_overlay,
)
from ratiopath.segments.cache import cache
from ratiopath.storage import remote_file

WHOLE: dict[str, Any] = {"mpp_x": 1.0, "mpp_y": 1.0, "tile_extent_x": 64, "tile_extent_y": 64}


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()
    remote_file.fetched.clear()


@pytest.fixture(scope="module")
def options():
    """Storage options of a server that has the bucket `overlays`."""
    import s3fs  # noqa: PLC0415 - takes a second

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found: dict[str, Any] = {
        "key": "me",
        "secret": "hunter2",
        "endpoint_url": f"http://{host}:{port}",
    }
    # What another server of this process was given is in this one too.
    s3fs.S3FileSystem(**found).makedirs("overlays", exist_ok=True)
    yield found
    server.stop()


@pytest.fixture
def bucket(options):
    import s3fs  # noqa: PLC0415 - takes a second

    return s3fs.S3FileSystem(**options)


def overlap(url, x: Any = 0, y: Any = 0, **options):
    return overlay_overlap(None, url, x, y, **WHOLE, **options)


def test_an_overlay_in_a_bucket_holds_what_it_holds_at_hand(tmp_path, bucket, options):
    pixels = labels(512, 512)
    path = write_overlay(tmp_path / "a.tiff", [pixels, pixels[::2, ::2]], 1.0, tile=(64, 64))
    bucket.put_file(str(path), "overlays/a.tiff")
    x, y = np.arange(0, 500, 37), np.arange(0, 500, 37)
    url = "s3://overlays/a.tiff"
    assert overlap(url, x, y, storage_options=options) == overlap(path, x, y)
    found = read_overlay(None, url, x, y, **WHOLE, storage_options=options)
    expected = read_overlay(None, path, x, y, **WHOLE)
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_array_equal(found.mask, expected.mask)


def test_an_overlay_replaced_in_its_bucket_is_opened_anew(tmp_path, bucket, options):
    for seed in range(2):
        path = write_overlay(tmp_path / "b.tiff", [labels(seed=seed)], 1.0)
        bucket.put_file(str(path), "overlays/b.tiff")
        # A listing that was kept must not hide the change.
        bucket.ls("overlays")
        assert overlap("s3://overlays/b.tiff", storage_options=options) == overlap(path)


def test_a_missing_key_or_bucket_is_a_missing_overlay(options):
    for url in ("s3://overlays/missing.tiff", "s3://missing/a.tiff"):
        with pytest.raises(OverlayNotFoundError):
            overlap(url, storage_options=options)
        assert overlap(url, on_missing="empty", storage_options=options) == [{}]


@pytest.mark.slow
def test_an_endpoint_that_is_not_there_is_no_missing_overlay(options):
    nowhere = options | {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {}}}
    with pytest.raises(OverlayAccessError) as caught:
        overlap("s3://overlays/a.tiff", on_missing="empty", storage_options=nowhere)
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert error.path == "s3://overlays/a.tiff"
    assert "hunter2" not in f"{error!r} {error.__cause__!r}"


def test_options_that_the_file_system_does_not_know_are_refused(options):
    with pytest.raises(OverlayAccessError, match="nonsense"):
        overlap("s3://overlays/a.tiff", storage_options=options | {"nonsense": 1})


def test_a_slide_in_a_bucket_says_what_to_do(bucket, options):
    bucket.pipe_file("overlays/a.mrxs", b"\xff\xd8\xff" + bytes(100))
    with pytest.raises(OverlayFormatError, match="download the file, or convert it"):
        overlap("s3://overlays/a.mrxs", storage_options=options)


@pytest.mark.usefixtures("ray_session")
def test_ray_workers_read_a_column_of_urls(tmp_path, bucket, options):
    import ray  # noqa: PLC0415 - only this test
    from ray.data.expressions import col  # noqa: PLC0415 - only this test

    from ratiopath.tiling import tile_overlay_overlap  # noqa: PLC0415 - imports Ray

    rows = []
    for index in range(3):
        path = write_overlay(tmp_path / f"{index}.tiff", [labels(seed=index)], 1.0)
        bucket.put_file(str(path), f"overlays/{index}.tiff")
        rows += [{"url": f"s3://overlays/{index}.tiff", "path": str(path), "x": x} for x in (0, 9)]
    measure = tile_overlay_overlap(
        None, col("url"), col("x"), 0, 1.0, 1.0, tile_extent_x=16, tile_extent_y=16,
        classes=range(5), storage_options=options,
    )  # fmt: skip
    assert "hunter2" not in repr(measure)
    found = ray.data.from_items(rows).repartition(2).with_column("overlap", measure).take_all()
    tile: dict[str, Any] = {"mpp_x": 1.0, "mpp_y": 1.0, "tile_extent_x": 16, "tile_extent_y": 16}
    for row in found:
        [expected] = overlay_overlap(None, row["path"], row["x"], 0, **tile)
        kept = {int(key): share for key, share in row["overlap"].items() if share}
        assert kept == pytest.approx(expected)
    assert len(found) == len(rows)
