"""Where the tiles of a regular grid lie."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LastTile: TypeAlias = Literal["shift", "drop", "keep"]
# Positions and their sums stay within int64.
LONGEST = 2**62

Extent: TypeAlias = "int | Sequence[int] | NDArray[np.integer]"


def grid_tiles(
    slide_extent: Extent,
    tile_extent: Extent,
    stride: Extent,
    last: LastTile = "keep",
) -> NDArray[np.int64]:
    """Return the top-left corner of every tile of a grid over a slide.

    All lengths are in pixels of one level, x first, in any number of dimensions; an integer
    stands for the same length in every dimension.

    Args:
        slide_extent: Size of the slide, ``(width, height)``.
        tile_extent: Size of a tile, ``(width, height)``.
        stride: Distance from one tile's corner to the next, ``(x, y)``.
        last: What happens to the last tile of a dimension where the stride does not end at the
            slide's edge: ``"keep"`` lets it reach past the edge, ``"drop"`` leaves it out,
            ``"shift"`` moves it back until it ends at the edge. A dimension shorter than the tile
            has one tile at 0, or none with ``"drop"``.

    Returns:
        int64 array ``(N, D)`` of corners in row-major order: x varies fastest.

    Raises:
        ValueError: A length is not a positive integer, the dimensions differ, or ``last`` is
            unknown.

    Warns:
        UserWarning: The tile is larger than the slide in some dimension.

    Examples:
        >>> grid_tiles((5, 4), (2, 2), (2, 2)).tolist()
        [[0, 0], [2, 0], [4, 0], [0, 2], [2, 2], [4, 2]]
    """
    if last not in get_args(LastTile):
        raise ValueError(f"last must be 'shift', 'drop' or 'keep', got {last!r}")
    slide, tile, step = _lengths(slide_extent=slide_extent, tile_extent=tile_extent, stride=stride)
    if np.any(tile > slide):
        warnings.warn(
            f"the tile {tile.tolist()} is larger than the slide {slide.tolist()}", stacklevel=2
        )
    return _product([_positions(*lengths, last) for lengths in zip(slide, tile, step, strict=True)])


def _lengths(**extents: Extent) -> list[NDArray[np.int64]]:
    arrays = [_whole_lengths(name, extent) for name, extent in extents.items()]
    dimensions = sorted({array.size for array in arrays if array.ndim == 1}) or [1]
    if len(dimensions) > 1:
        raise ValueError(f"{', '.join(extents)} differ in dimensions: {dimensions}")
    return [np.broadcast_to(array, dimensions[0]) for array in arrays]


def _whole_lengths(name: str, extent: Extent) -> NDArray[np.int64]:
    given = np.asarray(extent)
    if given.dtype.kind not in "iuf" or given.ndim > 1 or given.size == 0:
        raise ValueError(f"{name} must be a positive integer or one per dimension, got {extent!r}")
    if not np.all((given >= 1) & (given <= LONGEST) & (given == np.floor(given))):
        raise ValueError(f"{name} must consist of positive integers, got {extent!r}")
    return given.astype(np.int64)


def _positions(
    slide: np.int64, tile: np.int64, step: np.int64, last: LastTile
) -> NDArray[np.int64]:
    room = int(slide - tile)
    if last == "drop":
        return np.arange(0, room + 1, step, dtype=np.int64)
    count = max(-(-room // int(step)), 0) + 1
    positions = np.arange(count, dtype=np.int64) * step
    return np.minimum(positions, max(room, 0)) if last == "shift" else positions


def _product(axes: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Combine the positions of each axis, the first axis varying fastest."""
    grid = np.empty([axis.size for axis in reversed(axes)] + [len(axes)], dtype=np.int64)
    for dimension, axis in enumerate(axes):
        grid[..., dimension] = axis.reshape((-1,) + (1,) * dimension)
    return grid.reshape(-1, len(axes))
