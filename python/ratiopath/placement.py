"""Where the patches of a group lie on their overlay: level, scale, origin, size and shape.

Everything that SPEC calls geometry meets here: the resolution rules give the level and the scale,
the one rounding rule gives origins and sizes, the region gives the pixels inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ratiopath import _core, resolution
from ratiopath.errors import OverlayError, OverlayNotFoundError, OverlayValueError
from ratiopath.limits import FEW_ROWS, check_grid
from ratiopath.options import Options
from ratiopath.readers import open_reader
from ratiopath.readers.array import ArrayReader
from ratiopath.readers.empty import EmptyReader
from ratiopath.roi import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratiopath.batch import Batch, Group
    from ratiopath.readers.base import Level, Reader

# Columns that decide how an overlay is read: rows that agree on them share one plan.
GROUP_BY = (
    "mpp_x",
    "mpp_y",
    "overlay_mpp_x",
    "overlay_mpp_y",
    "slide_extent_x",
    "slide_extent_y",
    "level",
)
EXTENT = ("tile_extent_x", "tile_extent_y")

# The core's grids have 31 bits a side; a patch beyond is a unit mixed up.
LARGEST_SIDE = (1 << 31) - 1


@dataclass(frozen=True)
class Placement:
    """The patches of one group on one level of their overlay.

    Attributes:
        group: The rows that the patches belong to.
        reader: The overlay, open.
        level: The level that is read.
        shape: Rows and columns of a patch; of the first patch under exact coverage.
        plan: Which segments the patches touch.
    """

    group: Group
    reader: Reader
    level: int
    shape: tuple[int, int]
    plan: _core.Plan

    @property
    def grid(self) -> Level:
        """The level's size and segments."""
        return self.reader.levels[self.level]

    def segment(self, index: int) -> tuple[int, int, int]:
        """Return level, row and column of the ``index``-th touched segment."""
        row, column = divmod(int(self.plan.segments[index]), self.grid.columns)
        return self.level, row, column

    def row_of_segment(self, index: int) -> int:
        """Return the first row of the batch that touches the ``index``-th touched segment."""
        return int(self.group.rows[self.plan.first_patch(index) or 0])


def place(batch: Batch, group: Group, region: Region | None, options: Options) -> Placement:
    """Open a group's overlay and lay its patches on the level that fits.

    Args:
        batch: The rows of the call.
        group: Those that share the overlay.
        region: The ROI in tile pixels, or None for the whole tile.
        options: The options of the call.

    Returns:
        The placement.

    Raises:
        OverlayError: The overlay cannot be opened, has no resolution, or lacks the level asked for;
            names the overlay and the row.
    """
    try:
        reader = _open(group, options)
        level, scale = _level_and_scale(group, reader)
        if region is None:
            region = Region.rectangle(*(group.numbers[name] for name in EXTENT))
        tiles = batch.numbers["tile_x"][group.rows], batch.numbers["tile_y"][group.rows]
        lay = _lay_exact if options.coverage == "exact" else _lay_rounded
        shape, plan = lay(tiles, region, scale, reader.levels[level], options)
    except OverlayError as error:
        raise error.at_row(int(group.rows[0])) from error.__cause__
    except ValueError as error:
        raise group.error(str(error)) from error
    if options.channel is not None and options.channel >= reader.channels:
        raise group.error(f"channel {options.channel} is not among the {reader.channels}")
    return Placement(group, reader, level, shape, plan)


def place_slide(batch: Batch, group: Group, background: float) -> Placement:
    """Open a group's slide and lay its tiles on their own level, pixel by pixel.

    Args:
        batch: The rows of the call.
        group: Those that share slide, level and extent.
        background: The sample value beyond the slide's edge and where the slide is transparent.

    Returns:
        The placement.

    Raises:
        OverlayError: The slide cannot be opened or lacks the level; names the slide and the row.
    """
    try:
        if not isinstance(group.overlay, str):
            raise group.error("path is null")
        reader = open_reader(group.overlay, transparent=background)
        level = _forced_level(group, reader) or 0
        tile = Region.rectangle(*(group.numbers[name] for name in EXTENT))
        tiles = batch.numbers["tile_x"][group.rows], batch.numbers["tile_y"][group.rows]
        options = Options(outside=background)
        shape, plan = _lay_rounded(tiles, tile, (1.0, 1.0), reader.levels[level], options)
    except OverlayError as error:
        raise error.at_row(int(group.rows[0])) from error.__cause__
    return Placement(group, reader, level, shape, plan)


def _open(group: Group, options: Options) -> Reader:
    if isinstance(group.overlay, np.ndarray):
        return ArrayReader(group.overlay)
    try:
        return _open_path(group.overlay)
    except OverlayNotFoundError:
        if options.on_missing == "empty":
            return EmptyReader(options.dtype or np.dtype(np.uint8))
        raise


def _open_path(path: str | None) -> Reader:
    if path is None:
        raise OverlayNotFoundError("overlay_path is null: on_missing='empty' allows it")
    return open_reader(path)


def _level_and_scale(group: Group, reader: Reader) -> tuple[int, tuple[float, float]]:
    tile_mpp = (group.numbers["mpp_x"], group.numbers["mpp_y"])
    mpps = _level_mpps(group, reader, tile_mpp)
    level = None if isinstance(reader, EmptyReader) else _forced_level(group, reader)
    if level is None:
        level = resolution.choose_level(mpps, tile_mpp)
    x, y = (
        resolution.snap_scale(tile / mpp) for tile, mpp in zip(tile_mpp, mpps[level], strict=True)
    )
    return level, (x, y)


