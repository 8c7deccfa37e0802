"""What is to be done for one slide: its level, its tiles and how its overlay is read.

Only metadata are read, so that a run knows its size, and most of what will fail, before it starts.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath.errors import OverlayNotFoundError, OverlayResolutionError
from ratiopath.placement import resolution
from ratiopath.readers.opening import open_reader
from ratiopath.slides.grid import grid_tiles
from ratiopath.slides.rows import read_slide_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath.placement.resolution import Pair
    from ratiopath.readers.base import Reader
    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.settings import RunSettings

# Rows of one call into the pipeline. Labels of 8 bits have at most 256 values, however many pixels;
# others may have one per pixel, so a call then also has at most so many pixels.
MOST_TILES = 1 << 16
MOST_PIXELS = 1 << 26


@dataclass(frozen=True)
class SlidePlan:
    """The work on one slide.

    Attributes:
        pair: The slide and its overlay.
        row: The slide's row, see `ratiopath.ray.read_slides`.
        xs: Left pixel of each column of tiles (columns,).
        ys: Top pixel of each row of tiles (rows,).
        overlay_found: Whether the overlay is there.
        overlay_level: The overlay's level that is read; None where there is no overlay.
        chunk: How many tiles to measure in one call.
        warnings: What the user should know.
    """

    pair: SlidePair
    row: dict[str, Any]
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
        """Split the tiles into parts to measure at once, whole rows of tiles where these fit."""
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
    row = read_slide_row(pair.slide, settings.tiling).to_pylist()[0]
    if row["mpp_x"] is None:
        raise OverlayResolutionError(
            "the slide's file does not say how many µm a pixel measures",
            pair.slide,
            code="unknown_resolution",
            remedy="pass slide_mpp",
        )
    xs, ys = (_positions(row, axis, settings) for axis in "xy")
    found = pair.overlay_exists
    if not found and settings.on_missing == "error":
        raise OverlayNotFoundError("no such overlay file", pair.overlay, code="not_found")
    level, chunk = _overlay_level(pair.overlay, row, settings) if found else (None, MOST_TILES)
    notes = tuple(_notes(row, len(xs) * len(ys), settings))
    return SlidePlan(pair, row, xs, ys, found, level, chunk, notes)


def slide_extent(row: dict[str, Any], settings: RunSettings) -> Pair | None:
    """Return the slide's size in tile pixels where overlays are taken to span it, else None."""
    return (row["extent_x"], row["extent_y"]) if settings.spans_slide else None


def _positions(row: dict[str, Any], axis: str, settings: RunSettings) -> NDArray[np.int64]:
    slide, tile, stride = (row[f"{name}_{axis}"] for name in ("extent", "tile_extent", "stride"))
    with warnings.catch_warnings():
        # Said once a slide, in the notes.
        warnings.simplefilter("ignore", UserWarning)
        return grid_tiles(slide, tile, stride, last=settings.last)[:, 0]


def _overlay_level(overlay: str, row: dict[str, Any], settings: RunSettings) -> tuple[int, int]:
    """Return the level to read and how many tiles to measure at once."""
    reader = open_reader(overlay)
    tile_mpp = (row["mpp_x"], row["mpp_y"])
    base = resolution.base_mpp(
        reader.resolution,
        path=overlay,
        level0=reader.levels[0],
        override=settings.overlay_mpp,
        tile_mpp=tile_mpp,
        slide_extent=slide_extent(row, settings),
    )
    mpps = resolution.level_mpps(base, reader.levels)
    level = settings.overlay_level
    if level is None:
        level = resolution.choose_level(mpps, tile_mpp)
    if level >= len(mpps):
        raise resolution.missing_level(level, len(mpps), overlay)
    scale = (tile_mpp[0] / mpps[level][0]) * (tile_mpp[1] / mpps[level][1])
    return level, _chunk(reader, scale, settings)


def _chunk(reader: Reader, scale: float, settings: RunSettings) -> int:
    channels = 1 if settings.channel is not None else reader.channels
    if reader.dtype.itemsize * channels == 1:
        return MOST_TILES
    x0, y0, x1, y1 = settings.region.bounding_box
    pixels = max((x1 - x0) * (y1 - y0) * scale, 1)
    return max(1, min(MOST_TILES, math.floor(MOST_PIXELS / pixels)))


def _notes(row: dict[str, Any], tiles: int, settings: RunSettings) -> list[str]:
    far = settings.tiling.describe_far_level((row["mpp_x"], row["mpp_y"]))
    notes = [] if far is None else [far]
    if any(row[f"tile_extent_{axis}"] > row[f"extent_{axis}"] for axis in "xy"):
        notes.append(f"the slide is smaller than a tile: {tiles} tiles")
    return notes
