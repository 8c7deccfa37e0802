"""Levels that are stored rotated or mirrored, as tag Orientation says.

The level is cut anew into segments of the stored segments' size, from the corner that is top left
once the image is upright. Where the image is no whole number of segments wide or high, such a
segment takes parts of up to four stored ones: such files cost up to four times as much to decode as
upright ones. Nothing else is slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ratiopath.readers.base import Level, ResolutionMetadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ratiopath.readers.tiff.level import TiffLevel


class _Orientation(NamedTuple):
    """Mirrored left to right, mirrored top to bottom, and then rows and columns exchanged."""

    mirror_x: bool
    mirror_y: bool
    transpose: bool


# By the value of tag Orientation.
_ORIENTATIONS = {
    2: _Orientation(mirror_x=True, mirror_y=False, transpose=False),
    3: _Orientation(mirror_x=True, mirror_y=True, transpose=False),
    4: _Orientation(mirror_x=False, mirror_y=True, transpose=False),
    5: _Orientation(mirror_x=False, mirror_y=False, transpose=True),
    6: _Orientation(mirror_x=False, mirror_y=True, transpose=True),
    7: _Orientation(mirror_x=True, mirror_y=True, transpose=True),
    8: _Orientation(mirror_x=True, mirror_y=False, transpose=True),
}


def oriented_levels(levels: Sequence[TiffLevel], tag: object) -> list[TiffLevel | OrientedLevel]:
    """Put levels upright.

    Args:
        levels: The levels as they are stored.
        tag: The value of tag Orientation. 1, None and values without a meaning turn nothing.

    Returns:
        The same levels, turned where that is needed.
    """
    if not isinstance(tag, int) or tag not in _ORIENTATIONS:
        return list(levels)
    return [OrientedLevel(level, tag) for level in levels]


def oriented_resolution(resolution: ResolutionMetadata, tag: object) -> ResolutionMetadata:
    """Exchange the resolutions of x and y where an orientation exchanges the axes."""
    if not isinstance(tag, int) or tag not in _ORIENTATIONS or not _ORIENTATIONS[tag].transpose:
        return resolution
    ome, vendor, tags = resolution.ome, resolution.vendor, resolution.tags
    return ResolutionMetadata(
        ome=ome and (ome[1], ome[0]),
        vendor=vendor and (vendor[1], vendor[0]),
        tags=tags and (tags[1], tags[0], tags[2]),
    )


class OrientedLevel:
    """A level put upright.

    Args:
        stored: The level as it is stored.
        tag: The value of tag Orientation, 2 to 8.

    Attributes:
        grid: Size of the upright level and of its segments.
        channels: Samples per pixel, alpha included.
    """

    def __init__(self, stored: TiffLevel, tag: int) -> None:
        self._stored = stored
        self._orientation = _ORIENTATIONS[tag]
        grid = stored.grid
        sizes = grid.width, grid.height, grid.segment_width, grid.segment_height
        # The tag's values from 5 on exchange rows and columns.
        if self._orientation.transpose:
            sizes = sizes[1], sizes[0], sizes[3], sizes[2]
        self.grid = Level(*sizes)
        self.channels = stored.channels

    def read(
        self,
        row: int,
        column: int,
        slot: NDArray[np.uint8] | None = None,  # noqa: ARG002 - as TiffLevel's
        stored: bytes | None = None,  # noqa: ARG002 - likewise
    ) -> NDArray[Any] | None:
        """Decode one segment; see `TiffLevel.read`."""
        pixels = self._cut(*self._rectangle(row, column))
        if pixels is None:
            return None
        orientation = self._orientation
        pixels = pixels[:: -1 if orientation.mirror_y else 1, :: -1 if orientation.mirror_x else 1]
        return pixels.transpose(1, 0, 2) if orientation.transpose else pixels

    def encoded(self, row: int, column: int) -> None:
        """Return nothing: stored bytes are not those of an upright segment."""

    def ranges(self, row: int, column: int) -> list[tuple[int, int]]:
        """Return where in the file a segment's parts are stored; see `TiffLevel.ranges`."""
        places = _segments(self._stored.grid, *self._rectangle(row, column))
        return [found for place in places for found in self._stored.ranges(*place)]

    def _rectangle(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return where a segment lies on the stored level: left, top, right, bottom."""
        stored, orientation = self._stored.grid, self._orientation
        if orientation.transpose:
            row, column = column, row
        left, right = _span(
            column, stored.segment_width, stored.width, mirrored=orientation.mirror_x
        )
        top, bottom = _span(
            row, stored.segment_height, stored.height, mirrored=orientation.mirror_y
        )
        return left, top, right, bottom

    def _cut(self, left: int, top: int, right: int, bottom: int) -> NDArray[Any] | None:
        """Read a rectangle of the stored level, or None where the file leaves all of it out."""
        grid, cut = self._stored.grid, None
        for row, column in _segments(grid, left, top, right, bottom):
            pixels = self._stored.read(row, column)
            if pixels is None:
                continue
            if cut is None:
                shape = (bottom - top, right - left, self.channels)
                cut = np.full(shape, self._stored.fill, pixels.dtype)
            x, y = column * grid.segment_width, row * grid.segment_height
            x1, y1 = min(x + grid.segment_width, right), min(y + grid.segment_height, bottom)
            x0, y0 = max(x, left), max(y, top)
            cut[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[
                y0 - y : y1 - y, x0 - x : x1 - x
            ]
        return cut


def _span(index: int, size: int, length: int, *, mirrored: bool) -> tuple[int, int]:
    """Return the stored pixels, from and to, of a segment along one axis."""
    start, end = index * size, min((index + 1) * size, length)
    return (length - end, length - start) if mirrored else (start, end)


def _segments(
    grid: Level, left: int, top: int, right: int, bottom: int
) -> Iterator[tuple[int, int]]:
    for row in range(top // grid.segment_height, (bottom - 1) // grid.segment_height + 1):
        for column in range(left // grid.segment_width, (right - 1) // grid.segment_width + 1):
            yield row, column
