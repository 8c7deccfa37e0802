"""What the whole process keeps: values within a bound, those used last; a forked child starts anew.

The lowest room: bytes, readers, segments and annotations are all kept by it.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeAlias, TypeVar
from weakref import WeakSet

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")
Cost: TypeAlias = "Callable[[KeyT, ValueT], int]"

# Stands for "not kept", because None may be kept: that an object does not exist is worth knowing.
_ABSENT: Any = object()


class ForkSafe(ABC):
    """State that a forked child must not inherit: locks, file handles, work of other threads.

    Only the thread that forks lives on in the child. A lock that another one held would stay held
    for ever there, and what it was in the midst of changing would stay half changed.
    """

    def __init__(self) -> None:
        self.renew()
        _living.add(self)

    @abstractmethod
    def renew(self) -> None:
        """Start anew, with locks that nobody holds."""


# Weak, so that a cache made by a test or a caller goes when its owner lets go of it.
_living: WeakSet[ForkSafe] = WeakSet()


def _renew_all() -> None:
    # A list, since what is renewed may make or drop others.
    for state in list(_living):
        state.renew()


# The one hook: `os.register_at_fork` never forgets, and calls in the order of registration.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)


class Lru(ForkSafe, Generic[KeyT, ValueT]):
    """The values used last, within a bound on their costs; safe to share between threads.

    The bound is given at each call, since an environment variable may have changed it.

    Args:
        cost: What a key and its value cost, in the bound's unit; must not change while kept.
        keeps_latest: Whether the value put last stays however much it costs. Otherwise a value
            that costs more than a quarter of the bound is not kept: it would push out most others.
    """

    def __init__(self, cost: Cost[KeyT, ValueT], *, keeps_latest: bool = False) -> None:
        self._cost, self._keeps_latest = cost, keeps_latest
        super().__init__()

    def renew(self) -> None:
        """Start anew; for a forked child, else see `clear`."""
        self._lock = threading.Lock()
        self._values: OrderedDict[KeyT, Any] = OrderedDict()
        self._total = 0

    def __contains__(self, key: KeyT) -> bool:
        # What is there now may be pushed out before it is asked for: `get` tells both at once.
        with self._lock:
            return key in self._values

    def get(self, key: KeyT, default: ValueT | None = None) -> ValueT | None:
        """Return the value kept under a key, else ``default``."""
        with self._lock:
            found: ValueT = self._values.get(key, _ABSENT)
            if found is _ABSENT:
                return default
            self._values.move_to_end(key)
            return found

    def setdefault(self, key: KeyT, value: ValueT, limit: int) -> ValueT:
        """Keep a value unless another thread was first; return the one that is kept."""
        if not self._is_worth_keeping(key, value, limit):
            return value
        with self._lock:
            found: ValueT = self._values.get(key, _ABSENT)
            if found is not _ABSENT:
                return found
            self._insert(key, value, limit)
            return value

    def put(self, key: KeyT, value: ValueT, limit: int) -> None:
        """Keep a value in the place of any other under its key."""
        if not self._is_worth_keeping(key, value, limit):
            return
        with self._lock:
            former = self._values.pop(key, _ABSENT)
            if former is not _ABSENT:
                self._total -= self._cost(key, former)
            self._insert(key, value, limit)

    def shrink(self, limit: int) -> None:
        """Drop what was used least recently until the rest costs at most ``limit``."""
        with self._lock:
            self._shrink(limit)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._total = 0

    def _is_worth_keeping(self, key: KeyT, value: ValueT, limit: int) -> bool:
        return self._keeps_latest or self._cost(key, value) <= limit // 4

    def _insert(self, key: KeyT, value: ValueT, limit: int) -> None:
        self._values[key] = value
        self._total += self._cost(key, value)
        self._shrink(limit)

    def _shrink(self, limit: int) -> None:
        fewest = 1 if self._keeps_latest else 0
        while self._total > limit and len(self._values) > fewest:
            key, value = self._values.popitem(last=False)
            self._total -= self._cost(key, value)
