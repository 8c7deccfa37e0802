"""An array in memory read as an overlay: a mask just computed needs no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath.readers.base import SAMPLE_TYPES, Level, Reader, ResolutionMetadata

if TYPE_CHECKING:
    from numpy.typing import NDArray

# An array lies in memory, but blocks of this size stay in the processor's cache while counted.
SEGMENT = 512


class ArrayReader(Reader):
    """An array as a pyramid of one level, without a resolution of its own.

    The array is neither copied nor modified; segments are copies.

    Args:
        pixels: Array (H, W) or (H, W, C) of bool, an integer type, float16, float32 or float64,
            contiguous or not, in any byte order.

    Raises:
        TypeError: The dtype is another one.
        ValueError: The array has another number of axes, or no pixel.
    """

    path = "<array>"

    def __init__(self, pixels: NDArray[Any]) -> None:
        if pixels.dtype.char not in SAMPLE_TYPES:
            raise TypeError(f"an overlay holds bool, integer or float samples, not {pixels.dtype}")
        if pixels.ndim not in (2, 3) or not pixels.size:
            raise ValueError(f"an overlay is (H, W) or (H, W, C) and not empty, not {pixels.shape}")
        self._pixels = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
        height, width, self.channels = self._pixels.shape
        self.dtype = pixels.dtype.newbyteorder("=")
        self.levels = (Level(width, height, SEGMENT, SEGMENT),)
        self.resolution = ResolutionMetadata()

    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any]:  # noqa: ARG002 - there is one
        """Copy one block of at most 512 x 512 pixels; see `Reader.read_segment`."""
        top, left = row * SEGMENT, column * SEGMENT
        # A copy, for the core reads contiguous rows in native byte order.
        block = self._pixels[top : top + SEGMENT, left : left + SEGMENT]
        return np.array(block, self.dtype, order="C")

    def close(self) -> None:
        """Do nothing: the array belongs to the caller."""
