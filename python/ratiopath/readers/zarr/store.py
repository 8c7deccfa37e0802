"""A folder as a store for the zarr library, so that disk, zip and URL are read alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)

from ratiopath.storage.folders import WHOLE, Folder, Part
from ratiopath.storage.remote_file import LARGEST_READ

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from zarr.core.buffer import Buffer, BufferPrototype


class FolderStore(Store):
    """A folder that zarr reads and does not write.

    Args:
        folder: The folder.
    """

    # Plain attributes, as in zarr's own stores, for what the base class declares as properties.
    supports_writes = False  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] # see above
    supports_deletes = False  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] # see above
    supports_listing = False  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] # see above
    supports_partial_writes = False  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] # see above

    def __init__(self, folder: Folder) -> None:
        super().__init__(read_only=True)
        self._folder = folder

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FolderStore) and other._folder is self._folder

    __hash__ = None  # type: ignore[assignment] # as in zarr's own stores

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return an object or a part of it, or None where there is none.

        Raises:
            ValueError: The object ends before the part does.
        """
        part = part_of(byte_range)
        # A remote object is waited for in a thread, so that zarr can ask for the next.
        if self._folder.is_remote:
            data = await asyncio.to_thread(self._folder.get, key, part)
        else:
            data = self._folder.get(key, part)
        if data is None:
            return None
        # zarr would take a chunk of no bytes for one that is left out.
        if isinstance(byte_range, RangeByteRequest) and len(data) != part_length(part):
            raise ValueError(f"{key} ends within bytes {byte_range.start} to {byte_range.end}")
        return prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of several objects."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def get_ranges(
        self,
        key: str,
        byte_ranges: Sequence[ByteRequest | None],
        *,
        prototype: BufferPrototype,
        **_limits: int,
    ) -> AsyncIterator[Sequence[tuple[int, Buffer | None]]]:
        """Yield parts of an object, each by itself as it was fetched ahead.

        Newer versions of zarr would join them, and ask for what lies between too.

        Raises:
            ValueError: The object is gone, which zarr would take for chunks that are left out.
        """
        parts = [self.get(key, prototype, byte_range) for byte_range in byte_ranges]
        found = await asyncio.gather(*parts)
        if any(part is None for part in found):
            raise ValueError(f"{key} is gone")
        yield list(enumerate(found))

    async def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return await asyncio.to_thread(self._folder.get, key) is not None

    async def set(self, key: str, value: Buffer) -> NoReturn:
        """Refuse: files are only read."""
        raise NotImplementedError

    async def delete(self, key: str) -> NoReturn:
        """Refuse: files are only read."""
        raise NotImplementedError

    async def set_partial_values(self, key_start_values: Any) -> NoReturn:
        """Refuse: files are only read."""
        raise NotImplementedError

    def list(self) -> AsyncIterator[str]:
        """Refuse: the metadata tell what there is."""
        raise NotImplementedError

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Refuse; see `list`."""
        raise NotImplementedError

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Refuse; see `list`."""
        raise NotImplementedError


def part_of(request: ByteRequest | None) -> Part:
    """Return zarr's request for a part of an object as a folder has it.

    Raises:
        ValueError: The part is negative, or larger than any segment.
    """
    if request is None:
        return WHOLE
    if isinstance(request, SuffixByteRequest):
        part: Part = (-request.suffix, None)
    elif isinstance(request, OffsetByteRequest):
        return request.offset, None
    else:
        part = (request.start, request.end)
    if not 0 < part_length(part) <= LARGEST_READ:
        raise ValueError(f"a part of {part_length(part):,} bytes is not read")
    return part


def part_length(part: Part) -> int:
    """Return how many bytes a part with both ends, or from the end, has."""
    start, end = part
    return -(start or 0) if end is None else end - (start or 0)
