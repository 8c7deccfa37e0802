"""Draw a slide with the coverage of its tiles over it."""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from ratiopath.readers import open_reader

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ratiopath.readers.base import Reader

THUMBNAIL = 1600
MICROMETRES_PER_MILLIMETRE = 1000.0


class _Outlines(NamedTuple):
    corners: NDArray[np.float64]
    coverage: NDArray[np.float64]
    kept: NDArray[np.bool_]


def draw_coverage(path: Path, slide: Path, tiles: pa.Table, threshold: float) -> None:
    """Write a PNG of the slide beside itself with every tile coloured by its coverage.

    Args:
        path: The PNG to write.
        slide: The slide that the tiles come from.
        tiles: The table that `ratiopath.demo.pipeline.cover_tiles` makes.
        threshold: Tiles with at least this coverage are outlined as kept.

    Raises:
        OverlayError: The slide cannot be read.
    """
    first = tiles.slice(0, 1).to_pylist()[0]
    with closing(open_reader(str(slide))) as reader:
        thumbnail = _thumbnail(reader)
        level = reader.levels[first["level"]]
    width = level.width * first["mpp_x"] / MICROMETRES_PER_MILLIMETRE
    height = level.height * first["mpp_y"] / MICROMETRES_PER_MILLIMETRE
    outlines = _outlines(tiles, threshold)
    figure = Figure(figsize=(15, 0.9 + 6.7 * min(height / width, 2)), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.imshow(thumbnail, extent=(0, width, height, 0), interpolation="antialiased")
        axes.set(xlabel="mm", ylabel="mm")
    left.set_title(f"{slide.name}: {level.width} x {level.height} px at {first['mpp_x']:g} µm/px")
    _draw_tiles(right, outlines)
    right.set(xlim=(0, width), ylim=(height, 0))  # tiles may reach past the slide
    right.set_title(
        f"{tiles.num_rows} tiles, {np.count_nonzero(outlines.kept)} with coverage ≥ {threshold:g}"
    )
    figure.savefig(path)


def _draw_tiles(axes: Axes, outlines: _Outlines) -> None:
    some = outlines.coverage > 0
    filled = PolyCollection(
        list(outlines.corners[some]),
        array=outlines.coverage[some],
        cmap="cividis",
        clim=(0, 1),
        alpha=0.6,
        linewidth=0,
    )
    axes.add_collection(filled)
    kept = list(outlines.corners[outlines.kept])
    edges = PolyCollection(kept, facecolor="none", edgecolor="black", linewidth=0.7)
    axes.add_collection(edges)
    bar = axes.figure.colorbar(filled, ax=axes, fraction=0.04, pad=0.02)
    bar.set_label("coverage of the tile's middle (clear: none, outlined: kept)")


def _outlines(tiles: pa.Table, threshold: float) -> _Outlines:
    """Lay the tiles out in mm of the slide; of tiles that overlap, the middle a stride wide."""
    (x0, x1), (y0, y1) = _edges(tiles, "x"), _edges(tiles, "y")
    corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 4, 2)
    coverage = tiles["tissue_coverage"].to_numpy()
    return _Outlines(corners, coverage, coverage >= threshold)


def _edges(tiles: pa.Table, axis: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    start, extent, mpp = (
        tiles[f"{name}_{axis}"].to_numpy() for name in ("tile", "tile_extent", "mpp")
    )
    stride = np.diff(np.unique(start)).min(initial=extent.max())
    drawn = np.minimum(extent, stride)
    first = start + (extent - drawn) / 2
    millimetres = mpp / MICROMETRES_PER_MILLIMETRE
    return first * millimetres, (first + drawn) * millimetres


def _thumbnail(reader: Reader, longest: int = THUMBNAIL) -> NDArray[Any]:
    """Decode a slide segment by segment, keeping every n-th pixel, so that any size fits."""
    index = _thumbnail_level(reader, longest)
    level = reader.levels[index]
    step = math.ceil(max(level.width, level.height) / longest)
    shape = (math.ceil(level.height / step), math.ceil(level.width / step), reader.channels)
    pixels = np.full(shape, reader.fill, reader.dtype)
    for row in range(level.rows):
        for column in range(level.columns):
            segment = reader.read_segment(index, row, column)
            y, x = row * level.segment_height, column * level.segment_width
            if segment is not None:
                _place(pixels, segment, y, x, step)
    if pixels.dtype != np.uint8:
        pixels = pixels / max(pixels.max(), 1)
    return pixels[..., :3] if reader.channels >= 3 else pixels[..., 0]


def _thumbnail_level(reader: Reader, longest: int) -> int:
    sizes = [max(level.width, level.height) for level in reader.levels]
    return max((index for index, size in enumerate(sizes) if size >= longest), default=0)


def _place(pixels: NDArray[Any], segment: NDArray[Any], y: int, x: int, step: int) -> None:
    thinned = segment[-y % step :: step, -x % step :: step]
    target = pixels[-(-y // step) :, -(-x // step) :]
    height, width = (min(a, b) for a, b in zip(target.shape[:2], thinned.shape[:2], strict=True))
    target[:height, :width] = thinned[:height, :width]