def _level_mpps(
    group: Group, reader: Reader, tile_mpp: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    override = group.pair("overlay_mpp")
    if isinstance(reader, EmptyReader):
        return (override or tile_mpp,)
    base = resolution.base_mpp(
        reader.resolution,
        path=reader.path,
        level0=reader.levels[0],
        override=override,
        tile_mpp=tile_mpp,
        slide_extent=group.pair("slide_extent"),
    )
    return resolution.level_mpps(base, reader.levels)


def _forced_level(group: Group, reader: Reader) -> int | None:
    level = group.number("level")
    if level is None:
        return None
    if level != int(level) or not 0 <= level < len(reader.levels):
        raise OverlayValueError(
            f"level {level:g} is not among the overlay's {len(reader.levels)}", reader.path
        )
    return int(level)


def _lay_rounded(
    tiles: tuple[NDArray[np.float64], NDArray[np.float64]],
    region: Region,
    scale: tuple[float, float],
    level: Level,
    options: Options,
) -> tuple[tuple[int, int], _core.Plan]:
    """Lay patches of one size at rounded origins, all with the same mask."""
    x0, y0, x1, y1 = region.bounding_box
    width = max(1, _scaled(x1 - x0, scale[0]))
    height = max(1, _scaled(y1 - y0, scale[1]))
    _check_side(width, height)
    x = _core.scale_coordinates(tiles[0] + x0, scale[0])
    y = _core.scale_coordinates(tiles[1] + y0, scale[1])
    start, end = _seen(y, height, level, options) or (0, height)
    rows = (min(max(start, 0), height), min(max(end, 0), height))
    spans = region.spans((height, width), (x0, y0, x1, y1), options.coverage, rows)
    return (height, width), _plan(level, [spans], x, y, np.zeros(len(x), np.uint32))


def _lay_exact(
    tiles: tuple[NDArray[np.float64], NDArray[np.float64]],
    region: Region,
    scale: tuple[float, float],
    level: Level,
    options: Options,
) -> tuple[tuple[int, int], _core.Plan]:
    """Lay each patch at its true place; tiles of one sub-pixel phase share their coverage."""
    x0, y0, x1, y1 = region.bounds
    _check_side((x1 - x0) * scale[0], (y1 - y0) * scale[1])
    whole_x, part_x = _whole_and_part(tiles[0], scale[0])
    whole_y, part_y = _whole_and_part(tiles[1], scale[1])
    phases, index = np.unique(np.stack([part_x, part_y], 1), axis=0, return_inverse=True)
    seen = _seen(whole_y, (y1 - y0) * scale[1], level, options)
    made = [region.scaled_spans(scale, (float(px), float(py)), seen) for px, py in phases]
    index = index.reshape(-1)
    first_x = np.array([x for _, x, _ in made], np.int64)
    first_y = np.array([y for _, _, y in made], np.int64)
    spans = [shape for shape, _, _ in made]
    x, y = whole_x + first_x[index], whole_y + first_y[index]
    return spans[0].shape, _plan(level, spans, x, y, index.astype(np.uint32))


def _whole_and_part(
    tiles: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Split ``tiles * scale`` into whole pixels and the rest, exactly where the scale is p/q."""
    ratio = Fraction(scale).limit_denominator(resolution.LARGEST_DENOMINATOR)
    if float(ratio) == scale and (tiles == np.trunc(tiles)).all() and _fits(tiles, ratio):
        numerators = tiles.astype(np.int64) * ratio.numerator
        return numerators // ratio.denominator, (numerators % ratio.denominator) / ratio.denominator
    scaled = tiles * scale
    whole = np.floor(scaled)
    return whole.astype(np.int64), scaled - whole


def _fits(tiles: NDArray[np.float64], ratio: Fraction) -> bool:
    return bool(np.abs(tiles).max(initial=0) * ratio.numerator < 2**62)


def _seen(
    y: NDArray[np.int64], height: float, level: Level, options: Options
) -> tuple[int, int] | None:
    """Return first and end row, from the patches' origins, that lie on the level for any of them.

    None stands for all: few rows are cheaper made once than looked at for each batch, and what
    lies outside counts as well where ``outside`` gives it a value.
    """
    if height <= FEW_ROWS or len(y) == 0:
        return None
    if not options.clips:
        check_grid((int(height), 1), 0)
        return None
    return -int(y.max()), level.height - int(y.min())


def _plan(
    level: Level,
    spans: list[_core.Spans],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    index: NDArray[np.uint32],
) -> _core.Plan:
    size = (level.height, level.width)
    return _core.Plan(size, (level.segment_height, level.segment_width), spans, x, y, index)


def _scaled(size: int, scale: float) -> int:
    return int(_core.scale_coordinates(np.array([size], np.float64), scale)[0])


def _check_side(width: float, height: float) -> None:
    if max(width, height) > LARGEST_SIDE:
        raise ValueError(
            f"a patch of {height:.0f} x {width:.0f} overlay pixels is larger than any overlay:"
            " check the ROI and the µm per pixel"
        )
