"""What came of a run, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import ratiopath
from ratiopath.cli.ways_out import reason, way_out
from ratiopath.runs.merge import key_names
from ratiopath.runs.run import Plans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ratiopath.runs.jobs import Found, Job
    from ratiopath.runs.parts import Record
    from ratiopath.runs.run import Failure
    from ratiopath.runs.settings import Settings

# Slides that a table lists; the JSON has all.
LISTED = 20


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
            names = _some(self.found.overlays)
            yield f"not taken for slides, being overlays of others: {names}"
        notes: dict[str, list[str]] = {}
        for job, texts in self._notes():
            for text in texts:
                notes.setdefault(text, []).append(job.slide)
        yield from (f"{_some(slides)}: {text}" for text, slides in notes.items())

    def _notes(self) -> Iterator[tuple[Job, list[str]]]:
        yield from ((job, record.warnings) for job, record in self.done.items())
        if self.dry_run:
            yield from ((plan.job, list(plan.warnings)) for plan in self.plans.to_do)


def say_summary(outcome: Outcome) -> None:
    """Print what came of a run."""
    console = Console(highlight=False)
    if outcome.dry_run:
        _say_plans(outcome, console)
    elif outcome.done:
        _say_slides(outcome, console)
        _say_tiles(outcome, console)
    for text in outcome.warnings():
        console.print(f"[yellow]note:[/] {escape(text)}", soft_wrap=True)
    _say_skipped(outcome, console)
    _say_failed(outcome, console)
    _say_files(outcome, console)


def say_json(outcome: Outcome) -> None:
    """Print what came of a run as JSON."""
    typer.echo(json.dumps(as_json(outcome), indent=2))


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return what came of a run; the documentation of the command line lists the fields."""
    return {
        "ratiopath": ratiopath.__version__,
        "status": _status(outcome),
        "keep": str(outcome.settings.conditions),
        "slides": [_slide_json(outcome, job) for job in outcome.found.jobs if job in outcome.done],
        "to_do": [_plan_json(plan) for plan in outcome.plans.to_do] if outcome.dry_run else [],
        "failed": [
            {
                "path": failure.job.slide,
                "overlay_path": failure.job.overlay,
                "error": type(failure.error).__name__,
                "reason": reason(failure.error),
                "way_out": way_out(failure),
            }
            for failure in outcome.failed
        ],
        "skipped": [job.slide for job in outcome.plans.skipped],
        "tiles": outcome.tiles,
        "kept": outcome.kept,
        "dropped": outcome.tiles - outcome.kept,
        "coverage": outcome.coverage(),
        "notes": list(outcome.warnings()),
        "output": None if outcome.output is None else str(outcome.output),
        "rows": outcome.rows,
        "contact_sheets": list(map(str, outcome.sheets)),
        "seconds": round(outcome.seconds, 3),
    }


def _status(outcome: Outcome) -> str:
    if outcome.failed:
        return "failed"
    return "planned" if outcome.dry_run else "done"


def _slide_json(outcome: Outcome, job: Job) -> dict[str, Any]:
    record = outcome.done[job]
    picture = outcome.pictures.get(job)
    return {
        "path": job.slide,
        "overlay_path": job.overlay if record.overlay_found else None,
        "tiles": record.tiles,
        "kept": record.kept,
        "coverage": {key: total / record.tiles for key, total in record.coverage.items()},
        **{name: record.row[name] for name in ("extent_x", "extent_y", "mpp_x", "mpp_y", "level")},
        "overlay_level": record.overlay_level,
        "done_before": job in outcome.plans.done,
        "picture": None if picture is None else str(picture),
    }


def _plan_json(plan: Any) -> dict[str, Any]:
    return {
        "path": plan.job.slide,
        "overlay_path": plan.job.overlay,
        "overlay_found": plan.overlay_found,
        "tiles": plan.tiles,
        **{name: plan.row[name] for name in ("extent_x", "extent_y", "mpp_x", "mpp_y", "level")},
        "overlay_level": plan.overlay_level,
    }


