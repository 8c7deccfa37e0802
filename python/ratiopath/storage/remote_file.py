"""A remote file read by ranges: in blocks while it is opened, then many ranges at once."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from ratiopath.errors import OverlayAccessError, OverlayFormatError, OverlayNotFoundError
from ratiopath.lru import Lru
from ratiopath.resources import LARGEST_SEGMENT
from ratiopath.storage.files import RandomAccessFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from typing_extensions import Buffer

    from ratiopath.storage.remote import Status, Storage

# Headers and tables of offsets are read in blocks of this many bytes.
BLOCK = 128 * 1024
# Bytes between two ranges that cost less to read than another request.
GAP = 32 * 1024
# The largest request, unless a single segment is larger.
SPAN = 4 * 1024**2
# Bytes that are fetched before the first of them are decoded.
AHEAD_BYTES = 16 * 1024**2
# The stored bytes of a segment: as many as any may take decoded.
LARGEST_READ = LARGEST_SEGMENT
# Fetched bytes that the process keeps, of all remote files together.
KEPT_BYTES = 64 * 1024**2

Range = tuple[int, int]


# What an entry takes besides its bytes.
_ENTRY_BYTES = 512


def _cost(_key: tuple[object, ...], part: bytes | None) -> int:
    return _ENTRY_BYTES + len(part or b"")


# Keyed by the file's identity and the range; None tells that there is no such object, which spares
# a Zarr that leaves out its empty chunks a request for each.
fetched: Lru[tuple[object, ...], bytes | None] = Lru(_cost)


class RemoteFile(RandomAccessFile):
    """A file in remote storage.

    Until `settle` is called the file is being opened, and read in blocks through ``stream``.
    Afterwards every answer of the server is followed by the question whether the file is still the
    one that was opened, so that bytes of two files are never mixed.

    Args:
        storage: Where it is.
        status: What the storage said of it.

    Raises:
        OverlayAccessError: The server does not say how large the file is, or sends no ranges.
    """

    is_remote = True

    def __init__(self, storage: Storage, status: Status) -> None:
        self.path = storage.url
        if status.size is None:
            reason = "the server does not say how many bytes the file has"
            raise OverlayAccessError(reason, self.path, code="no_ranges")
        self.size = status.size
        self.identity = remote_identity(storage, status)
        self._storage, self._status = storage, status
        self._settled = False
        if self.size > BLOCK:
            storage.require_ranges(self.size)
        self.stream = _Blocks(self)

    def settle(self) -> None:
        """Check that what was read is still the file, and from now on check every read.

        Raises:
            OverlayFormatError: The file was replaced meanwhile.
        """
        self._check()
        self._settled = True

    def read(self, offset: int, count: int) -> bytes:
        """Read exactly ``count`` bytes from ``offset``.

        Raises:
            EOFError: The file ends before.
            ValueError: More than 256 MiB were asked for.
            OverlayError: The file was replaced, or cannot be read.
        """
        if offset + count > self.size:
            raise EOFError(f"bytes {offset} to {offset + count} lie past the end at {self.size}")
        if count > LARGEST_READ:
            raise ValueError(f"{count:,} bytes at once are more than {LARGEST_READ:,}")
        part = fetched.get((*self.identity, offset, count))
        return self.fetch([(offset, count)])[0] if part is None else part

    def read_ahead(self, ranges: Sequence[Sequence[Range]]) -> int:
        """Fetch the ranges of as many segments as 16 MiB hold; see `RandomAccessFile`."""
        wanted: dict[Range, None] = {}
        total = 0
        for segment, places in enumerate(ranges):
            new = [place for place in places if self._is_worth_fetching(place)]
            total += sum(count for place in new if place not in wanted for count in place[1:])
            if wanted and total > AHEAD_BYTES:
                self.fetch(list(wanted))
                return segment
            wanted |= dict.fromkeys(new)
        if wanted:
            self.fetch(list(wanted))
        return len(ranges)

    def _is_worth_fetching(self, place: Range) -> bool:
        # What lies past the end, or is too large, fails where it is read, which names the segment.
        fits = sum(place) <= self.size and place[1] <= AHEAD_BYTES
        return fits and (*self.identity, *place) not in fetched

    def fetch(self, ranges: Sequence[Range]) -> list[bytes]:
        """Fetch ranges, given as offset and count, neighbours in one request; keep and return them.

        Raises:
            OverlayError: The file was replaced, or cannot be read.
        """
        spans = merged(ranges)
        parts = self._storage.fetch([("", start, start + count) for (start, count), _ in spans])
        if self._settled:
            self._check()
        found: dict[Range, bytes] = {}
        for ((start, count), members), part in zip(spans, parts, strict=True):
            if part is None:
                reason = "the file was deleted while it was read"
                raise OverlayNotFoundError(reason, self.path, code="replaced")
            if len(part) != count:
                reason = f"the server sent {len(part)} of the {count} bytes at {start}"
                raise OverlayAccessError(reason, self.path, code="unreachable")
            found |= {(at, n): part[at - start : at - start + n] for at, n in members}
        for place, part in found.items():
            fetched.put((*self.identity, *place), part, KEPT_BYTES)
        return [found[place] for place in ranges]

    def close(self) -> None:
        """Do nothing: no connection is the file's own."""

    def _check(self) -> None:
        if self._storage.status() != self._status:
            raise replaced(self.path)


