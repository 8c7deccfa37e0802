"""The steps of ``ratiopath overlap``: check, find, plan, measure, draw, merge, report."""

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
from ratiopath.runs.checkpoint import Checkpoint, OtherSettingsError
from ratiopath.runs.pairing import find_pairs
from ratiopath.runs.run import measure, plan_run
from ratiopath.runs.table import merge

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from ratiopath.runs.pairing import Pairing
    from ratiopath.runs.settings import RunSettings

# What shells return for a command that was stopped by Ctrl-C: 128 and the signal's number.
_INTERRUPTED = 130
_THREADS = "RATIOPATH_NUM_THREADS"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run goes, which does not change what it measures.

    So these may differ between a run and its continuation, unlike `RunSettings`.

    Attributes:
        output: The table to write.
        plot: Folder for pictures, or None.
        absent: What to write if a value does not occur in a tile; None for null.
        keep_all: Also write dropped tiles.
        dry_run: Write nothing.
        as_json: Print the summary as JSON.
        strict: Stop at the first slide that fails.
        restart: Discard an unfinished run's results and start over.
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


def run_overlap(slides: list[str], settings: RunSettings, options: RunOptions) -> Outcome:
    """Run the command and print its outcome.

    Args:
        slides: Slides, folders and patterns.
        settings: What to measure.
        options: How to go about it.

    Returns:
        The outcome.

    Raises:
        typer.BadParameter: The settings cannot work; nothing was done.
        typer.Exit: The run was interrupted, or its results cannot be written.
    """
    pairing = _checked(slides, settings, options)
    checkpoint = Checkpoint(options.output)
    began = time.perf_counter()
    outcome = Outcome(settings=settings, pairing=pairing, dry_run=options.dry_run)
    try:
        with _threads(options.threads), RunProgress(standard_error()) as progress:
            _run(outcome, checkpoint, options, progress)
        if not options.dry_run:
            checkpoint.remove_if_empty()
    except KeyboardInterrupt:
        say_error("interrupted", "The same command goes on where this one stopped.")
        raise typer.Exit(_INTERRUPTED) from None
    except (OSError, OverlayError) as error:
        text = hint(error)
        say_error(f"the results cannot be written: {reason(error)}", *([text] if text else []))
        raise typer.Exit(1) from error
    outcome.seconds = time.perf_counter() - began
    (say_json if options.as_json else say_summary)(outcome)
    return outcome


def _checked(slides: list[str], settings: RunSettings, options: RunOptions) -> Pairing:
    """Refuse what cannot work, before any slide is opened."""
    try:
        settings.check()
        pairing = find_pairs(slides, settings.overlay)
    except (OverlayError, ValueError, TypeError) as error:
        raise typer.BadParameter(str(error)) from error
    if options.output.suffix not in (".parquet", ".pq"):
        raise typer.BadParameter(
            f"{options.output} must end in .parquet", param_hint="'--output' / '-o'"
        )
    # Only looked for: matplotlib is imported once the slides are measured, see `_draw`.
    if options.plot is not None and find_spec("matplotlib") is None:
        raise typer.BadParameter(
            "pictures need matplotlib: run pip install 'ratiopath[plots]'", param_hint="'--plot'"
        )
    return pairing


def _run(
    outcome: Outcome, checkpoint: Checkpoint, options: RunOptions, progress: RunProgress
) -> None:
    settings, pairs = outcome.settings, outcome.pairing.pairs
    if not options.dry_run:
        _open(checkpoint, settings, restart=options.restart)
    progress.stage("Looking at the slides", "slides", len(pairs))
    # All slides before the first is measured: most mistakes show here, within seconds.
    plans = plan_run(pairs, settings, checkpoint, progress, strict=options.strict)
    outcome.planned(plans)
    if options.dry_run or (options.strict and plans.failed):
        return
    progress.stage("Measuring", "tiles", plans.tiles, len(plans.to_do))
    done, failed = measure(plans, settings, checkpoint, progress, strict=options.strict)
    outcome.measured(done, failed)
    if options.strict and failed:
        return
    _write(outcome, checkpoint, options, progress)


def _open(checkpoint: Checkpoint, settings: RunSettings, *, restart: bool) -> None:
    try:
        checkpoint.open(settings, restart=restart)
    except OtherSettingsError as error:
        raise typer.BadParameter(
            f"{error}: repeat those options to continue it, or add --restart to start over"
        ) from error


def _write(
    outcome: Outcome, checkpoint: Checkpoint, options: RunOptions, progress: RunProgress
) -> None:
    # In the order in which the slides were given, not that in which they were measured.
    done = [(pair, outcome.done[pair]) for pair in outcome.pairing.pairs if pair in outcome.done]
    if not done:
        return
    if options.plot is not None:
        _draw(outcome, checkpoint, options.plot, progress)
    outcome.rows = merge(
        done,
        checkpoint,
        options.output,
        declared=outcome.settings.options.selection.declared_keys,
        keep_all=options.keep_all,
        absent=options.absent,
    )
    outcome.output = options.output
    # Kept for the next run, which then measures only the slides that failed.
    if not outcome.failed:
        checkpoint.remove()


def _draw(outcome: Outcome, checkpoint: Checkpoint, folder: Path, progress: RunProgress) -> None:
    from ratiopath.cli.pictures import draw_pictures  # noqa: PLC0415 - matplotlib only where asked for

    draw_pictures(outcome, checkpoint, folder, progress)


@contextmanager
def _threads(count: int | None) -> Generator[None]:
    """Set how many threads the pipeline uses within a block."""
    # By the environment, which the pipeline reads at each call: there is no global pool to set.
    before = os.environ.get(_THREADS)
    if count is not None:
        os.environ[_THREADS] = str(count)
    try:
        yield
    finally:
        if count is not None:
            os.environ.pop(_THREADS)
            os.environ.update({} if before is None else {_THREADS: before})
