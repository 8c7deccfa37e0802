"""The tables of docs/formats.md, row by row: what opens, by independent decoders, and what not."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import openslide
import pytest
import rasterio
import tifffile
from PIL import Image

import jpeg
from formats_page import HEIGHT, WIDTH, ramps, rows_of
from mirax_slides import write_mirax
from ratiopath.readers.image import ImageReader
from ratiopath.readers.npy import NpyReader
from ratiopath.readers.opening import open_reader
from ratiopath.readers.openslide import OpenSlideReader
from ratiopath.readers.tiff.reader import TiffReader
from readers_assembly import assemble
from vendor_slides import (
    Area,
    labels,
    pyramid,
    write_hamamatsu,
    write_leica,
    write_philips,
    write_trestle,
    write_ventana,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TILES: dict[str, Any] = {"tiled": True, "blockxsize": 32, "blockysize": 32}
STRIPS: dict[str, Any] = {"blockysize": 16}
LAYOUTS: list[dict[str, Any]] = [
    TILES,
    STRIPS,
    {**TILES, "interleave": "band"},
    {**TILES, "BIGTIFF": "YES"},
]
BIG_ENDIAN = {**TILES, "ENDIANNESS": "BIG"}


def types(names: str) -> list[str]:
    """Expand "uint8 to uint64" into NumPy's names."""
    for kind in ("uint", "int", "float"):
        widths = ["8", "16", "32", "64"]
        for low, high in re.findall(rf"\b{kind}(\d+) to {kind}(\d+)", names):
            all_of = widths[widths.index(low) : widths.index(high) + 1]
            together = ", ".join(f"{kind}{width}" for width in all_of)
            names = names.replace(f"{kind}{low} to {kind}{high}", together)
    return [name for name in names.split(", ") if re.fullmatch(r"bool|u?int\d+|float\d+", name)]


# --- Compressions of TIFF -----------------------------------------------------------------------

# GDAL's options, and the extremes of bits that the row names.
GDAL: dict[str, dict[str, Any]] = {
    "none": {"compress": "NONE"},
    "PackBits": {"compress": "PACKBITS"},
    "LZW": {"compress": "LZW"},
    "LZW with predictor 2": {"compress": "LZW", "predictor": 2},
    "LZW with predictor 3": {"compress": "LZW", "predictor": 3},
    "deflate": {"compress": "DEFLATE"},
    "deflate with predictor 2": {"compress": "DEFLATE", "predictor": 2},
    "deflate with predictor 3": {"compress": "DEFLATE", "predictor": 3},
    "zstd": {"compress": "ZSTD"},
    "zstd with predictor 2": {"compress": "ZSTD", "predictor": 2},
    "LZMA": {"compress": "LZMA"},
    "LERC": {"compress": "LERC"},
    "LERC packed with deflate": {"compress": "LERC_DEFLATE"},
    "LERC packed with zstd": {"compress": "LERC_ZSTD"},
    "CCITT RLE": {"compress": "CCITTRLE"},
    "CCITT group 3": {"compress": "CCITTFAX3"},
    "CCITT group 4": {"compress": "CCITTFAX4"},
    "JPEG": {"compress": "JPEG"},
    "JPEG, channels apart": {"compress": "JPEG", "interleave": "band"},
    "WebP": {"compress": "WEBP", "WEBP_LOSSLESS": "YES", "photometric": "RGB"},
}
# What this GDAL may lack is written by tifffile, and compared with the array that was written.
TIFFFILE: dict[str, dict[str, Any]] = {
    "JPEG 2000": {"compression": "jpeg2000"},
    "JPEG XL": {"compression": "jpegxl", "compressionargs": {"lossless": True}},
    "PNG": {"compression": "png"},
}
# GDAL is no witness here: some builds write such a file empty, and in strips of an odd width it
# packs samples in pairs and leaves the last one of each row half done.
BY_HAND = {"JPEG of 12 bits"}
SAMPLES = dict(rows_of("Compressions of TIFF"))


def test_every_row_of_the_compressions_has_a_test():
    assert SAMPLES.keys() == GDAL.keys() | TIFFFILE.keys() | BY_HAND


