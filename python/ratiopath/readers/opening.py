"""Opening a file: the backend that reads it is chosen here, and nowhere else."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ratiopath.errors import OverlayFormatError, OverlayNotFoundError
from ratiopath.lru import Lru
from ratiopath.storage.files import PositionalFile, RandomAccessFile, file_identity, path_status
from ratiopath.storage.folders import Folder, LocalFolder, RemoteFolder, ZipFolder
from ratiopath.storage.remote import Storage, is_url, local_path
from ratiopath.storage.remote_file import RemoteFile, remote_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ratiopath.readers.base import Reader
    from ratiopath.storage.remote import Status

# Each holds a file descriptor, of which processes often have 1024, and its tables of offsets.
MAX_OPEN_READERS = 64

_ZIP_MAGIC = b"PK\3\4"
# What lies at the root of a Zarr: of format 3, or of format 2.
_ZARR_DOCUMENTS = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
_ZARR_NAME = re.compile(r"\.zarr(/|$)")
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_IMAGE_MAGICS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM")
_REMEDY = "download the file, or convert it to a tiled TIFF"
_NPY_MAGIC = b"\x93NUMPY"


# A reader pushed out is not closed, since another thread may be reading: the reference of its last
# user closes it. A forked child begins with none: two processes would share a handle's position.
_readers: Lru[tuple[object, ...], Reader] = Lru(lambda *_: 1)


def open_reader(
    path: str | os.PathLike[str],
    *,
    transparent: float = 0,
    storage_options: Mapping[str, Any] | None = None,
) -> Reader:
    """Open an overlay or slide, or return the reader that is open already.

    The content decides, not the suffix: TIFFs are read with tifffile, save for the vendors' layouts
    that only OpenSlide knows (Hamamatsu NDPI, Leica SCN, Ventana BIF, Philips, Trestle); PNG, JPEG
    and BMP are decoded whole, NumPy's .npy row by row; a folder or zip file that holds a Zarr is
    read with zarr; all else is OpenSlide's. Only MIRAX goes by its suffix .mrxs, since by content
    it is a JPEG. Up to 64 readers stay open per process. A file replaced meanwhile is opened anew.
    Of a remote one only what is needed is fetched.

    Args:
        path: The file's path, or its URL, of any scheme that fsspec knows.
        transparent: The sample value of fully transparent pixels, in files that have such.
        storage_options: What the URL's file system is made with; files of this machine need none.

    Returns:
        A reader shared by all callers, who need not and should not close it.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: No backend reads the file.
        OverlayAccessError: The URL's server does not answer as it should.
    """
    name = local_path(os.fspath(path))
    if is_url(name):
        identity, opened = _find_remote(name, transparent, storage_options)
    else:
        identity, opened = _find_local(name, transparent)
    reader = _readers.get(identity)
    if reader is not None:
        return reader
    reader = opened()
    # Under its own identity: the file may have been replaced since it was looked at.
    return _readers.setdefault(reader.identity, reader, MAX_OPEN_READERS)


def _find_local(name: str, transparent: float) -> tuple[tuple[object, ...], Callable[[], Reader]]:
    status = path_status(name)
    document = _zarr_document(name) if stat.S_ISDIR(status.st_mode) else None
    if document is not None:
        folder = LocalFolder(name, document)
        return (*folder.identity, transparent), partial(_open_zarr, folder, document, transparent)
    identity = (*file_identity(name, status), transparent)
    return identity, partial(_open, name, transparent)


def _find_remote(
    url: str, transparent: float, options: Mapping[str, Any] | None
) -> tuple[tuple[object, ...], Callable[[], Reader]]:
    storage = Storage(url, options)
    found = None if _ZARR_NAME.search(url.partition("?")[0]) else _remote_file(storage)
    if found is not None:
        identity = (*remote_identity(storage, found), transparent)
        return identity, partial(_open_remote, storage, found, transparent)
    for document in _ZARR_DOCUMENTS:
        with suppress(OverlayNotFoundError):
            folder = RemoteFolder(storage, document, storage.status(document))
            opened = partial(_open_zarr, folder, document, transparent)
            return (*folder.identity, transparent), opened
    reason = "no such file: there is neither a file nor a Zarr"
    raise OverlayNotFoundError(reason, storage.url, code="not_found")


def _remote_file(storage: Storage) -> Status | None:
    """Return the status of a remote file, or None where the URL is not a file's."""
    try:
        status = storage.status()
    except OverlayNotFoundError:
        return None
    return None if status.is_folder else status


