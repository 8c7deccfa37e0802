"""Vendors' slides as cases: each written, and the pixels that every level of it should have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirax_slides import write_mirax
from vendor_slides import (
    Area,
    pyramid,
    write_leica,
    write_philips,
    write_trestle,
    write_ventana,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


TILE = 64
BLACK = (0, 0, 0)
LEVELS = pyramid(256, 192)


@dataclass(frozen=True)
class Slide:
    """What a file should come out as: by whom it is read, and every level's pixels."""

    vendor: str
    path: Path
    levels: Sequence[np.ndarray]


def placed(size: tuple[int, int], parts: Sequence[tuple[int, int, np.ndarray]]) -> np.ndarray:
    """Pixels of a size (width, height), 0 where no part (left, top, pixels) lies; the last wins."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    for left, top, part in parts:
        pixels[top : top + part.shape[0], left : left + part.shape[1]] = part
    return pixels


def stitched(page: np.ndarray, tile: int, overlap: int) -> np.ndarray:
    """A page whose tiles lie closer than they are wide; the one further right and down wins."""
    rows, columns = page.shape[0] // tile, page.shape[1] // tile
    step = tile - overlap
    parts = [
        (x * step, y * step, page[y * tile : (y + 1) * tile, x * tile : (x + 1) * tile])
        for y in range(rows)
        for x in range(columns)
    ]
    return placed((columns * step + overlap, rows * step + overlap), parts)


def leica(folder: Path) -> Slide:
    path = write_leica(folder / "a.scn", [Area(LEVELS, 100, 60)], (600, 400))
    levels = [
        placed((600 // k, 400 // k), [(100 // k, 60 // k, level)])
        for k, level in zip((1, 2, 4), LEVELS, strict=True)
    ]
    return Slide("leica", path, levels)


def leica_of_two_areas(folder: Path) -> Slide:
    """The levels of the second one, half as large but for a pixel, do not halve in whole pixels."""
    first, second = pyramid(301, 203, (1, 2)), pyramid(181, 99, (1, 2))
    path = write_leica(folder / "a.scn", [Area(first, 0, 50), Area(second, 401, 1)], (600, 401))
    # The level's µm per pixel are the first area's, of which OpenSlide takes whole pixels.
    shrink = 301 / 150
    levels = [
        placed((600, 401), [(0, 50, first[0]), (401, 1, second[0])]),
        placed((300, 200), [(0, int(50 / shrink), first[1]), (int(401 / shrink), 0, second[1])]),
    ]
    return Slide("leica", path, levels)


def mirax(folder: Path, codec: str = "PNG") -> Slide:
    # A column and a row of tiles, and one in the corner.
    absent = {(x, y) for x in range(4) for y in range(3) if x == 0 or y == 0} | {(3, 2)}
    path = write_mirax(folder / "a.mrxs", LEVELS, absent, codec=codec)
    tiles = [
        (TILE * x, TILE * y, LEVELS[0][TILE * y : TILE * (y + 1), TILE * x : TILE * (x + 1)])
        for x in range(4)
        for y in range(3)
        if (x, y) not in absent
    ]
    # At each lower level every tile covers one that was scanned, save the one of (3, 2) alone.
    levels = [placed((256, 192), tiles), LEVELS[1], LEVELS[2]]
    return Slide("mirax", path, levels)


def mirax_of_bitmaps(folder: Path) -> Slide:
    return mirax(folder, "BMP24")


def philips(folder: Path) -> Slide:
    levels = pyramid(320, 192)
    return Slide("philips", write_philips(folder / "a.tiff", levels), levels)


def ventana(folder: Path) -> Slide:
    return Slide("ventana", write_ventana(folder / "a.bif", LEVELS), LEVELS)


def ventana_of_overlapping_tiles(folder: Path) -> Slide:
    levels = [
        stitched(level, TILE // k, 4 // k) for k, level in zip((1, 2, 4), LEVELS, strict=True)
    ]
    return Slide("ventana", write_ventana(folder / "a.bif", LEVELS, overlap=4), levels)


def trestle(folder: Path) -> Slide:
    return Slide("trestle", write_trestle(folder / "a.tif", LEVELS), LEVELS)


def trestle_of_overlapping_tiles(folder: Path) -> Slide:
    """Its levels are no integer fractions of level 0."""
    levels = [stitched(LEVELS[0], TILE, 6), stitched(LEVELS[1][:64], TILE, 5), LEVELS[2]]
    pages = [LEVELS[0], LEVELS[1][:64], LEVELS[2]]
    return Slide("trestle", write_trestle(folder / "a.tif", pages, overlaps="6 6 5 5"), levels)


SLIDES: list[Callable[[Path], Slide]] = [
    leica,
    leica_of_two_areas,
    mirax,
    mirax_of_bitmaps,
    philips,
    ventana,
    ventana_of_overlapping_tiles,
    trestle,
    trestle_of_overlapping_tiles,
]
