"""Small pictures of large rasters: one segment in memory at a time, whatever the size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath.readers.base import Reader

# The darkest and the brightest sample shown, unless samples are 8-bit colours: a few hot pixels
# would leave the rest of a 16-bit image black.
_PERCENTILES = (0.5, 99.5)


def read_thumbnail(reader: Reader, longest: int) -> NDArray[Any]:
    """Read every n-th pixel of the coarsest level that is large enough.

    Nothing is averaged, so that a label map's thumbnail holds only labels.

    Args:
        reader: A slide or overlay.
        longest: The most pixels along the longer side.

    Returns:
        Pixels (h, w, channels) in the file's dtype, n the same along both axes.

    Raises:
        OverlayFormatError: A segment cannot be decoded.
    """
    index = _level(reader, longest)
    level = reader.levels[index]
    step = math.ceil(max(level.width, level.height) / longest)
    shape = (math.ceil(level.height / step), math.ceil(level.width / step), reader.channels)
    pixels = np.full(shape, reader.fill, reader.dtype)
    for row in range(level.rows):
        for column in range(level.columns):
            segment = reader.read_segment(index, row, column)
            if segment is not None:
                _place(
                    pixels, segment, row * level.segment_height, column * level.segment_width, step
                )
    return pixels


def as_picture(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return pixels as what `imshow` takes: 8-bit RGB, or grey from 0 to 1.

    Args:
        pixels: A thumbnail (h, w, channels).

    Returns:
        RGB (h, w, 3) of uint8, or float64 (h, w) or (h, w, 3), stretched from the darkest to the
        brightest half percent.
    """
    shown = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., 0]
    if shown.dtype == np.uint8 and shown.ndim == 3:
        return shown
    samples = shown.astype(np.float64)
    finite = samples[np.isfinite(samples)]
    low, high = np.percentile(finite, _PERCENTILES) if finite.size else (0.0, 1.0)
    stretched = np.clip((samples - low) / max(high - low, 1e-12), 0, 1)
    result: NDArray[Any] = np.nan_to_num(stretched)
    return result


def _level(reader: Reader, longest: int) -> int:
    sizes = [max(level.width, level.height) for level in reader.levels]
    # The coarsest that has at least the pixels wanted; else the finest, if all are small.
    return max((index for index, size in enumerate(sizes) if size >= longest), default=0)


def _place(pixels: NDArray[Any], segment: NDArray[Any], y: int, x: int, step: int) -> None:
    # Every step-th pixel of the level, wherever in the segment the first of them lies.
    thinned = segment[-y % step :: step, -x % step :: step]
    target = pixels[-(-y // step) :, -(-x // step) :]
    height, width = (min(a, b) for a, b in zip(target.shape[:2], thinned.shape[:2], strict=True))
    target[:height, :width] = thinned[:height, :width]
