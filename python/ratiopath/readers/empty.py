"""A missing overlay: without a pixel, so that every tile lies wholly outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ratiopath.readers.base import Level, Reader, ResolutionMetadata

if TYPE_CHECKING:
    import numpy as np


class EmptyReader(Reader):
    """Stands in for a missing overlay under ``on_missing="empty"``.

    Args:
        dtype: The sample type that its patches get.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.path = "<missing>"
        self.dtype = dtype
        self.channels = 1
        self.levels = (Level(width=0, height=0, segment_width=1, segment_height=1),)
        self.resolution = ResolutionMetadata()

    def read_segment(self, level: int, row: int, column: int) -> NoReturn:
        """Refuse: a missing overlay has no segments."""
        raise IndexError(f"a missing overlay has no segment ({level}, {row}, {column})")

    def close(self) -> None:
        """Do nothing: nothing is open."""
