"""The demo from end to end, with messages about what it does.

`run` generates a slide and its mask unless it is given them, runs the tutorial's pipeline on a
local Ray, and writes a table and a picture.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ratiopath.api.overlays import overlay_overlap
from ratiopath.demo.dataset import central_roi, cover_tiles, local_ray, prepare_tiles
from ratiopath.demo.sample import Sample, write_sample
from ratiopath.errors import OverlayValueError
from ratiopath.plots import plot_slide
from ratiopath.storage.atomic import replacing
from ratiopath.values.conditions import COVERAGE_PREFIX
from ratiopath.values.keys import number_text

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from matplotlib.figure import Figure
    from rich.console import Console

# The threshold of the tutorial.
KEPT_FRACTION = 0.5
_DRAWN = ("tile_x", "tile_y", "tile_extent_x", "tile_extent_y", "mpp_x", "mpp_y", "level")


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """The options of the demo.

    Attributes:
        output: Folder for the results; created if needed.
        slide: A slide, or None to generate one.
        overlay: The slide's overlay; None if ``slide`` is.
        overlay_mpp: µm per pixel of the overlay's level 0, None for what the file says.
        slide_mpp: µm per pixel of the slide's level 0, None for what the file says.
        value: The overlay value that counts as tissue, as text.
        tile_extent: Width and height of a tile, in pixels of the tiles' level.
        stride: Distance from one tile to the next, in the same pixels.
        mpp: µm per pixel of the level to take tiles from, None for level 0.
        sample_size: Width and height in pixels of the slide to generate, multiples of 256.
    """

    output: Path
    slide: Path | None = None
    overlay: Path | None = None
    overlay_mpp: float | None = None
    slide_mpp: float | None = None
    value: str = "255"
    tile_extent: int = 512
    stride: int = 512
    mpp: float | None = None
    sample_size: tuple[int, int] = (20480, 16384)


def run(settings: DemoSettings, console: Console) -> pa.Table:
    """Run the demo.

    Args:
        settings: Its options.
        console: Where to print what it does.

    Returns:
        The table that is written to ``tiles.parquet``: one row per tile with ``path``, ``tile_x``,
        ``tile_y``, ``tile_extent_x``, ``tile_extent_y``, ``mpp_x``, ``mpp_y``, ``level``, the
        struct ``tissue_overlap`` and the float ``tissue_coverage``.

    Raises:
        OverlayError: The slide or the overlay cannot be read, or no tile holds the value that means
            tissue. Then no result is written.
        ValueError: A setting is out of range.
    """
    # A value that is no number fails here, before Ray starts.
    number_text(settings.value)
    sample = _sample(settings, console)
    tiles = _covered_tiles(settings, sample, console)
    _check_value(settings, sample, tiles)
    settings.output.mkdir(parents=True, exist_ok=True)
    _say_direct_speed(settings, sample, tiles, console)
    table_path = settings.output / "tiles.parquet"
    with replacing(table_path) as path:
        pq.write_table(tiles, path)
    picture_path = settings.output / "coverage.png"
    with replacing(picture_path) as path:
        _figure(settings, sample, tiles).savefig(path)
    _say_result(tiles, console)
    for path in (table_path, picture_path):
        console.print(f"  {path}", soft_wrap=True)
    return tiles


def _sample(settings: DemoSettings, console: Console) -> Sample:
    """Return the user's slide and overlay, or generate both."""
    if settings.slide is not None and settings.overlay is not None:
        return Sample(settings.slide, settings.overlay)
    width, height = settings.sample_size
    settings.output.mkdir(parents=True, exist_ok=True)
    console.print(f"Generating a slide of {width} x {height} px and its tissue mask ...")
    sample = write_sample(settings.output, width, height)
    for path in (sample.slide, sample.mask):
        console.print(f"  {path}, {path.stat().st_size / 1e3:,.0f} kB", soft_wrap=True)
    return sample


def _covered_tiles(settings: DemoSettings, sample: Sample, console: Console) -> pa.Table:
    """Run the tutorial's pipeline, with a progress bar."""
    console.print("Starting Ray and laying out the tiles ...")
    with local_ray():
        tiles = prepare_tiles(
            sample.slide,
            tile_extent=settings.tile_extent,
            stride=settings.stride,
            mpp=settings.mpp,
            slide_mpp=settings.slide_mpp,
        )
        with _progress(console) as progress:
            bar = progress.add_task("Overlap on Ray", total=tiles.count())
            start = time.perf_counter()
            table = cover_tiles(
                tiles,
                central_roi(settings.tile_extent),
                sample.mask,
                overlay_mpp=settings.overlay_mpp,
                value=number_text(settings.value),
                advance=lambda rows: progress.advance(bar, rows),
            )
            seconds = time.perf_counter() - start
    speed = table.num_rows / seconds
    console.print(f"  {speed:,.0f} tiles/s, including the start of the stage in Ray")
    return table


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TextColumn("tiles"), TimeElapsedColumn(), console=console)


def _say_direct_speed(
    settings: DemoSettings, sample: Sample, tiles: pa.Table, console: Console
) -> None:
    """Time the same work without Ray, in this process, including opening the file."""
    column = {name: tiles[name].to_numpy() for name in ("tile_x", "tile_y", "mpp_x", "mpp_y")}
    start = time.process_time()
    overlay_overlap(
        central_roi(settings.tile_extent),
        str(sample.mask),
        **column,
        overlay_mpp_x=settings.overlay_mpp,
        overlay_mpp_y=settings.overlay_mpp,
    )
    seconds = time.process_time() - start
    console.print("The same tiles with ratiopath.overlay_overlap, without Ray:")
    console.print(
        f"  {tiles.num_rows / seconds:,.0f} tiles per second of CPU,"
        f" {seconds / tiles.num_rows * 1e6:,.1f} µs each, including opening and decoding"
    )


def _check_value(settings: DemoSettings, sample: Sample, tiles: pa.Table) -> None:
    # Before anything is written: a table of zeros would look like a result.
    found = [field.name for field in tiles.schema.field("tissue_overlap").type]
    if number_text(settings.value) not in found:
        raise OverlayValueError(
            f"no tile holds the value {settings.value} that means tissue; found: "
            f"{', '.join(found)}",
            str(sample.mask),
            code="no_such_value",
            remedy="--value names the right one",
        )


def _figure(settings: DemoSettings, sample: Sample, tiles: pa.Table) -> Figure:
    value = number_text(settings.value)
    columns = {name: tiles[name].to_numpy() for name in _DRAWN}
    mpp = settings.overlay_mpp
    return plot_slide(
        sample.slide,
        columns | {f"{COVERAGE_PREFIX}{value}": tiles["tissue_coverage"].to_numpy()},
        overlay=sample.mask,
        keep=f"{value}>={KEPT_FRACTION:g}",
        overlay_mpp=None if mpp is None else (mpp, mpp),
        title=f"{sample.slide.name}: fraction of the middle of each tile that is {value}",
    )


def _say_result(tiles: pa.Table, console: Console) -> None:
    kept = np.count_nonzero(tiles["tissue_coverage"].to_numpy() >= KEPT_FRACTION)
    share = f"{kept} of {tiles.num_rows} tiles"
    console.print(
        f"{share} have tissue in at least {KEPT_FRACTION:.0%} of their central region."
        " The table of all tiles, and the picture:"
    )
