"""Small valid files of every kind that is read, for mutants to be made of."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

HEIGHT, WIDTH = 48, 64
TILE = {"tile": (32, 32)}


def noise(dtype: str = "u1", channels: int | None = None) -> np.ndarray:
    """Small labels with structure, so that codecs have something to compress."""
    shape = (HEIGHT, WIDTH) if channels is None else (HEIGHT, WIDTH, channels)
    rng = np.random.default_rng(5)
    pixels = np.cumsum(rng.integers(0, 3, shape), axis=1) % 120
    return pixels.astype(dtype)


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    photometric = "rgb" if pixels.ndim == 3 and pixels.shape[2] in (3, 4) else "minisblack"
    defaults: dict[str, Any] = {"photometric": photometric, "metadata": None, "software": "seed"}
    tifffile.imwrite(buffer, pixels, **(defaults | options))
    return buffer.getvalue()


def pyramid(*, subifds: bool, ome: bool) -> bytes:
    buffer = io.BytesIO()
    base, metadata = noise("u2"), {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    with tifffile.TiffWriter(buffer, ome=ome) as file:
        for index, level in enumerate((base, base[::2, ::2], base[::4, ::4])):
            first = index == 0
            file.write(
                level,
                photometric="minisblack",
                compression="deflate",
                tile=(16, 16),
                subifds=2 if subifds and first else None,
                subfiletype=0 if first else 1,
                metadata=metadata if ome and first else None,
            )
    return buffer.getvalue()


def with_tables() -> bytes:
    """JPEG whose tables are the page's, as libtiff writes them."""
    return pillow(noise(channels=3), "TIFF", compression="jpeg")


def sparse() -> bytes:
    """A first tile that the file leaves out."""
    data = bytearray(tiff(noise(), compression="lzw", **TILE, extratags=[(42113, 2, 0, "7", True)]))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for tag in (file.pages.first.tags[324], file.pages.first.tags[325]):
            size = tag.valuebytecount // tag.count
            data[tag.valueoffset : tag.valueoffset + size] = bytes(size)
    return bytes(data)


def pillow(pixels: np.ndarray, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def palette(kind: str) -> bytes:
    image = Image.fromarray(noise() % 7).convert("L")
    image.putpalette([17 * value % 256 for value in range(21)])
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def npy(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, pixels)
    return buffer.getvalue()


SEEDS: dict[str, Callable[[], bytes]] = {
    "strips.tif": lambda: tiff(noise(), rowsperstrip=7),
    "one strip big-endian.tif": lambda: tiff(noise("u2"), byteorder=">"),
    "float16 tiles.tif": lambda: tiff(noise("f2"), **TILE),
    "bits.tif": lambda: tiff(noise() > 50, rowsperstrip=9),
    "bits deflate.tif": lambda: tiff(noise() > 50, compression="deflate", **TILE),
    "packbits.tif": lambda: tiff(noise(), compression="packbits", rowsperstrip=5),
    "lzw bigtiff.tif": lambda: tiff(
        noise("u2"), compression="lzw", predictor=2, bigtiff=True, **TILE
    ),
    "lzw rgb.tif": lambda: tiff(noise(channels=3), compression="lzw", predictor=2, **TILE),
    "deflate strips.tif": lambda: tiff(noise("i4"), compression="deflate", rowsperstrip=11),
    "deflate planes.tif": lambda: tiff(
        np.moveaxis(noise(channels=3), 2, 0),
        photometric="rgb",
        planarconfig="separate",
        compression="deflate",
        **TILE,
    ),
    "float predictor.tif": lambda: tiff(
        noise("f4"), compression="deflate", predictor=3, byteorder=">", **TILE
    ),
    "zstd.tif": lambda: tiff(noise("f8"), compression="zstd", **TILE),
    "lzma.tif": lambda: tiff(noise("u4"), compression="lzma", **TILE),
    "palette.tif": lambda: tiff(
        noise(), photometric="palette", colormap=np.zeros((3, 256), np.uint16), **TILE
    ),
    "jpeg.tif": lambda: tiff(noise(), compression="jpeg", **TILE),
    "jpeg ycbcr.tif": lambda: tiff(noise(channels=3), compression="jpeg", **TILE),
    "jpeg tables.tif": with_tables,
    "jpeg 2000.tif": lambda: tiff(noise("u2"), compression="jpeg2000", **TILE),
    "jpeg 2000 aperio.svs": lambda: tiff(
        noise(channels=3), compression=33003, description="Aperio x |MPP = 0.5", **TILE
    ),
    "jpeg xl.tif": lambda: tiff(noise(), compression="jpegxl", **TILE),
    "webp.tif": lambda: tiff(noise(channels=3), compression="webp", **TILE),
    "webp lossless.tif": lambda: tiff(
        noise(channels=4),
        compression="webp",
        compressionargs={"lossless": True},
        extrasamples=["unassalpha"],
        **TILE,
    ),
    "lerc.tif": lambda: tiff(noise("f4"), compression="lerc", **TILE),
    "png.tif": lambda: tiff(noise("u2"), compression="png", **TILE),
    "fax.tif": lambda: pillow(noise() > 50, "TIFF", compression="group4"),
    "fax3.tif": lambda: pillow(noise() > 50, "TIFF", compression="group3"),
    "sparse.tif": sparse,
    "alpha.tif": lambda: tiff(
        noise(channels=4), extrasamples=["unassalpha"], compression="deflate", **TILE
    ),
    "ome subifds.tif": lambda: pyramid(subifds=True, ome=True),
    "pages.tif": lambda: pyramid(subifds=False, ome=False),
    "subifds.tif": lambda: pyramid(subifds=True, ome=False),
    "channels.ome.tif": lambda: tiff(
        np.moveaxis(noise("u2", 3), 2, 0),
        photometric="minisblack",
        ome=True,
        metadata={"axes": "CYX"},
        compression="lzw",
        **TILE,
    ),
    "turned.tif": lambda: tiff(
        noise(), extratags=[(274, 3, 1, 6, True)], compression="lzw", tile=(16, 48)
    ),
    "grey.png": lambda: pillow(noise(), "PNG"),
    "grey 16 bits.png": lambda: pillow(noise("u2"), "PNG"),
    "alpha.png": lambda: pillow(noise(channels=4), "PNG"),
    "palette.png": lambda: palette("PNG"),
    "bits.png": lambda: pillow(noise() > 50, "PNG"),
    "colour.jpg": lambda: pillow(noise(channels=3), "JPEG"),
    "progressive.jpg": lambda: pillow(noise(channels=3), "JPEG", progressive=True),
    "colour.bmp": lambda: pillow(noise(channels=3), "BMP"),
    "palette.bmp": lambda: palette("BMP"),
    "c order.npy": lambda: npy(noise(">i2", 2)),
    "fortran.npy": lambda: npy(np.asfortranarray(noise("f4"))),
    "bool.npy": lambda: npy(noise() > 50),
}
