"""What came of a run: its slides, its results, and what the user should know of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ratiopath.runs.merge import key_names
from ratiopath.runs.run import Plans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ratiopath.runs.checkpoint import Record
    from ratiopath.runs.pairing import Found, Job
    from ratiopath.runs.run import Failure
    from ratiopath.runs.settings import Settings


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        settings: What it was asked to do.
        found: The slides.
        dry_run: Whether nothing was measured.
        plans: What was to be done.
        done: The slides that are measured, now or before.
        failed: The slides that could not be.
        output: The table, if it was written.
        rows: How many rows it has.
        pictures: The picture of each slide, drawn now or before.
        sheets: The contact sheets.
        seconds: How long it took.
    """

    settings: Settings
    found: Found
    dry_run: bool = False
    plans: Plans = field(default_factory=Plans)
    done: dict[Job, Record] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    output: Path | None = None
    rows: int = 0
    pictures: dict[Job, Path] = field(default_factory=dict)
    sheets: list[Path] = field(default_factory=list)
    seconds: float = 0.0

    def planned(self, plans: Plans) -> None:
        """Take over what is to be done."""
        self.plans = plans
        self.done |= plans.done
        self.failed += plans.failed

    def measured(self, done: dict[Job, Record], failed: list[Failure]) -> None:
        """Take over what was done."""
        self.done |= done
        self.failed += failed

    @property
    def tiles(self) -> int:
        """How many tiles are measured."""
        return sum(record.tiles for record in self.done.values())

    @property
    def kept(self) -> int:
        """How many of them are kept."""
        return sum(record.kept for record in self.done.values())

    def coverage(self) -> dict[str, float]:
        """Return the mean coverage of all tiles by key."""
        records = list(self.done.values())
        sums = Counter[str]()
        for record in records:
            sums.update(record.coverage)
        declared = self.settings.options.selection.declared_keys
        return {key: sums[key] / max(self.tiles, 1) for key in key_names(records, declared)}

    def warnings(self) -> Iterator[str]:
        """Yield what the user should know, most urgent first."""
        coverage = self.coverage()
        for key in self.settings.conditions.keys:
            if self.done and not coverage.get(key):
                held = ", ".join(key for key, mean in coverage.items() if mean) or "nothing"
                yield f"--keep asks for {key}, which no tile holds; found: {held}"
        if self.found.overlays:
            names = some(self.found.overlays)
            yield f"not taken for slides, being overlays of others: {names}"
        notes: dict[str, list[str]] = {}
        for job, texts in self._notes():
            for text in texts:
                notes.setdefault(text, []).append(job.slide)
        yield from (f"{some(slides)}: {text}" for text, slides in notes.items())

    def _notes(self) -> Iterator[tuple[Job, list[str]]]:
        yield from ((job, record.warnings) for job, record in self.done.items())
        if self.dry_run:
            yield from ((plan.job, list(plan.warnings)) for plan in self.plans.to_do)


def some(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
