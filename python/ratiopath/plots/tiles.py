"""Tables of tiles as pictures draw them: where tiles lie, their fractions, which are kept."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ratiopath.values.conditions import COVERAGE_PREFIX, Keep
from ratiopath.values.keys import key_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

# More cells than this cannot be told apart in a picture: tiles are drawn in blocks then.
MOST_CELLS = 20_000


@dataclass(frozen=True)
class Tiles:
    """The tiles of one slide.

    Attributes:
        corner: Left and top pixel of each tile (N, 2).
        extent: Width and height of each tile in pixels (N, 2).
        mpp: µm per pixel of their level along x and y.
        level: Their level.
        fractions: The fraction of each tile (N,) by key.
        kept: Whether each tile is kept (N,).
    """

    corner: NDArray[np.float64]
    extent: NDArray[np.float64]
    mpp: tuple[float, float]
    level: int
    fractions: dict[str, NDArray[np.float64]]
    kept: NDArray[np.bool_]

    @classmethod
    def of(cls, table: Any, slide: str | os.PathLike[str], keep: Keep) -> Self:
        """Read a table with the columns that ``ratiopath overlap`` writes.

        Args:
            table: Anything with columns by name: a dictionary of arrays, a pandas or polars data
                frame, an Arrow table. Needs ``tile_x``, ``tile_y``, ``tile_extent_x``,
                ``tile_extent_y``, ``mpp_x``, ``mpp_y``; may have ``level`` (else 0), ``path``,
                ``kept`` and ``coverage_...`` columns.
            slide: Where there is a column ``path``, only its rows of this slide are taken.
            keep: Which tiles are kept; without conditions what the column ``kept`` says, else all.

        Returns:
            The tiles.

        Raises:
            ValueError: A column is missing, no row is of this slide, or rows differ in level.
        """
        names = _names(table)
        rows = _rows_of(table, names, slide)

        def pair(name: str) -> NDArray[np.float64]:
            axes = [_numbers(table, names, f"{name}_{axis}", rows) for axis in "xy"]
            return np.stack(axes, axis=1)

        corner, extent, mpp = pair("tile"), pair("tile_extent"), pair("mpp")
        level = _numbers(table, names, "level", rows) if "level" in names else np.zeros(len(corner))
        if len(corner) and (np.ptp(mpp, axis=0).any() or np.ptp(level)):
            raise ValueError("the tiles come from several levels or slides: draw one at a time")
        prefixed = [name for name in names if name.startswith(COVERAGE_PREFIX)]
        keys = sorted((name.removeprefix(COVERAGE_PREFIX) for name in prefixed), key=key_order)
        fractions = {
            key: np.nan_to_num(_numbers(table, names, f"{COVERAGE_PREFIX}{key}", rows))
            for key in keys
        }
        one = (float(mpp[0, 0]), float(mpp[0, 1])) if len(mpp) else (1.0, 1.0)
        kept = keep.mask(fractions, len(corner))
        if not keep.conditions and "kept" in names:
            kept = np.asarray(table["kept"])[rows].astype(bool)
        return cls(corner, extent, one, int(level[0]) if len(level) else 0, fractions, kept)

    def __len__(self) -> int:
        return len(self.corner)


@dataclass(frozen=True)
class Cells:
    """The cells drawn for tiles: each tile, or blocks of them where there are too many.

    Attributes:
        boxes: Left, top, right and bottom in tile pixels (M, 4).
        fractions: The fraction that is shown as colour, of a block the mean (M,).
        kept: Whether it is kept, of a block at least half of it (M,).
        block: How many tiles a block has along each axis.
    """

    boxes: NDArray[np.float64]
    fractions: NDArray[np.float64]
    kept: NDArray[np.bool_]
    block: int

    @classmethod
    def of(cls, tiles: Tiles, fractions: NDArray[np.float64]) -> Self:
        """Lay the tiles out; of tiles that overlap, the middle part, one stride wide, is drawn."""
        stride = np.array(
            [_stride(tiles.corner[:, axis], tiles.extent[:, axis]) for axis in (0, 1)]
        )
        # Overlapping tiles, drawn whole, would hide each other's colours.
        drawn = np.minimum(tiles.extent, stride)
        start = tiles.corner + (tiles.extent - drawn) / 2
        uncovered = [_without_overlap(start[:, axis], drawn[:, axis]) for axis in (0, 1)]
        boxes = np.concatenate([np.stack(uncovered, axis=1), start + drawn], axis=1)
        block = math.ceil(math.sqrt(len(tiles) / MOST_CELLS))
        if block <= 1:
            return cls(boxes, fractions, tiles.kept, 1)
        return cls._in_blocks(boxes, fractions, tiles, stride * block, block)

    @classmethod
    def _in_blocks(
        cls,
        boxes: NDArray[np.float64],
        fractions: NDArray[np.float64],
        tiles: Tiles,
        side: NDArray[np.float64],
        block: int,
    ) -> Self:
        places = (tiles.corner // side).astype(np.int64)
        places -= places.min(axis=0)
        codes = places[:, 1] * (places[:, 0].max() + 1) + places[:, 0]
        _, index, counts = np.unique(codes, return_inverse=True, return_counts=True)
        index = index.reshape(-1)
        joined = np.empty((len(counts), 4))
        joined[:, :2], joined[:, 2:] = np.inf, -np.inf
        np.minimum.at(joined[:, :2], index, boxes[:, :2])
        np.maximum.at(joined[:, 2:], index, boxes[:, 2:])
        mean = np.bincount(index, fractions) / counts
        return cls(joined, mean, np.bincount(index, tiles.kept) >= counts / 2, block)

    def corners(self, scale: tuple[float, float]) -> NDArray[np.float64]:
        """Return the four corners of each cell (M, 4, 2), in pixels times ``scale``."""
        x0, y0, x1, y1 = self.boxes.T
        corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 4, 2)
        return corners * scale

    def outline(self, scale: tuple[float, float]) -> NDArray[np.float64]:
        """Return the border of the kept cells as line segments (E, 2, 2).

        An edge that two kept cells share is no border, so that one line goes round a region of
        any number of tiles.
        """
        corners = Cells(self.boxes[self.kept], self.fractions, self.kept, 1).corners((2.0, 2.0))
        # In half pixels, which are whole numbers: equal corners must be equal to the last bit.
        doubled = np.rint(corners).astype(np.int64)
        edges = np.stack([doubled, np.roll(doubled, -1, axis=1)], axis=2).reshape(-1, 2, 2)
        # Each edge in one direction, so that its two cells agree on it.
        turned = (edges[:, 0] > edges[:, 1]).any(axis=1)
        edges[turned] = edges[turned][:, ::-1]
        once, counts = np.unique(edges.reshape(-1, 4), axis=0, return_counts=True)
        border = once[counts == 1].reshape(-1, 2, 2)
        lines: NDArray[np.float64] = border / 2 * np.asarray(scale)
        return lines


def _stride(start: NDArray[np.float64], extent: NDArray[np.float64]) -> float:
    """Return the step of a grid along one axis; tiles shifted back at its end do not count."""
    steps = np.diff(np.unique(start))
    return float(np.median(steps)) if len(steps) else float(extent.max(initial=1))


def _without_overlap(
    start: NDArray[np.float64], length: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Begin a tile that was shifted back where the one before it ends, along one axis."""
    places, index = np.unique(start, return_inverse=True)
    ends = np.zeros(len(places))
    np.maximum.at(ends, index, start + length)
    begin = places.copy()
    begin[1:] = np.maximum(begin[1:], np.minimum(ends[:-1], ends[1:]))
    return begin[index]


def _names(table: Any) -> list[str]:
    # An Arrow table's ``columns`` are its data.
    names = getattr(table, "column_names", None)
    if names is None:
        names = table.keys() if hasattr(table, "keys") else table.columns
    return [str(name) for name in names]


def _rows_of(table: Any, names: list[str], slide: str | os.PathLike[str]) -> Any:
    if "path" not in names:
        return slice(None)
    paths = np.asarray(table["path"], object)
    rows = paths == os.fspath(slide)
    if len(paths) and not rows.any():
        raise ValueError(f"no tile of the table has the path {os.fspath(slide)!r}")
    return rows


def _numbers(table: Any, names: list[str], name: str, rows: Any) -> NDArray[np.float64]:
    if name not in names:
        raise ValueError(f"the table of tiles has no column {name}")
    numbers: NDArray[np.float64] = np.asarray(table[name], np.float64)[rows]
    return numbers
