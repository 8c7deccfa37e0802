"""A run: every slide planned, then measured or found done; one bad slide costs only itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ratiopath.errors import OverlayError
from ratiopath.runs.plan import plan_slide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratiopath.runs.checkpoint import Parts, Record
    from ratiopath.runs.pairing import Job
    from ratiopath.runs.plan import SlidePlan
    from ratiopath.runs.settings import Settings

# What a bad file may raise: whatever a codec makes of it is an OverlayError already.
SLIDE_ERRORS = (OverlayError, OSError, ValueError, MemoryError)


@dataclass(frozen=True)
class Failure:
    """A slide that could not be done.

    Attributes:
        job: The slide and its overlay.
        error: Why.
    """

    job: Job
    error: Exception


@dataclass
class Plans:
    """What a run has to do.

    Attributes:
        to_do: The slides to measure.
        done: Slides that an earlier run has measured.
        failed: Slides that cannot be measured.
        skipped: Slides without an overlay that are left out.
    """

    to_do: list[SlidePlan] = field(default_factory=list)
    done: dict[Job, Record] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    skipped: list[Job] = field(default_factory=list)

    @property
    def tiles(self) -> int:
        """How many tiles are to be measured."""
        return sum(plan.tiles for plan in self.to_do)


class Observer:
    """Told what a run is doing; does nothing with it."""

    def planned(self, job: Job) -> None:
        """Told that a slide was looked at."""

    def begins(self, plan: SlidePlan) -> None:
        """Told that a slide's tiles are being measured."""

    def advances(self, tiles: int) -> None:
        """Told that so many more tiles are measured."""

    def ends(self, plan: SlidePlan, record: Record) -> None:
        """Told that a slide is done."""

    def fails(self, failure: Failure) -> None:
        """Told that a slide cannot be done."""


def plan_run(
    jobs: Sequence[Job], settings: Settings, parts: Parts, observer: Observer, *, strict: bool
) -> Plans:
    """Look at every slide and its overlay.

    Args:
        jobs: The slides.
        settings: What the run was asked to do.
        parts: What an earlier run may have done.
        observer: Told of each slide.
        strict: Stop at the first slide that cannot be done.

    Returns:
        What is to be done.
    """
    plans = Plans()
    for job in jobs:
        _plan(job, settings, parts, plans)
        observer.planned(job)
        if plans.failed and plans.failed[-1].job == job:
            observer.fails(plans.failed[-1])
            if strict:
                break
    return plans


def _plan(job: Job, settings: Settings, parts: Parts, plans: Plans) -> None:
    if settings.on_missing == "skip" and not job.overlay_exists:
        plans.skipped.append(job)
    elif (record := parts.find(job)) is not None:
        plans.done[job] = record
    else:
        try:
            plans.to_do.append(plan_slide(job, settings))
        except SLIDE_ERRORS as error:
            plans.failed.append(Failure(job, error))


def measure(
    plans: Plans, settings: Settings, parts: Parts, observer: Observer, *, strict: bool
) -> tuple[dict[Job, Record], list[Failure]]:
    """Measure what is to be done.

    Args:
        plans: What is to be done.
        settings: What the run was asked to do.
        parts: Where results are kept, slide by slide.
        observer: Told how far it is.
        strict: Stop at the first slide that cannot be done.

    Returns:
        The slides done, and those that could not be.
    """
    done: dict[Job, Record] = {}
    failed: list[Failure] = []
    for plan in plans.to_do:
        observer.begins(plan)
        try:
            done[plan.job] = parts.write(plan, settings, observer.advances)
        except SLIDE_ERRORS as error:
            failed.append(Failure(plan.job, error))
            observer.fails(failed[-1])
            if strict:
                break
        else:
            observer.ends(plan, done[plan.job])
    return done, failed