def equals_gdal(path: Path, pixels: np.ndarray, **options: Any) -> bool:
    """Write with GDAL, and compare what is read with what GDAL reads back."""
    bands = pixels[np.newaxis] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
    size: dict[str, Any] = {
        "count": bands.shape[0],
        "height": bands.shape[1],
        "width": bands.shape[2],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no georeference
        with rasterio.open(path, "w", "GTiff", dtype=bands.dtype, **size, **options) as file:
            file.write(bands)
        with rasterio.open(path) as file:
            expected = np.moveaxis(file.read(), 0, 2)
    assert expected.any(), "GDAL has written nothing"
    found = assemble(open_reader(path))
    path.unlink()
    return np.array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", GDAL)
def test_a_compression_reads_as_gdal_reads_it(tmp_path, name):
    codec, path = GDAL[name], tmp_path / "overlay.tif"
    wrong = []
    for dtype in types(SAMPLES[name]):
        bits = {"bool": {"nbits": 1}, "float16": {"nbits": 16}}.get(dtype, {})
        stored = {"bool": "u1", "float16": "f4"}.get(dtype, dtype)
        layouts = [TILES, STRIPS] if "CCITT" in name else LAYOUTS
        if not {"JPEG", "WebP", "LERC"} & set(name.replace(",", "").split()):
            layouts = [*layouts, BIG_ENDIAN]
        for layout in layouts:
            channels = 3 if name == "WebP" or "interleave" in layout | codec else None
            if name == "WebP" and layout.get("interleave"):
                continue
            pixels = ramps(stored, channels, bits=1 if dtype == "bool" else 11 if bits else 7)
            if not equals_gdal(path, pixels, **(layout | codec | bits)):
                wrong.append((dtype, layout))
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in GDAL if "packed 2" in SAMPLES[name]])
def test_packed_bits_read_as_gdal_reads_them(tmp_path, name):
    low, high = map(int, re.findall(r"packed (\d+) to (\d+) bits", SAMPLES[name])[0])
    wrong = [
        (bits, layout)
        for bits in range(low, high + 1)
        for layout in (TILES, STRIPS)
        if not equals_gdal(
            tmp_path / "a.tif",
            ramps("u1" if bits <= 8 else "u2" if bits <= 16 else "u4", bits=bits),
            nbits=bits,
            **(layout | GDAL[name]),
        )
    ]
    assert wrong == []


@pytest.mark.parametrize("layout", [{"tile": (16, 32)}, {"rowsperstrip": 9}])
@pytest.mark.parametrize("channels", [None, 3])
@pytest.mark.parametrize("name", TIFFFILE)
def test_a_compression_reads_back(tmp_path, name, channels, layout):
    for dtype in types(SAMPLES[name]):
        pixels = ramps(dtype, channels)
        photometric = "rgb" if channels else "minisblack"
        options: dict[str, Any] = {
            "photometric": photometric,
            "metadata": None,
            **layout,
            **TIFFFILE[name],
        }
        tifffile.imwrite(tmp_path / "overlay.tif", pixels, **options)
        found = assemble(open_reader(tmp_path / "overlay.tif"))
        np.testing.assert_array_equal(found, pixels.reshape(HEIGHT, WIDTH, -1))


@pytest.mark.parametrize("layout", [{"tile": (32, 32)}, {"rowsperstrip": 16}])
def test_jpeg_of_12_bits_equals_the_standard_s_sum_of_cosines(tmp_path, layout):
    path = tmp_path / "overlay.tif"
    options: dict[str, Any] = {"compression": "jpeg", "bitspersample": 12, "metadata": None}
    tifffile.imwrite(path, ramps("u2", bits=11), photometric="minisblack", **options, **layout)
    found = assemble(open_reader(path))[:, :, 0]
    content = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        stored = zip(page.dataoffsets, page.databytecounts, strict=True)
        segments = [jpeg.decode(content[start : start + size]) for start, size in stored]
    across = 2 if "tile" in layout else 1
    rows = [segments[at : at + across] for at in range(0, len(segments), across)]
    exact = np.block(rows)[:HEIGHT, :WIDTH]
    # Half a unit is rounding to an integer; libjpeg's integer cosines add a tenth.
    assert np.abs(found - exact).max() < 0.75
    assert found.max() > 255


