"""Segments of overlays, decoded as seldom as possible.

Every segment that was read gets a number for its content, and segments that are stored alike share
it. Under that number two things are kept for the whole process, within ``RATIOPATH_CACHE_BYTES``:
the counts of windows over it, which are small, and its pixels, where they may be needed again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ratiopath import _core
from ratiopath.segments.lru import BoundedCache, Counter, Numbers, cache_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ratiopath.readers.base import Reader

# Counts are a hundredth of the pixels that they are of.
_COUNTS_SHARE = 4
# Numbers of segments are smaller still.
_PLACES_SHARE = 16
# Two numbers and their entry.
_PLACE_BYTES = 200
# What an entry of the cache takes besides what is in it.
_ENTRY_BYTES = 400
_FEW_SOURCES = 4096
# Beyond this a slot is not kept between segments.
LARGEST_SLOT = 64 * 1024**2


def counts_limit() -> int:
    """Return how many bytes of counts may be kept."""
    return cache_bytes() // _COUNTS_SHARE


def places_limit() -> int:
    """Return how many bytes the numbers of segments may take."""
    return cache_bytes() // _PLACES_SHARE


class Segment(NamedTuple):
    """A decoded segment.

    Attributes:
        pixels: (h, w, C), not to be written to; None where all pixels are the same.
        constant: Else the one pixel that all are equal to, as bytes.
        content: A number that only segments of equal pixels share, or None where there is none.
    """

    pixels: NDArray[Any] | None
    constant: bytes = b""
    content: int | None = None


class SegmentCache:
    """What is known of the segments of all overlays; safe to share between threads.

    Attributes:
        counts: What the core counted in segments whose content has a number.
        places: The number of the content of each segment that was read.
    """

    def __init__(self) -> None:
        self._numbers = Counter()
        self.renew()

    def renew(self) -> None:
        """Start anew, also in a child process whose parent's threads held the locks."""
        self._numbers.renew()
        self.counts = _core.KnownCounts()
        self.places = Numbers()
        self._kept = BoundedCache()
        self._sources = BoundedCache()

    def source(self, reader: Reader, level: int) -> SegmentSource:
        """Return the segments of one level of an overlay, as this cache knows them."""
        number = None
        if reader.identity:
            key = (*reader.identity, level)
            number = self._sources.get(key)
            if number is None:
                number = self._sources.put(key, next(self._numbers), 1, _FEW_SOURCES)
        return SegmentSource(self, reader, level, number)

    def clear(self) -> None:
        """Forget everything."""
        self.counts.clear()
        self.places.clear()
        self._kept.clear()

    def find(self, key: object) -> Any:
        """Return what is kept under a key, or None."""
        return self._kept.get(key)

    def new_number(self) -> int:
        """Return a number that no content has."""
        return next(self._numbers)

    def number_of(self, key: object, size: int, limit: int) -> int:
        """Return the number of the content that has a key of so many bytes, or give it one."""
        kept: int | None = self._kept.get(key)
        if kept is not None:
            return kept
        number: int = self._kept.put(key, self.new_number(), _ENTRY_BYTES + size, limit)
        return number

    def keep_segment(self, segment: Segment, limit: int) -> Segment:
        """Keep a segment under its content's number, or return the one that is kept."""
        size = _ENTRY_BYTES + (0 if segment.pixels is None else segment.pixels.nbytes)
        kept: Segment = self._kept.put(("content", segment.content), segment, size, limit)
        return kept

    def shrink(self, limit: int) -> None:
        """Forget as much as is needed for the rest to take so many bytes."""
        self._kept.shrink(limit)


class Sighting(NamedTuple):
    """What is known of a segment before it is decoded.

    Attributes:
        place: ``row * columns + column`` in the level's grid.
        content: The number of its content, or None where segments are not worth keeping.
        is_new: Whether the number has just been given, so that nothing can be known of it.
        is_told_by_bytes: Whether its stored bytes are few, so that others may be stored alike.
    """

    place: int
    content: int | None = None
    is_new: bool = True
    is_told_by_bytes: bool = False


