"""The slide's own pixels as a Ray Data expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ray.data.datatype import DataType

from ratiopath.call.query import Query
from ratiopath.measure.pipeline import slide_tiles
from ratiopath.tiling.expressions import BatchExpression, expression, pandas_index, tensor_column

if TYPE_CHECKING:
    from ray.data.expressions import Expr


def read_slide_tiles(
    path: Expr | str,
    tile_x: Expr | float,
    tile_y: Expr | float,
    tile_extent_x: Expr | float,
    tile_extent_y: Expr | float,
    level: Expr | int,
    *,
    background: int = 255,
) -> BatchExpression:
    """Attach the slide's pixels to each tile.

    Args:
        path: The column of slide paths, or one path.
        tile_x: The tiles' left pixel, in pixels of their level.
        tile_y: The tiles' top pixel, likewise.
        tile_extent_x: Width of the tiles in pixels.
        tile_extent_y: Height of the tiles in pixels.
        level: The level that the tiles are read from.
        background: The sample value beyond the slide's edge, and where the slide is transparent.

    Returns:
        An expression for `Dataset.with_column`, and a callable for `Dataset.add_column`, whose rows
        are tensors (H, W, C) in the slide's dtype, RGB for colour slides.

    Raises:
        TypeError: The background is no number, or an argument has the wrong type.
        OverlayValueError: ``level`` is below 0.
    """
    if isinstance(background, bool) or not isinstance(background, (int, float)):
        raise TypeError(f"background must be a number, got {background!r}")
    columns = {
        "path": path,
        "tile_x": tile_x,
        "tile_y": tile_y,
        "tile_extent_x": tile_extent_x,
        "tile_extent_y": tile_extent_y,
        "level": level,
    }
    return expression(_tiles, DataType(np.ndarray), Query(None, background, columns))


def _tiles(query: Query[float], **columns: Any) -> Any:
    """Read the tiles of one block."""
    call = query.of(columns).call()
    tiles = slide_tiles(call.batch, call.options)
    return tensor_column(tiles, pandas_index(*columns.values()))
