"""What the commands print while they run: progress and errors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ratiopath.cli.hints import reason
from ratiopath.runs.run import RunObserver

if TYPE_CHECKING:
    from types import TracebackType

    from ratiopath.runs.checkpoint import SlideRecord
    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.plan import SlidePlan
    from ratiopath.runs.run import SlideFailure


def standard_error() -> Console:
    """Return the console for progress and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say_error(text: str, *hints: str) -> None:
    """Print an error and hints on standard error, which keeps standard output for results."""
    console = standard_error()
    # Of the message nothing is markup: it may contain a path with brackets.
    console.print("error:", style="bold red", end=" ")
    console.print(text, markup=False)
    for hint in hints:
        console.print(hint, markup=False)


# rich has a column for bytes per second only.
class _Rate(ProgressColumn):
    """A column with the speed, in units per second."""

    def render(self, task: Task) -> Text:
        """Return the speed as text."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class RunProgress(RunObserver):
    """Shows how far a run is: bars on a terminal, one line for each slide in a log.

    Args:
        console: Where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        # Bars rewrite their line, which would fill a log with copies of it.
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bars = Progress(
            *columns,
            TextColumn("{task.fields[unit]}"),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar: TaskID | None = None
        self._count = self._total = 0
        self._began = 0.0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def stage(self, description: str, unit: str, total: int, slides: int = 0) -> None:
        """Start a bar.

        Args:
            description: What is being done.
            unit: What is counted, in the plural.
            total: How many there are.
            slides: How many slides there are, for the lines in a log.
        """
        self._bar = self._bars.add_task(description, total=total, unit=unit)
        self._count, self._total = 0, slides

    def step(self, count: int = 1) -> None:
        """Advance the bar."""
        if self._bar is not None:
            self._bars.advance(self._bar, count)

    def planned(self, pair: SlidePair) -> None:  # noqa: ARG002, D102 - see RunObserver
        self.step()

    def begins(self, plan: SlidePlan) -> None:  # noqa: D102 - see RunObserver
        self._count += 1
        self._began = time.perf_counter()
        if self._bar is not None:
            name = Path(plan.pair.slide).name
            self._bars.update(self._bar, description=f"{name} ({self._count}/{self._total})")

    def advances(self, tiles: int) -> None:  # noqa: D102 - see RunObserver
        self.step(tiles)

    def ends(self, plan: SlidePlan, record: SlideRecord) -> None:  # noqa: D102 - see RunObserver
        if not self._console.is_terminal:
            seconds = time.perf_counter() - self._began
            self._say(
                f"[{self._count}/{self._total}] {plan.pair.slide}: {record.kept:,} of"
                f" {record.tiles:,} tiles kept, {seconds:.1f} s"
            )

    def fails(self, failure: SlideFailure) -> None:  # noqa: D102 - see RunObserver
        self._say(f"failed: {failure.pair.slide}: {reason(failure.error)}", style="red")

    def _say(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, markup=False)
