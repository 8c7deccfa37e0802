"""PNG, JPEG, BMP and .npy: every sample as it is stored, and bounded in what they cost."""

from __future__ import annotations

import io
import os
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from ratiopath import OverlayResolutionError, overlay_overlap
from ratiopath.errors import OverlayFormatError
from ratiopath.readers import image, npy
from ratiopath.readers.base import ResolutionMetadata
from ratiopath.readers.image import ImageReader
from ratiopath.readers.npy import NpyReader
from ratiopath.readers.opening import open_reader
from readers_assembly import assemble, sizes

HEIGHT, WIDTH = 37, 45
MPP: dict[str, Any] = {"overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}


def noise(dtype="u1", *channels: int) -> np.ndarray:
    size = HEIGHT * WIDTH * int(np.prod(channels)) * np.dtype(dtype).itemsize
    data = np.random.default_rng(3).integers(0, 250, size, np.uint8)
    pixels = data.view(dtype).reshape(HEIGHT, WIDTH, *channels)
    return np.nan_to_num(pixels) if pixels.dtype.kind == "f" else pixels


def png(samples: np.ndarray, bits: int, kind: int, chunks: bytes = b"") -> bytes:
    """Write a PNG of any depth and colour type by hand: (H, W, C) samples, no filter."""
    height, width = samples.shape[:2]
    packed = samples.reshape(height, -1)
    if bits == 16:
        rows = packed.astype(">u2").view(np.uint8).reshape(height, -1)
    else:
        ones = np.unpackbits(packed.astype(np.uint8)[:, :, np.newaxis], axis=2)[:, :, 8 - bits :]
        rows = np.packbits(ones.reshape(height, -1), axis=1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return (
        image.PNG_MAGIC
        + chunk(b"IHDR", header)
        + chunks
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def opened(path, content: bytes | bytearray):
    path.write_bytes(content)
    return open_reader(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "overlay"


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_png_keeps_its_samples(path, bits):
    pixels = noise("u2", 1) & (2**bits - 1)
    reader = opened(path, png(pixels, bits, 0))
    assert isinstance(reader, ImageReader)
    assert reader.dtype == (np.bool_ if bits == 1 else np.uint16 if bits == 16 else np.uint8)
    np.testing.assert_array_equal(assemble(reader), pixels)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_png_s_index_is_the_value(path, bits):
    pixels = noise("u1", 1) & (2**bits - 1)
    palette = chunk(b"PLTE", bytes(range(200, 200 - 2**bits, -1)) * 3 if bits < 7 else bytes(768))
    transparent = chunk(b"tRNS", bytes(2))
    reader = opened(path, png(pixels, bits, 3, palette + transparent))
    np.testing.assert_array_equal(assemble(reader), pixels)


@pytest.mark.parametrize("bits", [8, 16])
def test_colours_of_png_keep_their_depth(path, bits):
    pixels = noise("u2", 3) & (2**bits - 1)
    np.testing.assert_array_equal(assemble(opened(path, png(pixels, bits, 2))), pixels)


@pytest.mark.parametrize(("kind", "samples"), [(4, 2), (6, 4)])
@pytest.mark.parametrize("bits", [8, 16])
def test_transparent_pixels_of_png_are_0_and_others_keep_their_colour(path, bits, kind, samples):
    pixels = noise("u2", samples) & (2**bits - 1)
    pixels[::3, :, -1] = 0
    reader = opened(path, png(pixels, bits, kind))
    assert reader.channels == samples - 1
    expected = np.where(pixels[:, :, -1:] == 0, 0, pixels[:, :, :-1])
    np.testing.assert_array_equal(assemble(reader), expected)
    white = open_reader(path, transparent=255)
    expected = np.where(pixels[:, :, -1:] == 0, 255, pixels[:, :, :-1])
    np.testing.assert_array_equal(assemble(white), expected)


@pytest.mark.parametrize(("kind", "samples", "key"), [(0, 1, (0, 7)), (2, 3, (0, 1, 0, 2, 0, 3))])
def test_a_colour_declared_transparent_stays_what_it_is(path, kind, samples, key):
    pixels = noise("u1", samples)
    pixels[0, 0] = key[1::2]
    reader = opened(path, png(pixels, 8, kind, chunk(b"tRNS", bytes(key))))
    np.testing.assert_array_equal(assemble(reader), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp_keeps_its_samples(path, mode):
    source = Image.fromarray(noise() % 5 if mode == "P" else noise()).convert(mode)
    if mode == "P":
        source.putpalette([9, 8, 7] * 5)
    buffer = io.BytesIO()
    source.save(buffer, "BMP")
    pixels = np.asarray(source)
    reader = opened(path, buffer.getvalue())
    assert reader.dtype == pixels.dtype
    np.testing.assert_array_equal(assemble(reader), pixels.reshape(HEIGHT, WIDTH, -1))


@pytest.mark.parametrize("samples", [1, 3])
def test_jpeg_equals_pillow_s(path, samples):
    pixels = noise("u1", samples).squeeze()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    expected = np.asarray(Image.open(buffer)).reshape(HEIGHT, WIDTH, samples)
    np.testing.assert_array_equal(assemble(opened(path, buffer.getvalue())), expected)


def test_jpeg_of_12_bits_is_refused(path):
    pixels = np.full((HEIGHT, WIDTH), 3000, np.uint16)
    with pytest.raises(OverlayFormatError, match="12-bit"):
        opened(path, bytes(imagecodecs.jpeg8_encode(pixels, bitspersample=12)))


def test_a_jpeg_that_exif_turns_is_refused(path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(noise()).save(path, "JPEG", exif=exif)
    with pytest.raises(OverlayFormatError, match="Orientation 6"):
        open_reader(path)


def test_a_density_for_printing_is_no_resolution(path):
    Image.fromarray(noise()).save(path, "PNG", dpi=(25400, 25400))
    assert open_reader(path).resolution == ResolutionMetadata()
    with pytest.raises(OverlayResolutionError, match="overlay_mpp_x"):
        overlay_overlap(None, path, 0, 0, 1, 1, tile_extent_x=4, tile_extent_y=4)


def test_the_slide_s_extent_gives_a_thumbnail_its_resolution(path):
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[:, 20:] = 255
    Image.fromarray(pixels).save(path, "PNG")
    found = overlay_overlap(
        None,
        str(path),
        [0, 100, 200],
        0,
        0.5,
        0.5,
        tile_extent_x=100,
        tile_extent_y=370,
        slide_extent_x=450,
        slide_extent_y=370,
    )
    assert found == [{0: 1.0}, {0: 1.0}, {255: 1.0}]


def test_an_image_too_large_to_decode_is_refused_with_the_way_out(path, monkeypatch):
    Image.fromarray(noise() * 0).save(path, "PNG")
    monkeypatch.setattr(image, "LARGEST_SEGMENT", HEIGHT * WIDTH - 1)
    with pytest.raises(OverlayFormatError, match=r"1,665 bytes .* tiled TIFF"):
        ImageReader(path)


def test_a_png_that_promises_more_than_it_can_hold_is_refused(path):
    content = bytearray(png(noise("u1", 1), 8, 0))
    content[16:24] = struct.pack(">II", 15000, 15000)
    with pytest.raises(OverlayFormatError, match="cannot hold"):
        opened(path, content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_an_image_cut_off_anywhere_is_refused(path, kind):
    Image.fromarray(noise("u1", 3)).save(path, kind)
    content = path.read_bytes()
    # The end of a PNG holds nothing but its end.
    for end in range(0, len(content) - 16, max(1, len(content) // 100)):
        with pytest.raises(OverlayFormatError):
            opened(path, content[:end]).read_segment(0, 0, 0)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize(
    "dtype", ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]
)
def test_npy_reads_back_in_any_order_and_type(path, dtype, channels, fortran, byteorder):
    pixels = noise("u1", *channels) > 99 if dtype == "?" else noise(dtype, *channels)
    stored = pixels.astype(np.dtype(dtype).newbyteorder(byteorder))
    with path.open("wb") as file:
        np.save(file, np.asfortranarray(stored) if fortran else stored)
    reader = open_reader(path)
    assert isinstance(reader, NpyReader)
    assert (reader.dtype, sizes(reader)) == (np.dtype(dtype), [(WIDTH, HEIGHT)])
    np.testing.assert_array_equal(assemble(reader), pixels.reshape(HEIGHT, WIDTH, -1))


@pytest.mark.parametrize("fortran", [False, True])
def test_of_npy_only_the_lines_needed_are_read(path, fortran, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 9, (1500, 1400), np.uint8)
    with path.open("wb") as file:
        np.save(file, np.asfortranarray(pixels) if fortran else pixels)
    reader = open_reader(path)
    assert isinstance(reader, NpyReader)
    read, counts = reader._file.read, []

    def counting(offset, count):
        counts.append(count)
        return read(offset, count)

    monkeypatch.setattr(reader._file, "read", counting)
    found = overlay_overlap(None, path, 700, 600, 1, 1, tile_extent_x=9, tile_extent_y=9, **MPP)
    values, times = np.unique(pixels[600:609, 700:709], return_counts=True)
    assert found == [dict(zip(values.tolist(), (times / 81).tolist(), strict=True))]
    assert counts == [512 * (1500 if fortran else 1400)]


def test_wide_arrays_have_thinner_bands(path, monkeypatch):
    monkeypatch.setattr(npy, "BAND_BYTES", 10 * WIDTH)
    with path.open("wb") as file:
        np.save(file, noise())
    reader = NpyReader(path)
    assert reader.levels[0].segment_height == 10
    np.testing.assert_array_equal(assemble(reader)[:, :, 0], noise())


def test_a_bool_that_is_neither_0_nor_1_is_true(path):
    with path.open("wb") as file:
        np.save(file, noise() > 99)
    content = path.read_bytes()
    path.write_bytes(content[: -HEIGHT * WIDTH] + bytes(range(256)) * 6 + bytes(129))
    found = overlay_overlap(
        None, path, 0, 0, 1, 1, tile_extent_x=WIDTH, tile_extent_y=HEIGHT, **MPP
    )
    assert found == [{False: 135 / 1665, True: 1530 / 1665}]


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((2, 2), complex), "dtype"),
        (np.zeros(3), "shape"),
        (np.zeros((0, 3)), "shape"),
        (np.zeros((2, 2, 2, 2)), "shape"),
        (np.array([[None]]), "dtype"),
        (np.zeros((2, 2), [("a", "u1")]), "dtype"),
    ],
)
def test_npy_of_anything_else_is_refused(path, pixels, reason):
    with path.open("wb") as file:
        np.save(file, pixels)
    with pytest.raises(OverlayFormatError, match=reason):
        open_reader(path)


def test_npy_cut_off_anywhere_is_refused_when_opened(path):
    with path.open("wb") as file:
        np.save(file, noise("f4"))
    content = path.read_bytes()
    for end in range(0, len(content), len(content) // 100):
        with pytest.raises(OverlayFormatError):
            opened(path, content[:end])


def test_npy_that_shrinks_while_open_is_an_error(path):
    with path.open("wb") as file:
        np.save(file, noise("f4"))
    reader = open_reader(path)
    os.truncate(path, path.stat().st_size - 50)
    with pytest.raises(OverlayFormatError, match="the file ends"):
        assemble(reader)


def test_one_line_too_long_to_read_is_refused(path, monkeypatch):
    monkeypatch.setattr(npy, "LARGEST_SEGMENT", WIDTH - 1)
    with path.open("wb") as file:
        np.save(file, noise())
    with pytest.raises(OverlayFormatError, match="one line"):
        NpyReader(path)


def test_a_jpeg_that_is_a_mirax_slide_s_face_goes_to_openslide(tmp_path):
    Image.fromarray(noise("u1", 3)).save(tmp_path / "slide.mrxs", "JPEG")
    with pytest.raises(OverlayFormatError, match="OpenSlide"):
        open_reader(tmp_path / "slide.mrxs")


@pytest.mark.parametrize(("bits", "kind"), [(8, 5), (3, 0)])
def test_a_png_of_no_known_type_is_refused(path, bits, kind):
    content = bytearray(png(noise("u1", 1), 8, 0))
    content[24:26] = bytes([bits, kind])
    with pytest.raises(OverlayFormatError, match=f"colour type {kind} of {bits} bits"):
        opened(path, content)


def test_an_image_without_pixels_is_refused(path):
    content = bytearray(png(noise("u1", 1), 8, 0))
    content[16:24] = struct.pack(">II", 0, 15)
    with pytest.raises(OverlayFormatError, match="the image has no pixels"):
        opened(path, content)


def test_an_image_file_too_large_to_hold_is_refused(path, monkeypatch):
    Image.fromarray(noise()).save(path, "PNG")
    size = path.stat().st_size
    monkeypatch.setattr(image, "LARGEST_SEGMENT", size - 1)
    with pytest.raises(OverlayFormatError, match=f"takes {size:,} bytes stored"):
        open_reader(path)


def test_a_npy_of_a_version_to_come_is_refused(path):
    with path.open("wb") as file:
        np.save(file, noise())
    content = bytearray(path.read_bytes())
    content[6] = 9
    with pytest.raises(OverlayFormatError, match=r"version .*9.* is not supported"):
        opened(path, content)
