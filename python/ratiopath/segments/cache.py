"""Segments of overlays and slides, decoded as seldom as possible.

Every segment that was read has an id of its content, and segments of equal stored bytes share it.
Under that id two things are kept for the whole process, within ``RATIOPATH_CACHE_BYTES``: the
counts of windows over it, which are small, and its pixels, where they may be needed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ratiopath._core import Memo, constant_pixel
from ratiopath.lru import ForkSafe, Lru
from ratiopath.resources import cache_bytes
from ratiopath.segments.ids import IdCounter, RecentIds

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from ratiopath.readers.base import Reader

# Shares of RATIOPATH_CACHE_BYTES, one in so many. Counts take a hundredth of the pixels' bytes,
# so that a quarter holds those of far more segments than the rest holds pixels of.
_COUNTS_SHARE = 4
# Ids are smaller still.
_CONTENT_IDS_SHARE = 16
# Two integers and their entry in a dictionary.
_CONTENT_ID_BYTES = 200
# What an entry takes besides its pixels or its key's bytes.
_ENTRY_BYTES = 400
# Levels of files that are remembered. One that is dropped gets new ids when it comes again.
_FEW_SOURCES = 4096
# Tells the keys of decoded segments from those of stored bytes.
_CONTENT = "content"
# A larger slot would stay allocated on every thread for as long as it works.
LARGEST_SLOT = 64 * 1024**2


def counts_limit() -> int:
    """Return how many bytes the counts may take."""
    return cache_bytes() // _COUNTS_SHARE


def content_ids_limit() -> int:
    """Return how many bytes the ids of segments may take."""
    return cache_bytes() // _CONTENT_IDS_SHARE


class Segment(NamedTuple):
    """A decoded segment.

    Attributes:
        pixels: (h, w, C), not to be written to; None where all pixels are equal.
        constant: The bytes of that one pixel, else empty.
        content_id: An id that only segments of equal pixels share, or None where there is none.
    """

    pixels: NDArray[Any] | None
    constant: bytes = b""
    content_id: int | None = None


# The source's number, a segment's stored bytes, and the width and height that lie on the level.
ComparableKey: TypeAlias = "tuple[int | None, bytes, int, int]"


def _kept_bytes(key: Any, value: Segment | int) -> int:
    if isinstance(value, int):
        return _ENTRY_BYTES + len(key[1])
    return _ENTRY_BYTES + (0 if value.pixels is None else value.pixels.nbytes)


class SegmentCache(ForkSafe):
    """What is known of the segments of all files; safe to share between threads.

    Attributes:
        counts: What the core counted in segments whose content has an id.
        content_ids: The id of the content of each segment that was read.
    """

    def __init__(self) -> None:
        self._ids = IdCounter()
        self.content_ids = RecentIds()
        # Segments by their contents' ids, and ids by stored bytes: both within one bound.
        self._kept: Lru[Hashable, Any] = Lru(_kept_bytes)
        self._sources: Lru[Hashable, int] = Lru(lambda *_: 1)
        super().__init__()

    def renew(self) -> None:
        """Replace the counts, whose lock a thread may hold. The other parts renew themselves."""
        self.counts = Memo()

    def source(self, reader: Reader, level: int) -> SegmentSource:
        """Return the segments of one level of a file, read through this cache."""
        number = None
        if reader.identity:
            key = (*reader.identity, level)
            number = self._sources.get(key)
            if number is None:
                number = self._sources.setdefault(key, next(self._ids), _FEW_SOURCES)
        return SegmentSource(self, reader, level, number)

    def clear(self) -> None:
        """Forget everything."""
        self.counts.clear()
        self.content_ids.clear()
        self._kept.clear()

    def find(self, content_id: int | None) -> Segment | None:
        """Return the segment that is kept under its content's id, or None."""
        found: Segment | None = self._kept.get((_CONTENT, content_id))
        return found

    def new_content_id(self) -> int:
        """Return an id that no content has."""
        return next(self._ids)

    def content_id_of(self, key: ComparableKey, limit: int) -> tuple[int, bool]:
        """Return the id of the content that is stored in some bytes, and whether it is new."""
        known: int | None = self._kept.get(key)
        if known is not None:
            return known, False
        new = self.new_content_id()
        kept: int = self._kept.setdefault(key, new, limit)
        return kept, kept == new

    def keep_segment(self, segment: Segment, limit: int) -> Segment:
        """Keep a segment under its content's id, or return the one that is kept."""
        kept: Segment = self._kept.setdefault((_CONTENT, segment.content_id), segment, limit)
        return kept

    def shrink(self, limit: int) -> None:
        """Drop what was used least recently until the rest takes at most ``limit`` bytes."""
        self._kept.shrink(limit)


class SegmentStatus(NamedTuple):
    """What is known of a segment before it is decoded.

    Attributes:
        segment_index: ``row * columns + column`` in the level's grid.
        content_id: The id of its content, or None where segments are not worth keeping.
        is_new: Whether the id has just been given, so that nothing can be known of its content.
        is_comparable: Compressed at least 32:1, so that equal segments are found by comparing
            stored bytes.
        stored: These bytes, where they were seen for the first time and will have to be decoded.
    """

    segment_index: int
    content_id: int | None = None
    is_new: bool = True
    is_comparable: bool = False
    stored: bytes | None = None


