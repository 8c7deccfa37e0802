"""A child forked while another thread is in the middle of something, without a look at locks."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Stuck:
    """A key that keeps whoever looks for it waiting, in the middle of the cache."""

    def __init__(self) -> None:
        self.looked_for, self.found = threading.Event(), threading.Event()

    def __hash__(self) -> int:
        self.looked_for.set()
        self.found.wait()
        return 0


class StuckIds(dict[int, int]):
    """The same for ids, which are put many at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.key = Stuck()

    def items(self) -> Any:
        """Wait, then return what was put."""
        hash(self.key)
        return super().items()


def in_child(key: Stuck, thread: threading.Thread, works: Callable[[], bool]) -> None:
    """Assert that something works in a child forked while a thread waits for a key."""
    thread.start()
    key.looked_for.wait()
    try:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if works() else 1)
    finally:
        key.found.set()
        thread.join()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
