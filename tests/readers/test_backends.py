"""The readers of arrays in memory and of what only OpenSlide opens."""

from __future__ import annotations

import numpy as np
import openslide
import pytest

from overlays import write_overlay
from ratiopath.errors import OverlayFormatError, OverlayNotFoundError
from ratiopath.readers.array import ArrayReader
from ratiopath.readers.base import ResolutionMetadata
from ratiopath.readers.openslide import OpenSlideReader
from readers_assembly import assemble, sizes

LABELS = np.array([0, 200], np.uint8)


@pytest.mark.parametrize(
    "dtype", ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", ">f4"]
)
@pytest.mark.parametrize("shape", [(700, 530), (5, 7, 3), (1, 1, 1)])
def test_an_array_reads_back_in_segments_and_stays_as_it_is(dtype, shape):
    pixels = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    turned = pixels[::-1, ::-1]
    before = turned.copy()
    turned.flags.writeable = False
    reader = ArrayReader(turned)
    assert (reader.path, reader.dtype) == ("<array>", pixels.dtype.newbyteorder("="))
    np.testing.assert_array_equal(assemble(reader).reshape(shape), before)
    assert reader.resolution == ResolutionMetadata()


@pytest.mark.parametrize("dtype", ["c8", "O", "U3", "M8[s]"])
def test_an_array_of_another_dtype_is_a_type_error(dtype):
    with pytest.raises(TypeError, match="samples"):
        ArrayReader(np.zeros((2, 2), dtype))


@pytest.mark.parametrize("shape", [(4,), (2, 2, 2, 2), (0, 3), (3, 3, 0)])
def test_an_array_of_another_shape_is_a_value_error(shape):
    with pytest.raises(ValueError, match="overlay"):
        ArrayReader(np.zeros(shape))


def write_slide(path, size, factors):
    """Write a pyramid of two labels that OpenSlide opens; return its levels."""
    base = LABELS[np.random.default_rng(0).integers(0, 2, size)]
    levels = [
        base,
        *(base[: -(size[0] % k) or None : k, : -(size[1] % k) or None : k] for k in factors),
    ]
    write_overlay(path, levels, 0.5, tile=(256, 256))
    return levels


@pytest.mark.parametrize("size", [(2048, 1024), (2051, 1030), (1999, 1501)])
def test_openslide_blends_no_labels_at_any_level(tmp_path, size):
    levels = write_slide(tmp_path / "slide.tif", size, (2, 3, 4, 8))
    reader = OpenSlideReader(tmp_path / "slide.tif")
    assert sizes(reader) == [(level.shape[1], level.shape[0]) for level in levels]
    for index, level in enumerate(levels):
        expected = np.repeat(level[:, :, np.newaxis], 3, axis=2)
        np.testing.assert_array_equal(assemble(reader, index), expected)


def test_a_segment_that_openslide_would_blend_points_to_another_level(tmp_path, monkeypatch):
    levels = write_slide(tmp_path / "slide.tif", (2051, 1030), (2,))
    monkeypatch.setattr("ratiopath.readers.openslide.LONGEST_REGION", 512)
    reader = OpenSlideReader(tmp_path / "slide.tif")
    reader.read_segment(0, 3, 1)
    # Within reach of the origin, and beyond it.
    near = reader.read_segment(1, 1, 1)
    np.testing.assert_array_equal(near[:, :, 0], levels[1][256:512, 256:512])
    with pytest.raises(OverlayFormatError, match="level="):
        reader.read_segment(1, 2, 0)


def test_openslide_leaves_a_generic_tiff_s_resolution_to_its_tags(tmp_path):
    write_slide(tmp_path / "slide.tif", (300, 300), ())
    reader = OpenSlideReader(tmp_path / "slide.tif")
    assert reader.resolution == ResolutionMetadata(tags=(20000.0, 20000.0, 10000.0))


def test_openslide_refuses_what_it_does_not_know(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("no slide")
    with pytest.raises(OverlayFormatError, match="Unsupported"):
        OpenSlideReader(path)
    with pytest.raises(OverlayNotFoundError):
        OpenSlideReader(tmp_path / "absent.svs")


def test_a_slide_that_failed_once_is_read_again(tmp_path, monkeypatch):
    pixels = np.full((32, 32, 3), 7, np.uint8)
    reader = OpenSlideReader(write_overlay(tmp_path / "slide.tif", [pixels]))

    def failing(*_):
        raise openslide.OpenSlideError("the drive was away")

    monkeypatch.setattr(reader._slide, "read_region", failing)
    with pytest.raises(OverlayFormatError, match="the drive was away"):
        reader.read_segment(0, 0, 0)
    np.testing.assert_array_equal(reader.read_segment(0, 0, 0), pixels)
