"""Files read at positions, by several threads at once, without a shared cursor."""

from __future__ import annotations

import os
import stat
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from ratiopath.errors import OverlayFormatError, OverlayNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import BufferedReader, RawIOBase


def file_identity(path: str, status: os.stat_result) -> tuple[object, ...]:
    """Return what changes when a file is replaced.

    Args:
        path: The file's path.
        status: What `os.stat` says about it.

    Returns:
        Absolute path, device, inode, size in bytes and time of modification in nanoseconds. The
        path as written and the inode stand for the resolved path, which would cost one system
        call per folder.
    """
    place = (os.path.abspath(path), status.st_dev, status.st_ino)  # noqa: PTH100 - no Path made
    return (*place, status.st_size, status.st_mtime_ns)


class RandomAccessFile(ABC):
    """A local or remote file that can be read at any position.

    Attributes:
        path: Where it is.
        stream: A stream of it, for parsing headers in one thread.
        size: Bytes of the file when it was opened.
        identity: What changes when the file is replaced.
        is_remote: Whether a read costs the way to another machine.
    """

    path: str
    stream: BufferedReader | RawIOBase
    size: int
    identity: tuple[object, ...]
    is_remote: bool = False

    @abstractmethod
    def read(self, offset: int, count: int) -> bytes:
        """Read exactly ``count`` bytes from ``offset``.

        Raises:
            EOFError: The file ends before.
        """

    def read_ahead(self, ranges: Sequence[Sequence[tuple[int, int]]]) -> int:
        """Fetch many ranges in few requests; see `ratiopath.readers.base.Reader.read_ahead`.

        Args:
            ranges: For each segment the ranges it is stored in, as offset and count.

        Returns:
            How many segments were fetched, from the first.
        """
        return len(ranges)

    @abstractmethod
    def close(self) -> None:
        """Close the file."""


class PositionalFile(RandomAccessFile):
    """A file open for positional reads, closed with its last reference.

    A user's file is never mapped into memory: if it were truncated meanwhile, the process would be
    killed, where a read comes back short.

    Args:
        path: The file's path.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: It is a directory, or cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.stream = Path(path).open("rb")  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise unopenable(path, error) from error
        self._lock = threading.Lock()
        status = os.fstat(self.stream.fileno())
        self.size = status.st_size
        self.identity = file_identity(path, status)

    def __del__(self) -> None:
        # Readers that a cache drops are not closed but left to their last user.
        if hasattr(self, "stream"):
            self.close()

    def close(self) -> None:
        """Close the file; reads that follow raise ValueError."""
        self.stream.close()

    def read(self, offset: int, count: int) -> bytes:
        """Read exactly ``count`` bytes.

        Args:
            offset: Bytes before the first one.
            count: How many bytes.

        Returns:
            ``count`` bytes.

        Raises:
            EOFError: The file ends before.
            ValueError: The file was closed.
        """
        # Before reading: a corrupt count would be allocated first.
        if offset + count > self.size:
            raise EOFError(f"bytes {offset} to {offset + count} lie past the end at {self.size}")
        data = self._read_some(offset, count)
        # A signal or a network drive may cut a read short.
        while len(data) < count:
            part = self._read_some(offset + len(data), count - len(data))
            if not part:
                raise EOFError(f"the file ends at {offset + len(data)}, within a segment")
            data += part
        return data

    if hasattr(os, "pread"):

        def _read_some(self, offset: int, count: int) -> bytes:
            return os.pread(self.stream.fileno(), count, offset)

    else:

        def _read_some(self, offset: int, count: int) -> bytes:
            with self._lock:
                self.stream.seek(offset)
                return self.stream.read(count) or b""


def random_access(file: RandomAccessFile | str | os.PathLike[str]) -> RandomAccessFile:
    """Return a file as it is, or the file of a path, opened."""
    return file if isinstance(file, RandomAccessFile) else PositionalFile(os.fspath(file))


def path_status(path: str) -> os.stat_result:
    """Return the status of a file or folder before it is opened.

    Args:
        path: Its path.

    Raises:
        OverlayNotFoundError: There is nothing of that name.
        OverlayFormatError: It may not be looked at, or is neither a file nor a folder.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - no Path made per tile
    except OSError as error:
        raise unopenable(path, error) from error
    except ValueError as error:
        # A null byte in the name, for one.
        reason = f"no file has such a name: {error}"
        raise OverlayNotFoundError(reason, path, code="not_found") from error
    # Opening a pipe waits for who writes into it, for ever if nobody does.
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise OverlayFormatError("this is no regular file", path, code="not_a_file")
    return status


def unopenable(path: str, error: OSError) -> OverlayNotFoundError | OverlayFormatError:
    """Return the error for a file that cannot be opened.

    Args:
        path: The file's path.
        error: What the operating system said.

    Returns:
        The error to raise from ``error``.
    """
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return OverlayNotFoundError("no such file", path, code="not_found")
    if isinstance(error, PermissionError):
        code = "not_permitted"
    else:
        # Else a disk or its network failed, or the process has too many files open.
        code = "not_a_file" if isinstance(error, IsADirectoryError) else "unreachable"
    return OverlayFormatError(f"the file cannot be opened: {error.strerror}", path, code=code)
