"""The work on one slide: its level, its tiles, and how its overlay is read.

Only metadata are read, so that a run knows its size, and most of what will fail, before it starts.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ratiopath.errors import OverlayNotFoundError, OverlayResolutionError
from ratiopath.placement.levels import fit_level
from ratiopath.readers.opening import open_reader
from ratiopath.slides.grid import grid_tiles
from ratiopath.slides.rows import read_slide_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath.placement.resolution import Pair
    from ratiopath.readers.base import Reader
    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.settings import RunSettings
    from ratiopath.slides.rows import SlideLevel

# Tiles measured in one call. Labels of 8 bits have at most 256 values, however many pixels there
# are. Other overlays may have one for each pixel, and each is an entry of the result: such a call
# is also limited to so many overlay pixels.
MOST_TILES = 1 << 16
MOST_PIXELS = 1 << 26


@dataclass(frozen=True)
class SlidePlan:
    """The work on one slide.

    Attributes:
        pair: The slide and its overlay.
        slide: The slide at the level that its tiles come from.
        mpp: µm per pixel of that level along x and y.
        xs: Left pixel of each column of tiles (columns,).
        ys: Top pixel of each row of tiles (rows,).
        overlay_found: Whether there is an overlay.
        overlay_level: The overlay's level that is read; None where there is no overlay.
        chunk: How many tiles to measure in one call.
        warnings: What the user should know.
    """

    pair: SlidePair
    slide: SlideLevel
    mpp: Pair
    xs: NDArray[np.int64]
    ys: NDArray[np.int64]
    overlay_found: bool
    overlay_level: int | None
    chunk: int
    warnings: tuple[str, ...]

    @property
    def tiles(self) -> int:
        """How many tiles the slide has."""
        return len(self.xs) * len(self.ys)

    def corners(self, tiles: range) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ``tile_x`` and ``tile_y`` of some tiles, counted row by row."""
        rows, columns = np.divmod(np.arange(tiles.start, tiles.stop), max(len(self.xs), 1))
        return self.xs[columns], self.ys[rows]

    def chunks(self) -> list[range]:
        """Split the tiles into chunks to measure at once, whole rows of tiles where these fit."""
        # Tiles of a row share segments, which are then decoded once.
        whole_rows = self.chunk // max(len(self.xs), 1) * len(self.xs)
        step = whole_rows or self.chunk
        return [range(start, min(start + step, self.tiles)) for start in range(0, self.tiles, step)]


def plan_slide(pair: SlidePair, settings: RunSettings) -> SlidePlan:
    """Open a slide and its overlay and lay out the tiles.

    Args:
        pair: The slide and its overlay.
        settings: What the run was asked to do.

    Returns:
        The plan.

    Raises:
        OverlayError: The slide or its overlay is missing, cannot be opened, or lacks a resolution
            or the level asked for.
    """
    slide = read_slide_level(pair.slide, settings.tiling)
    if slide.mpp is None:
        raise OverlayResolutionError(
            "the slide's file does not say how many µm a pixel measures",
            pair.slide,
            code="unknown_resolution",
            remedy="pass slide_mpp",
        )
    xs, ys = (_positions(slide, axis, settings) for axis in (0, 1))
    found = pair.overlay_exists
    if not found and settings.on_missing == "error":
        raise OverlayNotFoundError("no such overlay file", pair.overlay, code="not_found")
    level, chunk = None, MOST_TILES
    if found:
        level, chunk = _overlay_level(pair.overlay, slide, slide.mpp, settings)
    notes = tuple(_notes(slide, slide.mpp, len(xs) * len(ys), settings))
    return SlidePlan(pair, slide, slide.mpp, xs, ys, found, level, chunk, notes)


def slide_extent(slide: SlideLevel, settings: RunSettings) -> Pair | None:
    """Return the slide's size in tile pixels where overlays are taken to span it, else None."""
    return slide.extent if settings.spans_slide else None


def _positions(slide: SlideLevel, axis: int, settings: RunSettings) -> NDArray[np.int64]:
    extent, tile, stride = slide.extent[axis], settings.tile_extent[axis], settings.stride[axis]
    with warnings.catch_warnings():
        # Mentioned once for each slide, in its notes.
        warnings.simplefilter("ignore", UserWarning)
        return grid_tiles(extent, tile, stride, last=settings.last)[:, 0]


def _overlay_level(
    overlay: str, slide: SlideLevel, mpp: Pair, settings: RunSettings
) -> tuple[int, int]:
    """Return the level to read and how many tiles to measure at once."""
    reader = open_reader(overlay)
    level, (x, y) = fit_level(
        reader.resolution,
        reader.levels,
        path=overlay,
        tile_mpp=mpp,
        level=settings.overlay_level,
        override=settings.overlay_mpp,
        slide_extent=slide_extent(slide, settings),
    )
    return level, _chunk(reader, x * y, settings)


def _chunk(reader: Reader, scale: float, settings: RunSettings) -> int:
    """Return how many tiles to measure at once, where a tile pixel is so many overlay pixels."""
    channels = 1 if settings.channel is not None else reader.channels
    if reader.dtype.itemsize * channels == 1:
        return MOST_TILES
    x0, y0, x1, y1 = settings.region.bounding_box
    pixels = max((x1 - x0) * (y1 - y0) * scale, 1)
    return max(1, min(MOST_TILES, math.floor(MOST_PIXELS / pixels)))


def _notes(slide: SlideLevel, mpp: Pair, tiles: int, settings: RunSettings) -> list[str]:
    far = settings.tiling.describe_far_level(mpp)
    notes = [] if far is None else [far]
    sides = zip(settings.tile_extent, slide.extent, strict=True)
    if any(tile > whole for tile, whole in sides):
        # With last="drop" such a slide has none.
        notes.append(f"the slide is smaller than a tile: {tiles} tiles")
    return notes
