"""The overlay tutorial on a local Ray: from a slide and an overlay to a table of tiles."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import ray
from ray.data import DataContext
from ray.data.expressions import col
from shapely.geometry import box

from ratiopath.errors import OverlayResolutionError
from ratiopath.ray import read_slides
from ratiopath.tiling import grid_tiles, tile_overlay_overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from ray.data import Dataset
    from shapely import Polygon

# Small blocks, so that all CPUs have work and the progress bar moves, even for a small slide.
TILES_PER_BLOCK = 256
COLUMNS = (
    "path",
    "tile_x",
    "tile_y",
    "tile_extent_x",
    "tile_extent_y",
    "mpp_x",
    "mpp_y",
    "level",
    "tissue_overlap",
    "tissue_coverage",
)


@contextmanager
def local_ray() -> Generator[None]:
    """Start a quiet Ray on this machine's CPUs and stop it; one that is running is left running."""
    running = ray.is_initialized()
    if not running:
        # Ray reports its use to its makers unless told not to; a demo should not.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        with _quiet_ray_data():
            yield
    finally:
        if not running:
            ray.shutdown()


@contextmanager
def _quiet_ray_data() -> Generator[None]:
    """Stop Ray Data from logging and drawing, and let it raise a task's own error, unwrapped."""
    # It draws a bar for every stage and prints a traceback of its own before it raises.
    context, logger = DataContext.get_current(), logging.getLogger("ray.data")
    before = context.enable_progress_bars, context.raise_original_map_exception, logger.level
    context.enable_progress_bars, context.raise_original_map_exception = False, True
    logger.setLevel(logging.CRITICAL)  # a task's error is raised, not logged as well
    try:
        yield
    finally:
        context.enable_progress_bars, context.raise_original_map_exception, level = before
        logger.setLevel(level)


def prepare_tiles(
    slide: Path, *, tile_extent: int, stride: int, mpp: float | None, slide_mpp: float | None
) -> Dataset:
    """Lay a grid of tiles over a slide.

    Args:
        slide: The slide's path.
        tile_extent: Width and height of a tile, in pixels of the tiles' level.
        stride: Distance from one tile to the next, in the same pixels.
        mpp: µm per pixel of the level to take tiles from, None for level 0.
        slide_mpp: µm per pixel of level 0, None for what the file says.

    Returns:
        A materialised dataset with one row per tile.

    Raises:
        OverlayError: The slide cannot be read, or its resolution is unknown.
    """
    slides = read_slides(
        str(slide),
        mpp=mpp,
        level=0 if mpp is None else None,
        slide_mpp=slide_mpp,
        tile_extent=tile_extent,
        stride=stride,
    )
    tiles = slides.flat_map(_tiling).repartition(target_num_rows_per_block=TILES_PER_BLOCK)
    # The number of tiles is known from here on, which the progress bar needs.
    materialised: Dataset = tiles.materialize()
    return materialised


def _tiling(row: dict[str, Any]) -> list[dict[str, Any]]:
    if row["mpp_x"] is None:
        raise OverlayResolutionError(
            "the slide's file does not say how many µm a pixel measures",
            row["path"],
            code="unknown_resolution",
            remedy="pass slide_mpp",
        )
    corners = grid_tiles(
        slide_extent=(row["extent_x"], row["extent_y"]),
        tile_extent=(row["tile_extent_x"], row["tile_extent_y"]),
        stride=(row["stride_x"], row["stride_y"]),
        last="keep",
    )
    copied = ("path", "tile_extent_x", "tile_extent_y", "mpp_x", "mpp_y", "level")
    common = {name: row[name] for name in copied}
    return [{"tile_x": int(x), "tile_y": int(y), **common} for x, y in corners]


def central_roi(tile_extent: int) -> Polygon:
    """Return the middle of a tile: half its width and height, as in the tutorial."""
    return box(tile_extent / 4, tile_extent / 4, tile_extent * 3 / 4, tile_extent * 3 / 4)


def cover_tiles(
    tiles: Dataset,
    roi: Polygon,
    overlay: Path,
    *,
    overlay_mpp: float | None,
    value: str,
    advance: Callable[[int], object],
) -> pa.Table:
    """Measure what the overlay holds under each tile's ROI.

    Args:
        tiles: The dataset that `prepare_tiles` makes.
        roi: The region of interest, in tile pixels.
        overlay: The overlay's path.
        overlay_mpp: µm per pixel of the overlay's level 0, None for what the file says.
        value: The overlay's value, as text, whose fraction becomes ``tissue_coverage``.
        advance: Is told how many tiles are done, block by block.

    Returns:
        One row per tile, by ``tile_y`` and ``tile_x``: the tile's columns, the struct
        ``tissue_overlap`` of the fraction of every value, and the float ``tissue_coverage``.

    Raises:
        OverlayError: The overlay cannot be read, or its resolution is unknown.
    """

    def extract_coverage(tile: dict[str, Any]) -> dict[str, Any]:
        tile["tissue_coverage"] = tile["tissue_overlap"].get(value) or 0.0
        return tile

    covered = tiles.with_column(
        "tissue_overlap",
        tile_overlay_overlap(
            roi=roi,
            overlay_path=str(overlay),
            tile_x=col("tile_x"),
            tile_y=col("tile_y"),
            mpp_x=col("mpp_x"),
            mpp_y=col("mpp_y"),
            overlay_mpp_x=overlay_mpp,
            overlay_mpp_y=overlay_mpp,
        ),
        num_cpus=1,
    ).map(extract_coverage)
    blocks: list[pa.Table] = []
    block: pa.Table
    for block in covered.iter_batches(batch_size=None, batch_format="pyarrow"):
        blocks.append(block)
        advance(block.num_rows)
    table = pa.concat_tables(blocks, promote_options="permissive")
    return table.select(COLUMNS).sort_by([("tile_y", "ascending"), ("tile_x", "ascending")])
