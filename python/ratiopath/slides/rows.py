"""A slide's metadata as a row: the level to tile, its size and its µm per pixel.

The rules are those of overlays: the file's content decides which backend opens it, and
`ratiopath.placement.resolution` decides its µm per pixel and the level. No pixel is read.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from ratiopath.errors import OverlayResolutionError
from ratiopath.placement.downsamples import level_downsamples, level_mpps
from ratiopath.placement.levels import choose_level, existing_level
from ratiopath.placement.resolution import describe_missing_mpp, find_base_mpp
from ratiopath.readers.opening import open_reader

if TYPE_CHECKING:
    from ratiopath.placement.resolution import Pair
    from ratiopath.readers.base import Reader

# A level whose pixels are this many times larger or smaller than wanted is worth a warning. Nominal
# and calibrated resolutions of one objective differ by less.
FAR = 1.2

SLIDE_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("extent_x", pa.int64()),
        ("extent_y", pa.int64()),
        ("tile_extent_x", pa.int64()),
        ("tile_extent_y", pa.int64()),
        ("stride_x", pa.int64()),
        ("stride_y", pa.int64()),
        ("mpp_x", pa.float64()),
        ("mpp_y", pa.float64()),
        ("level", pa.int64()),
        ("downsample", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Tiling:
    """The tiling that the caller wants of every slide; exactly one of ``mpp`` and ``level`` is set.

    Attributes:
        tile_extent: Width and height of a tile, in pixels of the chosen level.
        stride: Distance between tiles along x and y, in pixels of the chosen level.
        mpp: Wanted µm per pixel along x and y.
        level: Wanted level.
        slide_mpp: µm per pixel of level 0, instead of what the files say; or that of some slides,
            by path or file name.
    """

    tile_extent: tuple[int, int]
    stride: tuple[int, int]
    mpp: Pair | None
    level: int | None
    slide_mpp: Pair | Mapping[str, Pair] | None

    @classmethod
    def checked(
        cls,
        tile_extent: int | tuple[int, int],
        stride: int | tuple[int, int],
        mpp: float | Pair | None,
        level: int | None,
        slide_mpp: float | Pair | Mapping[str, float | Pair] | None,
    ) -> Self:
        """Check the arguments of `read_slides`; one number stands for both axes.

        Raises:
            ValueError: Both or none of ``mpp`` and ``level`` are given, or a number is out of
                range.
            TypeError: A number of pixels or a level is not an integer.
        """
        if (mpp is None) == (level is None):
            raise ValueError(f"give exactly one of mpp and level, got mpp={mpp}, level={level}")
        if level is not None and operator.index(level) < 0:
            raise ValueError(f"level must be at least 0, got {level}")
        return cls(
            tile_extent=_whole_pair("tile_extent", tile_extent),
            stride=_whole_pair("stride", stride),
            mpp=None if mpp is None else _positive_pair("mpp", mpp),
            level=None if level is None else operator.index(level),
            slide_mpp=_slide_mpp(slide_mpp),
        )

    def slide_mpp_of(self, path: str) -> Pair | None:
        """Return the µm per pixel that the caller gives for a slide's level 0, if any."""
        if not isinstance(self.slide_mpp, Mapping):
            return self.slide_mpp
        # By file name too: on a cluster paths differ between machines.
        return self.slide_mpp.get(path, self.slide_mpp.get(PurePath(path).name))

    def describe_far_level(self, mpp: Pair) -> str | None:
        """Say that a chosen level is far from what was asked for, or return None.

        Args:
            mpp: µm per pixel of the level, along x and y.

        Returns:
            A sentence with both numbers, the same for all slides of one resolution.
        """
        if self.mpp is None:
            return None
        pairs = list(zip(mpp, self.mpp, strict=True))
        if all(max(has / wants, wants / has) <= FAR for has, wants in pairs):
            return None
        has, wants = (" x ".join(f"{number:.3g}" for number in pair) for pair in (mpp, self.mpp))
        return (
            f"the level nearest to {wants} µm per pixel has {has}: tiles are of that level, and"
            " nothing is resized"
        )


