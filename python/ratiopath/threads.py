"""How many threads a call may use: asked at each call, because Ray decides it per task."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Result = TypeVar("Result")

# More help nobody, and where the system starts no more the call would fail.
MOST_THREADS = 1024


def thread_count() -> int:
    """Return ``RATIOPATH_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs allowed to us.

    Ray sets ``OMP_NUM_THREADS`` for every task to the CPUs that the task was given.

    Raises:
        ValueError: A variable is set to something other than a positive whole number.
    """
    for name in ("RATIOPATH_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "").strip()
        if text:
            # OMP_NUM_THREADS may be a list, one number for each level of nesting.
            return _positive(name, text.split(",")[0])
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parts(work: Callable[[range], Result], items: range, least: int = 8) -> Sequence[Result]:
    """Split items into one contiguous part a thread and work on each.

    Args:
        work: What to do with a part; called at least once.
        items: What there is to do.
        least: Fewer items than this are not worth a thread of their own.

    Returns:
        What ``work`` returned, in the order of the parts.
    """
    parts = max(1, min(thread_count(), len(items) // least, MOST_THREADS))
    edges = [len(items) * part // parts for part in range(parts + 1)]
    ranges = [items[start:end] for start, end in itertools.pairwise(edges)]
    if parts == 1:
        return [work(ranges[0])]
    # A pool for each call: no thread outlives the allowance that it was made under.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import

    with ThreadPoolExecutor(parts) as pool:
        return list(pool.map(work, ranges))


def _positive(name: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} must be a positive whole number, got {text!r}")
    return number
