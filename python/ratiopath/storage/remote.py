"""Storage that fsspec reaches: S3, Google Cloud Storage, web servers and the like.

The only room that imports fsspec. What fails there comes out as `ratiopath.OverlayError`, without
the credentials that URLs, options and the libraries' own messages may hold.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ratiopath.errors import (
    OverlayAccessError,
    OverlayError,
    OverlayFormatError,
    OverlayNotFoundError,
    redacted,
    redacted_path,
)
from ratiopath.lru import ForkSafe

if TYPE_CHECKING:
    from collections.abc import Sequence

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+(::.*)?://")
_LOCAL = ("file://", "local://")
_WEB = ("http", "https")

# The names that file systems give to facts that change when an object is replaced.
_VERSION_FACT = re.compile(
    r"e_?tag|md5|md5hash|crc32c|content-md5|digest|generation|versionid|last[-_]?modified|mtime"
    r"|modified|created|updated|ino",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"key|secret|token|pass|auth|cred|sas|sign|cookie|header|account|user", re.IGNORECASE
)
# Masking every "1" or "us" would make a message unreadable.
_SHORTEST_SECRET = 4

# Seconds to wait for an answer; fsspec would wait five minutes, s3fs has limits of its own.
_CONNECT_SECONDS, _READ_SECONDS = 10, 30


class _OneAtATime(ForkSafe):
    """The turn of one thread, for file systems without asynchronous calls.

    fsspec does not ask of these that several threads may use one at once.
    """

    def renew(self) -> None:
        # One call may lead to another, of the same file system.
        self.turn = threading.RLock()


_one_at_a_time = _OneAtATime()

# Name of an object within the storage ("" for the URL's own), first byte and byte past the last.
Request: TypeAlias = "tuple[str, int | None, int | None]"


def is_url(path: str) -> bool:
    """Whether a path is a URL of another machine, unlike ``file://``."""
    return _URL.match(path) is not None and not path.startswith(_LOCAL)


def local_path(path: str) -> str:
    """Return a path without the ``file://`` of a URL of this machine."""
    scheme = next((scheme for scheme in _LOCAL if path.startswith(scheme)), "")
    return path[len(scheme) :]


@dataclass(frozen=True, slots=True)
class Status:
    """The status of an object in remote storage.

    Attributes:
        size: Bytes, or None where the server does not tell.
        is_folder: Whether it is a folder, where there are such.
        version: What changes when it is replaced, as far as the server tells.
    """

    size: int | None
    is_folder: bool
    version: tuple[tuple[str, str], ...]


