"""The clock of all benches: median CPU time, and one line of the table for each goal."""

from __future__ import annotations

import os
import platform
import resource
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ratiopath.readers.opening import _readers
from ratiopath.segments.cache import cache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS = 7


@dataclass(frozen=True)
class Line:
    """One goal and what was measured.

    Attributes:
        what: What was done.
        against: What it is measured against.
        theirs: What that took, in ``unit``.
        ours: What this package took.
        goal: The ratio wanted; how many times faster, or of how many times the cost.
        faster: Whether the ratio is theirs to ours, and large; else ours to theirs, and small.
        unit: µs of CPU, or MiB.
    """

    what: str
    against: str
    theirs: float
    ours: float
    goal: float
    faster: bool = True
    unit: str = "µs"

    @property
    def ratio(self) -> float:
        """What is compared with the goal."""
        return self.theirs / self.ours if self.faster else self.ours / self.theirs

    @property
    def is_reached(self) -> bool:
        """Whether the goal is."""
        return self.ratio >= self.goal if self.faster else self.ratio <= self.goal

    def __str__(self) -> str:
        """As a row of the Markdown table."""
        digits = 0 if self.ratio >= 10 else 2
        goal = f"{'>=' if self.faster else '<='} {self.goal:g}"
        times = f"{self.theirs:,.1f} | {self.ours:,.1f} | {self.ratio:,.{digits}f}"
        reached = "yes" if self.is_reached else "**no**"
        return f"| {self.what} | {self.against} | {times} | {goal} | {reached} |"


HEADER = (
    "| what | compared with | theirs, µs | ours, µs | ratio | goal | reached |\n"
    "| :--- | :--- | ---: | ---: | ---: | ---: | :--- |"
)


def used() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def cpu(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median CPU seconds of a call, its result dropped, after one to warm up."""
    work()
    seconds = []
    for _ in range(runs):
        start = used()
        work()
        seconds.append(used() - start)
    return statistics.median(seconds)


def side_by_side(works: Sequence[Callable[[], object]], runs: int = RUNS) -> list[float]:
    """Return each call's median CPU seconds, the calls taking turns so that noise hits all."""
    for work in works:
        work()
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, times in zip(works, seconds, strict=True):
            start = used()
            work()
            times.append(used() - start)
    return [statistics.median(times) for times in seconds]


def forget() -> None:
    """Close every file and drop every segment."""
    cache.clear()
    _readers.clear()


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return f"{model}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
