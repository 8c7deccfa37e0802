"""What is wrong with a file is told alike of overlays, annotations and slides."""

from __future__ import annotations

import os

import pytest
from shapely import box

from ratiopath import (
    OverlayError,
    OverlayFormatError,
    OverlayNotFoundError,
    annotation_overlap,
    overlay_overlap,
    overlay_stats,
    read_overlay,
)
from ratiopath.call.batch import Batch
from ratiopath.measure.pipeline import slide_tiles
from ratiopath.slides.report import inspect
from ratiopath.slides.rows import Tiling, read_slide_row

ROI = box(0, 0, 4, 4)


def overlap(path):
    return overlay_overlap(ROI, path, 0, 0, 0.5, 0.5)


def stats(path):
    return overlay_stats(ROI, path, 0, 0, 0.5, 0.5, stats=["mean"])


def patches(path):
    return read_overlay(ROI, path, 0, 0, 0.5, 0.5)


def classes(path):
    return annotation_overlap(ROI, path, 0, 0, downsample=1)


def tiles(path):
    numbers = dict.fromkeys(("tile_x", "tile_y", "level"), 0)
    return slide_tiles(Batch.of(path=path, **numbers, tile_extent_x=4, tile_extent_y=4), 255)


def slide_row(path):
    return read_slide_row(path, Tiling.checked(4, 4, None, 0, None))


def report(path):
    return inspect(path)


def missing(folder, _patch):
    return folder / "gone.tif"


def impossible(folder, _patch):
    return folder / "nu\0ll.tif"


def corrupt(folder, _patch):
    path = folder / "torn.tif"
    path.write_bytes(b"II*\0" + bytes(3))
    return path


def strange(folder, _patch):
    path = folder / "notes.txt"
    path.write_bytes(b"what is this?")
    return path


def folder_itself(folder, _patch):
    return folder


def pipe(folder, _patch):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def forbidden(folder, patch):
    path = folder / "secret.tif"
    path.write_bytes(b"II*\0")
    # Root may read anything, so the system is made to say no.
    patch.setattr(os, "stat", refuse(path, os.stat))
    return path


def refuse(path, stat):
    def refusing(name, *arguments, **keywords):
        if name == str(path):
            raise PermissionError(13, "Permission denied")
        return stat(name, *arguments, **keywords)

    return refusing


SOURCES = [overlap, stats, patches, classes, tiles, slide_row, report]
TROUBLES = [
    (missing, OverlayNotFoundError, {"not_found"}),
    (impossible, OverlayNotFoundError, {"not_found"}),
    (corrupt, OverlayFormatError, {"corrupt", "unsupported", "unsupported_annotations"}),
    (strange, OverlayFormatError, {"unsupported", "unsupported_annotations"}),
    (folder_itself, OverlayFormatError, {"not_a_file"}),
    pytest.param(
        pipe,
        OverlayFormatError,
        {"not_a_file"},
        marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes a named pipe"),
    ),
    (forbidden, OverlayFormatError, {"not_permitted"}),
]


@pytest.mark.parametrize(("make", "kind", "codes"), TROUBLES)
@pytest.mark.parametrize("source", SOURCES)
def test_a_bad_file_is_told_alike_whatever_it_is(tmp_path, monkeypatch, source, make, kind, codes):
    path = str(make(tmp_path, monkeypatch))
    with pytest.raises(kind) as caught:
        source(path)
    error = caught.value
    assert error.code in codes
    assert error.remedy is not None
    assert error.path == path
    # Only a slide's description is of no row.
    assert error.row == (None if source in (slide_row, report) else 0)
    assert "overlay" not in str(error).replace(str(tmp_path), "").lower()


@pytest.mark.parametrize("source", [overlap, stats, patches, classes, tiles])
def test_a_null_path_is_told_alike_whatever_it_is(source):
    with pytest.raises(OverlayError, match="path is null") as caught:
        source(None)
    assert (caught.value.code, caught.value.path, caught.value.row) == ("null_path", None, 0)
    if source in (classes, tiles):
        assert "overlay" not in str(caught.value)
