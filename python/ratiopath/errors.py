"""What can go wrong with an overlay, as exceptions that say what, where, and the way out.

Every error carries the ``path`` of the file and the ``row`` of the batch, a ``code`` for programs
and a ``remedy`` for people. It shows path, row and remedy in its message, and it survives pickling
together with its cause, because it is mostly raised inside a Ray worker and read on the driver.

The classes are named after overlays, the first thing that was read here. They are raised for
slides and annotations too, so no message calls the file an overlay unless it must be one.
"""

from __future__ import annotations

import errno
import pickle
import re
from typing import Any, ClassVar, NamedTuple, Self

# What stands before "://" is a scheme, or several: fsspec chains them, as in simplecache::https.
_URL = re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]*://)([^\s'\"<>]*)")


class Explanation(NamedTuple):
    """What a code stands for.

    Attributes:
        meaning: One line, for the documentation.
        remedy: What most users can do, in the words of the Python functions, or None.
    """

    meaning: str
    remedy: str | None = None


# Every code that the package raises, and nothing else. The command line words its hints by these,
# and users branch on them: a message may be reworded, a code stays.
CODES: dict[str, Explanation] = {
    # OverlayNotFoundError
    "not_found": Explanation("there is no such file", "check the path"),
    "null_path": Explanation("a row's path is null", "leave such rows out"),
    # OverlayAccessError
    "unreachable": Explanation("the storage does not answer, or not in full", "try again"),
    "not_permitted": Explanation(
        "reading is not permitted; of a local file an OverlayFormatError", "check the permissions"
    ),
    "no_ranges": Explanation(
        "the server sends whole files only, or does not say how large they are",
        "download the file, or serve it from a server that sends ranges of bytes",
    ),
    # OverlayFormatError
    "corrupt": Explanation("the file is damaged or cut off", "repair or replace it"),
    "unsupported": Explanation(
        "the file may be sound, but its format is not read", "convert it to a tiled TIFF"
    ),
    "unsupported_annotations": Explanation(
        "annotations are read from GeoJSON, ASAP XML and GeoParquet, and this is none of them",
        "export the annotations as GeoJSON",
    ),
    "no_such_column": Explanation(
        "a GeoParquet file lacks a column", "class_column= names the column of classes"
    ),
    "too_large": Explanation(
        "what is decoded at once exceeds 256 MiB", "rewrite the file as a tiled TIFF"
    ),
    "not_a_file": Explanation(
        "a folder, named pipe or device stands where a file should be",
        "give the path of a file",
    ),
    "replaced": Explanation("the file was replaced or deleted while it was read", "read it again"),
    "missing_package": Explanation("an optional package reads such files, and is not installed"),
    "blended_level": Explanation(
        "OpenSlide would blend pixels of this level", "choose another one with level="
    ),
    "invalid_polygon": Explanation(
        "annotations hold invalid polygons, and invalid='error'", "invalid='repair' mends them"
    ),
    # OverlayResolutionError
    "unknown_resolution": Explanation(
        "nothing says how many µm a pixel measures",
        "pass overlay_mpp_x and overlay_mpp_y, or, where the overlay spans the slide,"
        " slide_extent_x and slide_extent_y",
    ),
    # OverlayValueError
    "invalid_number": Explanation(
        # The reason says which numbers would do.
        "a row's number is null, not finite or out of range"
    ),
    "unplaceable": Explanation(
        "a tile cannot be laid on the file: region, place or scale are out of all proportion",
        "check the ROI and the µm per pixel",
    ),
    "no_such_level": Explanation(
        "the file lacks the level asked for", "choose a level that it has"
    ),
    "no_such_channel": Explanation("the file lacks the channel asked for", "channels count from 0"),
    "needs_channel": Explanation(
        "bins and statistics are of one channel, and the file has several",
        "choose one with channel=",
    ),
    "undeclared_class": Explanation(
        "a value or class is not among the declared ones",
        "declare it, or 'other' to gather the rest",
    ),
    "outside_bins": Explanation("a value lies in no bin", "let the edges reach -inf and inf"),
    "ambiguous_class": Explanation(
        "in the file's data type a value is declared twice", "declare each value once"
    ),
    "taken_name": Explanation(
        "uncovered= is the name of a class that the file holds", "choose another name"
    ),
    "too_many_values": Explanation(
        "so many distinct values are a heatmap, not labels",
        "pass bins= to count ranges or classes= with 'other'",
    ),
    "no_such_value": Explanation("the file does not hold the value asked for", "check the value"),
    "not_in_dtype": Explanation(
        "the data type cannot hold a number that was given or read",
        "choose a number or a dtype= that fits",
    ),
    "mixed_dtypes": Explanation("overlays of one column differ in data type", "pass dtype="),
    "too_many_pixels": Explanation(
        "the patches asked for need more memory than is allowed",
        "read fewer rows at once (in Ray, repartition with target_num_rows_per_block first) or a"
        " coarser level=",
    ),
    # Errors made without a code: by users, or by code outside this package.
    "other": Explanation("an error without a code of its own"),
}


