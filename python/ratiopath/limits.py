"""How much memory one call may ask for before it is refused, rather than the process killed."""

from __future__ import annotations

LARGEST_OUTPUT = 16 * 1024**3

# Rows of a region's spans, at some 24 bytes each, that are made without a look at which are seen.
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