def remote_identity(storage: Storage, status: Status) -> tuple[object, ...]:
    """Return what changes when a remote file is replaced."""
    return (*storage.place, status.size, status.version)


def replaced(path: str) -> OverlayFormatError:
    """Return the error for a file that was replaced after it was opened."""
    return OverlayFormatError("the file was replaced while it was read", path, code="replaced")


def merged(ranges: Iterable[Range]) -> list[tuple[Range, list[Range]]]:
    """Join ranges, given as offset and count, that touch, overlap or nearly do, up to 4 MiB.

    Returns:
        The joined ranges, ascending, each with those that lie in it.
    """
    spans: list[tuple[Range, list[Range]]] = []
    for offset, count in sorted(set(ranges)):
        (start, length), members = spans[-1] if spans else ((offset, 0), [])
        end = max(start + length, offset + count)
        is_inside = end == start + length
        if spans and (is_inside or (offset - start - length <= GAP and end - start <= SPAN)):
            members.append((offset, count))
            spans[-1] = (start, end - start), members
        else:
            spans.append(((offset, count), [(offset, count)]))
    return spans


class _Blocks(io.RawIOBase):
    """A remote file as a stream, for one thread, fetched in whole blocks."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}[whence]
        if start + offset < 0:
            raise ValueError(f"no file has a byte at {start + offset}")
        self._position = start + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes | None:
        rest = max(0, self._file.size - self._position)
        size = rest if size is None or size < 0 else min(size, rest)
        if size > LARGEST_READ:
            raise ValueError(f"a header of {size:,} bytes is more than {LARGEST_READ:,}")
        return super().read(size)

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._position + len(view), self._file.size)
        count = max(0, end - self._position)
        if count:
            first = self._position // BLOCK
            data = b"".join(self._blocks(first, -(-end // BLOCK)))
            skipped = self._position - first * BLOCK
            view[:count] = data[skipped : skipped + count]
            self._position = end
        return count

    def _blocks(self, first: int, last: int) -> list[bytes]:
        """Return blocks ``first`` to ``last - 1``; missing ones are fetched together."""
        places = [self._place(block) for block in range(first, last)]
        parts = [fetched.get((*self._file.identity, *place)) for place in places]
        lacking = [place for place, part in zip(places, parts, strict=True) if part is None]
        new = dict(zip(lacking, self._file.fetch(lacking), strict=True)) if lacking else {}
        return [new[p] if part is None else part for p, part in zip(places, parts, strict=True)]

    def _place(self, block: int) -> Range:
        start = block * BLOCK
        return start, min(BLOCK, self._file.size - start)
