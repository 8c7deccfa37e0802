"""The outcome of a run: its slides, its results, and what the user should know about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ratiopath.runs.run import RunPlan
from ratiopath.runs.table import key_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ratiopath.runs.checkpoint import SlideRecord
    from ratiopath.runs.pairing import Pairing, SlidePair
    from ratiopath.runs.run import SlideFailure
    from ratiopath.runs.settings import RunSettings


@dataclass
class Outcome:
    """The outcome of a run, filled in step by step: an interrupted run has one as well.

    Attributes:
        settings: What it was asked to do.
        pairing: The slides and their overlays.
        dry_run: Whether nothing was measured.
        plans: The work that was planned.
        done: The slides that are measured, by this run or an earlier one.
        failed: The slides that failed.
        output: The table, if it was written.
        rows: How many rows it has.
        pictures: The picture of each slide, drawn by this run or an earlier one.
        sheets: The contact sheets.
        seconds: How long it took.
    """

    settings: RunSettings
    pairing: Pairing
    dry_run: bool = False
    plans: RunPlan = field(default_factory=RunPlan)
    done: dict[SlidePair, SlideRecord] = field(default_factory=dict)
    failed: list[SlideFailure] = field(default_factory=list)
    output: Path | None = None
    rows: int = 0
    pictures: dict[SlidePair, Path] = field(default_factory=dict)
    sheets: list[Path] = field(default_factory=list)
    seconds: float = 0.0

    def planned(self, plans: RunPlan) -> None:
        """Take over the work that was planned."""
        self.plans = plans
        self.done |= plans.done
        self.failed += plans.failed

    def measured(self, done: dict[SlidePair, SlideRecord], failed: list[SlideFailure]) -> None:
        """Take over the slides that were measured."""
        self.done |= done
        self.failed += failed

    @property
    def tiles(self) -> int:
        """How many tiles have been measured."""
        return sum(record.tiles for record in self.done.values())

    @property
    def kept(self) -> int:
        """How many of them are kept."""
        return sum(record.kept for record in self.done.values())

    def mean_fractions(self) -> dict[str, float]:
        """Return the mean over all tiles of each key's fraction."""
        records = list(self.done.values())
        # Weighted by tiles, as if all slides were one. A mean of slides' means would let a biopsy
        # count as much as a resection.
        sums = Counter[str]()
        for record in records:
            sums.update(record.sums)
        # Slides smaller than a tile have none with --last drop.
        declared = self.settings.options.selection.declared_keys
        return {key: sums[key] / max(self.tiles, 1) for key in key_names(records, declared)}

    def warnings(self) -> Iterator[str]:
        """Yield what the user should know, most urgent first."""
        means = self.mean_fractions()
        for key in self.settings.conditions.keys:
            if self.done and not means.get(key):
                held = ", ".join(key for key, mean in means.items() if mean) or "nothing"
                yield f"--keep asks for {key}, which no tile holds; found: {held}"
        if self.pairing.overlays:
            names = some(self.pairing.overlays)
            yield f"not treated as slides, because they are overlays of others: {names}"
        # One line for each note with all its slides: a cohort from one scanner has the same notes.
        notes: dict[str, list[str]] = {}
        for pair, texts in self._notes():
            for text in texts:
                notes.setdefault(text, []).append(pair.slide)
        yield from (f"{some(slides)}: {text}" for text, slides in notes.items())

    def _notes(self) -> Iterator[tuple[SlidePair, list[str]]]:
        yield from ((pair, record.warnings) for pair, record in self.done.items())
        # Else they are in the records.
        if self.dry_run:
            yield from ((plan.pair, list(plan.warnings)) for plan in self.plans.to_do)


def some(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
