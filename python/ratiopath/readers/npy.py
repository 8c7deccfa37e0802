"""NumPy's ``.npy`` files, read where the rows lie: a probability map needs no other format."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy_format

from ratiopath.errors import OverlayError
from ratiopath.readers.base import (
    SAMPLE_TYPES,
    Level,
    Reader,
    RefusedError,
    ResolutionMetadata,
    cannot_read,
    closed_on_error,
    segment_name,
)
from ratiopath.resources import LARGEST_SEGMENT
from ratiopath.storage.files import RandomAccessFile, random_access

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

MAGIC = npy_format.MAGIC_PREFIX

BAND = 512
# Wide images have thinner bands, so that a band stays small beside any cache.
BAND_BYTES = 32 * 1024**2
# A header of two or three numbers has some hundred bytes; NumPy allows no more of untrusted files.
_HEADER_BYTES = 10_000
_HEADERS = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}


class NpyReader(Reader):
    """An array in a ``.npy`` file, as a pyramid of one level without a resolution.

    Only the rows that a segment needs are read, or the columns of an array in Fortran's order; the
    file is neither read whole nor mapped into memory, and nothing in it is unpickled.

    Args:
        file: The file's path, or the file, which the reader then closes.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: It is no array (H, W) or (H, W, C) of bool, integers or float16 to
            float64, or is cut off.
    """

    def __init__(self, file: RandomAccessFile | str | os.PathLike[str]) -> None:
        file = random_access(file)
        self.path = file.path
        self._file = file
        self.identity = self._file.identity
        self.resolution = ResolutionMetadata()
        with closed_on_error(self, "the .npy file"):
            self._read_header()

    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any]:
        """Read one band of rows, or of columns in Fortran's order; see `Reader.read_segment`.

        Raises:
            OverlayFormatError: The file was cut off, or closed.
        """
        try:
            return self._columns(column) if self._is_fortran else self._rows(row)
        except OverlayError:
            # A remote file that fails is not corrupt.
            raise
        except (EOFError, OSError, ValueError) as error:
            raise cannot_read(segment_name(level, row, column), error, self.path) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read_header(self) -> None:
        header = io.BytesIO(self._file.read(0, min(_HEADER_BYTES, self._file.size)))
        version = npy_format.read_magic(header)
        if version not in _HEADERS:
            raise RefusedError(f"version {version} is not supported")
        shape, self._is_fortran, self._stored = _HEADERS[version](header)
        self._start = header.tell()
        if self._stored.char not in SAMPLE_TYPES:
            raise RefusedError(
                f"its dtype is {self._stored}, not bool, integer or float16 to float64"
            )
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise RefusedError(f"its shape is {shape}, not (H, W) or (H, W, C) with pixels in it")
        end = self._start + math.prod(shape) * self._stored.itemsize
        # Now, not at the first tile that lies past the end.
        if end > self._file.size:
            raise EOFError(
                f"an array {shape} ends at byte {end:,}, the file at {self._file.size:,}"
            )
        self.dtype = self._stored.newbyteorder("=")
        self._height, self._width, self.channels = (*shape, 1)[:3]
        self.levels = (self._grid(),)

    def _grid(self) -> Level:
        length = self._height if self._is_fortran else self._width
        line_bytes = length * self.channels * self.dtype.itemsize
        if line_bytes > LARGEST_SEGMENT:
            reason = f"one line of it takes {line_bytes:,} bytes, over {LARGEST_SEGMENT:,}"
            raise RefusedError(reason, "too_large")
        lines = max(1, min(BAND, BAND_BYTES // line_bytes))
        if self._is_fortran:
            return Level(self._width, self._height, min(lines, self._width), self._height)
        return Level(self._width, self._height, self._width, min(lines, self._height))

    def _rows(self, row: int) -> NDArray[Any]:
        band = self.levels[0].segment_height
        rows = min(band, self._height - row * band)
        samples = self._width * self.channels
        pixels = self._samples(row * band * samples, rows * samples)
        return pixels.reshape(rows, self._width, self.channels)

    def _columns(self, column: int) -> NDArray[Any]:
        left = column * self.levels[0].segment_width
        columns = min(self.levels[0].segment_width, self._width - left)
        pixels = np.empty((self._height, columns, self.channels), self.dtype)
        for channel in range(self.channels):
            start = (channel * self._width + left) * self._height
            plane = self._samples(start, columns * self._height)
            pixels[:, :, channel] = plane.reshape(columns, self._height).T
        return pixels

    def _samples(self, start: int, count: int) -> NDArray[Any]:
        size = self._stored.itemsize
        data = self._file.read(self._start + start * size, count * size)
        if self.dtype.kind == "b":
            # Any byte but 0 is true; as it stands, 2 would be a third value.
            return np.frombuffer(data, np.uint8).astype(bool)
        return np.frombuffer(data, self._stored).astype(self.dtype, copy=False)