class Storage:
    """A file or folder that fsspec reaches.

    Args:
        url: Its URL.
        options: What its file system is made with, or None.

    Raises:
        OverlayFormatError: The URL's scheme is unknown, or what reads it is not installed.
        OverlayAccessError: The file system cannot be made with these options.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        self.url = redacted_path(url)
        self._secrets = sorted(_secrets(options or {}), key=len, reverse=True)
        with self._errors():
            from fsspec.core import url_to_fs  # noqa: PLC0415 - only where an overlay is remote

            self._system, self._path = url_to_fs(url, **_with_timeouts(url, options or {}))
        asynchronous = getattr(self._system, "async_impl", False)
        self._turn = contextlib.nullcontext() if asynchronous else _one_at_a_time.turn
        self.is_web = url.startswith(_WEB)

    @property
    def place(self) -> tuple[object, ...]:
        """The file system, with its options, and the path in it."""
        return self._system, self._path

    def status(self, name: str = "") -> Status:
        """Ask for an object's size and version, without any cache.

        Raises:
            OverlayNotFoundError: There is no such object.
            OverlayAccessError: It could not be read.
        """
        path = self._object(name)
        with self._errors(), self._turn:
            # Listings are cached, and a replaced object would keep its old size and version.
            self._system.invalidate_cache(path)
            facts = self._system.info(path)
        version = (
            (key, str(value)) for key, value in facts.items() if _VERSION_FACT.fullmatch(key)
        )
        return Status(facts.get("size"), facts.get("type") == "directory", tuple(sorted(version)))

    def fetch(self, requests: Sequence[Request]) -> list[bytes | None]:
        """Fetch ranges of objects, all at once where the file system can.

        Args:
            requests: What to fetch.

        Returns:
            For each the bytes, fewer than asked for where the object ends before; None where there
            is no such object.

        Raises:
            OverlayAccessError: One could not be read, or came whole instead of the range.
        """
        paths = [self._object(name) for name, _, _ in requests]
        starts, ends = [start for _, start, _ in requests], [end for _, _, end in requests]
        with self._errors(), self._turn:
            results = self._system.cat_ranges(paths, starts, ends, on_error="return")
        return [self._checked(*pair) for pair in zip(requests, results, strict=True)]

    def require_ranges(self, size: int) -> None:
        """Check that a web server sends ranges, before it sends a whole file instead.

        Args:
            size: Bytes of the file, more than one.

        Raises:
            OverlayAccessError: It does not.
        """
        if not self.is_web:
            return
        with self._errors():
            # The only way in which fsspec looks at the answer's head before it reads the rest.
            try:
                with self._system.open(self._path, cache_type="none", size=size) as file:
                    file.seek(1)
                    file.read(1)
            except ValueError as error:
                raise self._no_ranges() from _bare(error, str(error))

    def _object(self, name: str) -> str:
        if not name:
            return str(self._path)
        # A signature in a URL's query is valid for all objects of a folder.
        folder, mark, query = self._path.partition("?") if self.is_web else (self._path, "", "")
        return f"{folder.rstrip('/')}/{name}{mark}{query}"

    def _checked(self, request: Request, result: bytes | Exception) -> bytes | None:
        _, start, end = request
        if isinstance(result, bytes):
            asked = None if start is None else -start if end is None else end - start
            if asked is not None and len(result) > asked:
                raise self._no_ranges()
            return result
        with contextlib.suppress(OverlayNotFoundError), self._errors():
            raise result
        return None

    def _no_ranges(self) -> OverlayAccessError:
        return OverlayAccessError(
            "the server sends whole files, no ranges of bytes", self.url, code="no_ranges"
        )

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        """Raise what the file system raises as this package's errors, without credentials."""
        try:
            yield
        except OverlayError:
            raise
        except Exception as raised:  # noqa: BLE001 - file systems raise what their libraries do
            error = _original(raised)
            text = self._clean(str(error) or type(error).__name__)
            raise self._translated(error, text) from _bare(error, text)

    def _translated(self, error: Exception, text: str) -> OverlayError:
        if isinstance(error, ImportError):
            return OverlayFormatError(
                f"what reads such URLs is not installed ({text})",
                self.url,
                code="missing_package",
                remedy="pip install 'ratiopath[remote]' for s3:// and http(s)://, gcsfs for gs://",
            )
        if isinstance(error, FileNotFoundError):
            return OverlayNotFoundError("no such file", self.url, code="not_found")
        if isinstance(error, ValueError) and "rotocol not known" in text:
            return OverlayFormatError(
                f"no file system reads such a URL: {text}",
                self.url,
                code="unsupported",
                remedy="check how it begins",
            )
        if isinstance(error, PermissionError) or getattr(error, "status", None) in (401, 403):
            return OverlayAccessError(
                f"access was refused ({text})",
                self.url,
                code="not_permitted",
                remedy="check storage_options and the permissions",
            )
        reason = f"the file cannot be reached: {text}"
        return OverlayAccessError(reason, self.url, code="unreachable")

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return redacted(text)


def _original(error: Exception) -> Exception:
    """Return what made fsspec call a file missing, unless it is missing.

    Its web file system says so of any failure to ask for a file's size.
    """
    cause = error.__cause__
    if not isinstance(error, FileNotFoundError) or not isinstance(cause, Exception):
        return error
    from_web = type(cause).__module__.partition(".")[0] in ("aiohttp", "asyncio", "fsspec")
    is_failure = from_web or (
        isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    )
    return cause if is_failure and getattr(cause, "status", None) not in (404, 410) else error


def _bare(error: Exception, text: str) -> Exception:
    """Return an error's cause to show: itself, or its cleaned text where it may hold more."""
    alone = error.__cause__ is None and error.__context__ is None
    if alone and type(error).__module__ == "builtins" and str(error) == text:
        return error
    return OSError(f"{type(error).__name__}: {text}")


def _secrets(options: Mapping[str, Any], *, secret: bool = False) -> Iterator[str]:
    """Yield the texts among options, and options within options, that may be credentials."""
    for name, value in options.items():
        hidden = secret or _SECRET.search(str(name)) is not None
        if isinstance(value, Mapping):
            yield from _secrets(value, secret=hidden)
        elif hidden and isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
            yield value


def _with_timeouts(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with time-outs, so that a silent web server does not stall a run."""
    given = options.get("client_kwargs", {})
    if not url.startswith(_WEB) or "timeout" in given:
        return dict(options)
    from aiohttp import ClientTimeout  # noqa: PLC0415 - fsspec imports it for these URLs anyway

    timeout = ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)
    return {**options, "client_kwargs": {**given, "timeout": timeout}}
