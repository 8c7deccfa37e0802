"""Planes that are stored in strips, read in bands of rows.

- `StripPlane`: consecutive strips are decoded and joined, since strips are often a single row.
- `RowPlane`: uncompressed rows lie at known offsets, so any rows are read without the rest of their
  strip, which may be the whole image.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ratiopath.readers.tiff.planes import Plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ratiopath.readers.base import Level
    from ratiopath.readers.tiff.pyramid import Page
    from ratiopath.storage.files import RandomAccessFile


class StripPlane(Plane):
    """A plane stored in strips, joined into bands."""

    def segments_of_plane(self, layout: Page) -> int:  # noqa: D102 - see Plane
        # One strip may be said to have all the rows there can be.
        self.strip_rows = min(int(layout.rowsperstrip), int(layout.imagelength))
        return -(-int(layout.imagelength) // self.strip_rows)

    def extent(self, index: int) -> tuple[int, int, int, int]:  # noqa: D102 - see Plane
        rows = min(self.strip_rows, self.height - (index - self.first) * self.strip_rows)
        return self.width, rows, self.width, self.strip_rows

    def read(  # noqa: D102 - see Plane
        self,
        level: Level,
        row: int,
        column: int,  # noqa: ARG002 - there is one
        slot: NDArray[np.uint8] | None = None,
    ) -> NDArray[Any] | None:
        return self._join(list(self.parts(*self._band(level, row))), slot)

    def ranges(self, level: Level, row: int, column: int) -> list[tuple[int, int]]:  # noqa: D102, ARG002 - see Plane; there is one column
        top, bottom = self._band(level, row)
        strips = range(top // self.strip_rows, -(-bottom // self.strip_rows))
        return self.stored(self.first + strip for strip in strips)

    def _band(self, level: Level, row: int) -> tuple[int, int]:
        top = row * level.segment_height
        return top, min(top + level.segment_height, self.height)

    def parts(self, top: int, bottom: int) -> Iterator[tuple[int, NDArray[Any] | None]]:
        """Yield the band's rows from top to bottom, in parts with their number of rows."""
        for start in range(top, bottom, self.strip_rows):
            rows = min(self.strip_rows, bottom - start)
            yield rows, self.decoded(self.first + start // self.strip_rows)

    def _join(
        self, parts: list[tuple[int, NDArray[Any] | None]], slot: NDArray[np.uint8] | None
    ) -> NDArray[Any] | None:
        if all(pixels is None for _, pixels in parts):
            return None
        # A single strip needs no copy.
        if len(parts) == 1:
            return parts[0][1]
        height = sum(rows for rows, _ in parts)
        band = self._empty((height, self.width, self.samples), slot)
        top = 0
        for rows, pixels in parts:
            band[top : top + rows] = self.fill if pixels is None else pixels[:rows]
            top += rows
        return band

    def _empty(self, shape: tuple[int, int, int], slot: NDArray[np.uint8] | None) -> NDArray[Any]:
        size = math.prod(shape) * self.dtype.itemsize
        if slot is None or len(slot) < size:
            return np.empty(shape, self.dtype)
        return slot[:size].view(self.dtype).reshape(shape)


class RowPlane(StripPlane):
    """An uncompressed plane, of which any rows can be read."""

    def __init__(
        self, file: RandomAccessFile, page: Page, sample: int, dtype: np.dtype[Any], fill: float
    ) -> None:
        super().__init__(file, page, sample, dtype, fill)
        layout = page.keyframe
        self.bits = int(layout.bitspersample)
        self.row_bytes = -(-self.width * self.samples * self.bits // 8)
        self.stored_dtype = dtype.newbyteorder(page.parent.byteorder)
        self.bit_order: Literal["little", "big"] = "little" if layout.fillorder == 2 else "big"

    def parts(self, top: int, bottom: int) -> Iterator[tuple[int, NDArray[Any] | None]]:
        """Yield the band's rows from top to bottom; strips in sequence are read at once."""
        for offset, rows in _merged(list(self._places(top, bottom)), self.row_bytes):
            # A strip without an offset is left out, as GDAL's sparse files have it.
            if offset is None:
                yield rows, None
            else:
                yield rows, self._unpack(self.file.read(offset, rows * self.row_bytes), rows)

    def ranges(self, level: Level, row: int, column: int) -> list[tuple[int, int]]:  # noqa: D102, ARG002 - see Plane; there is one column
        places = _merged(list(self._places(*self._band(level, row))), self.row_bytes)
        return [(offset, rows * self.row_bytes) for offset, rows in places if offset is not None]

    def _places(self, top: int, bottom: int) -> Iterator[tuple[int | None, int]]:
        """Yield where the band's rows lie, strip by strip: offset (None if left out) and rows."""
        while top < bottom:
            strip, skipped = divmod(top, self.strip_rows)
            rows = min(self.strip_rows - skipped, bottom - top)
            index = self.first + strip
            if self.is_sparse(index):
                yield None, rows
            else:
                if self.counts[index] < (skipped + rows) * self.row_bytes:
                    raise EOFError(f"strip {strip} holds only {self.counts[index]} bytes")
                yield self.offsets[index] + skipped * self.row_bytes, rows
            top += rows

    def _unpack(self, data: bytes, rows: int) -> NDArray[Any]:
        if self.bits == 1:
            packed = np.frombuffer(data, np.uint8).reshape(rows, self.row_bytes)
            count = self.width * self.samples
            bits = np.unpackbits(packed, axis=1, count=count, bitorder=self.bit_order)
            pixels: NDArray[Any] = bits.view(bool)
        else:
            pixels = np.frombuffer(data, self.stored_dtype).astype(self.dtype, copy=False)
        return pixels.reshape(rows, self.width, self.samples)


def _merged(
    places: list[tuple[int | None, int]], row_bytes: int
) -> Iterator[tuple[int | None, int]]:
    """Join places that follow each other in the file, or are both left out."""
    start, rows = places[0]
    for offset, more in places[1:]:
        expected = None if start is None else start + rows * row_bytes
        if offset == expected:
            rows += more
        else:
            yield start, rows
            start, rows = offset, more
    yield start, rows