def redacted(text: str) -> str:
    """Return a text without the credentials that URLs in it may hold.

    A user and password become ``***``, as does a query, where signed URLs carry their signature.
    """
    return _URL.sub(lambda url: url[1] + _redacted_place(url[2]), text)


def redacted_path(path: str) -> str:
    """Return a path that may be a URL without the credentials it may hold; see `redacted`."""
    # Unlike a URL in a text, a path may hold spaces.
    scheme, separator, place = path.partition("://")
    return scheme + separator + _redacted_place(place) if separator else path


def _redacted_place(place: str) -> str:
    place, query, _ = place.partition("?")
    host, slash, rest = place.partition("/")
    _, user, host = host.rpartition("@")
    return ("***@" if user else "") + host + slash + rest + ("?***" if query else "")


class OverlayError(RuntimeError):
    """Base class of everything that reading an overlay, a slide or annotations can raise.

    Args:
        reason: What is wrong, in one sentence without its full stop.
        path: The file's path, or None where no file is involved; URLs without user, password and
            query.
        row: The row of the batch, counted from 0, or None where no row is known.
        code: Which kind of trouble it is, one of `CODES`.
        remedy: What the user can do, where that of the code does not say it well.

    Attributes:
        reason: As given, without the remedy.
        path: As given.
        row: As given.
        code: A word for programs, such as ``"no_such_level"``; stays as it is from version to
            version, while messages may be reworded.
        remedy: The way out, which the message ends with; None where there is none.
    """

    default_code: ClassVar[str] = "other"
    errno_of_kind: ClassVar[int | None] = None

    def __init__(
        self,
        reason: str,
        path: str | None = None,
        row: int | None = None,
        *,
        code: str | None = None,
        remedy: str | None = None,
    ) -> None:
        reason, path = redacted(reason), None if path is None else redacted_path(path)
        super().__init__(reason, path, row)
        if isinstance(self, OSError):
            _describe(self, self.errno_of_kind, reason, path)
        self.reason = reason
        self.path = path
        self.row = row
        self.code = code or self.default_code
        # Whoever gives no code has put into the reason what there is to say.
        explained = CODES.get(code or "")
        remedy = remedy or (explained.remedy if explained else None)
        self.remedy = None if remedy is None else redacted(remedy)

    def __str__(self) -> str:
        text = self.reason if self.remedy is None else f"{self.reason}: {self.remedy}"
        place = []
        if self.path is not None:
            place.append(f"path={self.path!r}")
        if self.row is not None:
            place.append(f"row={self.row}")
        return f"{text} ({', '.join(place)})" if place else text

    def at_row(self, row: int) -> Self:
        """Return the same error, cause included, placed at a row of the batch."""
        placed = self._copy()
        placed.row = row
        return placed

    def with_remedy(self, remedy: str | None) -> Self:
        """Return the same error, cause included, with another way out or none."""
        mended = self._copy()
        mended.remedy = remedy
        return mended

    def _copy(self) -> Self:
        copied = type(self)(self.reason, self.path, self.row)
        copied.code, copied.remedy, copied.__cause__ = self.code, self.remedy, self.__cause__
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are made anew from arguments by position; what has only a name comes after.
        state = {
            "code": self.code,
            "remedy": self.remedy,
            "__cause__": _picklable(self.__cause__),
        }
        return type(self), (self.reason, self.path, self.row), state


class OverlayNotFoundError(OverlayError, FileNotFoundError):
    """The file does not exist, or its path is null."""

    default_code = "not_found"
    errno_of_kind = errno.ENOENT


class OverlayAccessError(OverlayError, OSError):
    """A remote file could not be read, though it may exist.

    No connection, a time-out, no permission, or a server that fails or sends no byte ranges.
    Trying again may help; nothing says that the file is missing or broken.
    """

    default_code = "unreachable"


class OverlayFormatError(OverlayError):
    """The file is corrupt, truncated, or of a kind that no backend reads."""

    default_code = "corrupt"


class OverlayResolutionError(OverlayError):
    """Nothing says how many µm a pixel of the file measures."""

    default_code = "unknown_resolution"


class OverlayValueError(OverlayError, ValueError):
    """A row's numbers, or a value found in the file, are not what the call allows."""

    default_code = "invalid_number"


def _describe(error: OSError, number: int | None, reason: str, path: str | None) -> None:
    """Set what Python's handlers of system errors look at."""
    # OSError has taken reason, path and row for these three.
    error.errno, error.strerror, error.filename = number, reason, path


def _picklable(cause: BaseException | None) -> BaseException | None:
    try:
        # Some can be written but not read again: what imagecodecs raises, for one.
        pickle.loads(pickle.dumps(cause))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - any failure to pickle means the same: keep its text
        return RuntimeError(repr(cause))
    return cause
