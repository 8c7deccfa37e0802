"""The standard work: every 512 px tile of a slide of 40000 x 32000 px at 0.5 µm/px."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from shapely import Point, box

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import Polygon

MPP = 0.5
EXTENT = 512
SLIDE_WIDTH, SLIDE_HEIGHT = 40000, 32000


def region(name: str, extent: int = EXTENT) -> Polygon:
    """The whole tile, or a circle of 0.8 times its width, as 64 edges."""
    middle = extent / 2
    circle: Polygon = Point(middle, middle).buffer(0.8 * middle)
    return {"box": box(0, 0, extent, extent), "circle": circle}[name]


def tile_grid(
    width: int = SLIDE_WIDTH, height: int = SLIDE_HEIGHT, extent: int = EXTENT, stride: int = EXTENT
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The left and top pixels of a slide's tiles, row by row."""
    x = np.arange(0, width - extent + 1, stride)
    y = np.arange(0, height - extent + 1, stride)
    grid = np.meshgrid(x, y)
    return grid[0].ravel(), grid[1].ravel()
