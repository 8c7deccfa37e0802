"""What TiffReader makes of every way of writing a TIFF: exactly the array that was written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tifffile

from ratiopath.errors import OverlayFormatError
from ratiopath.readers.tiff import level as tiff_level
from ratiopath.readers.tiff.reader import TiffReader
from readers_assembly import assemble, sizes

HEIGHT, WIDTH = 75, 61
DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]
LAYOUTS: dict[str, dict[str, Any]] = {
    "tiles": {"tile": (16, 32)},
    "one strip": {"rowsperstrip": HEIGHT},
    "strips of one row": {"rowsperstrip": 1},
    "strips of seven rows": {"rowsperstrip": 7},
}
CODECS: dict[str, dict[str, Any]] = {
    "none": {},
    "lzw": {"compression": "lzw"},
    "lzw predictor": {"compression": "lzw", "predictor": 2},
    "deflate": {"compression": "deflate"},
    "deflate predictor": {"compression": "deflate", "predictor": 2},
    "zstd": {"compression": "zstd"},
    "packbits": {"compression": "packbits"},
    "lzma": {"compression": "lzma"},
    "png": {"compression": "png"},
    "jpeg 2000": {"compression": "jpeg2000"},
    "jpeg xl": {"compression": "jpegxl", "compressionargs": {"lossless": True}},
}


def noise(dtype: str = "u1", shape: tuple[int, ...] = (HEIGHT, WIDTH)) -> np.ndarray:
    """Random bytes as samples, so every bit pattern but NaN (which floats replace by 0) occurs."""
    wanted = np.dtype(dtype)
    data = np.random.default_rng(7).bytes(math.prod(shape) * wanted.itemsize)
    pixels = np.frombuffer(data, wanted).reshape(shape)
    return np.nan_to_num(pixels, nan=0) if wanted.kind == "f" else pixels


def write(path, pixels, **options: Any):
    options = {"photometric": "minisblack", "metadata": None} | options
    tifffile.imwrite(path, pixels, **options)
    return TiffReader(path)


def as_channels(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "overlay.tif"


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_reads_back_in_native_byte_order(path, dtype, layout, byteorder):
    pixels = noise(dtype)
    reader = write(path, pixels, byteorder=byteorder, **LAYOUTS[layout])
    assert reader.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(assemble(reader), as_channels(pixels))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("codec", CODECS)
def test_every_lossless_codec_reads_back(path, codec, layout, channels):
    pixels = noise(shape=(HEIGHT, WIDTH, 3)) if channels == 3 else noise()
    photometric = "rgb" if channels == 3 else "minisblack"
    reader = write(path, pixels, photometric=photometric, **LAYOUTS[layout], **CODECS[codec])
    assert reader.channels == channels
    np.testing.assert_array_equal(assemble(reader), as_channels(pixels))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_the_predictor_of_floats_is_undone(path, dtype, byteorder):
    pixels = noise(dtype)
    reader = write(path, pixels, compression="deflate", predictor=3, byteorder=byteorder)
    np.testing.assert_array_equal(assemble(reader), as_channels(pixels))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_samples_stored_apart_come_out_together(path, compression, layout, bigtiff):
    pixels = noise("u2", (HEIGHT, WIDTH, 3))
    planes = np.moveaxis(pixels, 2, 0)
    options = {"photometric": "rgb", "planarconfig": "separate", "bigtiff": bigtiff}
    reader = write(path, planes, compression=compression, **options, **LAYOUTS[layout])
    np.testing.assert_array_equal(assemble(reader), pixels)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_one_bit_samples_are_bool_as_stored(path, layout, photometric):
    pixels = noise() > 100
    options = LAYOUTS[layout] | ({"compression": "deflate"} if layout == "tiles" else {})
    reader = write(path, pixels, photometric=photometric, **options)
    assert reader.dtype == np.bool_
    np.testing.assert_array_equal(assemble(reader), as_channels(pixels))


def test_bits_in_reverse_order_are_turned_back(path):
    pixels = noise() > 100
    write(path, pixels, extratags=[(65000, 3, 1, 2, True)])
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        (start,), (count,) = page.dataoffsets, page.databytecounts
        entry = page.tags[65000].offset
    data = np.fromfile(path, np.uint8)
    data[entry : entry + 2] = list((266).to_bytes(2, "little"))  # FillOrder, which none writes
    bits = np.unpackbits(data[start : start + count])
    data[start : start + count] = np.packbits(bits, bitorder="little")
    data.tofile(path)
    np.testing.assert_array_equal(assemble(TiffReader(path)), as_channels(pixels))


def test_a_palette_s_index_is_the_value(path):
    pixels = noise()
    colours = np.random.default_rng(1).integers(0, 2**16, (3, 256), np.uint16)
    reader = write(path, pixels, photometric="palette", colormap=colours, tile=(16, 16))
    np.testing.assert_array_equal(assemble(reader), as_channels(pixels))


@pytest.mark.parametrize("layout", ["tiles", "strips of seven rows"])
def test_jpeg_comes_out_as_rgb(path, layout):
    colour = np.zeros((80, 64, 3), np.uint8)
    colour[:, :32], colour[:, 32:] = (200, 30, 60), (10, 120, 240)
    options = LAYOUTS["tiles"] if layout == "tiles" else {"rowsperstrip": 16}
    reader = write(path, colour, photometric="rgb", compression="jpeg", **options)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages.first.photometric == tifffile.PHOTOMETRIC.YCBCR
    difference = np.abs(assemble(reader).astype(int) - colour)
    # The decoder smooths the halved chroma over the edge.
    assert np.delete(difference, [31, 32], axis=1).max() <= 4


@pytest.mark.parametrize("extra", ["assocalpha", "unassalpha"])
def test_transparent_pixels_are_0_and_others_keep_their_colour(path, extra):
    pixels = noise(shape=(HEIGHT, WIDTH, 4)).copy()
    pixels[::3, :, 3] = 0
    reader = write(path, pixels, photometric="rgb", extrasamples=[extra], tile=(16, 16))
    expected = np.where(pixels[:, :, 3:] == 0, 0, pixels[:, :, :3])
    assert reader.channels == 3
    np.testing.assert_array_equal(assemble(reader), expected)


def test_extra_samples_that_are_not_alpha_are_channels(path):
    pixels = noise(shape=(HEIGHT, WIDTH, 5))
    extra = ["unspecified", "unspecified"]
    reader = write(path, pixels, photometric="rgb", extrasamples=extra, planarconfig="contig")
    np.testing.assert_array_equal(assemble(reader), pixels)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_plane_without_data_reads_as_nodata_without_segments(path, layout):
    options: dict[str, Any] = {"extratags": [(42113, 2, 0, "7", True)], **LAYOUTS[layout]}
    write(path, np.zeros((HEIGHT, WIDTH), np.uint8), compression="deflate", **options)
    zero_byte_counts(path, slice(None))
    reader = TiffReader(path)
    assert reader.fill == 7
    assert reader.read_segment(0, 0, 0) is None
    np.testing.assert_array_equal(assemble(reader), np.full((HEIGHT, WIDTH, 1), 7))


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("layout", ["tiles", "strips of seven rows"])
def test_segments_left_out_read_as_nodata_among_others(path, layout, compression):
    pixels = noise().copy()
    options: dict[str, Any] = {"extratags": [(42113, 2, 0, "9", True)], **LAYOUTS[layout]}
    write(path, pixels, compression=compression, **options)
    zero_byte_counts(path, slice(1, 2))
    if layout == "tiles":
        pixels[:16, 32:] = 9
    else:
        pixels[7:14] = 9
    np.testing.assert_array_equal(assemble(TiffReader(path)), as_channels(pixels))


def zero_byte_counts(path, which: slice) -> None:
    with tifffile.TiffFile(path, mode="r+") as tiff:
        page = tiff.pages.first
        for code in (324 if page.is_tiled else 273, 325 if page.is_tiled else 279):
            values = list(page.tags[code].value)
            values[which] = [0] * len(values[which])
            page.tags[code].overwrite(values)


@pytest.mark.parametrize(
    ("dtype", "text", "fill"),
    [
        ("u1", "255", 255),
        ("u1", "256", 0),
        ("u1", "-1", 0),
        ("u1", "0.5", 0),
        ("u1", "nan", 0),
        ("i2", "-9999.0", -9999),
        ("u8", "18446744073709551615", 2**64 - 1),
        ("f4", "-3.4028234663852886e+38", -3.4028234663852886e38),
        ("f4", "1e300", 0),
        ("f4", "inf", math.inf),
        ("u1", "none", 0),
    ],
)
def test_nodata_counts_where_the_dtype_holds_it(path, dtype, text, fill):
    reader = write(path, noise(dtype), extratags=[(42113, 2, 0, text, True)])
    assert reader.fill == fill


def test_nodata_of_floats_may_be_nan(path):
    assert math.isnan(write(path, noise("f4"), extratags=[(42113, 2, 0, "nan", True)]).fill)


def test_a_band_is_a_multiple_of_the_strips_and_about_512_rows(path):
    reader = write(path, noise(shape=(2000, 5)), rowsperstrip=50, compression="deflate")
    assert (reader.levels[0].segment_height, reader.levels[0].rows) == (500, 4)
    np.testing.assert_array_equal(assemble(reader), as_channels(noise(shape=(2000, 5))))


def test_an_uncompressed_strip_is_read_in_ranges_of_rows(path):
    reader = write(path, noise("f4", (2000, 5)), rowsperstrip=2000)
    assert (reader.levels[0].segment_height, reader.levels[0].rows) == (512, 4)
    np.testing.assert_array_equal(assemble(reader), as_channels(noise("f4", (2000, 5))))


def test_wide_images_have_thinner_bands(path, monkeypatch):
    monkeypatch.setattr(tiff_level, "BAND_BYTES", 10 * WIDTH)
    reader = write(path, noise(), rowsperstrip=4, compression="deflate")
    assert reader.levels[0].segment_height == 8
    np.testing.assert_array_equal(assemble(reader), as_channels(noise()))


def test_a_compressed_strip_too_large_to_decode_is_refused_with_the_way_out(path, monkeypatch):
    monkeypatch.setattr(tiff_level, "LARGEST_SEGMENT", WIDTH * HEIGHT - 1)
    reader = write(path, noise(), rowsperstrip=HEIGHT, compression="deflate")
    with pytest.raises(OverlayFormatError, match="rewrite the file tiled"):
        reader.read_segment(0, 0, 0)


def test_complex_samples_are_refused(path):
    with pytest.raises(OverlayFormatError, match="SampleFormat"):
        write(path, np.zeros((4, 4), np.complex64))


def test_sizes_are_width_and_height(path):
    assert sizes(write(path, noise())) == [(WIDTH, HEIGHT)]


@pytest.mark.parametrize("codec", ["lzw", "lzw predictor", "deflate", "zstd", "packbits"])
def test_a_tile_is_decoded_into_the_slot(path, codec):
    reader = write(path, noise(), tile=(16, 32), **CODECS[codec])
    slot = np.zeros(16 * 32, np.uint8)
    assert np.shares_memory(reader.read_segment_into(slot, 0, 1, 0), slot)
    np.testing.assert_array_equal(slot.reshape(16, 32), noise()[16:32, :32])


def test_a_slot_too_small_is_left_alone(path):
    reader = write(path, noise(), tile=(16, 32), compression="deflate")
    slot = np.zeros(16 * 32 - 1, np.uint8)
    np.testing.assert_array_equal(
        reader.read_segment_into(slot, 0, 0, 0)[:, :, 0], noise()[:16, :32]
    )
    assert not slot.any()
