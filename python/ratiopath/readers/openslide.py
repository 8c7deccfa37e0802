"""Slides of every vendor that OpenSlide knows, read with openslide-python as 8-bit RGB."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import openslide

from ratiopath.errors import OverlayFormatError
from ratiopath.readers.base import Level, Reader, ResolutionMetadata
from ratiopath.readers.files import file_identity, unopenable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BLOCK = 512
# A level that can only be read at once, from its origin.
WHOLE_LEVEL_PIXELS = 64 * 1024**2

# Blocks are not read twice, so all slides share what OpenSlide would keep for each one.
CACHE_BYTES = 32 * 1024**2
_cache = openslide.OpenSlideCache(CACHE_BYTES)

_TAG_UNITS = {"inch": 25400.0, "centimeter": 10000.0}


class OpenSlideReader(Reader):
    """A slide opened with OpenSlide.

    OpenSlide places a region by dividing level-0 coordinates by the level's downsample, and blends
    neighbouring pixels where the quotient is not whole. So a level is read in blocks of 512 x 512
    only if its downsample is an integer, whose multiples divide without a rest. Any other level is
    read at once from its origin, up to 64 megapixels.

    Fully transparent pixels (where the scanner left an area out) get one value; any other alpha
    keeps the stored colour.

    Args:
        path: The file's path.
        transparent: The sample value of fully transparent pixels.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: OpenSlide does not know the format, or the file is corrupt.
    """

    dtype = np.dtype(np.uint8)
    channels = 3

    def __init__(self, path: str | os.PathLike[str], transparent: float = 0) -> None:
        self.path = os.fspath(path)
        self._transparent = transparent
        try:
            status = os.stat(self.path)  # noqa: PTH116 - no Path made
            self.identity = (*file_identity(self.path, status), transparent)
            self._slide = _open(self.path)
        except OSError as error:
            raise unopenable(self.path, error) from error
        except openslide.OpenSlideError as error:
            raise OverlayFormatError(f"it cannot be opened: {error}", self.path) from error
        sizes = self._slide.level_dimensions
        self._downsamples = [
            _exact_downsample(sizes[0], size, downsample)
            for size, downsample in zip(sizes, self._slide.level_downsamples, strict=True)
        ]
        self.levels = tuple(map(_grid, sizes, self._downsamples))
        self.resolution = _resolution(self._slide.properties)
        vendor = self._slide.properties.get(openslide.PROPERTY_NAME_VENDOR, "unknown vendor")
        self.encoding = f"{vendor}, by OpenSlide"

    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any]:
        """Decode one block; see `Reader.read_segment`.

        Raises:
            OverlayFormatError: The block is corrupt, or the level can only be read at once and is
                larger than 64 megapixels.
        """
        grid, downsample = self.levels[level], self._downsamples[level] or 1
        left, top = column * grid.segment_width, row * grid.segment_height
        size = (
            min(grid.segment_width, grid.width - left),
            min(grid.segment_height, grid.height - top),
        )
        if size[0] * size[1] > WHOLE_LEVEL_PIXELS:
            raise OverlayFormatError(
                f"level {level} is no integer fraction of level 0, so OpenSlide would blend its"
                " pixels, and it is too large to be read at once; choose another one with level=",
                self.path,
            )
        try:
            region = self._slide.read_region((left * downsample, top * downsample), level, size)
        except (openslide.OpenSlideError, OSError, ValueError) as error:
            self._renew()
            raise OverlayFormatError(
                f"segment (row {row}, column {column}) of level {level} cannot be read: {error}",
                self.path,
            ) from error
        return _rgb(np.asarray(region), self._transparent)

    def close(self) -> None:
        """Close the slide."""
        self._slide.close()

    def _renew(self) -> None:
        """Take a new handle: one that failed once, on a network drive say, fails ever after."""
        with contextlib.suppress(openslide.OpenSlideError, OSError):
            self._slide = _open(self.path)


def _open(path: str) -> openslide.OpenSlide:
    slide = openslide.OpenSlide(path)
    slide.set_cache(_cache)
    return slide


def _exact_downsample(
    size0: tuple[int, int], size: tuple[int, int], downsample: float
) -> int | None:
    """Return the integer by which OpenSlide divides coordinates, or None where it is none."""
    k = round(downsample)
    fits = all(one in (full // k, -(-full // k)) for full, one in zip(size0, size, strict=True))
    return k if k == downsample and fits else None


def _grid(size: tuple[int, int], downsample: int | None) -> Level:
    return Level(*size, *((BLOCK, BLOCK) if downsample else size))


def _rgb(rgba: NDArray[np.uint8], transparent: float) -> NDArray[np.uint8]:
    rgb = rgba[:, :, :3].copy()
    rgb[rgba[:, :, 3] == 0] = transparent
    return rgb


def _resolution(properties: Mapping[str, str]) -> ResolutionMetadata:
    """Tell a vendor's word from TIFF tags, which for a generic TIFF may be a default of 72 dpi."""
    if properties.get(openslide.PROPERTY_NAME_VENDOR) in ("generic-tiff", "trestle"):
        x, y = (_number(properties, f"tiff.{axis}Resolution") for axis in "XY")
        unit = _TAG_UNITS.get(properties.get("tiff.ResolutionUnit", "inch"))
        if x is None or y is None or unit is None:
            return ResolutionMetadata()
        return ResolutionMetadata(tags=(x, y, unit))
    x = _number(properties, openslide.PROPERTY_NAME_MPP_X)
    y = _number(properties, openslide.PROPERTY_NAME_MPP_Y)
    return ResolutionMetadata(vendor=None if x is None or y is None else (x, y))


def _number(properties: Mapping[str, str], name: str) -> float | None:
    try:
        return float(properties[name])
    except (KeyError, ValueError):
        return None
