"""Images that tag Orientation says are stored turned or mirrored come out upright."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from ratiopath import overlay_overlap
from ratiopath.readers.base import ResolutionMetadata
from ratiopath.readers.tiff.reader import TiffReader
from readers_assembly import assemble, sizes

STORED = np.random.default_rng(2).integers(0, 250, (75, 61), np.uint8)
LAYOUTS: dict[str, dict[str, Any]] = {
    "tiles": {"tile": (16, 32), "compression": "lzw"},
    "strips": {"rowsperstrip": 7, "compression": "deflate"},
    "rows": {"rowsperstrip": 75},
    "whole tiles": {"tile": (16, 16), "compression": "lzw"},
}


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return the pixels as Pillow puts them upright."""
    image = Image.fromarray(pixels)
    image.getexif()[274] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def write(path, pixels, orientation, **options):
    defaults: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    tags = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(path, pixels, extratags=tags, **(defaults | options))
    return TiffReader(path)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_image_is_put_upright(tmp_path, orientation, layout):
    stored = STORED[:64, :48] if layout == "whole tiles" else STORED
    reader = write(tmp_path / "turned.tif", stored, orientation, **LAYOUTS[layout])
    expected = upright(stored, orientation)
    assert sizes(reader) == [expected.shape[::-1]]
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], expected)


@pytest.mark.parametrize("orientation", [0, 1, 9, 65535])
def test_a_tag_without_a_meaning_turns_nothing(tmp_path, orientation):
    reader = write(tmp_path / "upright.tif", STORED, orientation, tile=(16, 16))
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], STORED)


@pytest.mark.parametrize("orientation", [3, 6])
def test_colours_and_alpha_are_turned_together(tmp_path, orientation):
    pixels = np.random.default_rng(4).integers(0, 2, (75, 61, 4), np.uint8) * 255
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"], "tile": (16, 32)}
    reader = write(tmp_path / "turned.tif", pixels, orientation, **options)
    opaque = np.where(pixels[:, :, 3:] == 0, 0, pixels[:, :, :3]).astype(np.uint8)
    np.testing.assert_array_equal(assemble(reader), upright(opaque, orientation))


def test_what_the_file_leaves_out_is_left_out_upright(tmp_path):
    path = tmp_path / "sparse.tif"
    pixels = STORED.copy()
    write(path, pixels, 6, tile=(16, 16), compression="lzw")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for code in (324, 325):
            tag = tiff.pages.first.tags[code]
            tag.overwrite([0, *tag.value[1:]])
    pixels[:16, :16] = 0
    reader = TiffReader(path)
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], upright(pixels, 6))
    assert reader.encoded_segment(0, 0, 0) is None


def test_the_resolutions_are_exchanged_with_the_axes(tmp_path):
    options = {"resolution": (20000, 10000), "resolutionunit": "CENTIMETER"}
    turned = write(tmp_path / "turned.tif", STORED, 6, **options)
    mirrored = write(tmp_path / "mirrored.tif", STORED, 2, **options)
    assert turned.resolution == ResolutionMetadata(tags=(10000.0, 20000.0, 10000.0))
    assert mirrored.resolution == ResolutionMetadata(tags=(20000.0, 10000.0, 10000.0))


def test_fractions_are_those_of_the_upright_image(tmp_path):
    pixels = np.zeros((64, 48), np.uint8)
    pixels[:16] = 1
    write(tmp_path / "turned.tif", pixels, 6, tile=(16, 16))
    found = overlay_overlap(
        None,
        str(tmp_path / "turned.tif"),
        [0, 48],
        0,
        1,
        1,
        tile_extent_x=16,
        tile_extent_y=48,
        overlay_mpp_x=1,
        overlay_mpp_y=1,
    )
    assert found == [{0: 1.0}, {1: 1.0}]
