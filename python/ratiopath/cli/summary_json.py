"""The outcome of a run, for programs; the documentation of the command line lists the fields."""

# Its names are a contract with scripts, and stay when names in the code change.

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

import ratiopath
from ratiopath.cli.hints import failure_hint, reason

if TYPE_CHECKING:
    from ratiopath.cli.outcome import Outcome
    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.plan import SlidePlan


def say_json(outcome: Outcome) -> None:
    """Print the outcome of a run as JSON."""
    typer.echo(json.dumps(as_json(outcome), indent=2))


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome of a run as what JSON can hold."""
    return {
        "ratiopath": ratiopath.__version__,
        "status": _status(outcome),
        "keep": str(outcome.settings.conditions),
        "slides": [
            _slide_json(outcome, pair) for pair in outcome.pairing.pairs if pair in outcome.done
        ],
        "to_do": [_plan_json(plan) for plan in outcome.plans.to_do] if outcome.dry_run else [],
        "failed": [
            {
                "path": failure.pair.slide,
                "overlay_path": failure.pair.overlay,
                "error": type(failure.error).__name__,
                "reason": reason(failure.error),
                "way_out": failure_hint(failure),
            }
            for failure in outcome.failed
        ],
        "skipped": [pair.slide for pair in outcome.plans.skipped],
        "tiles": outcome.tiles,
        "kept": outcome.kept,
        "dropped": outcome.tiles - outcome.kept,
        "coverage": outcome.mean_fractions(),
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


def _slide_json(outcome: Outcome, pair: SlidePair) -> dict[str, Any]:
    record = outcome.done[pair]
    picture = outcome.pictures.get(pair)
    return {
        "path": pair.slide,
        "overlay_path": pair.overlay if record.overlay_found else None,
        "tiles": record.tiles,
        "kept": record.kept,
        # A slide without tiles has no sums, so nothing is divided by 0.
        "coverage": {key: total / record.tiles for key, total in record.sums.items()},
        **{name: record.row[name] for name in ("extent_x", "extent_y", "mpp_x", "mpp_y", "level")},
        "overlay_level": record.overlay_level,
        "done_before": pair in outcome.plans.done,
        "picture": None if picture is None else str(picture),
    }


def _plan_json(plan: SlidePlan) -> dict[str, Any]:
    return {
        "path": plan.pair.slide,
        "overlay_path": plan.pair.overlay,
        "overlay_found": plan.overlay_found,
        "tiles": plan.tiles,
        "extent_x": plan.slide.extent[0],
        "extent_y": plan.slide.extent[1],
        "mpp_x": plan.mpp[0],
        "mpp_y": plan.mpp[1],
        "level": plan.slide.level,
        "overlay_level": plan.overlay_level,
    }
