"""Write a file whole or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextmanager
def replacing(path: Path, folder: Path | None = None) -> Generator[Path]:
    """Yield a path to write to, which is renamed to ``path`` once the block has succeeded.

    Args:
        path: The file to write. What stood there before stays until the new file is complete.
        folder: Where to write meanwhile, on the same file system; default: beside ``path``.

    Yields:
        A hidden path with the same suffix.
    """
    # Hidden, and with the same suffix, which some writers choose a format by.
    partial = (folder or path.parent) / f".{path.stem}.part{path.suffix}"
    try:
        yield partial
        partial.replace(path)
    finally:
        # Not there any more where it has become ``path``.
        partial.unlink(missing_ok=True)
