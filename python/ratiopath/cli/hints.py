"""What a user of the command line can do about an error.

Errors carry a remedy of their own, in the words of the Python functions. Here each code gets one in
the words of the command line, save where the remedy is about the file and so the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratiopath.errors import CODES, OverlayError

if TYPE_CHECKING:
    from ratiopath.runs.run import SlideFailure

_LEVELS = "choose another --level or --overlay-level; ratiopath info FILE lists them"
_HEATMAP = "count ranges with --bins 0,0.5,1, or gather values with --classes other=NAME"
_BAD_FILE = "the file is damaged or of an unknown kind: replace it, or leave the slide out"
_AGAIN = "start the same command again"

# By code; see `ratiopath.errors.CODES`. A code that is not here has no hint.
HINTS: dict[str, str] = {
    "not_found": (
        "check --overlay; --on-missing skip leaves such slides out, --on-missing empty counts"
        " them as having no overlay pixels"
    ),
    "unreachable": f"the storage may answer another time: {_AGAIN}",
    "not_permitted": f"make sure that you may read the file, then {_AGAIN}",
    "corrupt": _BAD_FILE,
    "unsupported": _BAD_FILE,
    "not_a_file": "--overlay must lead to a file, or to a folder that holds a Zarr",
    "replaced": _AGAIN,
    "blended_level": _LEVELS,
    "unknown_resolution": (
        "--overlay-mpp says it; --spans-slide takes overlays to span their slides"
    ),
    "no_such_level": _LEVELS,
    "no_such_channel": "--channel counts from 0",
    "needs_channel": "choose one with --channel 0",
    "undeclared_class": "name it in --classes, or gather the rest with --classes other=NAME",
    "outside_bins": "let --bins begin with -inf and end with inf",
    "ambiguous_class": "declare each value once, in --classes or in --nodata",
    "too_many_values": _HEATMAP,
    "not_in_dtype": "choose an --outside that the overlay's samples can hold",
    "unplaceable": "check --roi, --mpp and --overlay-mpp",
}

# What differs where the file is the slide, to which other options belong.
SLIDE_HINTS: dict[str, str] = {
    "not_found": "check the path",
    "not_a_file": "check the path",
    "unknown_resolution": "--slide-mpp says how many µm a pixel of level 0 measures",
}

# Their remedies say what to do with the file, or what to install, and name no argument of Python's:
# one that is particular to the file says more than any hint here.
REMEDY_IS_HINT = frozenset({"missing_package", "no_ranges", "too_large", "unsupported"})

# Of errors that are not this package's, the narrower kinds first.
_KINDS: dict[type[Exception], str] = {
    MemoryError: "--threads 1 takes less memory",
    OSError: "make sure that the folder of --output can be written to and has room",
}


def reason(error: Exception) -> str:
    """Return what is wrong, without the path and without the remedy for Python."""
    text = error.reason if isinstance(error, OverlayError) else str(error)
    return text or type(error).__name__


def hint(error: Exception, *, of_slide: bool = False) -> str | None:
    """Return what to do about an error, in the command line's options.

    Args:
        error: The error.
        of_slide: Whether the file is the slide rather than its overlay.

    Returns:
        The hint; None where the reason is all that is known.
    """
    if not isinstance(error, OverlayError):
        return next((text for kind, text in _KINDS.items() if isinstance(error, kind)), None)
    if error.code in REMEDY_IS_HINT and error.remedy != CODES[error.code].remedy:
        return error.remedy
    if of_slide and error.code in SLIDE_HINTS:
        return SLIDE_HINTS[error.code]
    return HINTS.get(error.code, error.remedy if error.code in REMEDY_IS_HINT else None)


def failure_hint(failure: SlideFailure) -> str | None:
    """Return what to do about a slide that failed; None where its reason is all that is known."""
    error, pair = failure.error, failure.pair
    path = error.path if isinstance(error, OverlayError) else None
    return hint(error, of_slide=path == pair.slide != pair.overlay)