@dataclass(frozen=True)
class SlideLevel:
    """A slide at the level that its tiles come from.

    Attributes:
        path: The slide.
        extent: Width and height of the level in pixels.
        mpp: µm per pixel of the level along x and y, or None where nothing says it.
        level: Which level it is.
        downsample: How much coarser than level 0 it is, the mean of both axes.
    """

    path: str
    extent: tuple[int, int]
    mpp: Pair | None
    level: int
    downsample: float

    def as_row(self, tiling: Tiling) -> dict[str, Any]:
        """Return what `SLIDE_SCHEMA` holds of it.

        Args:
            tiling: What the caller wanted.
        """
        pairs = {
            "extent": self.extent,
            "tile_extent": tiling.tile_extent,
            "stride": tiling.stride,
            "mpp": self.mpp or (None, None),
        }
        numbers = {
            f"{name}_{axis}": number
            for name, pair in pairs.items()
            for axis, number in zip("xy", pair, strict=True)
        }
        return {"path": self.path, **numbers, "level": self.level, "downsample": self.downsample}


def read_slide_row(path: str, tiling: Tiling) -> pa.Table:
    """Open a slide and describe it in a table of one row; see `read_slide_level`.

    Args:
        path: The slide.
        tiling: What the caller wants.

    Returns:
        A table with the columns of `SLIDE_SCHEMA`.
    """
    row = read_slide_level(path, tiling).as_row(tiling)
    # With a schema, so that blocks of slides without a resolution have float columns too.
    return pa.Table.from_pylist([row], schema=SLIDE_SCHEMA)


def read_slide_level(path: str, tiling: Tiling) -> SlideLevel:
    """Open a slide and find the level that its tiles come from.

    Args:
        path: The slide.
        tiling: What the caller wants.

    Returns:
        The slide at that level.

    Raises:
        OverlayFormatError: The slide cannot be opened.
        OverlayResolutionError: A µm per pixel is wanted, but nothing says the slide's own.
        OverlayValueError: The slide lacks the wanted level.
    """
    reader = open_reader(path)
    base = _base_mpp(reader, path, tiling)
    mpps = None if base is None else level_mpps(base, reader.levels)
    if mpps is not None and tiling.mpp is not None:
        level = choose_level(mpps, tiling.mpp)
    else:
        level = existing_level(tiling.level or 0, len(reader.levels), path)
    grid = reader.levels[level]
    x, y = level_downsamples(reader.levels)[level]
    mpp = None if mpps is None else mpps[level]
    return SlideLevel(path, (grid.width, grid.height), mpp, level, (x + y) / 2)


def _base_mpp(reader: Reader, path: str, tiling: Tiling) -> Pair | None:
    """Return the slide's µm per pixel, or None where it is unknown and not needed."""
    found = find_base_mpp(
        reader.resolution, path=path, level0=reader.levels[0], override=tiling.slide_mpp_of(path)
    )
    if found is not None:
        return found.mpp
    if tiling.mpp is None:
        return None
    raise OverlayResolutionError(
        describe_missing_mpp(reader.resolution),
        path,
        code="unknown_resolution",
        remedy="pass slide_mpp, the µm per pixel of level 0, or choose a level with level= in place"
        " of mpp=",
    )


def _slide_mpp(
    slide_mpp: float | Pair | Mapping[str, float | Pair] | None,
) -> Pair | Mapping[str, Pair] | None:
    if slide_mpp is None:
        return None
    if isinstance(slide_mpp, Mapping):
        return {path: _positive_pair(f"slide_mpp of {path}", v) for path, v in slide_mpp.items()}
    return _positive_pair("slide_mpp", slide_mpp)


def _whole_pair(name: str, value: int | tuple[int, int]) -> tuple[int, int]:
    x, y = np.broadcast_to(value, 2).tolist()
    _positive_pair(name, (x, y))
    return operator.index(x), operator.index(y)


def _positive_pair(name: str, value: float | Pair) -> Pair:
    x, y = np.broadcast_to(value, 2).tolist()
    if not (0 < x < math.inf and 0 < y < math.inf):
        raise ValueError(f"{name} must be finite and positive, got {value}")
    return float(x), float(y)
