"""White slides of a few pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from overlays import write_overlay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Height and width of each level.
SIZES = [(64, 96), (32, 48), (16, 24)]


def write_slide(
    path: Path, mpp: Any = 0.25, sizes: Sequence[tuple[int, int]] = SIZES, **options: Any
) -> str:
    """Write a pyramid of white levels (height, width) and return its path."""
    levels = [np.full((*size, 3), 255, dtype=np.uint8) for size in sizes]
    return str(write_overlay(path, levels, mpp, **options))
