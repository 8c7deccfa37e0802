"""What is kept for the whole process, within a number of bytes."""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

DEFAULT_CACHE_BYTES = 256 * 1024**2


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
    # The core counts bytes in a machine word.
    return min(size, sys.maxsize)


class BoundedCache:
    """The values used last, within a number of bytes; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Any:
        """Return a value, or None where it is not kept."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, size: int, limit: int) -> Any:
        """Keep a value, unless another thread was first or it would push out most of the rest.

        Args:
            key: What the value is found by.
            value: The value, not None.
            size: How many bytes it takes, its key included.
            limit: How many bytes all that is kept may take.

        Returns:
            The value that is kept under the key, or the value itself.
        """
        if size > limit // 4:
            return value
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                return found[0]
            self._values[key] = (value, size)
            self._bytes += size
            self._shrink(limit)
            return value

    def shrink(self, limit: int) -> None:
        """Drop what was used least recently until so many bytes are left."""
        with self._lock:
            self._shrink(limit)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._bytes = 0

    def _shrink(self, limit: int) -> None:
        while self._bytes > limit and self._values:
            _, (_, size) = self._values.popitem(last=False)
            self._bytes -= size


class IdCounter:
    """Numbers from 0, each given out once; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0

    def __next__(self) -> int:
        # As CPython is written, `itertools.count` gives no number twice either. Without the
        # interpreter's lock nothing promises that, and contents of one number share their counts.
        with self._lock:
            number = self._next
            self._next += 1
            return number

    def renew(self) -> None:
        """Go on in a child process whose parent's threads held the lock."""
        self._lock = threading.Lock()


class RecentIds:
    """Numbers by number, the latest of them; safe to share between threads.

    Plain dictionaries, of which one is thrown away when the other is full: a segment costs no
    objects beside the two numbers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def get(self, key: int) -> int | None:
        """Return the number kept under a key, or None."""
        number = self._young.get(key)
        return self._old.get(key) if number is None else number

    def put(self, numbers: Mapping[int, int], most: int) -> list[int]:
        """Keep numbers, unless another thread was first, and at most so many of them.

        Returns:
            The number that is kept under each key, or the number itself.
        """
        if most < 2:
            return list(numbers.values())
        kept = []
        with self._lock:
            for key, number in numbers.items():
                if len(self._young) >= most // 2:
                    self._young, self._old = {}, self._young
                kept.append(self._young.setdefault(key, self._old.get(key, number)))
        return kept

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._young, self._old = {}, {}
