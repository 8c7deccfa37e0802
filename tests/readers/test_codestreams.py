"""The size that an image codec's stream declares, against what its encoder was given."""

from __future__ import annotations

from functools import partial
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from ratiopath.errors import OverlayFormatError
from ratiopath.readers.codestreams import jpeg_frame, lerc_depth, stream_size
from ratiopath.readers.tiff.reader import TiffReader
from readers_assembly import assemble

ENCODERS: dict[str, tuple[int, Any]] = {
    "jpeg": (7, imagecodecs.jpeg8_encode),
    "jpeg 2000": (34712, partial(imagecodecs.jpeg2k_encode, codecformat="j2k")),
    "jp2": (33005, imagecodecs.jpeg2k_encode),
    "jpeg xl": (50002, partial(imagecodecs.jpegxl_encode, lossless=True)),
    "jpeg xl container": (52546, partial(imagecodecs.jpegxl_encode, usecontainer=True)),
    "webp lossless": (50001, partial(imagecodecs.webp_encode, lossless=True)),
    "webp lossy": (50001, partial(imagecodecs.webp_encode, lossless=False, level=40)),
    "webp with alpha": (50001, partial(imagecodecs.webp_encode, lossless=False, level=40)),
    "lerc": (34887, imagecodecs.lerc_encode),
    "png": (34933, imagecodecs.png_encode),
}
SIZES = [(1, 1), (8, 8), (64, 48), (256, 256), (300, 200), (3000, 20), (160, 120), (16, 9), (5, 4)]


def picture(width: int, height: int, samples: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, samples), np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ENCODERS)
def test_the_size_is_read_from_the_stream(kind, size):
    number, encode = ENCODERS[kind]
    stream = bytes(encode(picture(*size, samples=4 if "alpha" in kind else 3)))
    assert stream_size(number, stream) == size


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_stream_that_ends_in_its_header_is_refused(kind):
    number, encode = ENCODERS[kind]
    stream = bytes(encode(picture(64, 48)))
    # JPEG XL packs a size into a few bits.
    for end in range(4 if "xl" in kind else 20):
        with pytest.raises(ValueError, match=r"stream|byte"):
            stream_size(number, stream[:end])


def test_other_compressions_know_no_size():
    assert stream_size(5, b"") is None


@pytest.mark.parametrize(("samples", "bits"), [(1, 8), (3, 8), (4, 8), (1, 12)])
def test_a_jpeg_frame_tells_samples_and_bits(samples, bits):
    pixels = picture(24, 16, samples).astype(np.uint8 if bits == 8 else np.uint16)
    stream = bytes(imagecodecs.jpeg8_encode(np.squeeze(pixels), bitspersample=bits))
    # Bytes that fill up the space before a marker.
    assert jpeg_frame(stream[:2] + b"\xff\xff" + stream[2:]) == (24, 16, samples, bits)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compression", "encode"),
    [
        ("jpeg", imagecodecs.jpeg8_encode),
        ("jpeg2000", partial(imagecodecs.jpeg2k_encode, codecformat="j2k")),
        ("jpegxl", partial(imagecodecs.jpegxl_encode, lossless=True)),
        ("webp", partial(imagecodecs.webp_encode, lossless=True)),
        ("lerc", imagecodecs.lerc_encode),
        ("png", imagecodecs.png_encode),
    ],
)
@pytest.mark.parametrize("size", [(64, 16), (4096, 4096), (16, 64)])
def test_a_stream_of_another_size_than_its_tile_is_refused_unread(
    tmp_path, compression, encode, size
):
    def tile():
        yield encode(np.zeros((size[1], size[0], 3), np.uint8))

    path = tmp_path / "tile.tif"
    options: dict[str, Any] = {"tile": (32, 32), "photometric": "rgb", "metadata": None}
    tifffile.imwrite(
        path, tile(), shape=(32, 32, 3), dtype="u1", compression=compression, **options
    )
    with pytest.raises(OverlayFormatError, match=f"holds {size[0]} x {size[1]} pixels"):
        TiffReader(path).read_segment(0, 0, 0)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_lerc_blob_of_more_samples_than_its_page_is_refused_unread(tmp_path, samples):
    stream = bytearray(imagecodecs.lerc_encode(np.zeros((32, 32), np.float32)))
    assert lerc_depth(bytes(stream)) == 1
    stream[22:26] = (1 << 23).to_bytes(4, "little")
    assert lerc_depth(bytes(stream)) == 1 << 23
    photometric = "rgb" if samples == 3 else "minisblack"
    options: dict[str, Any] = {"tile": (32, 32), "photometric": photometric, "metadata": None}
    path, shape = tmp_path / "tile.tif", (32, 32, 3) if samples == 3 else (32, 32)
    tifffile.imwrite(
        path, iter([bytes(stream)]), shape=shape, dtype="f4", compression="lerc", **options
    )
    with pytest.raises(OverlayFormatError, match="8388608 samples per pixel"):
        TiffReader(path).read_segment(0, 0, 0)


def test_lerc_that_holds_the_samples_of_a_pixel_together_is_read(tmp_path):
    pixels = picture(32, 32)
    stream = bytes(imagecodecs.lerc_encode(pixels))
    assert lerc_depth(stream) == 3
    options: dict[str, Any] = {"tile": (32, 32), "photometric": "rgb", "metadata": None}
    path = tmp_path / "tile.tif"
    tifffile.imwrite(
        path, iter([stream]), shape=(32, 32, 3), dtype="u1", compression="lerc", **options
    )
    np.testing.assert_array_equal(assemble(TiffReader(path)), pixels)


def test_a_jpeg_without_its_end_is_refused_and_not_filled_with_grey(tmp_path):
    stream = bytes(imagecodecs.jpeg8_encode(picture(32, 32)))
    options: dict[str, Any] = {
        "tile": (32, 32),
        "photometric": "rgb",
        "metadata": None,
        "compression": "jpeg",
    }
    path = tmp_path / "tile.tif"
    tifffile.imwrite(path, iter([stream[:-200]]), shape=(32, 32, 3), dtype="u1", **options)
    with pytest.raises(OverlayFormatError, match="cut off"):
        TiffReader(path).read_segment(0, 0, 0)


def test_a_jpeg_tile_cropped_at_the_edge_is_read(tmp_path):
    pixels = picture(48, 40, 1)[:, :, 0]
    corners = [(top, left) for top in (0, 32) for left in (0, 32)]
    tiles = [
        bytes(imagecodecs.jpegxl_encode(pixels[y : y + 32, x : x + 32], lossless=True))
        for y, x in corners
    ]
    options: dict[str, Any] = {"tile": (32, 32), "photometric": "minisblack", "metadata": None}
    path = tmp_path / "cropped.tif"
    tifffile.imwrite(
        path, iter(tiles), shape=pixels.shape, dtype="u1", compression="jpegxl", **options
    )
    np.testing.assert_array_equal(assemble(TiffReader(path))[:, :, 0], pixels)