def _say_plans(outcome: Outcome, console: Console) -> None:
    plans = outcome.plans
    table = _table("slide", "level px", "µm/px", "tiles", "overlay")
    for plan in plans.to_do[:LISTED]:
        row = plan.row
        found = f"level {plan.overlay_level}" if plan.overlay_found else "none: covered by nothing"
        table.add_row(
            escape(plan.job.slide),
            f"{row['extent_x']} x {row['extent_y']}",
            f"{row['mpp_x']:.4g}",
            f"{plan.tiles:,}",
            f"{escape(plan.job.overlay)}, {found}",
        )
    _say_table(table, len(plans.to_do), console)
    console.print(f"{_count(len(plans.to_do), 'slide')} to do, {plans.tiles:,} tiles.")
    if plans.done:
        console.print(f"{_count(len(plans.done), 'slide')} done by an earlier run.")
    console.print("Nothing was written: this was a dry run.")


def _say_slides(outcome: Outcome, console: Console) -> None:
    table = _table("slide", "µm/px", "tiles", "kept", "")
    for job, record in list(outcome.done.items())[:LISTED]:
        table.add_row(
            escape(job.slide),
            f"{record.row['mpp_x']:.4g}",
            f"{record.tiles:,}",
            f"{record.kept:,}",
            "done before" if job in outcome.plans.done else "",
        )
    _say_table(table, len(outcome.done), console)


def _say_tiles(outcome: Outcome, console: Console) -> None:
    tiles, kept = outcome.tiles, outcome.kept
    share = f" ({kept / tiles:.1%})" if tiles else ""
    console.print(
        f"[bold]{kept:,} of {tiles:,} tiles kept[/]{share}, {tiles - kept:,} dropped;"
        f" kept is {escape(str(outcome.settings.conditions))}."
    )
    coverage = outcome.coverage()
    parts = [f"{escape(key)} {mean:.1%}" for key, mean in list(coverage.items())[:LISTED]]
    if parts:
        console.print(f"Mean coverage of all tiles: {', '.join(parts)}.", soft_wrap=True)


def _say_skipped(outcome: Outcome, console: Console) -> None:
    skipped = [job.slide for job in outcome.plans.skipped]
    if skipped:
        text = f"{_count(len(skipped), 'slide')} left out for want of an overlay: {_some(skipped)}"
        console.print(escape(text), soft_wrap=True)


def _say_failed(outcome: Outcome, console: Console) -> None:
    if not outcome.failed:
        return
    console.print(f"[bold red]{_count(len(outcome.failed), 'slide')} failed[/]")
    for failure in outcome.failed:
        path = getattr(failure.error, "path", None)
        where = f" ({path})" if path not in (None, failure.job.slide) else ""
        console.print(f"  {escape(failure.job.slide)}", soft_wrap=True)
        console.print(f"    {escape(reason(failure.error) + where)}", soft_wrap=True)
        console.print(f"    -> {escape(way_out(failure))}", soft_wrap=True)
    if outcome.output is not None:
        console.print("Started again, the same command does only the slides that failed.")


def _say_files(outcome: Outcome, console: Console) -> None:
    if outcome.output is not None:
        console.print(f"{escape(str(outcome.output))}: {outcome.rows:,} rows", soft_wrap=True)
    elif not outcome.dry_run:
        console.print("No table was written.")
    pictures = list(map(str, [*outcome.sheets, *outcome.pictures.values()]))
    for path in pictures[:LISTED]:
        console.print(escape(path), soft_wrap=True)
    if len(pictures) > LISTED:
        console.print(f"and {len(pictures) - LISTED} pictures more")


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        right = name in ("tiles", "kept", "µm/px", "level px")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table


def _say_table(table: Table, total: int, console: Console) -> None:
    if table.row_count:
        console.print(table)
    if total > LISTED:
        console.print(f"and {total - LISTED} more")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _some(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
