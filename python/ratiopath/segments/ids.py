"""Ids of contents: numbers given out once, and which of them each segment has."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ratiopath.lru import ForkSafe

if TYPE_CHECKING:
    from collections.abc import Mapping


class IdCounter(ForkSafe):
    """Numbers from 0, each given out once; safe to share between threads."""

    def __init__(self) -> None:
        self._next = 0
        super().__init__()

    def renew(self) -> None:
        """Go on counting in a forked child, so that no id is ever given out twice."""
        self._lock = threading.Lock()

    def __next__(self) -> int:
        # As CPython is written, `itertools.count` gives no number twice either. Without the
        # interpreter's lock nothing promises that, and contents of one number share their counts.
        with self._lock:
            number = self._next
            self._next += 1
            return number


class RecentIds(ForkSafe):
    """The content ids of the segments put last; safe to share between threads.

    Not an `Lru`: a slide of 100,000 px a side has 150,000 segments, and each lookup asks for one.
    Two plain dictionaries, of which the older is thrown away when the younger is full, cost a
    segment no object beside the two numbers, and reading them takes no lock.
    """

    def renew(self) -> None:
        """Start anew; for a forked child, else see `clear`."""
        self._lock = threading.Lock()
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def get(self, key: int) -> int | None:
        """Return the number kept under a key, or None."""
        number = self._young.get(key)
        return self._old.get(key) if number is None else number

    def put(self, numbers: Mapping[int, int], most: int) -> list[int]:
        """Keep ids, at most ``most`` of them, unless another thread was first.

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
