"""Decoded segments, kept for the whole process and shared by all batches, in a bounded cache."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath.readers.base import Reader

DEFAULT_CACHE_BYTES = 256 * 1024**2

Decoded: TypeAlias = "NDArray[Any] | None"


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
        self._segments: OrderedDict[tuple[object, ...], Decoded] = OrderedDict()
        self._bytes = 0

    def read(self, reader: Reader, level: int, row: int, column: int) -> Decoded:
        """Return one decoded segment, from the cache where it is there.

        Args:
            reader: The overlay.
            level: The pyramid level.
            row: Row of the segment in the level's grid.
            column: Column of the segment.

        Returns:
            What `Reader.read_segment` returns; not to be written to.
        """
        if not reader.identity:
            return reader.read_segment(level, row, column)
        key = (*reader.identity, level, row, column)
        with self._lock:
            if key in self._segments:
                self._segments.move_to_end(key)
                return self._segments[key]
        decoded = reader.read_segment(level, row, column)
        self._keep(key, decoded)
        return decoded

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._segments.clear()
            self._bytes = 0

    def _keep(self, key: tuple[object, ...], decoded: Decoded) -> None:
        limit = cache_bytes()
        # What would push out most of the rest is not worth keeping.
        if _size(decoded) > limit // 4:
            return
        with self._lock:
            if key in self._segments:
                return
            self._segments[key] = decoded
            self._bytes += _size(decoded)
            while self._bytes > limit:
                _, oldest = self._segments.popitem(last=False)
                self._bytes -= _size(oldest)


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


def _size(decoded: Decoded) -> int:
    # A segment that the file leaves out still costs its entry.
    return 64 if decoded is None else decoded.nbytes
