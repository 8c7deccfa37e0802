"""Decoding tiles into memory that is already allocated.

A fresh array for every tile costs page faults, about a tenth of the tile's decoding. Where a codec
writes into memory given to it, and nothing but a predictor follows, tiles are decoded into one slot
over and over. Whatever is out of the ordinary is left to tifffile.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import tifffile

from ratiopath.readers.tiff.codecs import decompressor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ratiopath.readers.tiff.pyramid import Page

Decode: TypeAlias = "Callable[[bytes, NDArray[np.uint8]], NDArray[Any] | None]"

# LZW, both numbers of deflate, PackBits and zstd.
_CODECS = (5, 8, 32946, 32773, 50000)
_HORIZONTAL = 2
_NATIVE = "<" if sys.byteorder == "little" else ">"


def slot_decoder(page: Page, dtype: np.dtype[Any]) -> Decode | None:
    """Return how a page's tiles are decoded into memory that is there.

    Args:
        page: The page that holds the tiles' layout.
        dtype: The file's sample type, in native byte order.

    Returns:
        A function of a tile's stored bytes and of a slot (n,) that gives the tile's pixels
        (h, w, samples) in the slot, or None where the tile is not whole; None where the layout
        needs more than a codec and a horizontal predictor.
    """
    if not _is_plain(page, dtype):
        return None
    decompress = decompressor(page.compression)
    shape = (int(page.tilelength), int(page.tilewidth), int(page.shaped[4]))
    size = math.prod(shape) * dtype.itemsize
    add_up = tifffile.TIFF.UNPREDICTORS[_HORIZONTAL] if page.predictor == _HORIZONTAL else None

    def decode(stored: bytes, slot: NDArray[np.uint8]) -> NDArray[Any] | None:
        if len(slot) < size:
            return None
        part = slot[:size]
        try:
            found = decompress(stored, out=part)
        except (RuntimeError, ValueError):
            # tifffile reads what a codec refuses, or says why it is wrong.
            return None
        # What was in the slot before must not be taken for pixels.
        if len(found) != size:
            return None
        pixels: NDArray[Any] = np.ndarray(shape, dtype, part)
        return pixels if add_up is None else add_up(pixels, axis=-2, out=pixels)

    return decode


def _is_plain(page: Page, dtype: np.dtype[Any]) -> bool:
    whole_samples = page.bitspersample == 8 * dtype.itemsize and dtype.kind in "uif"
    native = dtype.itemsize == 1 or page.parent.byteorder == _NATIVE
    return bool(
        page.is_tiled
        and page.compression in _CODECS
        and page.predictor in (1, _HORIZONTAL)
        and page.fillorder == 1
        and page.tiledepth == 1
        and not page.is_subsampled
        and whole_samples
        and native
    )
