"""The corners of the tiles of a regular grid."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from ratiopath.resources import LARGEST_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LastTile: TypeAlias = Literal["shift", "drop", "keep"]
# Positions and their sums stay within int64.
LONGEST = 2**62

Extent: TypeAlias = "int | np.integer | Sequence[int] | NDArray[np.integer]"


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
        ValueError: A length is not a positive integer, the dimensions differ, ``last`` is unknown,
            or the corners take too many bytes, which it states.

    Warns:
        UserWarning: The tile is larger than the slide in some dimension.

    Examples:
        >>> grid_tiles((5, 4), (2, 2), (2, 2)).tolist()
        [[0, 0], [2, 0], [4, 0], [0, 2], [2, 2], [4, 2]]
    """
    if last not in get_args(LastTile):
        raise ValueError(f"last must be 'shift', 'drop' or 'keep', got {last!r}")
    slide, tile, step = _lengths(slide_extent=slide_extent, tile_extent=tile_extent, stride=stride)
    # Mostly a level mixed up, but a fragment of tissue may be smaller than a tile.
    if np.any(tile > slide):
        warnings.warn(
            f"the tile {tile.tolist()} is larger than the slide {slide.tolist()}", stacklevel=2
        )
    axes = list(zip(slide.tolist(), tile.tolist(), step.tolist(), strict=True))
    _check_size([_count(*axis, last) for axis in axes])
    return _product([_positions(*axis, last) for axis in axes])


def _lengths(**extents: Extent) -> list[NDArray[np.int64]]:
    # An integer takes the dimensions of the others, and one if all are integers.
    arrays = [_whole_lengths(name, extent) for name, extent in extents.items()]
    dimensions = sorted({array.size for array in arrays if array.ndim == 1}) or [1]
    if len(dimensions) > 1:
        raise ValueError(f"{', '.join(extents)} differ in dimensions: {dimensions}")
    return [np.broadcast_to(array, dimensions[0]) for array in arrays]


def _whole_lengths(name: str, extent: Extent) -> NDArray[np.int64]:
    given = np.asarray(extent)
    if given.dtype.kind not in "iuf" or given.ndim > 1 or given.size == 0:
        raise ValueError(f"{name} must be a positive integer or one per dimension, got {extent!r}")
    # Floats are taken where they are whole: metadata often hold 512.0.
    if not np.all((given >= 1) & (given <= LONGEST) & (given == np.floor(given))):
        raise ValueError(f"{name} must consist of positive integers, got {extent!r}")
    return given.astype(np.int64)


def _count(slide: int, tile: int, step: int, last: LastTile) -> int:
    room = slide - tile
    if last == "drop":
        return max(room // step + 1, 0)
    return max(-(-room // step), 0) + 1


def _check_size(counts: list[int]) -> None:
    # max(): one axis may have no tile, while the positions along the other are too many.
    needed = 8 * len(counts) * math.prod(max(count, 1) for count in counts)
    if needed > LARGEST_OUTPUT:
        shape = " x ".join(map(str, counts))
        raise ValueError(
            f"a grid of {shape} tiles needs {needed:,} bytes, more than {LARGEST_OUTPUT:,}"
        )


def _positions(slide: int, tile: int, step: int, last: LastTile) -> NDArray[np.int64]:
    positions = np.arange(_count(slide, tile, step, last), dtype=np.int64) * step
    return np.minimum(positions, max(slide - tile, 0)) if last == "shift" else positions


def _product(axes: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Combine the positions of each axis, the first axis varying fastest."""
    grid = np.empty([axis.size for axis in reversed(axes)] + [len(axes)], dtype=np.int64)
    for dimension, axis in enumerate(axes):
        grid[..., dimension] = axis.reshape((-1,) + (1,) * dimension)
    return grid.reshape(-1, len(axes))
