"""Real files: every one reads as an independent decoder reads it, or is refused by name."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image, ImageOps

from ratiopath.errors import OverlayFormatError
from ratiopath.readers.base import ResolutionMetadata
from ratiopath.readers.opening import open_reader
from readers_assembly import assemble, sizes

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = {
    "gdal/irregular_tile_size_jpeg_in_tiff.tif": "cut off",
    "gdal/uint16_sgilog.tif": "SGILOG",
    "gdal/unsupported_codec_jp2000.tif": "J2K",
    "gdal/unsupported_codec_unknown.tif": "44510",
    "large_image/zero_gi.tif": "no pixels",
    "tifftools/bad_header1.tif": "not a TIFF",
    "tifftools/bad_header2.tif": "BigTIFF",
    "tifftools/bad_jpeg2.tif": "Quantization table",
    "tifftools/bad_strip_offset.tif": "past the end",
}
# GDAL spreads chroma otherwise than libjpeg does by default, or lacks the codec.
NOT_FOR_GDAL = {
    "gdal/byte_JXL_tiled.tif",
    "gdal/rgbsmall_JPEG_ycbcr.tif",
    "gdal/ycbcr_with_mask.tif",
    "rio-tiler/cog_hirise_mars.tif",
    "rio-tiler/cog_rgb.tif",
}
OME = ["bfconvert-res", "multi-channel-z-series", "multiseries", "ome-types-ome", "text-2010"]


def tiffs(folder: Path) -> dict[str, Path]:
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*.tif*"))}
    assert len(found) > 100
    return found


def read_with_gdal(path: Path) -> np.ndarray:
    """Return level 0 (H, W, C) by GDAL, with alpha as our readers have it."""
    rasterio = pytest.importorskip("rasterio")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # most have no georeference
        with rasterio.open(path, driver="GTiff") as dataset:
            pixels = np.moveaxis(dataset.read(), 0, 2)
            names = [colour.name for colour in dataset.colorinterp]
    if "alpha" not in names:
        return pixels
    alpha = names.index("alpha")
    return np.where(pixels[:, :, [alpha]] == 0, 0, np.delete(pixels, alpha, axis=2))


def equals(pixels: np.ndarray, expected: np.ndarray) -> bool:
    return np.array_equal(pixels, expected, equal_nan=pixels.dtype.kind == "f")


def test_every_tiff_reads_as_gdal_reads_it_or_is_refused(shared_data):
    files = tiffs(shared_data / "tiff")
    wrong = [
        name
        for name, path in files.items()
        if name not in REFUSED.keys() | NOT_FOR_GDAL
        and not re.search(r"test_orient[2-8]", name)
        and not equals(assemble(open_reader(path)), read_with_gdal(path))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(shared_data, name):
    path = shared_data / "tiff" / name
    with pytest.raises(OverlayFormatError, match=re.escape(REFUSED[name])) as caught:
        assemble(open_reader(path))
    assert caught.value.path == str(path)


@pytest.mark.parametrize("name", sorted(NOT_FOR_GDAL))
def test_what_gdal_reads_otherwise_equals_tifffile(shared_data, name):
    path = shared_data / "tiff" / name
    expected = tifffile.imread(path, key=0)
    pixels = assemble(open_reader(path))
    assert equals(pixels, expected.reshape(pixels.shape))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_file_equals_what_pillow_puts_upright(shared_data, orientation):
    path = shared_data / "tiff" / "large_image" / f"test_orient{orientation}.tif"
    image = Image.fromarray(read_with_gdal(path)[:, :, 0])
    image.getexif()[274] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(assemble(open_reader(path))[:, :, 0], expected)


@pytest.mark.parametrize("name", ["cog_rgb.tif", "cog_hirise_mars.tif"])
def test_jpeg_s_colours_equal_openslide_s(shared_data, name):
    path = shared_data / "tiff" / "rio-tiler" / name
    with openslide.OpenSlide(path) as slide:
        expected = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[:, :, :3]
    np.testing.assert_array_equal(assemble(open_reader(path)), expected)


def test_the_levels_of_a_cog_are_told_apart(shared_data):
    reader = open_reader(shared_data / "tiff" / "rio-tiler" / "cog_ovr.tif")
    assert [np.unique(assemble(reader, level)).tolist() for level in range(5)] == [
        [k] for k in range(1, 6)
    ]


def test_masks_of_a_cog_are_no_levels(shared_data):
    reader = open_reader(shared_data / "tiff" / "rio-tiler" / "cog_uint8_rgb_mask.tif")
    assert sizes(reader) == [(256, 256), (128, 128), (64, 64)]
    assert reader.channels == 3


def test_levels_in_subifds_are_found(shared_data):
    reader = open_reader(shared_data / "tiff" / "gdal" / "tiff_with_subifds.tif")
    assert sizes(reader) == [(1024, 512), (512, 256), (256, 128)]


def test_a_sparse_file_has_no_segments(shared_data):
    reader = open_reader(shared_data / "tiff" / "gdal" / "tile1_utm49s_all_sparse_8192.tif")
    assert (reader.dtype, reader.fill, reader.read_segment(0, 31, 31)) == (np.int8, -128, None)


@pytest.mark.parametrize("name", OME)
def test_ome_levels_and_channels_equal_tifffile_s(shared_data, name):
    (path,) = (shared_data / "wsi" / "ome").glob(f"{name}*")
    reader = open_reader(path)
    with tifffile.TiffFile(path) as tiff:
        levels = tiff.series[0].levels
        for index, level in enumerate(levels):
            # From tifffile 2026.5.2 on, a series is asked for with the axes of length 1.
            get_axes: Any = getattr(level, "get_axes", None)
            if get_axes:
                expected = level.asarray(squeeze=False), get_axes(squeeze=False)
            else:
                list_series: Any = tiff.series
                whole = list_series(squeeze=False)[0].levels[index]
                # Of some versions' arrays those axes are left out all the same.
                expected = whole.asarray().reshape(whole.shape), whole.axes
            np.testing.assert_array_equal(assemble(reader, index), first_plane(*expected))
        assert len(reader.levels) == len(levels)


def first_plane(pixels: np.ndarray, axes: str) -> np.ndarray:
    """Return (H, W, channels) of the first Z and T."""
    for axis in "ZT":
        pixels = pixels.take(0, axes.index(axis))
        axes = axes.replace(axis, "")
    order = [axes.index(axis) for axis in "YXCS"]
    height, width, *channels = (pixels.shape[axis] for axis in order)
    return pixels.transpose(order).reshape(height, width, channels[0] * channels[1])


def test_an_aperio_slide_is_its_baseline_only(shared_data):
    path = shared_data / "wsi" / "cmu" / "CMU-1-Small-Region.svs"
    reader = open_reader(path)
    assert sizes(reader) == [(2220, 2967)]
    assert reader.resolution == ResolutionMetadata(vendor=(0.499, 0.499))
    with openslide.OpenSlide(path) as slide:
        expected = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[:, :, :3]
    np.testing.assert_array_equal(assemble(reader), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mpp"),
    [
        ("slideio-tutorial/test3-DAPI-2-387.ndpi", 0.2281750559028887),
        ("highdicom/sm_image.dcm", 0.499),
    ],
)
def test_other_slides_equal_openslide_at_every_level(shared_data, name, mpp):
    path = shared_data / "wsi" / name
    reader = open_reader(path)
    assert reader.resolution == ResolutionMetadata(vendor=(mpp, mpp))
    with openslide.OpenSlide(path) as slide:
        assert sizes(reader) == list(slide.level_dimensions)
        for level, size in enumerate(slide.level_dimensions):
            expected = np.asarray(slide.read_region((0, 0), level, size))[:, :, :3]
            np.testing.assert_array_equal(assemble(reader, level), expected)


def test_what_no_backend_knows_is_refused(shared_data):
    path = shared_data / "overlays" / "highdicom-seg" / "seg_image_sm_control_labelmap.dcm"
    with pytest.raises(OverlayFormatError, match="OpenSlide"):
        open_reader(path)
