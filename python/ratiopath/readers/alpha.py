"""Alpha channels: fully transparent pixels get one value, all others keep their colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def without_alpha(pixels: NDArray[Any], alpha: int, transparent: float) -> NDArray[Any]:
    """Drop an alpha channel.

    Args:
        pixels: Pixels (h, w, C).
        alpha: Which of the channels holds alpha, 0 for fully transparent.
        transparent: The sample value that fully transparent pixels get.

    Returns:
        Pixels (h, w, C - 1). Any other alpha keeps the stored samples.
    """
    opaque: NDArray[Any] = np.delete(pixels, alpha, axis=2)
    # Where a scanner left an area out, the colour under alpha 0 is arbitrary.
    opaque[pixels[:, :, alpha] == 0] = transparent
    return opaque