def _zarr_document(path: str) -> str | None:
    """Return the name of the document that marks a folder as a Zarr, or None."""
    names = (name for name in _ZARR_DOCUMENTS if os.path.isfile(os.path.join(path, name)))  # noqa: PTH113, PTH118 - no Path made per tile
    return next(names, None)


def _open_remote(storage: Storage, status: Status, transparent: float) -> Reader:
    file = RemoteFile(storage, status)
    reader = _open_by_content(file, transparent)
    if reader is None:
        raise OverlayFormatError(
            "of remote files only TIFF, OME-Zarr, PNG, JPEG, BMP and .npy are read",
            storage.url,
            code="unsupported",
            remedy=_REMEDY,
        )
    file.settle()
    return reader


# Backends are imported when a file needs them: importing them takes longer than the package itself.


def _open(path: str, transparent: float) -> Reader:
    file = PositionalFile(path)
    reader = _open_by_content(file, transparent)
    if reader is None:
        file.close()
        return _open_slide(path, transparent)
    return reader


def _open_by_content(file: RandomAccessFile, transparent: float) -> Reader | None:
    """Open a file by its first bytes; None leaves it to OpenSlide."""
    if file.path.partition("?")[0].lower().endswith(".mrxs"):
        return None
    file.stream.seek(0)
    start = file.stream.read(8)
    file.stream.seek(0)
    if start.startswith(_TIFF_MAGICS):
        return _open_tiff(file, transparent)
    if start.startswith(_NPY_MAGIC):
        from ratiopath.readers.npy import NpyReader  # noqa: PLC0415 - see above

        return NpyReader(file)
    if start.startswith(_IMAGE_MAGICS):
        from ratiopath.readers.image import ImageReader  # noqa: PLC0415 - see above

        return ImageReader(file, transparent)
    if start.startswith(_ZIP_MAGIC) and isinstance(file, PositionalFile):
        return _open_zip(file, transparent)
    return None


def _open_tiff(file: RandomAccessFile, transparent: float) -> Reader:
    from ratiopath.readers.tiff.reader import TiffReader, VendorLayoutError  # noqa: PLC0415 - see above

    try:
        return TiffReader(file, transparent)
    except VendorLayoutError as error:
        if file.is_remote:
            reason = f"{error.reason}, which reads no remote files"
            raise OverlayFormatError(
                reason, file.path, code="unsupported", remedy=_REMEDY
            ) from error
        return _open_slide(file.path, transparent, refused=error.reason)


def _open_zip(file: PositionalFile, transparent: float) -> Reader:
    file.close()
    folder = ZipFolder(file.path, file.identity, _ZARR_DOCUMENTS)
    document = next((name for name in _ZARR_DOCUMENTS if folder.get(name) is not None), None)
    if document is None:
        reason = "the zip file holds no Zarr at its root"
        raise OverlayFormatError(reason, file.path, code="unsupported")
    return _open_zarr(folder, document, transparent)


def _open_zarr(folder: Folder, document: str, transparent: float) -> Reader:
    try:
        from ratiopath.readers.zarr.reader import ZarrReader  # noqa: PLC0415 - see above
    except ImportError as error:
        raise OverlayFormatError(
            f"Zarr needs the extra zarr ({error})",
            folder.path,
            code="missing_package",
            remedy="pip install 'ratiopath[zarr]'",
        ) from error
    return ZarrReader(folder, 3 if document == "zarr.json" else 2, transparent)


def _open_slide(path: str, transparent: float, refused: str = "tifffile: not a TIFF") -> Reader:
    from ratiopath.readers.openslide import OpenSlideReader  # noqa: PLC0415 - see above

    try:
        return OpenSlideReader(path, transparent)
    except OverlayFormatError as error:
        reason = f"no backend reads the file ({refused}; OpenSlide: {error.reason})"
        raise OverlayFormatError(reason, path, code=error.code) from error
