"""The files that a list of paths, folders and patterns stands for."""

from __future__ import annotations

import glob
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ratiopath.errors import OverlayNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Only filters folders and patterns; which backend opens a file, its content decides.
SLIDE_EXTENSIONS = (
    "svs",
    "tif",
    "tiff",
    "dcm",
    "ndpi",
    "vms",
    "vmu",
    "scn",
    "mrxs",
    "svslide",
    "bif",
    "czi",
)


def find_slides(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    extensions: str | Iterable[str] | None = SLIDE_EXTENSIONS,
    *,
    ignore_missing: bool = False,
) -> list[str]:
    """Expand folders and glob patterns into the slides they hold.

    Args:
        paths: Files, folders (searched recursively), glob patterns or URLs, one or a list. A path
            that exists is never taken for a pattern; a URL (``scheme://``) is passed on unseen.
        extensions: Suffixes of the files to keep, in any case, with or without a dot; None for
            all.
        ignore_missing: Leave out paths that do not exist.

    Returns:
        The slides in the order of ``paths``, the files of a folder or pattern sorted.

    Raises:
        OverlayNotFoundError: A path does not exist, or no file is left.

    Warns:
        UserWarning: A file that was named itself, not found in a folder, has another ending.
    """
    named = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    endings = _endings(extensions)
    found = [
        slide for path in named for slide in _expand(os.fspath(path), ignore_missing=ignore_missing)
    ]
    kept = [path for path in found if endings is None or path.lower().endswith(endings)]
    if not kept:
        kind = "file" if endings is None else f"file that ends in {', '.join(endings)}"
        reason = f"no {kind} in {', '.join(map(str, named))}"
        raise OverlayNotFoundError(reason, code="not_found")
    if left_out := sorted({os.fspath(path) for path in named}.intersection(found).difference(kept)):
        warnings.warn(f"file_extensions leaves out {', '.join(left_out)}", stacklevel=3)
    return kept


def _endings(extensions: str | Iterable[str] | None) -> tuple[str, ...] | None:
    if extensions is None:
        return None
    several = [extensions] if isinstance(extensions, str) else extensions
    return tuple(f".{extension.lstrip('.').lower()}" for extension in several)


def _expand(path: str, *, ignore_missing: bool) -> list[str]:
    # A file first: the names of slides may hold brackets, which glob takes for a pattern.
    if "://" in path or Path(path).is_file():
        return [path]
    if Path(path).is_dir():
        # Sorted, since the order in which file systems list them differs between machines.
        return sorted(str(file) for file in Path(path).rglob("*") if _is_visible_file(file))
    matches = glob.glob(path, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    found = sorted(match for match in matches if Path(match).is_file())
    if not found and not ignore_missing:
        reason = "the slide, folder or pattern matches no file"
        raise OverlayNotFoundError(reason, path, code="not_found")
    return found


def _is_visible_file(path: Path) -> bool:
    """Whether a folder's entry is a file and not what macOS leaves beside one (``._a.svs``)."""
    return not path.name.startswith(".") and path.is_file()