class SegmentSource:
    """The segments of one level of one file.

    Args:
        cache: Where they are kept.
        reader: The file, open.
        level: The pyramid level.
        number: What the level is known by; None where segments are not worth keeping.
    """

    def __init__(self, cache: SegmentCache, reader: Reader, level: int, number: int | None) -> None:
        self._cache, self._reader, self._level, self._number = cache, reader, level, number
        self._limit = cache_bytes() - counts_limit() - content_ids_limit()
        self._most_ids = content_ids_limit() // _CONTENT_ID_BYTES
        # The indices of all levels side by side in one dictionary: none has 2^64 segments.
        self._first_key = (number or 0) << 64
        self._grid, self._columns = reader.levels[level], reader.levels[level].columns
        sample = reader.channels * reader.dtype.itemsize
        self.segment_bytes = self._grid.segment_width * self._grid.segment_height * sample

    def slot(self) -> NDArray[np.uint8] | None:
        """Return memory to decode one segment after another into, or None if it is too large."""
        if self.segment_bytes > LARGEST_SLOT:
            return None
        return np.empty(self.segment_bytes, np.uint8)

    def lookup(self, indices: Sequence[int]) -> list[SegmentStatus]:
        """Return what is known of segments: they, or ones of equal bytes, may have been read.

        From now on they have ids, if they are worth keeping.

        Args:
            indices: ``row * columns + column`` in the level's grid, of each; distinct.
        """
        if self._number is None:
            return [SegmentStatus(index) for index in indices]
        find, first = self._cache.content_ids.get, self._first_key
        found = [
            self._unseen(index)
            if (content_id := find(first + index)) is None
            else SegmentStatus(index, content_id, is_new=False)
            for index in indices
        ]
        # Put together, known ones too: the lock is taken once, and what is looked up stays young.
        ids: dict[int, Any] = {first + one.segment_index: one.content_id for one in found}
        kept = self._cache.content_ids.put(ids, self._most_ids)
        return [
            status
            if status.content_id == content_id
            else SegmentStatus(status.segment_index, content_id, is_new=False)
            for status, content_id in zip(found, kept, strict=True)
        ]

    def holds(self, segment_index: int) -> bool:
        """Whether a segment that was read before lies in the cache, decoded."""
        content_id = self._cache.content_ids.get(self._first_key + segment_index)
        return content_id is not None and self._cache.find(content_id) is not None

    def read(self, status: SegmentStatus, slot: NDArray[np.uint8] | None = None) -> Segment:
        """Return one segment, from the cache where it or one of equal bytes is there.

        Args:
            status: What `lookup` returned.
            slot: Where the segment may be decoded if nobody will need its pixels again; they are
                then good until the slot is used again, and not kept.

        Returns:
            The segment.

        Raises:
            OverlayFormatError: It cannot be decoded.
        """
        if not status.is_new:
            found = self._cache.find(status.content_id)
            if found is not None:
                return found
        pixels = self._decode(status, slot)
        if pixels is None:
            reader = self._reader
            return Segment(None, np.full(reader.channels, reader.fill, reader.dtype).tobytes())
        constant = _constant(pixels) if status.is_comparable else b""
        segment = Segment(None if constant else pixels, constant, status.content_id)
        if status.content_id is None or not (constant or slot is None):
            return segment
        return self._cache.keep_segment(segment, self._limit)

    def _unseen(self, segment_index: int) -> SegmentStatus:
        """Return the status of a segment without an id: compared by its bytes if they are few."""
        row, column = divmod(segment_index, self._columns)
        stored = self._reader.encoded_segment(self._level, row, column)
        if stored is None:
            return SegmentStatus(segment_index, self._cache.new_content_id())
        # A codec may crop a tile at the level's edge, which its bytes do not show.
        key = (self._number, stored, *self._grid.size_within(row, column))
        content_id, is_first = self._cache.content_id_of(key, self._limit)
        # The cache holds the same bytes, as its key. Where it holds nothing, reading them twice is
        # better than holding those of a whole run of segments.
        keeps = is_first and self._limit > 0
        return SegmentStatus(
            segment_index,
            content_id,
            is_new=False,
            is_comparable=True,
            stored=stored if keeps else None,
        )

    def _decode(self, status: SegmentStatus, slot: NDArray[np.uint8] | None) -> NDArray[Any] | None:
        row, column = divmod(status.segment_index, self._columns)
        if self.segment_bytes > LARGEST_SLOT:
            # Made room for before it is there: of such segments few fit beside a full cache.
            self._cache.shrink(max(0, self._limit - self.segment_bytes))
        if status.stored is not None:
            return self._reader.decode_segment(status.stored, slot, self._level, row, column)
        if slot is None:
            return self._reader.read_segment(self._level, row, column)
        return self._reader.read_segment_into(slot, self._level, row, column)


cache = SegmentCache()


def rows_of_bytes(pixels: NDArray[Any], channel: int | None) -> NDArray[np.uint8]:
    """View decoded pixels (h, w, C) as rows of bytes for the core.

    Args:
        pixels: Decoded pixels, C-contiguous.
        channel: The only channel wanted, or None.

    Returns:
        The rows (h, w * bytes of a pixel), without a copy unless a channel is taken out.
    """
    if channel is not None and pixels.shape[2] > 1:
        pixels = np.ascontiguousarray(pixels[:, :, channel : channel + 1])
    height, width, channels = pixels.shape
    return np.ndarray((height, width * channels * pixels.itemsize), np.uint8, pixels)


def _constant(pixels: NDArray[Any]) -> bytes:
    rows = rows_of_bytes(pixels, None)
    return constant_pixel(rows, pixels.shape[2] * pixels.dtype.itemsize) or b""
