"""Make a slide and its tissue mask, so that the demo needs no files of the user's.

The tissue is scikit-image's immunohistochemistry picture, laid out in turned copies under a
smooth random shape; the mask is that same shape at an eighth of the slide's resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image
from skimage import data
from skimage.filters import gaussian

from ratiopath.storage.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SLIDE_MPP = 0.5  # a common scan at 20x
# How much coarser the mask is than the slide, as a tissue detector's output usually is.
SHRINK = 8
MASK_MPP = SLIDE_MPP * SHRINK
TILE = 256
# Pixels over which copies of the picture of tissue fade into each other, so that no seams show.
FADE = 64
# Glass is not quite white on a scanner.
BACKGROUND = 243
MICROMETRES_PER_CENTIMETRE = 1e4


@dataclass(frozen=True)
class Sample:
    """A slide and the tissue mask aligned with it.

    Attributes:
        slide: Pyramidal RGB TIFF at 0.5 µm/px.
        mask: Pyramidal TIFF at 4 µm/px, 255 where there is tissue and 0 elsewhere.
    """

    slide: Path
    mask: Path


def write_sample(folder: Path, width: int = 20480, height: int = 16384, seed: int = 7) -> Sample:
    """Write ``slide.tiff`` and ``slide_tissue_mask.tiff``.

    Args:
        folder: Where to write; files of the same name are replaced.
        width: Pixels of the slide's level 0 along x, a multiple of 256.
        height: Pixels of the slide's level 0 along y, a multiple of 256.
        seed: Chooses the shape of the tissue.

    Returns:
        Where the two files are.

    Raises:
        ValueError: ``width`` or ``height`` is not a positive multiple of 256.
    """
    if width <= 0 or height <= 0 or width % TILE or height % TILE:
        raise ValueError(f"width and height must be multiples of {TILE}, got {width} x {height}")
    sample = Sample(folder / "slide.tiff", folder / "slide_tissue_mask.tiff")
    shape = _tissue_shape(width // SHRINK, height // SHRINK, seed)
    with replacing(sample.mask) as path:
        _write_mask(path, np.where(shape >= 128, np.uint8(255), np.uint8(0)))
    with replacing(sample.slide) as path:
        _write_slide(path, shape)
    return sample


def _tissue_shape(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """Return how much stained tissue there is, 0 to 255, at the mask's resolution."""
    # Blurred on a small grid and then enlarged: the cost of a blur grows with its width in pixels.
    coarse = (128, round(128 * width / height))
    rng = np.random.default_rng(seed)
    noise, stain = rng.standard_normal((2, *coarse))
    outline = _smooth(noise, 13) + _smooth(noise, 3) / 3
    # The sixth power is flat inside and steep at the edges: tissue ends before the slide does.
    y, x = (np.linspace(-1, 1, n) ** 6 for n in coarse)
    inside = outline - 3 * np.maximum.outer(y, x)
    strongest = np.clip(220 + 25 * _smooth(stain, 6), 150, 255)
    shape = np.clip(128 + 1500 * inside, 0, strongest).astype(np.uint8)
    enlarged = Image.fromarray(shape).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(enlarged)


