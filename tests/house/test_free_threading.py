"""A free-threaded Python keeps its lock off: no codec that a format needs turns it on again."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig

import numpy as np
import pytest
from PIL import Image
from shapely import box

from overlays import write_overlay
from ratiopath import read_overlay

CODECS = (
    *("deflate", "lzw", "zstd", "lzma", "packbits", "lerc"),
    *("jpeg", "jpeg2000", "jpegxl", "webp", "png", "none"),
)
ASK = """
import sys
import ratiopath
from shapely import box
assert not sys._is_gil_enabled(), "import ratiopath"
one = dict(overlay_mpp_x=1, overlay_mpp_y=1)
for path in sys.argv[1:]:
    for read in (ratiopath.overlay_overlap, ratiopath.read_overlay):
        read(box(0, 0, 16, 16), path, 3, 3, 1, 1, **one)
    ratiopath.overlay_stats(box(0, 0, 16, 16), path, 3, 3, 1, 1, channel=0, stats="mean", **one)
    assert not sys._is_gil_enabled(), path
ratiopath.count_values(ratiopath.polygon_mask(box(0, 0, 5, 5), (8, 8)))
from ratiopath.readers.openslide import OpenSlideReader
OpenSlideReader(sys.argv[1]).read_segment(0, 0, 0)
assert not sys._is_gil_enabled(), "OpenSlide"
print("off")
"""


@pytest.fixture
def files(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 5, (64, 64, 3), np.uint8)
    paths = [tmp_path / f"{codec}.tiff" for codec in CODECS]
    for codec, path in zip(CODECS, paths, strict=True):
        write_overlay(path, [pixels], 1.0, compression=None if codec == "none" else codec)
    paths += [tmp_path / f"image.{suffix}" for suffix in ("png", "jpg", "bmp")]
    for path in paths[-3:]:
        Image.fromarray(pixels).save(path)
    np.save(tmp_path / "array.npy", pixels)
    return [*map(str, paths), str(tmp_path / "array.npy")]


def test_every_file_is_read(files):
    for path in files:
        found = read_overlay(box(0, 0, 16, 16), path, 3, 3, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1)
        assert found.data.shape == (1, 16, 16, 3)


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="needs 3.14t")
def test_no_read_turns_the_lock_on(files):
    # The variable would keep it off whatever is imported.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON_GIL"}
    found = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", ASK, *files],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stdout == "off\n", found.stderr