def test_jpeg_of_colours_equals_libjpeg_s(tmp_path):
    path = tmp_path / "overlay.tif"
    options: dict[str, Any] = {
        "compression": "jpeg",
        "tile": (32, 32),
        "metadata": None,
        "photometric": "rgb",
    }
    tifffile.imwrite(path, ramps(channels=3), **options)
    found = assemble(open_reader(path))
    np.testing.assert_array_equal(found, tifffile.imread(path))


# --- Kinds of file ------------------------------------------------------------------------------


def write_tiff(path: Path) -> np.ndarray:
    tifffile.imwrite(path, ramps(), photometric="minisblack", compression="lzw", tile=(32, 32))
    return ramps()


def write_aperio(path: Path) -> np.ndarray:
    options: dict[str, Any] = {
        "compression": "jpeg",
        "tile": (32, 32),
        "photometric": "rgb",
        "metadata": None,
    }
    tifffile.imwrite(path, ramps(channels=3), description="Aperio x |MPP = 0.5", **options)
    return tifffile.imread(path)


def write_aperio_ycbcr(path: Path) -> np.ndarray:
    options: dict[str, Any] = {
        "compression": 33003,
        "tile": (32, 32),
        "photometric": "rgb",
        "metadata": None,
    }
    tifffile.imwrite(path, ramps(channels=3), description="Aperio x |MPP = 0.5", **options)
    return read_with_openslide(path)


def write_vendor(write: Callable[[Path], Path]) -> Callable[[Path], np.ndarray]:
    return lambda path: read_with_openslide(write(path))


def read_with_openslide(path: Path) -> np.ndarray:
    with openslide.OpenSlide(path) as slide:
        return np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[:, :, :3]


def write_image(kind: str) -> Callable[[Path], np.ndarray]:
    def write(path: Path) -> np.ndarray:
        Image.fromarray(ramps(channels=3)).save(path, kind)
        with Image.open(path) as file:
            return np.asarray(file)

    return write


def write_npy(path: Path) -> np.ndarray:
    with path.open("wb") as file:
        np.save(file, ramps("f4"))
    return np.load(path)


KINDS = {
    "TIFF, BigTIFF, OME-TIFF, COG": (TiffReader, write_tiff),
    "Aperio SVS": (TiffReader, write_aperio),
    "Aperio SVS with YCbCr in JPEG 2000": (OpenSlideReader, write_aperio_ycbcr),
    "Leica SCN": (
        OpenSlideReader,
        write_vendor(lambda path: write_leica(path, [Area(pyramid(160, 96), 70, 40)], (300, 200))),
    ),
    "Philips TIFF": (
        OpenSlideReader,
        write_vendor(lambda path: write_philips(path, pyramid(320, 192))),
    ),
    "Ventana BIF": (
        OpenSlideReader,
        write_vendor(lambda path: write_ventana(path, pyramid(128, 128), overlap=4)),
    ),
    "Trestle TIFF": (
        OpenSlideReader,
        write_vendor(lambda path: write_trestle(path, pyramid(128, 128), overlaps="4 4 2 2")),
    ),
    "Hamamatsu VMS": (
        OpenSlideReader,
        write_vendor(lambda path: write_hamamatsu(path, [labels(256, 128)], labels(64, 32))),
    ),
    "MIRAX": (
        OpenSlideReader,
        write_vendor(lambda path: write_mirax(path, pyramid(128, 128), [(0, 0)])),
    ),
    "PNG": (ImageReader, write_image("PNG")),
    "JPEG": (ImageReader, write_image("JPEG")),
    "BMP": (ImageReader, write_image("BMP")),
    "NumPy .npy": (NpyReader, write_npy),
}


def test_every_row_of_the_kinds_has_a_test():
    assert [row[0] for row in rows_of("Kinds of file")] == list(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_file_is_read_as_its_row_says(tmp_path, name):
    reader_class, write = KINDS[name]
    path = tmp_path / ("overlay.mrxs" if name == "MIRAX" else "overlay.bin")
    expected = write(path)
    reader = open_reader(path)
    assert type(reader) is reader_class
    np.testing.assert_array_equal(assemble(reader), expected.reshape(*expected.shape[:2], -1))