def _smooth(noise: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Blur to a length of ``sigma`` pixels, keeping zero mean and unit variance."""
    field = np.asarray(gaussian(noise, sigma))  # type: ignore[no-untyped-call]  # scikit-image's
    unit: NDArray[np.float64] = (field - field.mean()) / field.std()
    return unit


def _write_mask(path: Path, mask: NDArray[np.uint8]) -> None:
    with tifffile.TiffWriter(path) as tiff:
        for level, step in enumerate(_downsamples(mask.shape)):
            options = _level_options(level, MASK_MPP * step)
            tiff.write(mask[::step, ::step], compression="deflate", **options)


def _write_slide(path: Path, shape: NDArray[np.uint8]) -> None:
    height, width = (SHRINK * n for n in shape.shape)
    reduced = np.empty((height // 2, width // 2, 3), np.uint8)
    jpeg: dict[str, Any] = {
        "photometric": "rgb",
        "compression": "jpeg",
        "compressionargs": {"level": 80},
    }
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for level, step in enumerate(_downsamples((height, width))):
            options = _level_options(level, SLIDE_MPP * step) | jpeg
            # Level 0 takes 1 GB and is never held whole; level 1 is filled in while it is written.
            if level == 0:
                tiles = _level_0_tiles(shape, reduced)
                tiff.write(tiles, shape=(height, width, 3), dtype=np.uint8, **options)
            else:
                tiff.write(reduced, **options)
                reduced = _halve(reduced)


def _level_0_tiles(
    shape: NDArray[np.uint8], reduced: NDArray[np.uint8]
) -> Iterator[NDArray[np.uint8]]:
    """Yield the tiles of level 0, row by row, and fill in level 1 on the way."""
    texture = _texture(SHRINK * shape.shape[1])
    for row in range(SHRINK * shape.shape[0] // TILE):
        top = row * TILE % texture.shape[0]
        band = _paint(texture[top : top + TILE], _enlarged_band(shape, row))
        reduced[row * TILE // 2 : (row + 1) * TILE // 2] = _halve(band)
        yield from np.split(band, band.shape[1] // TILE, axis=1)


def _texture(width: int) -> NDArray[np.uint8]:
    """Place turned copies of the picture side by side, fading into each other; 3584 rows high."""
    picture = data.immunohistochemistry()  # type: ignore[no-untyped-call]  # scikit-image's
    side = len(picture)
    stride = side - FADE
    size = 8 * stride
    ramp = np.minimum(1, (np.arange(side) + 0.5) / FADE)
    weight = np.multiply.outer(ramp * ramp[::-1], ramp * ramp[::-1]).astype(np.float32)
    block = np.zeros((size, size, 3), np.float32)
    # Turned at random: a plain repetition is seen at once.
    turns = iter(np.random.default_rng(0).integers(8, size=64))
    for y in range(0, size, stride):
        for x in range(0, size, stride):
            rows, columns = ((start + np.arange(side)) % size for start in (y, x))
            block[np.ix_(rows, columns)] += _turned(picture, next(turns)) * weight[..., np.newaxis]
    return np.tile(block.astype(np.uint8), (1, -(-width // size), 1))[:, :width]


def _turned(picture: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    return np.rot90(picture[::-1] if turn >= 4 else picture, turn)


def _enlarged_band(shape: NDArray[np.uint8], row: int) -> NDArray[np.uint8]:
    """Interpolate the tissue's shape to one row of tiles at level 0."""
    width = shape.shape[1]
    box = (0, row * TILE / SHRINK, width, (row + 1) * TILE / SHRINK)
    size = (width * SHRINK, TILE)
    return np.asarray(Image.fromarray(shape).resize(size, Image.Resampling.BILINEAR, box=box))


def _paint(texture: NDArray[np.uint8], amount: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # In 16-bit integers rather than floats, for this runs over every pixel of the slide.
    absorbed = np.uint16(255) - texture
    absorbed *= amount[..., np.newaxis]
    painted: NDArray[np.uint8] = BACKGROUND - np.minimum(absorbed >> 8, BACKGROUND)
    return painted.astype(np.uint8)


def _halve(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average 2 x 2 pixels; an odd last row or column is dropped."""
    height, width = (n // 2 * 2 for n in pixels.shape[:2])
    corners = [pixels[y:height:2, x:width:2] for y in (0, 1) for x in (0, 1)]
    # Begins at 2, so that the division by 4 rounds to the nearest.
    total = np.full(corners[0].shape, 2, np.uint16)
    for corner in corners:
        total += corner
    return (total >> 2).astype(np.uint8)


def _downsamples(shape: tuple[int, ...]) -> Iterator[int]:
    step = 1
    while step == 1 or max(shape) // step >= 2 * TILE:
        yield step
        step *= 2


def _level_options(level: int, mpp: float) -> dict[str, Any]:
    return {
        "tile": (TILE, TILE),
        "subfiletype": int(level > 0),
        "resolution": (MICROMETRES_PER_CENTIMETRE / mpp,) * 2,
        "resolutionunit": "CENTIMETER",
        "metadata": None,
    }
