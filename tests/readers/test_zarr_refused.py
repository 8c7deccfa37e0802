"""What makes an OME-Zarr refused: metadata that contradict each other, damaged chunks."""

from __future__ import annotations

import json
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec

from overlays import labels
from ratiopath import (
    OverlayError,
    OverlayFormatError,
)
from ratiopath.readers.opening import open_reader
from readers_assembly import assemble
from zarrs import HALVES, change, write_zarr


def without(*keys):
    def edit(scales):
        for key in keys:
            scales[0].pop(key)

    return edit


WRONG = {
    "no axis named x": lambda scales: scales[0]["axes"][1].update(name="w"),
    "two axes named y": lambda scales: scales[0]["axes"][1].update(name="y"),
    "no datasets": without("datasets"),
    "empty datasets": lambda scales: scales[0].update(datasets=[]),
    "a path that is not there": lambda scales: scales[0]["datasets"][1].update(path="9"),
    "a path that leads out": lambda scales: scales[0]["datasets"][0].update(path="../../etc"),
    "a scale of three": lambda scales: scales[0]["datasets"][0].update(
        coordinateTransformations=[{"type": "scale", "scale": [1, 1, 1]}]),
    "a scale of nought": lambda scales: scales[0]["datasets"][0].update(
        coordinateTransformations=[{"type": "scale", "scale": [0, 0]}]),
    "a scale in a file": lambda scales: scales[0]["datasets"][0].update(
        coordinateTransformations=[{"type": "scale", "path": "s"}]),
    "a level that does not span level 0": lambda scales: scales[0]["datasets"][2].update(
        coordinateTransformations=[{"type": "scale", "scale": [2, 2]}]),
    "an image elsewhere": lambda scales: scales[0]["datasets"][0].update(
        coordinateTransformations=[{"type": "scale", "scale": [1, 1]},
                                   {"type": "translation", "translation": [0, 100]}]),
    "no pyramid but a word": lambda scales: scales.__setitem__(0, "multiscale"),
}  # fmt: skip


@pytest.mark.parametrize("edit", WRONG.values(), ids=WRONG)
def test_metadata_that_make_no_sense_are_refused_by_name(tmp_path, edit):
    path = write_zarr(tmp_path / "a.zarr", HALVES)
    change(path, edit)
    with pytest.raises(OverlayFormatError) as caught:
        open_reader(path)
    assert caught.value.path == str(path)


def test_a_half_pixel_s_translation_is_no_other_place(tmp_path):
    path = write_zarr(tmp_path / "a.zarr", HALVES)
    change(path, lambda scales: scales[0]["datasets"][2]["coordinateTransformations"].append(
        {"type": "translation", "translation": [1.5, 1.5]}))  # fmt: skip
    assert len(open_reader(path).levels) == 3


def test_an_unreadable_document_is_refused(tmp_path):
    path = write_zarr(tmp_path / "a.zarr", HALVES)
    (path / "zarr.json").write_text("{")
    with pytest.raises(OverlayFormatError):
        open_reader(path)
    path = write_zarr(tmp_path / "b.zarr", HALVES, version="0.4")
    (path / "0" / ".zarray").unlink()
    with pytest.raises(OverlayFormatError):
        open_reader(path)


def test_a_group_without_images_says_what_to_name(tmp_path):
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    with pytest.raises(OverlayFormatError, match=r"labels/tissue"):
        open_reader(tmp_path / "a.zarr")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_chunks_of_impossible_size_are_refused_before_they_are_made(tmp_path, version):
    path = write_zarr(tmp_path / "a.zarr", [labels()], version=version)
    name = ".zarray" if version == "0.4" else "zarr.json"
    document = json.loads((path / "0" / name).read_text())
    document["shape"] = [10**6, 10**6]
    if version == "0.4":
        document["chunks"] = [10**6, 10**6]
    else:
        document["chunk_grid"]["configuration"]["chunk_shape"] = [10**6, 10**6]
    (path / "0" / name).write_text(json.dumps(document))
    with pytest.raises(OverlayFormatError, match="1,000,000,000,000 bytes"):
        open_reader(path)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("options", [
    {}, {"compressors": None}, {"shards": (48, 48)}, {"compressors": "blosc"},
], ids=str)  # fmt: skip
def test_damaged_chunks_are_errors_or_the_true_pixels_never_fill(tmp_path, version, options):
    if version == "0.4" and "shards" in options:
        pytest.skip("Zarr 2 has no shards")
    settings: dict[str, Any] = dict(options)
    if options.get("compressors") == "blosc":
        blosc = BloscCodec() if version == "0.5" else numcodecs.Blosc()
        settings["compressors"] = [blosc]
    pixels = labels() + 1
    path = write_zarr(
        tmp_path / "a.zarr",
        [pixels],
        version=version,
        chunks=(48, 48) if "shards" not in options else (16, 16),
        **settings,
    )
    chunk = next(
        p
        for p in (path / "0").rglob("*")
        if p.is_file() and p.name not in ("zarr.json", ".zarray", ".zattrs")
    )
    data = chunk.read_bytes()
    for keep in [0, 1, len(data) // 2, len(data) - 5, len(data) - 1]:
        chunk.write_bytes(data[:keep])
        with pytest.raises(OverlayError):
            assemble(open_reader(path))
    chunk.write_bytes(data)
    np.testing.assert_array_equal(assemble(open_reader(path))[:, :, 0], pixels)


def test_a_file_that_only_begins_like_a_zip_is_refused(tmp_path):
    path = tmp_path / "a.ozx"
    path.write_bytes(b"PK\3\4" + bytes(60))
    with pytest.raises(OverlayFormatError, match="the zip file cannot be read"):
        open_reader(path)


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ({"data": np.ones((19, 23), "u2")}, "differ in their dtype"),
        ({"data": np.ones((19, 23), "u1"), "fill_value": 7}, "differ in their fill_value: 0, 7"),
        ({"data": np.ones((1, 19, 23), "u1")}, "level '1' is no array of 2 axes"),
    ],
)
def test_a_level_unlike_the_first_is_refused(tmp_path, level, message):
    path = write_zarr(tmp_path / "a.zarr", HALVES, 0.5)
    zarr.create_array(str(path), name="1", overwrite=True, **level)
    with pytest.raises(OverlayFormatError, match=message):
        open_reader(path)


def test_samples_that_are_no_numbers_are_refused(tmp_path):
    zarr.create_array(str(tmp_path / "a.zarr"), data=np.zeros((4, 4), "c8"))
    with pytest.raises(OverlayFormatError, match="samples of complex64 are not supported"):
        open_reader(tmp_path / "a.zarr")


def test_two_axes_of_channels_are_refused(tmp_path):
    path = write_zarr(
        tmp_path / "a.zarr", [np.zeros((2, 2, 8, 8), "u1")], names="ccyx", chunks=(1, 1, 8, 8)
    )
    with pytest.raises(OverlayFormatError, match="several axes are channels"):
        open_reader(path)
