"""What can go wrong with an overlay, as exceptions that say where and how to get out.

Every error carries the overlay's ``path`` and the ``row`` of the batch, shows both in its message,
and survives pickling together with its cause, because it is mostly raised inside a Ray worker and
read on the driver.
"""

from __future__ import annotations

import pickle
import re
from typing import Any, Self

_URL = re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]*://)([^\s'\"<>]*)")


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
    """Base class of everything that reading an overlay can raise.

    Args:
        reason: What is wrong and the way out, one sentence or two.
        path: The overlay's path, or None where no file is involved; URLs without user, password
            and query.
        row: The row of the batch, counted from 0, or None where no row is known.
    """

    def __init__(self, reason: str, path: str | None = None, row: int | None = None) -> None:
        reason, path = redacted(reason), None if path is None else redacted_path(path)
        super().__init__(reason, path, row)
        self.reason = reason
        self.path = path
        self.row = row

    def __str__(self) -> str:
        place = []
        if self.path is not None:
            place.append(f"path={self.path!r}")
        if self.row is not None:
            place.append(f"row={self.row}")
        return f"{self.reason} ({', '.join(place)})" if place else self.reason

    def at_row(self, row: int) -> Self:
        """Return the same error, cause included, placed at a row of the batch."""
        placed = type(self)(self.reason, self.path, row)
        placed.__cause__ = self.__cause__
        return placed

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"__cause__": _picklable(self.__cause__)}
        return type(self), (self.reason, self.path, self.row), state


class OverlayNotFoundError(OverlayError, FileNotFoundError):
    """The overlay's file does not exist, or its path is null."""


class OverlayAccessError(OverlayError, OSError):
    """A remote overlay could not be read, though it may exist.

    No connection, a time-out, no permission, or a server that fails or sends no byte ranges.
    Trying again may help; nothing says that the file is missing or broken.
    """


class OverlayFormatError(OverlayError):
    """The file is corrupt, truncated, or of a kind that no backend reads."""


class OverlayResolutionError(OverlayError):
    """Nothing says how many µm a pixel of the overlay measures."""


class OverlayValueError(OverlayError, ValueError):
    """A row's metadata, or a value found in the overlay, is outside what the call allows."""


def _picklable(cause: BaseException | None) -> BaseException | None:
    try:
        # Some can be written but not read again: what imagecodecs raises, for one.
        pickle.loads(pickle.dumps(cause))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - any failure to pickle means the same: keep its text
        return RuntimeError(repr(cause))
    return cause
