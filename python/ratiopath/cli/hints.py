"""What a user of the command line can do about an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratiopath.errors import (
    OverlayAccessError,
    OverlayError,
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayResolutionError,
)

if TYPE_CHECKING:
    from ratiopath.runs.run import Failure

# What an error says, and the option that helps.
_WORDS = {
    "among the classes": "name it in --classes, or gather the rest with --classes other=NAME",
    "in no bin": "let --bins begin with -inf and end with inf",
    "heatmap": "count ranges with --bins 0,0.5,1, or gather values with --classes other=NAME",
    "bins need channel": "choose one with --channel 0",
    "channel": "--channel counts from 0",
    "is no value of": "choose an --outside that the overlay's samples can hold",
    "level": "choose another --level or --overlay-level; ratiopath info FILE lists them",
}

# The way out of any other error of a kind, the narrower kinds first.
_KINDS: dict[type[Exception], str] = {
    OverlayFormatError: (
        "the file is damaged or of an unknown kind: replace it, or leave the slide out"
    ),
    OverlayAccessError: "the storage may answer another time: start the same command again",
    MemoryError: "--threads 1 takes less memory",
    OSError: "make sure that the folder of --output can be written to and has room",
}


def reason(error: Exception) -> str:
    """Return what is wrong, without the path, and without the way out for Python."""
    text = error.reason if isinstance(error, OverlayError) else str(error)
    return text.partition(": pass ")[0] or type(error).__name__


def way_out(failure: Failure) -> str | None:
    """Return what to do about a slide that could not be done, in the command line's options.

    None where the error's own reason is all that is known.
    """
    error, job = failure.error, failure.job
    of_slide = isinstance(error, OverlayError) and error.path == job.slide != job.overlay
    if isinstance(error, OverlayResolutionError):
        if of_slide:
            return "--slide-mpp says how many µm a pixel of level 0 measures"
        return "--overlay-mpp says it; --spans-slide takes overlays to span their slides"
    if isinstance(error, OverlayNotFoundError):
        return (
            "check --overlay; --on-missing skip leaves such slides out, --on-missing empty counts"
            " them as covered by nothing"
        )
    text = str(error)
    for words, option in _WORDS.items():
        if words in text:
            return option
    return next((way for kind, way in _KINDS.items() if isinstance(error, kind)), None)
