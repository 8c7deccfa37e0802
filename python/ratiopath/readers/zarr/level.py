"""One array of a Zarr as a level: the chunks that make a segment, and which of them exist."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath.readers.base import Level, RefusedError
from ratiopath.readers.zarr.shards import ShardIndex
from ratiopath.resources import LARGEST_SEGMENT
from ratiopath.storage.folders import WHOLE, Folder, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import zarr
    from numpy.typing import NDArray

    from ratiopath.readers.zarr.metadata import Axes
    from ratiopath.readers.zarr.shards import Chunk

# Smaller chunks are read several at a time, since every read has a cost of its own.
SMALLEST_SIDE = 256
LARGEST_SIDE = 2**32

# What a chunk's codecs may add to incompressible pixels.
_OVERHEAD = 64 * 1024
_BLOSC_HEADER = 16


class ZarrLevel:
    """One level: an array and its grid.

    Args:
        folder: Where the array's chunks lie.
        array: The array, open.
        axes: Which axis is which; of other axes than rows, columns and channels index 0 is read.

    Attributes:
        grid: Size of the level and of its segments.
        channels: Samples per pixel.
        dtype: The sample type, in native byte order.
        fill: The sample value of chunks that are left out.
        segment_bytes: What a segment takes decoded.

    Raises:
        ValueError: The array is empty, or its chunks are too large.
    """

    def __init__(self, folder: Folder, array: zarr.Array[Any], axes: Axes) -> None:
        self._folder, self._array, self._axes = folder, array, axes
        shape, self._chunk = tuple(map(int, array.shape)), tuple(map(int, array.chunks))
        if not shape or min(shape) < 1 or max(shape) > LARGEST_SIDE:
            raise RefusedError(f"an array of shape {shape} is not read")
        self.dtype = array.dtype.newbyteorder("=")
        self.fill = (array.fill_value if array.fill_value is not None else self.dtype.type()).item()
        self.channels = 1 if axes.channel is None else shape[axes.channel]
        self._index = ShardIndex.of(array)
        # Indices whose checksum zarr has seen to be right, so that what they leave out is left out.
        self._sound: set[int] = set()
        self._is_blosc = any(
            type(codec).__name__.startswith("Blosc") for codec in array.compressors
        )
        rows, columns = self._segment_sides()
        self.segment_bytes = rows * columns * self.channels * self.dtype.itemsize
        self._refuse_large_chunks()
        self.grid = Level(shape[axes.x], shape[axes.y], columns, rows)

    def read(self, row: int, column: int) -> NDArray[Any] | None:
        """Decode one segment (h, w, channels), or None where all its chunks are left out.

        Raises:
            Exception: Whatever reading and decoding raise.
        """
        # Every chunk is looked at, not only the first that exists: each must be safe to decode.
        is_there = sum(map(self._is_there, self._chunks(row, column))) > 0
        indices = set() if is_there or self._index is None else set(self._indices(row, column))
        if not is_there and indices <= self._sound:
            return None
        part = np.asarray(self._array[self._selection(row, column)])
        if not is_there:
            self._sound |= indices
            return None
        order = [self._axes.y, self._axes.x]
        if self._axes.channel is None:
            part = part[..., np.newaxis]
            order.append(len(self._chunk))
        else:
            order.append(self._axes.channel)
        pixels = part.transpose([sorted(order).index(axis) for axis in order])
        return np.ascontiguousarray(pixels, self.dtype)

    def read_ahead(self, segments: Iterable[tuple[int, int]]) -> None:
        """Fetch the stored bytes of many segments at once."""
        chunks = [chunk for segment in segments for chunk in self._chunks(*segment)]
        if self._index is None:
            self._folder.get_ahead((self._key(chunk), WHOLE) for chunk in chunks)
        elif self._index.is_plain:
            # zarr reads a shard at once where a segment needs all of it.
            part = WHOLE if self._covers_shards() else self._index.part
            keys = {self._key(self._index.shard(chunk)) for chunk in chunks}
            self._folder.get_ahead((key, part) for key in keys)
            found = ((self._index.shard(chunk), self._part(chunk)) for chunk in chunks)
            self._folder.get_ahead((self._key(shard), part) for shard, part in found if part)

    def _covers_shards(self) -> bool:
        """Whether a segment is at least as large as a shard."""
        assert self._index is not None  # noqa: S101 - for the type checker
        shards = [self._index.shard(chunk) for chunk in self._chunks(0, 0)]
        return shards.count(shards[0]) == math.prod(self._index.chunks)

    def _segment_sides(self) -> tuple[int, int]:
        """Return rows and columns of a segment: one chunk's, or of several small ones."""
        rows, columns = self._chunk[self._axes.y], self._chunk[self._axes.x]
        return (
            rows * max(1, SMALLEST_SIDE // rows),
            columns * max(1, SMALLEST_SIDE // columns),
        )

    def _refuse_large_chunks(self) -> None:
        # Along other axes a chunk is decoded with its neighbours.
        self._chunk_bytes = math.prod(self._chunk) * self.dtype.itemsize
        size = max(self._chunk_bytes, self.segment_bytes)
        if size > LARGEST_SEGMENT:
            raise RefusedError(
                f"chunks of {self._chunk} {self.dtype} take {size:,} bytes decoded, more than"
                f" {LARGEST_SEGMENT:,}",
                "too_large",
                remedy="rewrite the array with chunks of, for example, 512 x 512",
            )

    def _selection(self, row: int, column: int) -> tuple[slice | int, ...]:
        selection: list[slice | int] = [0] * len(self._chunk)
        selection[self._axes.y] = _steps(row, self.grid.segment_height, self.grid.height)
        selection[self._axes.x] = _steps(column, self.grid.segment_width, self.grid.width)
        if self._axes.channel is not None:
            selection[self._axes.channel] = slice(0, self.channels)
        return tuple(selection)

    def _chunks(self, row: int, column: int) -> Iterator[Chunk]:
        """Yield the chunks that make a segment."""
        ranges = []
        for part, side in zip(self._selection(row, column), self._chunk, strict=True):
            stop = part.stop if isinstance(part, slice) else part + 1
            start = part.start if isinstance(part, slice) else part
            ranges.append(range(start // side, -(-stop // side)))
        return itertools.product(*ranges)

    def _key(self, chunk: Chunk) -> str:
        name = self._array.metadata.encode_chunk_key(chunk)
        return f"{self._array.path}/{name}" if self._array.path else name

    def _is_there(self, chunk: Chunk) -> bool:
        """Whether a chunk exists; its stored bytes are then safe to decode.

        Raises:
            ValueError: Its bytes are too many, or fewer than they say.
        """
        key, part = self._key(chunk), WHOLE
        if self._index is not None:
            # Only an index as zarr writes it is looked into here.
            if not self._index.is_plain:
                return True
            key, found = self._key(self._index.shard(chunk)), self._part(chunk)
            if found is None:
                return False
            part = found
        stored = self._folder.get(key, part)
        if stored is not None:
            self._check_stored(stored)
        return stored is not None

    def _check_stored(self, stored: bytes) -> None:
        # Some codecs decode whatever comes, and no sound chunk is much larger than its pixels.
        if len(stored) > 2 * self._chunk_bytes + _OVERHEAD:
            raise ValueError(f"a chunk is stored in {len(stored):,} bytes")
        if self._is_blosc:
            # Blosc believes this header, and would read on past the end of a shorter buffer.
            said = int.from_bytes(stored[12:16], "little")
            if len(stored) < _BLOSC_HEADER or said > len(stored):
                raise ValueError(f"a chunk has {len(stored)} of {said} bytes")
            if int.from_bytes(stored[4:8], "little") > 2 * self._chunk_bytes + _OVERHEAD:
                raise ValueError("a chunk's header asks for more bytes than its pixels have")

    def _indices(self, row: int, column: int) -> Iterator[int]:
        """Yield a hash for each of the indices of a segment's shards."""
        assert self._index is not None  # noqa: S101 - for the type checker
        for shard in {self._index.shard(chunk) for chunk in self._chunks(row, column)}:
            yield hash((shard, self._folder.get(self._key(shard), self._index.part)))

    def _part(self, chunk: Chunk) -> Part | None:
        """Return which part of its shard a chunk is, or None where it is left out."""
        assert self._index is not None  # noqa: S101 - for the type checker
        data = self._folder.get(self._key(self._index.shard(chunk)), self._index.part)
        return None if data is None else self._index.place(data, chunk)


def _steps(index: int, side: int, size: int) -> slice:
    return slice(index * side, min((index + 1) * side, size))
