"""Codes of LZW and of JPEG that have no meaning, and LZW as the first libtiff wrote it."""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from ratiopath.errors import OverlayFormatError
from ratiopath.readers.opening import open_reader
from readers_assembly import assemble

OPTIONS: dict[str, Any] = {"photometric": "minisblack", "metadata": None}


def lzw_codes(*codes: int) -> bytes:
    """Pack a few LZW codes, as TIFF does while they have nine bits."""
    bits = "".join(f"{code:09b}" for code in codes)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("layout", [{"tile": (16, 16)}, {"rowsperstrip": 16}])
@pytest.mark.parametrize(
    "codes",
    [
        (256, 300, 7, 257),
        (256, 7, 258, 300, 257),
        (256, 7, 256, 258, 257),
        (7, 7, 7, 257),
    ],
)
def test_an_lzw_code_that_has_no_meaning_is_refused(tmp_path, codes, layout, turned):
    stream = lzw_codes(*codes)
    if turned:
        stream = bytes(int(f"{byte:08b}"[::-1], 2) for byte in stream)
    path = tmp_path / "labels.tif"
    tifffile.imwrite(
        path,
        iter([stream]),
        shape=(16, 16),
        dtype="u1",
        compression="lzw",
        # Tag CellLength is not used: its place becomes FillOrder's, which tifffile does not write.
        extratags=[(265, 3, 1, 2, True)],
        **layout,
        **OPTIONS,
    )
    if turned:
        with tifffile.TiffFile(path) as tiff:
            place = tiff.pages.first.tags[265].offset
        with path.open("r+b") as file:
            file.seek(place)
            file.write((266).to_bytes(2, "little"))
    with pytest.raises(OverlayFormatError, match="a code near byte") as caught:
        open_reader(path).read_segment(0, 0, 0)
    assert caught.value.path == str(path)


def test_lzw_in_the_order_of_bits_of_the_first_libtiff_is_read(tmp_path):
    # Nine bits each, from the lowest up.
    codes = [256, *range(0, 224, 14), 257]
    number = sum(code << 9 * place for place, code in enumerate(codes))
    stream = number.to_bytes(-(-9 * len(codes) // 8), "little")
    path = tmp_path / "labels.tif"
    tifffile.imwrite(
        path,
        iter([stream]),
        shape=(4, 4),
        dtype="u1",
        compression="lzw",
        rowsperstrip=4,
        **OPTIONS,
    )
    pixels = assemble(open_reader(path))[:, :, 0]
    np.testing.assert_array_equal(pixels.ravel(), np.arange(0, 224, 14))


# Other frames than baseline, and what is no marker of Huffman tables.
@pytest.mark.parametrize("photometric", ["minisblack", "rgb"])
@pytest.mark.parametrize("tables", [0xC4, 0xC5, 0xC8, 0xCC, 0xCF])
@pytest.mark.parametrize("frame", [0xC3, 0xC5, 0xC7, 0xCB])
def test_a_lossless_jpeg_is_refused_whatever_its_tables(tmp_path, photometric, tables, frame):
    shape = (32, 32) if photometric == "minisblack" else (32, 32, 3)
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    stream = bytes(imagecodecs.jpeg8_encode(pixels))
    stream = stream.replace(b"\xff\xc0", bytes([0xFF, frame])).replace(
        b"\xff\xc4", bytes([0xFF, tables])
    )
    path = tmp_path / "labels.tif"
    options: dict[str, Any] = OPTIONS | {
        "photometric": photometric,
        "compression": "jpeg",
        "tile": (32, 32),
    }
    tifffile.imwrite(path, iter([stream]), shape=shape, dtype="u1", **options)
    with pytest.raises(OverlayFormatError, match=r"labels\.tif"):
        open_reader(path).read_segment(0, 0, 0)
