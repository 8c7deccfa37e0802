"""What the command line says can be done about a slide that failed."""

from __future__ import annotations

import pytest

from ratiopath.cli.hints import reason, way_out
from ratiopath.errors import (
    OverlayAccessError,
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayResolutionError,
    OverlayValueError,
)
from ratiopath.placement.resolution import missing_level
from ratiopath.runs.pairing import Job
from ratiopath.runs.run import Failure

JOB = Job("slide.svs", "mask.tif")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OverlayNotFoundError("no such overlay file", "mask.tif"), "check --overlay"),
        (OverlayResolutionError("unknown", "mask.tif"), "--overlay-mpp says it"),
        (OverlayResolutionError("unknown", "slide.svs"), "--slide-mpp says"),
        (missing_level(3, 2, "mask.tif"), "another --level or --overlay-level"),
        (OverlayFormatError("torn", "mask.tif"), "damaged or of an unknown kind"),
        (OverlayAccessError("no answer", "s3://b/m.tif"), "start the same command again"),
        (MemoryError(), "--threads 1"),
        (OSError(28, "No space left on device"), "folder of --output"),
    ],
)
def test_a_failure_has_a_way_out(error, words):
    assert words in (way_out(Failure(JOB, error)) or "")


def test_a_reason_that_says_all_needs_no_way_out():
    error = OverlayValueError("tile_x must be at most 2^53 and not null, got nan", "mask.tif", 3)
    assert way_out(Failure(JOB, error)) is None


def test_a_reason_leaves_out_what_python_would_be_told():
    error = OverlayResolutionError("nothing says it: pass overlay_mpp_x", "mask.tif", 3)
    assert reason(error) == "nothing says it"
    assert reason(MemoryError()) == "MemoryError"
