"""What a slide's metadata become as a row: which level, its size and its µm per pixel.

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
from ratiopath.placement.resolution import (
    choose_level,
    describe_missing_mpp,
    find_base_mpp,
    level_downsamples,
    missing_level,
)
from ratiopath.readers.opening import open_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratiopath.placement.resolution import Pair
    from ratiopath.readers.base import Reader

# A level is worth a warning where its pixels are so many times as large as wanted, or as small.
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
    """What the caller wants of every slide; exactly one of ``mpp`` and ``level`` is set.

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


def read_slide_row(path: str, tiling: Tiling) -> pa.Table:
    """Open a slide and describe it.

    Args:
        path: The slide.
        tiling: What the caller wants.

    Returns:
        A table of one row with the columns of `SLIDE_SCHEMA`.

    Raises:
        OverlayFormatError: The slide cannot be opened.
        OverlayResolutionError: A µm per pixel is wanted, but nothing says the slide's own.
        OverlayValueError: The slide lacks the wanted level.
    """
    return pa.Table.from_pylist([_slide_row(path, tiling)], schema=SLIDE_SCHEMA)


def _slide_row(path: str, tiling: Tiling) -> dict[str, Any]:
    reader = open_reader(path)
    base = _base_mpp(reader, path, tiling)
    downsamples = level_downsamples(reader.levels)
    level = _level(base, downsamples, path, tiling)
    extent = reader.levels[level]
    x, y = downsamples[level]
    return {
        "path": path,
        "extent_x": extent.width,
        "extent_y": extent.height,
        "tile_extent_x": tiling.tile_extent[0],
        "tile_extent_y": tiling.tile_extent[1],
        "stride_x": tiling.stride[0],
        "stride_y": tiling.stride[1],
        "mpp_x": None if base is None else base[0] * x,
        "mpp_y": None if base is None else base[1] * y,
        "level": level,
        "downsample": (x + y) / 2,
    }


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


def _level(base: Pair | None, downsamples: Sequence[Pair], path: str, tiling: Tiling) -> int:
    if tiling.mpp is not None and base is not None:
        mpps = [(base[0] * x, base[1] * y) for x, y in downsamples]
        return choose_level(mpps, tiling.mpp)
    level = tiling.level or 0
    if level >= len(downsamples):
        raise missing_level(level, len(downsamples), path)
    return level


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
