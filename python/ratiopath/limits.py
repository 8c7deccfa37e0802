"""How much memory one call may ask for before it is refused, rather than the process killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_OUTPUT = 16 * 1024**3

# What one segment of a file may take decoded, which for a PNG or JPEG is the whole image: far above
# any tile in use, far below any worker's memory.
LARGEST_SEGMENT = 256 * 1024**2

# What the spans of one region may take in the making.
LARGEST_SPANS = 2 * 1024**3

# A side of a region that is made whole, without a look at which part of it is seen.
FEW_ROWS = 1 << 16


def check_grid(shape: tuple[int, int], pixel_bytes: int) -> None:
    """Refuse a grid without pixels, or too large to be made.

    Args:
        shape: Rows and columns.
        pixel_bytes: Bytes of the output for each pixel.

    Raises:
        ValueError: Says which, and the bytes.
    """
    height, width = shape
    if height < 1 or width < 1:
        raise ValueError(f"the shape of a grid must be positive, got {height} x {width}")
    needed = height * (24 + width * pixel_bytes)
    if needed > LARGEST_OUTPUT:
        raise ValueError(
            f"a grid of {height} x {width} needs {needed:,} bytes, more than {LARGEST_OUTPUT:,}"
        )


def check_spans(
    vertices: NDArray[np.float64], scale: tuple[float, float], shape: tuple[int, int]
) -> None:
    """Refuse a polygon whose spans on a grid are too many to be made.

    Every edge is cut at the rows' and columns' borders, and a piece takes 24 bytes, as does a row.

    Args:
        vertices: The polygon's vertices (n, 2).
        scale: Pixels of the grid per unit of the vertices, along x and y.
        shape: Rows and columns that are made.

    Raises:
        ValueError: States the bytes.
    """
    height, width = shape
    if 24 * (height + len(vertices) * (width + height + 2)) <= LARGEST_SPANS:
        return
    lengths = np.abs(np.diff(vertices, axis=0)) * scale
    pieces = np.minimum(lengths, (width, height)).sum() + 2 * len(vertices)
    needed = 24 * (height + pieces)
    if needed > LARGEST_SPANS:
        raise ValueError(
            f"a region of {len(vertices)} vertices on {height} x {width} pixels needs"
            f" {needed:,.0f} bytes, more than {LARGEST_SPANS:,}: check the ROI and the µm per pixel"
        )
