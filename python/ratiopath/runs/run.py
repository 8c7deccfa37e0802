"""A run: every slide is planned, then measured or found done; one bad slide costs only itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ratiopath.errors import OverlayError
from ratiopath.runs.measure_slide import measure_slide
from ratiopath.runs.plan import plan_slide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratiopath.runs.checkpoint import Checkpoint, SlideRecord
    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.plan import SlidePlan
    from ratiopath.runs.settings import RunSettings

# What a bad file may raise: whatever a codec raises is an OverlayError by then. Anything else is a
# fault of this package, and stops the run with its traceback.
SLIDE_ERRORS = (OverlayError, OSError, ValueError, MemoryError)


@dataclass(frozen=True)
class SlideFailure:
    """A slide that failed.

    Attributes:
        pair: The slide and its overlay.
        error: Why.
    """

    pair: SlidePair
    error: Exception


@dataclass
class RunPlan:
    """The work of a run.

    Attributes:
        to_do: The slides to measure.
        done: Slides that an earlier run has measured.
        failed: Slides that cannot be measured.
        skipped: Slides that are left out because they have no overlay.
    """

    to_do: list[SlidePlan] = field(default_factory=list)
    done: dict[SlidePair, SlideRecord] = field(default_factory=dict)
    failed: list[SlideFailure] = field(default_factory=list)
    skipped: list[SlidePair] = field(default_factory=list)

    @property
    def tiles(self) -> int:
        """How many tiles are to be measured."""
        return sum(plan.tiles for plan in self.to_do)


class RunObserver:
    """Is told what a run does; this one ignores it."""

    def planned(self, pair: SlidePair) -> None:
        """A slide was planned, skipped, or found done or bad."""

    def begins(self, plan: SlidePlan) -> None:
        """The tiles of a slide are about to be measured."""

    def advances(self, tiles: int) -> None:
        """So many more tiles are measured."""

    def ends(self, plan: SlidePlan, record: SlideRecord) -> None:
        """A slide is done."""

    def fails(self, failure: SlideFailure) -> None:
        """A slide failed."""


def plan_run(
    pairs: Sequence[SlidePair],
    settings: RunSettings,
    checkpoint: Checkpoint,
    observer: RunObserver,
    *,
    strict: bool,
) -> RunPlan:
    """Open every slide and its overlay, and lay out the tiles.

    Args:
        pairs: The slides.
        settings: What the run was asked to do.
        checkpoint: What an earlier run may have done.
        observer: Is told of each slide.
        strict: Stop at the first slide that fails.

    Returns:
        The work.
    """
    plans = RunPlan()
    for pair in pairs:
        _plan(pair, settings, checkpoint, plans)
        observer.planned(pair)
        if plans.failed and plans.failed[-1].pair == pair:
            observer.fails(plans.failed[-1])
            if strict:
                break
    return plans


def _plan(pair: SlidePair, settings: RunSettings, checkpoint: Checkpoint, plans: RunPlan) -> None:
    if settings.on_missing == "skip" and not pair.overlay_exists:
        plans.skipped.append(pair)
    elif (record := checkpoint.find(pair)) is not None:
        plans.done[pair] = record
    else:
        try:
            plans.to_do.append(plan_slide(pair, settings))
        except SLIDE_ERRORS as error:
            plans.failed.append(SlideFailure(pair, error))


def measure(
    plans: RunPlan,
    settings: RunSettings,
    checkpoint: Checkpoint,
    observer: RunObserver,
    *,
    strict: bool,
) -> tuple[dict[SlidePair, SlideRecord], list[SlideFailure]]:
    """Measure the slides that are to be measured.

    Args:
        plans: The work.
        settings: What the run was asked to do.
        checkpoint: Where results are kept, slide by slide.
        observer: Is told of the progress.
        strict: Stop at the first slide that fails.

    Returns:
        The slides that are done, and those that failed.
    """
    done: dict[SlidePair, SlideRecord] = {}
    failed: list[SlideFailure] = []
    for plan in plans.to_do:
        observer.begins(plan)
        try:
            done[plan.pair] = _measured(plan, settings, checkpoint, observer)
        except SLIDE_ERRORS as error:
            failed.append(SlideFailure(plan.pair, error))
            observer.fails(failed[-1])
            if strict:
                break
        else:
            observer.ends(plan, done[plan.pair])
    return done, failed


def _measured(
    plan: SlidePlan, settings: RunSettings, checkpoint: Checkpoint, observer: RunObserver
) -> SlideRecord:
    """Measure a slide's tiles into its part, and return its record."""
    with checkpoint.part(plan, settings) as part:
        for tiles in measure_slide(plan, settings):
            part.add(tiles)
            observer.advances(len(tiles.x))
    return part.record
