"""One level of a TIFF as a grid of segments: tiles as stored, strips joined into bands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath.readers.base import Level, RefusedError
from ratiopath.readers.tiff.planes import TilePlane
from ratiopath.readers.tiff.strips import RowPlane, StripPlane
from ratiopath.resources import LARGEST_SEGMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ratiopath.readers.tiff.planes import Plane
    from ratiopath.readers.tiff.pyramid import Page
    from ratiopath.storage.files import RandomAccessFile

# Stored bytes are compared before they are decoded if the segment is compressed at least this much.
# Comparing costs a hash of them all, which is not worth it where they are many.
SMALL_FRACTION = 32

# As high as common tiles.
BAND_ROWS = 512
# Wide images have thinner bands, so that a band in the making stays small beside any cache.
BAND_BYTES = 32 * 1024**2

_UNCOMPRESSED = 1
_WHOLE_BYTES = (8, 16, 32, 64)


class TiffLevel:
    """One level: its grid, and its planes put together.

    Args:
        file: The file, for positional reads.
        pages: The level's pages, one per channel stored as a page.
        dtype: The file's sample type.
        fill: The value of a sample that the file leaves out.

    Attributes:
        grid: Size of the level and of its segments.
        channels: Samples per pixel, alpha included.

    Raises:
        ValueError: The page's sizes contradict each other.
    """

    def __init__(
        self, file: RandomAccessFile, pages: Sequence[Any], dtype: np.dtype[Any], fill: float
    ) -> None:
        layout = pages[0].keyframe
        if int(layout.shaped[0]) * int(layout.shaped[4]) != layout.samplesperpixel:
            raise ValueError(f"tag SamplesPerPixel is {layout.samplesperpixel}, other tags differ")
        kind = _plane_kind(layout, dtype)
        self.planes = [
            kind(file, page, sample, dtype, fill)
            for page in pages
            for sample in range(int(layout.shaped[0]))
        ]
        self.fill = fill
        self.channels = sum(plane.samples for plane in self.planes)
        self.grid = _grid(layout, kind, self.channels * dtype.itemsize)
        if min(dataclasses.astuple(self.grid)) < 1:
            raise ValueError(f"a level is {self.grid.width} x {self.grid.height} pixels")
        pixels = self.grid.segment_width * self.grid.segment_height
        self.segment_bytes = pixels * self.channels * dtype.itemsize
        self.is_too_large = self.segment_bytes > LARGEST_SEGMENT
        # A tile of several planes, or one joined from strips, has no bytes of its own.
        first = self.planes[0]
        self._tiles = first if len(self.planes) == 1 and isinstance(first, TilePlane) else None

    def read(
        self,
        row: int,
        column: int,
        slot: NDArray[np.uint8] | None = None,
        stored: bytes | None = None,
    ) -> NDArray[Any] | None:
        """Decode one segment.

        Args:
            row: Its row in the grid.
            column: Its column in the grid.
            slot: Memory that a segment of one plane may be decoded into.
            stored: What `encoded` returned for it, which is then not read again.

        Returns:
            Pixels (h, w, channels) or None where the file leaves the segment out.

        Raises:
            ValueError: The segment is larger than 256 MiB decoded.
            Exception: Whatever reading and decoding raise.
        """
        if self.is_too_large:
            raise RefusedError(
                f"its strips or tiles take more than {LARGEST_SEGMENT >> 20} MiB each when decoded",
                "too_large",
                remedy="rewrite the file tiled, for example with tiles of 512 x 512",
            )
        if self._tiles is not None:
            return self._tiles.read(self.grid, row, column, slot, stored)
        if len(self.planes) == 1:
            return self.planes[0].read(self.grid, row, column, slot)
        return self._stack([plane.read(self.grid, row, column) for plane in self.planes])

    def encoded(self, row: int, column: int) -> bytes | None:
        """Return a tile's stored bytes where they are few and hold all channels, else None."""
        tiles = self._tiles
        if tiles is None:
            return None
        index = tiles.index(row, column)
        if tiles.counts[index] * SMALL_FRACTION > self.segment_bytes or tiles.is_sparse(index):
            return None
        return tiles.encoded(index)

    def ranges(self, row: int, column: int) -> list[tuple[int, int]]:
        """Return where in the file a segment is stored, as offsets and counts of bytes."""
        if self.is_too_large:
            return []
        return [place for plane in self.planes for place in plane.ranges(self.grid, row, column)]

    def _stack(self, planes: list[NDArray[Any] | None]) -> NDArray[Any] | None:
        found = [pixels for pixels in planes if pixels is not None]
        if not found:
            return None
        height, width = (min(pixels.shape[axis] for pixels in found) for axis in (0, 1))
        stacked = np.empty((height, width, self.channels), found[0].dtype)
        channel = 0
        for plane, pixels in zip(self.planes, planes, strict=True):
            into = stacked[:, :, channel : channel + plane.samples]
            into[...] = self.fill if pixels is None else pixels[:height, :width]
            channel += plane.samples
        return stacked


def _plane_kind(layout: Page, dtype: np.dtype[Any]) -> type[TilePlane | StripPlane | RowPlane]:
    if layout.is_tiled:
        return TilePlane
    whole = layout.bitspersample in _WHOLE_BYTES and layout.bitspersample == 8 * dtype.itemsize
    plain = (whole and layout.fillorder == 1) or layout.bitspersample == 1
    if (
        plain
        and layout.compression == _UNCOMPRESSED
        and layout.predictor == 1
        and not layout.subsampling
    ):
        return RowPlane
    return StripPlane


def _grid(layout: Page, kind: type[Plane], pixel_bytes: int) -> Level:
    width, height = int(layout.imagewidth), int(layout.imagelength)
    if kind is TilePlane:
        return Level(width, height, int(layout.tilewidth), int(layout.tilelength))
    rows = max(1, min(BAND_ROWS, BAND_BYTES // (width * pixel_bytes)))
    if kind is StripPlane:
        strip_rows = int(layout.rowsperstrip)
        rows = max(1, rows // strip_rows) * strip_rows
    return Level(width, height, width, min(rows, height))
