"""Decoded segments, kept for the whole process and shared by all batches, in a bounded cache."""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath.readers.base import Level, Reader

DEFAULT_CACHE_BYTES = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Segment:
    """A decoded segment.

    Attributes:
        pixels: What `Reader.read_segment` returned, (h, w, C) or None; not to be written to.
        content: A number that only segments of equal pixels share, or None where that is unknown.
    """

    pixels: NDArray[Any] | None
    content: int | None = None


def cache_bytes() -> int:
    """Return ``RATIOPATH_CACHE_BYTES``, else 256 MiB.

    Raises:
        ValueError: The variable is set to something other than a whole number of at least 0.
    """
    text = os.environ.get("RATIOPATH_CACHE_BYTES", "").strip()
    if not text:
        return DEFAULT_CACHE_BYTES
    try:
        size = int(text)
    except ValueError:
        size = -1
    if size < 0:
        raise ValueError(f"RATIOPATH_CACHE_BYTES must be a whole number of bytes, got {text!r}")
    return size


class SegmentCache:
    """Least recently used segments within a number of bytes; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: OrderedDict[tuple[object, ...], Segment] = OrderedDict()
        self._contents = itertools.count()
        self._bytes = 0

    def read(self, reader: Reader, level: int, row: int, column: int) -> Segment:
        """Return one decoded segment, from the cache where it or its like is there.

        Segments that are stored alike are decoded once.

        Args:
            reader: The overlay.
            level: The pyramid level.
            row: Row of the segment in the level's grid.
            column: Column of the segment.

        Returns:
            The segment.

        Raises:
            OverlayFormatError: It cannot be decoded.
        """
        if not reader.identity:
            return Segment(reader.read_segment(level, row, column))
        encoded = reader.encoded_segment(level, row, column)
        place = (*reader.identity, level, row, column)
        key = place if encoded is None else (*reader.identity, level, encoded)
        found = self._find(key)
        if found is not None:
            return found
        pixels = reader.read_segment(level, row, column)
        # A codec may crop a tile at the level's edge, which its bytes do not tell.
        if encoded is None or not _is_whole(pixels, reader.levels[level]):
            return self._keep(place, Segment(pixels))
        return self._keep(key, Segment(pixels, next(self._contents)))

    def holds(self, reader: Reader, level: int, row: int, column: int) -> bool:
        """Whether a segment that is known by its place lies here, decoded."""
        with self._lock:
            return (*reader.identity, level, row, column) in self._segments

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._segments.clear()
            self._bytes = 0

    def _find(self, key: tuple[object, ...]) -> Segment | None:
        with self._lock:
            if key in self._segments:
                self._segments.move_to_end(key)
            return self._segments.get(key)

    def _keep(self, key: tuple[object, ...], segment: Segment) -> Segment:
        limit = cache_bytes()
        # What would push out most of the rest is not worth keeping.
        if _size(segment) > limit // 4:
            return segment
        with self._lock:
            kept = self._segments.setdefault(key, segment)
            if kept is segment:
                self._bytes += _size(segment)
            while self._bytes > limit:
                _, oldest = self._segments.popitem(last=False)
                self._bytes -= _size(oldest)
        return kept


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
        pixels = np.ascontiguousarray(pixels[:, :, channel])
    row_bytes = math.prod(pixels.shape[1:]) * pixels.dtype.itemsize
    return pixels.reshape(-1).view(np.uint8).reshape(pixels.shape[0], row_bytes)


def _is_whole(pixels: NDArray[Any] | None, level: Level) -> bool:
    whole = (level.segment_height, level.segment_width)
    return pixels is not None and pixels.shape[:2] == whole


def _size(segment: Segment) -> int:
    # Besides its pixels a segment costs its entry, and perhaps the bytes that it is known by.
    pixels = 0 if segment.pixels is None else segment.pixels.nbytes
    return 512 + pixels + pixels // 32
