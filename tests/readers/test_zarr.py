"""OME-Zarr and plain Zarr arrays: zarr's own numbers, a TIFF's fractions, and clear errors."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import ShardingCodec

from overlays import colours, labels, write_overlay
from ratiopath import (
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayResolutionError,
    overlay_overlap,
    read_overlay,
)
from ratiopath.readers.opening import open_reader
from ratiopath.readers.zarr import level as zarr_level
from readers_assembly import assemble, sizes
from zarrs import HALVES, change, write_zarr

TILES: dict[str, Any] = {
    "tile_x": [0, 5, 30, 44],
    "tile_y": [0, 20, -3, 36],
    "mpp_x": 1.0,
    "mpp_y": 1.0,
}
EXTENT: dict[str, Any] = {"tile_extent_x": 17, "tile_extent_y": 13}
DTYPES = [
    "?",
    "u1",
    "i1",
    "u2",
    ">u2",
    "i2",
    "u4",
    "i4",
    "<i4",
    "u8",
    "i8",
    "f2",
    "f4",
    ">f4",
    "f8",
]


def as_channels(pixels):
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("options", [
    {}, {"compressors": None}, {"chunks": (5, 7)}, {"chunks": (64, 64)}, {"chunks": (37, 1)},
], ids=str)  # fmt: skip
def test_levels_are_what_zarr_reads(tmp_path, version, options):
    path = write_zarr(tmp_path / "a.zarr", HALVES, 0.5, version=version, **options)
    reader = open_reader(path)
    assert sizes(reader) == [(45, 37), (23, 19), (12, 10)]
    assert reader.resolution.ome == (0.5, 0.5)
    for level, pixels in enumerate(HALVES):
        stored = zarr.open_array(str(path), path=str(level), mode="r")[...]
        np.testing.assert_array_equal(stored, pixels)
        np.testing.assert_array_equal(assemble(reader, level), as_channels(pixels))


@pytest.mark.parametrize("shards", [(32, 48), (64, 64)])
@pytest.mark.parametrize("place", ["start", "end"])
def test_shards_are_read_chunk_by_chunk(tmp_path, shards, place, monkeypatch):
    monkeypatch.setattr(zarr_level, "SMALLEST_SIDE", 1)
    pixels = labels(150, 100)
    pixels[:32, :48] = 0
    codec = ShardingCodec(chunk_shape=(16, 16), index_location=place)
    path = tmp_path / "a.zarr"
    array = zarr.create(
        store=str(path), shape=pixels.shape, dtype="u1", chunk_shape=shards, codecs=[codec],
        zarr_format=3,
    )  # fmt: skip
    array[...] = pixels
    reader = open_reader(path)
    grid = reader.levels[0]
    assert (grid.segment_width, grid.segment_height) == (16, 16)
    assert reader.read_segment(0, 0, 0) is None
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], pixels)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_every_sample_type_is_read_without_loss(tmp_path, dtype, version):
    if version == "0.5" and dtype[0] == ">":
        dtype = dtype[1:]
    pixels = (labels() * 50).astype(dtype)
    if np.dtype(dtype).kind == "f":
        pixels[0, :3] = np.nan, np.inf, -0.0
    reader = open_reader(write_zarr(tmp_path / "a.zarr", [pixels], version=version))
    assert reader.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], pixels)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("chunks", [(1, 1, 1, 16, 16), (1, 3, 2, 16, 16), (2, 2, 1, 64, 5)])
def test_channels_are_channels_and_of_times_and_planes_the_first_is_read(tmp_path, version, chunks):
    stack = np.random.default_rng(0).integers(0, 255, (2, 3, 2, 37, 45), np.uint8)
    path = write_zarr(tmp_path / "a.zarr", [stack], names="tczyx", chunks=chunks, version=version)
    reader = open_reader(path)
    assert reader.channels == 3
    np.testing.assert_array_equal(assemble(reader), np.moveaxis(stack[0, :, 0], 0, 2))


def test_axes_are_known_by_name_in_any_order(tmp_path):
    pixels = colours()
    path = write_zarr(tmp_path / "a.zarr", [pixels], names="yxc", chunks=(16, 16, 3))
    np.testing.assert_array_equal(assemble(open_reader(path)), pixels)
    turned = np.ascontiguousarray(np.moveaxis(pixels, 0, 2))
    path = write_zarr(tmp_path / "b.zarr", [turned], names="xcy", chunks=(16, 3, 16))
    np.testing.assert_array_equal(assemble(open_reader(path)), pixels)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("coverage", ["center", "exact"])
def test_fractions_and_patches_are_those_of_a_tiff_of_the_same_picture(tmp_path, version, coverage):
    shards: dict[str, Any] = {} if version == "0.4" else {"shards": (32, 32)}
    one = write_zarr(tmp_path / "a.zarr", HALVES, 0.5, version=version, **shards)
    other = write_overlay(tmp_path / "a.tiff", HALVES, 0.5, ome=True)
    found, expected = (
        overlay_overlap(None, p, **TILES, **EXTENT, coverage=coverage) for p in (one, other)
    )
    assert found == expected
    assert any(found)
    ours, tiff = (read_overlay(None, p, **TILES, **EXTENT) for p in (one, other))
    np.testing.assert_array_equal(ours.data, tiff.data)
    np.testing.assert_array_equal(ours.mask, tiff.mask)


@pytest.mark.parametrize("fill", [0, 7])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_chunks_that_are_left_out_read_as_the_fill_value(tmp_path, fill, version, monkeypatch):
    monkeypatch.setattr(zarr_level, "SMALLEST_SIDE", 1)
    pixels = np.full((37, 45), fill, np.uint8)
    pixels[20:, 20:] = 9
    path = write_zarr(tmp_path / "a.zarr", [pixels], fill_value=fill, version=version)
    reader = open_reader(path)
    assert reader.fill == fill
    assert reader.read_segment(0, 0, 0) is None
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], pixels)
    [found] = overlay_overlap(None, path, 0, 0, 1.0, 1.0, tile_extent_x=45, tile_extent_y=37)
    assert found == pytest.approx({fill: 1 - 17 * 25 / 1665, 9: 17 * 25 / 1665})


def test_a_missing_fill_value_is_nought_as_zarr_has_it(tmp_path):
    array = zarr.create_array(
        str(tmp_path / "a.zarr"),
        shape=(40, 40),
        chunks=(16, 16),
        dtype="u2",
        fill_value=None,
        zarr_format=2,
    )
    array[:16, :16] = 3
    np.testing.assert_array_equal(assemble(open_reader(tmp_path / "a.zarr"))[:, :, 0], array[...])


@pytest.mark.parametrize(
    ("unit", "micrometres"),
    [("micrometer", 1), ("nanometer", 1e-3), ("millimeter", 1e3), ("angstrom", 1e-4), ("µm", 1)],
)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_axes_unit_gives_micrometres_per_pixel(tmp_path, unit, micrometres, version):
    path = write_zarr(tmp_path / "a.zarr", HALVES, 0.25, unit=unit, version=version)
    assert open_reader(path).resolution.ome == (0.25 * micrometres, 0.25 * micrometres)


@pytest.mark.parametrize("unit", [None, "second", "pixel"])
def test_without_a_length_the_caller_says_the_resolution(tmp_path, unit):
    path = write_zarr(tmp_path / "a.zarr", HALVES, unit=unit)
    with pytest.raises(OverlayResolutionError, match="overlay_mpp_x"):
        overlay_overlap(None, path, **TILES, **EXTENT)
    tiff = write_overlay(tmp_path / "a.tiff", HALVES, 1.0)
    found = overlay_overlap(None, path, **TILES, **EXTENT, overlay_mpp_x=1.0, overlay_mpp_y=1.0)
    assert found == overlay_overlap(None, tiff, **TILES, **EXTENT)


def test_scales_for_all_levels_multiply_those_of_each(tmp_path):
    path = write_zarr(tmp_path / "a.zarr", HALVES, 0.5)
    change(path, lambda scales: scales[0].update(
        coordinateTransformations=[{"type": "scale", "scale": [3.0, 2.0]}]))  # fmt: skip
    assert open_reader(path).resolution.ome == (1.0, 1.5)


def test_labels_and_single_levels_are_addressed_by_path(tmp_path):
    write_zarr(tmp_path / "a.zarr", [labels(seed=1)])
    write_zarr(tmp_path / "a.zarr" / "labels" / "tissue", HALVES)
    np.testing.assert_array_equal(
        assemble(open_reader(tmp_path / "a.zarr" / "labels" / "tissue"))[:, :, 0], labels()
    )
    level = open_reader(tmp_path / "a.zarr" / "labels" / "tissue" / "1")
    np.testing.assert_array_equal(assemble(level)[:, :, 0], HALVES[1])
    assert level.resolution.ome is None
    with pytest.raises(OverlayNotFoundError):
        open_reader(tmp_path / "a.zarr" / "labels" / "tumour")


def test_a_plain_array_is_one_level(tmp_path):
    for index, pixels in enumerate([labels(), colours()]):
        path = tmp_path / f"{index}.zarr"
        zarr.create_array(str(path), data=pixels)
        np.testing.assert_array_equal(assemble(open_reader(path)), as_channels(pixels))
    planes = np.moveaxis(colours(), 2, 0)
    named: list[dict[str, Any]] = [
        {"zarr_format": 3, "dimension_names": "cyx"},
        {"zarr_format": 2, "attributes": {"_ARRAY_DIMENSIONS": list("cyx")}},
    ]
    for options in named:
        path = tmp_path / f"named{options['zarr_format']}.zarr"
        zarr.create_array(str(path), data=planes, **options)
        np.testing.assert_array_equal(assemble(open_reader(path)), colours())
    zarr.create_array(str(tmp_path / "4.zarr"), data=np.zeros((2, 2, 2, 2), "u1"))
    with pytest.raises(OverlayFormatError, match="4 axes"):
        open_reader(tmp_path / "4.zarr")


def test_a_series_of_images_is_its_first(tmp_path):
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    group.attrs["bioformats2raw.layout"] = 3
    write_zarr(tmp_path / "a.zarr" / "0", HALVES, 0.5, version="0.4")
    reader = open_reader(tmp_path / "a.zarr")
    assert reader.resolution.ome == (0.5, 0.5)
    np.testing.assert_array_equal(assemble(reader, 1)[:, :, 0], HALVES[1])


@pytest.mark.parametrize("top", ["", "a.zarr/"])
def test_a_zip_file_holds_a_zarr(tmp_path, top):
    path = write_zarr(tmp_path / "a.zarr", HALVES, shards=(32, 32))
    with zipfile.ZipFile(tmp_path / "a.ozx", "w") as archive:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                archive.write(file, top + file.relative_to(path).as_posix())
    reader = open_reader(tmp_path / "a.ozx")
    for level, pixels in enumerate(HALVES):
        np.testing.assert_array_equal(assemble(reader, level)[:, :, 0], pixels)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("readme", "nothing")
    with pytest.raises(OverlayFormatError, match="no Zarr"):
        open_reader(tmp_path / "b.zip")


def test_a_zarr_written_anew_is_opened_anew(tmp_path):
    for seed in range(2):
        shutil.rmtree(tmp_path / "a.zarr", ignore_errors=True)
        path = write_zarr(tmp_path / "a.zarr", [labels(seed=seed)])
        [found] = overlay_overlap(None, path, 0, 0, 1.0, 1.0, tile_extent_x=9, tile_extent_y=9)
        values, counts = np.unique(labels(seed=seed)[:9, :9], return_counts=True)
        assert found == pytest.approx(dict(zip(values.tolist(), counts / 81, strict=True)))


@pytest.mark.parametrize("side", [16, 1000])
def test_a_shard_s_torn_index_leaves_no_chunk_out(tmp_path, side, monkeypatch):
    monkeypatch.setattr(zarr_level, "SMALLEST_SIDE", 1)
    path = write_zarr(tmp_path / "a.zarr", [labels() + 1], shards=(48, 48))
    shard = path / "0" / "c" / "0" / "0"
    data = shard.read_bytes()
    torn = min(side, 9 * 16)
    start = len(data) - 4 - 9 * 16
    shard.write_bytes(data[:start] + b"\xff" * torn + data[start + torn :])
    with pytest.raises(OverlayFormatError):
        open_reader(path).read_segment(0, 0, 0)


def test_a_chunk_that_is_no_file_is_refused(tmp_path):
    path = write_zarr(tmp_path / "a.zarr", [labels()])
    chunk = path / "0" / "c" / "0" / "0"
    chunk.unlink()
    os.mkfifo(chunk)
    with pytest.raises(OverlayFormatError, match="no regular file"):
        assemble(open_reader(path))


def test_without_zarr_the_error_names_the_extra(tmp_path, monkeypatch):
    path = write_zarr(tmp_path / "a.zarr", HALVES)
    monkeypatch.delitem(sys.modules, "ratiopath.readers.zarr.reader", raising=False)
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(OverlayFormatError, match=r"pip install 'ratiopath\[zarr\]'"):
        open_reader(path)


def test_threads_read_at_once(tmp_path, monkeypatch):
    pixels = labels(2048, 1024)
    path = write_zarr(tmp_path / "a.zarr", [pixels], chunks=(64, 64))
    tiff = write_overlay(tmp_path / "a.tiff", [pixels], 1.0, tile=(64, 64))
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(0, 2048, 128), np.arange(0, 1024, 128)))
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "4")
    found, expected = (
        overlay_overlap(None, p, x, y, 1.0, 1.0, tile_extent_x=128, tile_extent_y=128)
        for p in (path, tiff)
    )
    assert found == expected


@pytest.mark.usefixtures("ray_session")
def test_ray_workers_read_zarr(tmp_path):
    import ray  # noqa: PLC0415 - only this test
    from ray.data.expressions import col  # noqa: PLC0415 - only this test

    from ratiopath.tiling import tile_overlay_overlap  # noqa: PLC0415 - imports Ray

    path = write_zarr(tmp_path / "a.zarr", HALVES, 1.0)
    rows = [{"x": x} for x in range(0, 40, 5)]
    measure = tile_overlay_overlap(
        None, str(path), col("x"), 0, 1.0, 1.0, tile_extent_x=16, tile_extent_y=16, classes=range(5)
    )
    found = ray.data.from_items(rows).repartition(2).with_column("overlap", measure).take_all()
    for row in found:
        [expected] = overlay_overlap(
            None, path, row["x"], 0, 1.0, 1.0, tile_extent_x=16, tile_extent_y=16
        )
        assert {int(k): v for k, v in row["overlap"].items() if v} == pytest.approx(expected)
    assert len(found) == len(rows)
