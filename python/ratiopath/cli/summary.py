"""The outcome of a run, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ratiopath.cli.hints import failure_hint, reason
from ratiopath.cli.outcome import some

if TYPE_CHECKING:
    from ratiopath.cli.outcome import Outcome

# Slides listed in a table, so that a cohort does not scroll the result away; the JSON has all.
LISTED = 20


def say_summary(outcome: Outcome) -> None:
    """Print the outcome of a run."""
    # Throughout: paths and class names may contain brackets, which rich would take for markup, and
    # a path that is wrapped cannot be copied.
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


def _say_plans(outcome: Outcome, console: Console) -> None:
    plans = outcome.plans
    table = _table("slide", "level px", "µm/px", "tiles", "overlay")
    for plan in plans.to_do[:LISTED]:
        found = f"level {plan.overlay_level}" if plan.overlay_found else "missing"
        table.add_row(
            escape(plan.pair.slide),
            " x ".join(map(str, plan.slide.extent)),
            f"{plan.mpp[0]:.4g}",
            f"{plan.tiles:,}",
            f"{escape(plan.pair.overlay)}, {found}",
        )
    _say_table(table, len(plans.to_do), console)
    console.print(f"{_count(len(plans.to_do), 'slide')} to do, {plans.tiles:,} tiles.")
    if plans.done:
        console.print(f"{_count(len(plans.done), 'slide')} done by an earlier run.")
    console.print("Nothing was written: this was a dry run.")


def _say_slides(outcome: Outcome, console: Console) -> None:
    table = _table("slide", "µm/px", "tiles", "kept", "")
    for pair, record in list(outcome.done.items())[:LISTED]:
        table.add_row(
            escape(pair.slide),
            f"{record.row['mpp_x']:.4g}",
            f"{record.tiles:,}",
            f"{record.kept:,}",
            "done before" if pair in outcome.plans.done else "",
        )
    _say_table(table, len(outcome.done), console)


def _say_tiles(outcome: Outcome, console: Console) -> None:
    tiles, kept = outcome.tiles, outcome.kept
    share = f" ({kept / tiles:.1%})" if tiles else ""
    console.print(
        f"[bold]{kept:,} of {tiles:,} tiles kept[/]{share}, {tiles - kept:,} dropped;"
        f" kept is {escape(str(outcome.settings.conditions))}."
    )
    means = outcome.mean_fractions()
    texts = [f"{escape(key)} {mean:.1%}" for key, mean in list(means.items())[:LISTED]]
    if texts:
        console.print(f"Mean fractions of all tiles: {', '.join(texts)}.", soft_wrap=True)


def _say_skipped(outcome: Outcome, console: Console) -> None:
    skipped = [pair.slide for pair in outcome.plans.skipped]
    if skipped:
        text = f"{_count(len(skipped), 'slide')} left out for want of an overlay: {some(skipped)}"
        console.print(escape(text), soft_wrap=True)


def _say_failed(outcome: Outcome, console: Console) -> None:
    if not outcome.failed:
        return
    console.print(f"[bold red]{_count(len(outcome.failed), 'slide')} failed[/]")
    for failure in outcome.failed:
        path = getattr(failure.error, "path", None)
        where = f" ({path})" if path not in (None, failure.pair.slide) else ""
        console.print(f"  {escape(failure.pair.slide)}", soft_wrap=True)
        console.print(f"    {escape(reason(failure.error) + where)}", soft_wrap=True)
        text = failure_hint(failure)
        if text is not None:
            console.print(f"    -> {escape(text)}", soft_wrap=True)
    if outcome.output is not None:
        console.print("If run again, the same command does only the slides that failed.")


def _say_files(outcome: Outcome, console: Console) -> None:
    if outcome.output is not None:
        console.print(f"{escape(str(outcome.output))}: {outcome.rows:,} rows", soft_wrap=True)
    elif not outcome.dry_run:
        console.print("No table was written.")
    pictures = list(map(str, [*outcome.sheets, *outcome.pictures.values()]))
    for path in pictures[:LISTED]:
        console.print(escape(path), soft_wrap=True)
    if len(pictures) > LISTED:
        console.print(f"and {len(pictures) - LISTED} more pictures")


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
