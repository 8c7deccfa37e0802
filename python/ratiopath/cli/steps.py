"""The steps of ``ratiopath overlap``: check, find, plan, measure, draw, merge, tell."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

from ratiopath.cli.console import RunProgress, say_error, standard_error
from ratiopath.cli.hints import hint, reason
from ratiopath.cli.outcome import Outcome
from ratiopath.cli.summary import say_summary
from ratiopath.cli.summary_json import say_json
from ratiopath.errors import OverlayError
from ratiopath.runs.checkpoint import OtherSettingsError, Parts
from ratiopath.runs.merge import merge
from ratiopath.runs.pairing import find_jobs
from ratiopath.runs.run import measure, plan_run

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from ratiopath.runs.pairing import Found
    from ratiopath.runs.settings import Settings

_INTERRUPTED = 130
_THREADS = "RATIOPATH_NUM_THREADS"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What decides how a run goes, but not what it measures.

    Attributes:
        output: The table to write.
        plot: Folder for pictures, or None.
        absent: What is written where a value does not occur; None for null.
        keep_all: Write dropped tiles too.
        dry_run: Write nothing.
        as_json: Print the summary as JSON.
        strict: Stop at the first slide that fails.
        restart: Discard what an unfinished run has left.
        threads: How many threads, or None for what the environment says.
    """

    output: Path
    plot: Path | None
    absent: float | None
    keep_all: bool
    dry_run: bool
    as_json: bool
    strict: bool
    restart: bool
    threads: int | None


def run_overlap(slides: list[str], settings: Settings, wishes: Wishes) -> Outcome:
    """Run the command and say what came of it.

    Args:
        slides: Slides, folders and patterns.
        settings: What to measure.
        wishes: How.

    Returns:
        What came of it.

    Raises:
        typer.BadParameter: The settings cannot work; nothing was done.
        typer.Exit: The run was interrupted, or its results cannot be written.
    """
    found = _checked(slides, settings, wishes)
    parts = Parts(wishes.output)
    began = time.perf_counter()
    outcome = Outcome(settings=settings, found=found, dry_run=wishes.dry_run)
    try:
        with _threads(wishes.threads), RunProgress(standard_error()) as progress:
            _run(outcome, parts, wishes, progress)
        if not wishes.dry_run:
            parts.remove_if_empty()
    except KeyboardInterrupt:
        say_error("interrupted", "The same command goes on where this one stopped.")
        raise typer.Exit(_INTERRUPTED) from None
    except (OSError, OverlayError) as error:
        text = hint(error)
        say_error(f"the results cannot be written: {reason(error)}", *([text] if text else []))
        raise typer.Exit(1) from error
    outcome.seconds = time.perf_counter() - began
    (say_json if wishes.as_json else say_summary)(outcome)
    return outcome


def _checked(slides: list[str], settings: Settings, wishes: Wishes) -> Found:
    """Refuse what cannot work before any slide is opened."""
    try:
        settings.check()
        found = find_jobs(slides, settings.overlay)
    except (OverlayError, ValueError, TypeError) as error:
        raise typer.BadParameter(str(error)) from error
    if wishes.output.suffix not in (".parquet", ".pq"):
        raise typer.BadParameter(
            f"{wishes.output} must end in .parquet", param_hint="'--output' / '-o'"
        )
    if wishes.plot is not None and find_spec("matplotlib") is None:
        raise typer.BadParameter(
            "pictures need matplotlib: run pip install 'ratiopath[plots]'", param_hint="'--plot'"
        )
    return found


def _run(outcome: Outcome, parts: Parts, wishes: Wishes, progress: RunProgress) -> None:
    settings, jobs = outcome.settings, outcome.found.jobs
    if not wishes.dry_run:
        _open(parts, settings, restart=wishes.restart)
    progress.stage("Looking at the slides", "slides", len(jobs))
    plans = plan_run(jobs, settings, parts, progress, strict=wishes.strict)
    outcome.planned(plans)
    if wishes.dry_run or (wishes.strict and plans.failed):
        return
    progress.stage("Measuring", "tiles", plans.tiles, len(plans.to_do))
    done, failed = measure(plans, settings, parts, progress, strict=wishes.strict)
    outcome.measured(done, failed)
    if wishes.strict and failed:
        return
    _write(outcome, parts, wishes, progress)


def _open(parts: Parts, settings: Settings, *, restart: bool) -> None:
    try:
        parts.open(settings, restart=restart)
    except OtherSettingsError as error:
        raise typer.BadParameter(
            f"{error}: run it with those to go on, or with --restart to begin anew"
        ) from error


def _write(outcome: Outcome, parts: Parts, wishes: Wishes, progress: RunProgress) -> None:
    done = [(job, outcome.done[job]) for job in outcome.found.jobs if job in outcome.done]
    if not done:
        return
    if wishes.plot is not None:
        _draw(outcome, parts, wishes.plot, progress)
    outcome.rows = merge(
        done,
        parts,
        wishes.output,
        declared=outcome.settings.options.selection.declared_keys,
        keep_all=wishes.keep_all,
        absent=wishes.absent,
    )
    outcome.output = wishes.output
    # What is done is kept for the run that will do what has failed.
    if not outcome.failed:
        parts.remove()


def _draw(outcome: Outcome, parts: Parts, folder: Path, progress: RunProgress) -> None:
    from ratiopath.cli.pictures import draw_pictures  # noqa: PLC0415 - matplotlib only where asked for

    draw_pictures(outcome, parts, folder, progress)


@contextmanager
def _threads(count: int | None) -> Generator[None]:
    """Set how many threads the pipeline uses, for the length of a block."""
    before = os.environ.get(_THREADS)
    if count is not None:
        os.environ[_THREADS] = str(count)
    try:
        yield
    finally:
        if count is not None:
            os.environ.pop(_THREADS)
            os.environ.update({} if before is None else {_THREADS: before})
