"""The index of a shard: where each chunk lies in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec

from ratiopath.storage.remote_file import LARGEST_READ

if TYPE_CHECKING:
    import zarr
    from zarr.core.metadata import ArrayV3Metadata

    from ratiopath.storage.folders import Part

# Where a shard's index says a chunk lies: offset and bytes, both this number if it is left out.
_PLACE_BYTES = 16
_LEFT_OUT = 2**64 - 1

# Indices of a chunk along all axes.
Chunk = tuple[int, ...]


class ShardIndex:
    """Where the chunks of a shard lie in it (Zarr 3, codec ``sharding_indexed``).

    Args:
        codec: The array's only codec.
        chunk: Shape of a chunk.
        shard: Shape of a shard.

    Attributes:
        chunks: How many chunks a shard has along each axis.
        part: Which part of a shard is its index.
        is_plain: Whether the index is stored as all writers known do: as 64-bit numbers, little
            end first, with a checksum.
    """

    def __init__(self, codec: ShardingCodec, chunk: Chunk, shard: Chunk) -> None:
        self.chunks = tuple(whole // part for whole, part in zip(shard, chunk, strict=True))
        size = math.prod(self.chunks) * _PLACE_BYTES + 4
        # A text in newer versions of zarr, a member of an enumeration in older ones.
        location = codec.index_location
        at_end = getattr(location, "value", location) == "end"
        self.part: Part = (-size, None) if at_end else (0, size)
        plain = (BytesCodec(endian="little"), Crc32cCodec())
        self.is_plain = codec.index_codecs == plain and size <= LARGEST_READ
        self._size = size

    @classmethod
    def of(cls, array: zarr.Array[Any]) -> ShardIndex | None:
        """Return an array's index of shards, or None where each chunk is an object."""
        if array.shards is None:
            return None
        # Only Zarr 3 has shards, and then they are its only codec.
        [codec] = cast("ArrayV3Metadata", array.metadata).codecs
        return cls(cast("ShardingCodec", codec), array.chunks, array.shards)

    def shard(self, chunk: Chunk) -> Chunk:
        """Return the shard that a chunk is in."""
        return tuple(index // count for index, count in zip(chunk, self.chunks, strict=True))

    def place(self, data: bytes, chunk: Chunk) -> Part | None:
        """Return a chunk's first byte in its shard and the byte past its last, or None.

        Args:
            data: The shard's index.
            chunk: The chunk.

        Raises:
            ValueError: The index is cut off.
        """
        if len(data) != self._size:
            raise ValueError(f"a shard's index has {len(data)} of {self._size} bytes")
        within = [index % count for index, count in zip(chunk, self.chunks, strict=True)]
        at = _PLACE_BYTES * int(np.ravel_multi_index(within, self.chunks))
        offset = int.from_bytes(data[at : at + 8], "little")
        count = int.from_bytes(data[at + 8 : at + _PLACE_BYTES], "little")
        return None if offset == count == _LEFT_OUT else (offset, offset + count)