class SegmentSource:
    """The segments of one level of one overlay.

    Args:
        cache: Where they are kept.
        reader: The overlay.
        level: The pyramid level.
        number: What the level is known by; None where segments are not worth keeping.
    """

    def __init__(self, cache: SegmentCache, reader: Reader, level: int, number: int | None) -> None:
        self._cache, self._reader, self._level, self._number = cache, reader, level, number
        self._limit = cache_bytes() - counts_limit() - places_limit()
        self._most_places = places_limit() // _PLACE_BYTES
        # Places of all levels beside each other: none has 2^64 segments.
        self._first_place = (number or 0) << 64
        self._grid, self._columns = reader.levels[level], reader.levels[level].columns
        sample = reader.channels * reader.dtype.itemsize
        self.segment_bytes = self._grid.segment_width * self._grid.segment_height * sample

    def slot(self) -> NDArray[np.uint8] | None:
        """Return memory for a segment to be decoded into, again and again."""
        if self.segment_bytes > LARGEST_SLOT:
            return None
        return np.empty(self.segment_bytes, np.uint8)

    def look(self, places: Sequence[int]) -> list[Sighting]:
        """Find out what is known of segments: they, or ones stored alike, may have been read.

        From now on they have numbers, if they are worth keeping.

        Args:
            places: ``row * columns + column`` in the level's grid, of each; distinct.
        """
        if self._number is None:
            return [Sighting(place) for place in places]
        looked = [self._look(place) for place in places]
        first = self._first_place
        numbers = {first + one.place: one.content for one in looked if one.content is not None}
        kept = self._cache.places.put(numbers, self._most_places)
        return [
            sighting
            if sighting.content == number
            else Sighting(sighting.place, number, is_new=False)
            for sighting, number in zip(looked, kept, strict=True)
        ]

    def holds(self, place: int) -> bool:
        """Whether a segment that was read before lies in the cache, decoded."""
        content = self._cache.places.get(self._first_place + place)
        return content is not None and self._cache.find(("content", content)) is not None

    def read(self, sighting: Sighting, slot: NDArray[np.uint8] | None = None) -> Segment:
        """Return one segment, from the cache where it or its like is there.

        Args:
            sighting: What `look` returned.
            slot: Where the segment may be decoded if nobody will need its pixels again; they are
                then good until the slot is used again, and not kept.

        Returns:
            The segment.

        Raises:
            OverlayFormatError: It cannot be decoded.
        """
        if not sighting.is_new:
            found: Segment | None = self._cache.find(("content", sighting.content))
            if found is not None:
                return found
        pixels = self._decode(sighting.place, slot)
        if pixels is None:
            reader = self._reader
            return Segment(None, np.full(reader.channels, reader.fill, reader.dtype).tobytes())
        constant = _constant(pixels) if sighting.is_told_by_bytes else b""
        segment = Segment(None if constant else pixels, constant, sighting.content)
        if sighting.content is None or not (constant or slot is None):
            return segment
        return self._cache.keep_segment(segment, self._limit)

    def _look(self, place: int) -> Sighting:
        content = self._cache.places.get(self._first_place + place)
        if content is not None:
            return Sighting(place, content, is_new=False)
        content = self._number_of_bytes(place)
        if content is not None:
            return Sighting(place, content, is_new=False, is_told_by_bytes=True)
        return Sighting(place, self._cache.new_number())

    def _number_of_bytes(self, place: int) -> int | None:
        """Return the number of all segments stored in the same few bytes; None if they are many."""
        row, column = divmod(place, self._columns)
        stored = self._reader.encoded_segment(self._level, row, column)
        if stored is None:
            return None
        # A codec may crop a tile at the level's edge, which its bytes do not tell.
        grid = self._grid
        height = min(grid.segment_height, grid.height - row * grid.segment_height)
        width = min(grid.segment_width, grid.width - column * grid.segment_width)
        # What is told by its bytes is at least 32 times as large when decoded.
        size = self.segment_bytes // 32
        return self._cache.number_of((self._number, stored, height, width), size, self._limit)

    def _decode(self, place: int, slot: NDArray[np.uint8] | None) -> NDArray[Any] | None:
        row, column = divmod(place, self._columns)
        if self.segment_bytes > LARGEST_SLOT:
            self._cache.shrink(max(0, self._limit - self.segment_bytes))
        if slot is None:
            return self._reader.read_segment(self._level, row, column)
        return self._reader.read_segment_into(slot, self._level, row, column)


cache = SegmentCache()
if hasattr(os, "register_at_fork"):
    # A child would wait for ever for a lock that a thread of its parent held.
    os.register_at_fork(after_in_child=cache.renew)


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
    return _core.constant_pixel(rows, pixels.shape[2] * pixels.dtype.itemsize) or b""
