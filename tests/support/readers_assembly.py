"""What the readers' tests share: a level put together from its segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ratiopath.readers.base import Reader


def assemble(reader: Reader, level: int = 0) -> np.ndarray:
    """Return a level (H, W, C), checking what every reader promises about its segments."""
    grid = reader.levels[level]
    pixels = np.full((grid.height, grid.width, reader.channels), reader.fill, reader.dtype)
    slot_bytes = grid.segment_height * grid.segment_width * pixels[:1, :1].nbytes
    slot = np.full(slot_bytes, 0xA5, np.uint8)
    for row in range(grid.rows):
        for column in range(grid.columns):
            segment = reader.read_segment(level, row, column)
            np.testing.assert_array_equal(
                reader.read_segment_into(slot, level, row, column), segment
            )
            top, left = row * grid.segment_height, column * grid.segment_width
            inside = pixels[top : top + grid.segment_height, left : left + grid.segment_width]
            if segment is not None:
                assert segment.flags.c_contiguous
                assert segment.dtype == reader.dtype
                assert segment.dtype.isnative
                inside[...] = segment[: inside.shape[0], : inside.shape[1]]
    return pixels


def sizes(reader: Reader) -> list[tuple[int, int]]:
    """Return every level's width and height."""
    return [(level.width, level.height) for level in reader.levels]
