"""Folders of many small objects, as a Zarr is stored: on disk, in a zip file, or behind a URL."""

from __future__ import annotations

import os
import stat
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ratiopath.errors import OverlayFormatError
from ratiopath.storage.files import file_identity, unopenable
from ratiopath.storage.remote_file import (
    KEPT_BYTES,
    LARGEST_READ,
    fetched,
    remote_identity,
    replaced,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ratiopath.storage.remote import Request, Status, Storage

# First byte, or bytes from the end if negative, and byte past the last; None for the whole.
Part = tuple[int | None, int | None]
WHOLE: Part = (None, None)

# Stands for "not asked for yet", where None says that there is no such object.
_NOT_FETCHED: Any = object()

# A key comes from the metadata, and may lead through a file or name a folder.
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class Folder(ABC):
    """Objects by key, such as ``0/c/3/5``.

    Attributes:
        path: Where the folder is, for messages.
        identity: What changes when it is replaced, as far as its root tells.
        is_remote: Whether a read costs the way to another machine.
    """

    path: str
    identity: tuple[object, ...]
    is_remote: bool = False

    @abstractmethod
    def get(self, key: str, part: Part = WHOLE) -> bytes | None:
        """Return an object's bytes or a part of them, or None where there is no such object.

        Raises:
            ValueError: It is larger than 256 MiB, or no regular file.
            OverlayError: It cannot be read.
        """

    def get_ahead(self, wanted: Iterable[tuple[str, Part]]) -> None:  # noqa: B027 - not abstract: near folders need do nothing
        """Fetch many objects or parts of such at once, for `get` to find."""

    def settle(self) -> None:  # noqa: B027 - not abstract: near folders need do nothing
        """Check that the folder is the one that was opened, and from now on check every read."""


class LocalFolder(Folder):
    """A folder on disk.

    Args:
        path: Its path.
        document: The file at its root that is rewritten whenever it is.
    """

    def __init__(self, path: str, document: str) -> None:
        self.path = path
        root = os.path.join(path, document)  # noqa: PTH118 - no Path made per tile
        try:
            status = os.stat(root)  # noqa: PTH116 - no Path made per tile
        except OSError as error:
            raise unopenable(path, error) from error
        self.identity = file_identity(root, status)

    def get(self, key: str, part: Part = WHOLE) -> bytes | None:  # noqa: D102 - see Folder
        name = os.path.join(self.path, key)  # noqa: PTH118 - no Path made per chunk
        try:
            status = os.stat(name)  # noqa: PTH116 - no Path made per chunk
            if stat.S_ISDIR(status.st_mode):
                return None
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"{key} is no regular file")
            with open(name, "rb", buffering=0) as file:  # noqa: PTH123 - no Path made per chunk
                start, end = _bounds(part, status.st_size)
                file.seek(start)
                return _read_all(file.read, end - start)
        except _ABSENT:
            return None


class ZipFolder(Folder):
    """A zip file on disk with a folder in it, at its root or as the only entry there.

    Args:
        path: The file's path.
        identity: What changes when the file is replaced.
        documents: Names of which the folder's root has one.

    Raises:
        OverlayFormatError: It is no zip file.
    """

    def __init__(self, path: str, identity: tuple[object, ...], documents: Sequence[str]) -> None:
        self.path = path
        self.identity = identity
        self._lock = threading.Lock()
        import zipfile  # noqa: PLC0415 - slow to import, and seldom needed

        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise unopenable(path, error) from error
        except Exception as error:
            reason = f"the zip file cannot be read: {error}"
            raise OverlayFormatError(reason, path, code="corrupt") from error
        self._names = frozenset(self._zip.namelist())
        # Zipping the folder itself, not its content, adds its name to every key.
        tops = {name.partition("/")[0] for name in self._names}
        at_root = not tops.isdisjoint(documents)
        self._top = "" if at_root or len(tops) != 1 else f"{tops.pop()}/"

    def get(self, key: str, part: Part = WHOLE) -> bytes | None:  # noqa: D102 - see Folder
        name = self._top + key
        if name not in self._names:
            return None
        # A ZipFile has one position for all threads.
        with self._lock:
            _bounds(WHOLE, self._zip.getinfo(name).file_size)
            data = self._zip.read(name)
        start, end = _bounds(part, len(data))
        return data[start:end]

    def __del__(self) -> None:
        # Readers that a cache drops are not closed but left to their last user.
        if hasattr(self, "_zip"):
            self._zip.close()


class RemoteFolder(Folder):
    """A folder in remote storage.

    Args:
        storage: Where it is.
        document: The object at its root that is rewritten whenever it is.
        status: What the storage said of that object.
    """

    is_remote = True

    def __init__(self, storage: Storage, document: str, status: Status) -> None:
        self.path = storage.url
        self.identity = remote_identity(storage, status)
        self._storage, self._document, self._status = storage, document, status
        self._settled = False

    def get(self, key: str, part: Part = WHOLE) -> bytes | None:  # noqa: D102 - see Folder
        found = fetched.get((*self.identity, key, *part), _NOT_FETCHED)
        if found is not _NOT_FETCHED:
            return found
        # A part of what lies here as a whole needs no request.
        whole = fetched.get((*self.identity, key, *WHOLE), _NOT_FETCHED)
        if whole is _NOT_FETCHED:
            return self._fetch([(key, *part)])[0]
        return None if whole is None else whole[slice(*_bounds(part, len(whole)))]

    def get_ahead(self, wanted: Iterable[tuple[str, Part]]) -> None:  # noqa: D102 - see Folder
        lacking = [(key, *part) for key, part in wanted if not self._has(key, part)]
        if lacking:
            self._fetch(lacking)

    def settle(self) -> None:  # noqa: D102 - see Folder
        self._check()
        self._settled = True

    def _has(self, key: str, part: Part) -> bool:
        return any((*self.identity, key, *what) in fetched for what in {part, WHOLE})

    def _fetch(self, requests: Sequence[Request]) -> list[bytes | None]:
        results = self._storage.fetch(requests)
        if self._settled:
            self._check()
        for request, result in zip(requests, results, strict=True):
            fetched.put((*self.identity, *request), result, KEPT_BYTES)
        return results

    def _check(self) -> None:
        if self._storage.status(self._document) != self._status:
            raise replaced(self.path)


def _bounds(part: Part, size: int) -> tuple[int, int]:
    """Return the first byte and the byte past the last of a part that lies within ``size``."""
    start, end = part
    first = 0 if start is None else max(0, size + start) if start < 0 else min(start, size)
    last = size if end is None else min(end, size)
    if last - first > LARGEST_READ:
        raise ValueError(f"an object of {last - first:,} bytes is more than {LARGEST_READ:,}")
    return first, max(first, last)


def _read_all(read: Callable[[int], bytes | None], count: int) -> bytes:
    parts = []
    while count:
        data = read(count)
        if not data:
            break
        parts.append(data)
        count -= len(data)
    return b"".join(parts)
