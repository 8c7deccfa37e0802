"""Files as readers: which backend opens a path is decided here, and nowhere else."""

from __future__ import annotations

import os
import stat
import threading
from collections import OrderedDict

from ratiopath.errors import OverlayFormatError, OverlayNotFoundError
from ratiopath.readers.base import Level, Reader, ResolutionMetadata
from ratiopath.readers.files import PositionalFile, file_identity, unopenable

__all__ = ["Level", "Reader", "ResolutionMetadata", "open_reader"]

MAX_OPEN_READERS = 64

_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class _OpenReaders:
    """The least recently used readers of the process; safe to share between threads.

    A reader pushed out is not closed, since another thread may be reading: its last user's
    reference closes it.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[tuple[object, ...], Reader] = OrderedDict()

    def find(self, identity: tuple[object, ...]) -> Reader | None:
        with self._lock:
            if identity in self._readers:
                self._readers.move_to_end(identity)
            return self._readers.get(identity)

    def keep(self, reader: Reader) -> Reader:
        """Keep a reader, unless another thread was first; return the one kept."""
        with self._lock:
            kept = self._readers.setdefault(reader.identity, reader)
            while len(self._readers) > MAX_OPEN_READERS:
                self._readers.popitem(last=False)
            return kept


_readers = _OpenReaders()
if hasattr(os, "register_at_fork"):
    # A child inherits neither a lock that a thread of the parent held, nor handles.
    os.register_at_fork(after_in_child=_readers._forget)  # noqa: SLF001 - our own


def open_reader(path: str | os.PathLike[str], *, transparent: float = 0) -> Reader:
    """Open an overlay or slide, or return the reader that is open already.

    The content decides, not the suffix: TIFFs are read with tifffile, save for the vendors' layouts
    that only OpenSlide knows (Hamamatsu NDPI, Leica SCN, Ventana BIF, Philips, Trestle); all else
    with OpenSlide. Up to 64 readers stay open per process. A file replaced meanwhile is opened
    anew.

    Args:
        path: The file's path.
        transparent: The sample value of fully transparent pixels, in files that have such.

    Returns:
        A reader shared by all callers, who need not and should not close it.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: No backend reads the file.
    """
    name = os.fspath(path)
    try:
        status = os.stat(name)  # noqa: PTH116 - no Path made per tile
    except OSError as error:
        raise unopenable(name, error) from error
    except ValueError as error:
        raise OverlayNotFoundError(f"no file has such a name: {error}", name) from error
    # Opening a pipe waits for who writes into it, for ever if nobody does.
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise OverlayFormatError("the overlay is no regular file", name)
    identity = (*file_identity(name, status), transparent)
    return _readers.find(identity) or _readers.keep(_open(name, transparent))


# The backends are imported where a file needs them: their import takes longer than the package's.


def _open(path: str, transparent: float) -> Reader:
    file = PositionalFile(path)
    if file.read(0, min(4, file.size)) in _TIFF_MAGICS:
        return _open_tiff(file, transparent)
    file.close()
    return _open_slide(path, transparent)


def _open_tiff(file: PositionalFile, transparent: float) -> Reader:
    from ratiopath.readers.tiff import TiffReader, VendorLayoutError  # noqa: PLC0415 - see above

    try:
        return TiffReader(file, transparent)
    except VendorLayoutError as error:
        return _open_slide(file.path, transparent, refused=error.reason)


def _open_slide(path: str, transparent: float, refused: str = "tifffile: not a TIFF") -> Reader:
    from ratiopath.readers.openslide import OpenSlideReader  # noqa: PLC0415 - see above

    try:
        return OpenSlideReader(path, transparent)
    except OverlayFormatError as error:
        reason = f"no backend reads the file ({refused}; OpenSlide: {error.reason})"
        raise OverlayFormatError(reason, path) from error
