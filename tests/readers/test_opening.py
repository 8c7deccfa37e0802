"""Which backend opens a path, and which readers stay open."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
import tifffile

from overlays import labels, write_overlay
from ratiopath.errors import OverlayFormatError, OverlayNotFoundError
from ratiopath.readers import opening
from ratiopath.readers.opening import open_reader
from ratiopath.readers.openslide import OpenSlideReader
from ratiopath.readers.tiff.reader import TiffReader, VendorLayoutError
from readers_assembly import assemble

OPTIONS: dict[str, Any] = {"photometric": "minisblack", "metadata": None}


@pytest.fixture
def overlay(tmp_path):
    return write_overlay(tmp_path / "labels.tiff", [labels()], 0.5)


@pytest.mark.parametrize("suffix", ["", ".svs", ".png", ".ome.tif"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_the_content_decides_and_not_the_suffix(tmp_path, byteorder, bigtiff, suffix):
    path = tmp_path / f"overlay{suffix}"
    tifffile.imwrite(path, labels(), byteorder=byteorder, bigtiff=bigtiff, **OPTIONS)
    reader = open_reader(path)
    assert isinstance(reader, TiffReader)
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], labels())


def test_a_missing_file_is_not_found(tmp_path, overlay):
    for path in (tmp_path / "absent.tif", overlay / "below a file.tif"):
        with pytest.raises(OverlayNotFoundError, match="no such") as caught:
            open_reader(path)
        assert caught.value.path == str(path)


def test_a_directory_is_refused_with_its_cause(tmp_path):
    with pytest.raises(OverlayFormatError, match="directory") as caught:
        open_reader(tmp_path)
    assert isinstance(caught.value.__cause__, IsADirectoryError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes a named pipe")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OverlayFormatError, match="no regular file"):
        open_reader(tmp_path / "pipe")


def test_a_name_that_no_file_can_have_is_not_found():
    with pytest.raises(OverlayNotFoundError, match="null"):
        open_reader("labels\0.tif")


def test_a_vendor_s_own_layout_goes_to_openslide(tmp_path):
    path = tmp_path / "slide.svs"
    pixels = np.full((64, 64, 3), 128, np.uint8)
    options: dict[str, Any] = {
        "compression": 33003,
        "tile": (64, 64),
        "photometric": "rgb",
        "metadata": None,
    }
    tifffile.imwrite(path, pixels, description="Aperio x |MPP = 0.5", **options)
    with pytest.raises(VendorLayoutError, match="Aperio"):
        TiffReader(path)
    reader = open_reader(path)
    assert isinstance(reader, OpenSlideReader)
    assert reader.resolution.vendor == (0.5, 0.5)


@pytest.mark.parametrize("content", [b"", b"I", b"\x89PNG", b"text\n" * 99])
def test_a_file_that_no_backend_knows_names_the_backends_tried(tmp_path, content):
    path = tmp_path / "overlay.tif"
    path.write_bytes(content)
    with pytest.raises(OverlayFormatError, match=r"tifffile.*OpenSlide") as caught:
        open_reader(path)
    assert caught.value.path == str(path)


def test_an_open_reader_is_shared(overlay):
    assert open_reader(overlay) is open_reader(str(overlay))


def test_a_replaced_file_is_opened_anew(overlay):
    before = open_reader(overlay)
    write_overlay(overlay, [labels(seed=1)], 0.5)
    after = open_reader(overlay)
    np.testing.assert_array_equal(assemble(after)[:, :, 0], labels(seed=1))
    assert before.identity != after.identity


def test_open_readers_are_bounded_and_a_dropped_one_still_reads(tmp_path, overlay, monkeypatch):
    opening._readers.clear()
    monkeypatch.setattr(opening, "MAX_OPEN_READERS", 2)
    held = open_reader(overlay)
    for index in range(3):
        open_reader(write_overlay(tmp_path / f"{index}.tiff", [labels()]))
    np.testing.assert_array_equal(assemble(held)[:, :, 0], labels())
    assert open_reader(overlay) is not held


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")  # noqa: PTH112 - a constant
def test_a_dropped_reader_closes_its_file(overlay):
    def descriptors():
        gc.collect()
        return sum(os.path.realpath(f"/proc/self/fd/{fd}") == str(overlay) for fd in range(999))

    reader = TiffReader(overlay)
    assert descriptors() == 1
    del reader
    assert descriptors() == 0


def test_a_file_that_fails_to_open_is_closed(tmp_path):
    path = tmp_path / "complex.tif"
    tifffile.imwrite(path, labels().astype(np.complex64), **OPTIONS)
    with pytest.raises(OverlayFormatError) as caught:
        TiffReader(path)
    path.unlink()
    assert caught.value.path == str(path)


def test_reading_after_close_is_an_error(overlay):
    reader = TiffReader(overlay)
    reader.close()
    with pytest.raises(OverlayFormatError, match="closed"):
        reader.read_segment(0, 0, 0)


def test_threads_read_the_same_pixels(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (640, 640), np.uint8)
    reader = open_reader(write_overlay(tmp_path / "noise.tiff", [pixels]))
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(assemble(reader)[:, :, 0])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [np.array_equal(result, pixels) for result in results] == [True] * 4


def test_importing_the_readers_imports_no_backend():
    code = (
        "import sys, ratiopath.readers;"
        "print({'tifffile', 'imagecodecs', 'openslide'} & set(sys.modules))"
    )
    run = subprocess.run(  # noqa: S603 - this interpreter, on the line above
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"
