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
from ratiopath.cache import BoundedCache, Counter, Numbers, cache_bytes

if TYPE_CHECKING:
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

    def keep_number(self, key: object, number: int, size: int, limit: int) -> int:
        """Keep a content's number under a key of so many bytes, or return the one that is kept."""
        kept: int = self._kept.put(key, number, _ENTRY_BYTES + size, limit)
        return kept

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
        content: The number of its content, or None where it has none yet.
        stored: What segments stored alike have in common, where that was looked at.
    """

    place: int
    content: int | None = None
    stored: tuple[object, ...] | None = None


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

    def look(self, place: int) -> Sighting:
        """Find out what is known of a segment: it, or one stored alike, may have been read.

        Args:
            place: ``row * columns + column`` in the level's grid.
        """
        if self._number is None:
            return Sighting(place)
        content = self._cache.places.get(self._first_place + place)
        if content is not None:
            return Sighting(place, content)
        stored = self._stored(place)
        if stored is None:
            return Sighting(place)
        content = self._cache.find(stored)
        if content is not None:
            self._keep_place(place, content)
        return Sighting(place, content, stored)

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
        if sighting.content is not None:
            found: Segment | None = self._cache.find(("content", sighting.content))
            if found is not None:
                return found
        segment = self._decode(sighting.place, slot)
        if segment.pixels is None or self._number is None:
            return segment
        return self._remember(sighting, segment.pixels, slot)

    def _stored(self, place: int) -> tuple[object, ...] | None:
        row, column = divmod(place, self._columns)
        stored = self._reader.encoded_segment(self._level, row, column)
        if stored is None:
            return None
        # A codec may crop a tile at the level's edge, which its bytes do not tell.
        grid = self._grid
        height = min(grid.segment_height, grid.height - row * grid.segment_height)
        width = min(grid.segment_width, grid.width - column * grid.segment_width)
        return self._number, stored, height, width

    def _remember(
        self, sighting: Sighting, pixels: NDArray[Any], slot: NDArray[np.uint8] | None
    ) -> Segment:
        """Give a segment its number and keep what may be needed again."""
        content, stored = sighting.content, sighting.stored
        if content is None:
            content = self._cache.new_number()
        if stored is not None:
            # What is told by its bytes is at least 32 times as large when decoded.
            content = self._cache.keep_number(stored, content, pixels.nbytes // 32, self._limit)
        content = self._keep_place(sighting.place, content)
        constant = b"" if stored is None else _constant(pixels)
        segment = Segment(None if constant else pixels, constant, content)
        if constant or slot is None:
            return self._cache.keep_segment(segment, self._limit)
        return segment

    def _keep_place(self, place: int, content: int) -> int:
        return self._cache.places.put(self._first_place + place, content, self._most_places)

    def _decode(self, place: int, slot: NDArray[np.uint8] | None) -> Segment:
        reader, (row, column) = self._reader, divmod(place, self._columns)
        if self.segment_bytes > LARGEST_SLOT:
            self._cache.shrink(max(0, self._limit - self.segment_bytes))
        if slot is None:
            pixels = reader.read_segment(self._level, row, column)
        else:
            pixels = reader.read_segment_into(slot, self._level, row, column)
        if pixels is None:
            return Segment(None, np.full(reader.channels, reader.fill, reader.dtype).tobytes())
        return Segment(pixels)


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
        pixels = np.ascontiguousarray(pixels[:, :, channel])
    height, width, channels = pixels.shape
    return np.ndarray((height, width * channels * pixels.itemsize), np.uint8, pixels)


def _constant(pixels: NDArray[Any]) -> bytes:
    rows = rows_of_bytes(pixels, None)
    return _core.constant_pixel(rows, pixels.shape[2] * pixels.dtype.itemsize) or b""
