"""Slides of all vendors that OpenSlide supports, read with openslide-python as 8-bit RGB."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import openslide

from ratiopath.errors import OverlayFormatError
from ratiopath.readers.base import Level, Reader, ResolutionMetadata, cannot_read, segment_name
from ratiopath.storage.files import file_identity, unopenable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Some of a slide's own tiles lie in several blocks; OpenSlide's cache spares decoding them again.
BLOCK = 512
# OpenSlide reads a longer region in pieces, and rounds where each of them begins.
LONGEST_REGION = 4096
# Of a pixel. Cairo, which OpenSlide draws with, takes less than twice that for no shift at all.
UNSEEN_SHIFT = 1 / 512

# Blocks are not read twice, so all slides share one cache, where OpenSlide would give each its own.
CACHE_BYTES = 32 * 1024**2
_cache = openslide.OpenSlideCache(CACHE_BYTES)

_TAG_UNITS = {"inch": 25400.0, "centimeter": 10000.0}


class OpenSlideReader(Reader):
    """A slide opened with OpenSlide.

    OpenSlide places a region by dividing level-0 coordinates by the level's downsample, and blends
    neighbouring pixels where the quotient is not whole. So a level whose downsample is an integer,
    whose multiples divide without a rest, is read in blocks of 512 x 512. Any other one is read in
    larger segments, each from the nearest pixel before it that a level-0 coordinate divides to. No
    region is longer than 4096 pixels; a segment that has no such pixel within reach is refused.

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
            reason = f"it cannot be opened: {error}"
            raise OverlayFormatError(reason, self.path, code="unsupported") from error
        self._downsamples = self._slide.level_downsamples
        self.levels = tuple(map(_grid, self._slide.level_dimensions, self._downsamples))
        self.resolution = _resolution(self._slide.properties)
        vendor = self._slide.properties.get(openslide.PROPERTY_NAME_VENDOR, "unknown vendor")
        self.encoding = f"{vendor}, by OpenSlide"
        # For Leica, OpenSlide truncates the quotient to whole pixels: any shift may move a pixel.
        self._unseen_shift = 0 if vendor == "leica" else UNSEEN_SHIFT

    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any]:
        """Decode one block; see `Reader.read_segment`.

        Raises:
            OverlayFormatError: The segment is corrupt, or OpenSlide would blend its pixels.
        """
        grid, downsample = self.levels[level], self._downsamples[level]
        left, top = column * grid.segment_width, row * grid.segment_height
        width, height = grid.size_within(row, column)
        x = _unblended(left, width, downsample, self._unseen_shift)
        y = _unblended(top, height, downsample, self._unseen_shift)
        if x is None or y is None:
            raise OverlayFormatError(
                f"level {level} is no integer fraction of level 0, and so large that OpenSlide"
                f" would blend pixels of its segment (row {row}, column {column})",
                self.path,
                code="blended_level",
            )
        before_x, before_y = left - x.pixel, top - y.pixel
        size = (before_x + width, before_y + height)
        try:
            region = self._slide.read_region((x.position, y.position), level, size)
        except (openslide.OpenSlideError, OSError, ValueError) as error:
            self._renew()
            raise cannot_read(segment_name(level, row, column), error, self.path) from error
        return _rgb(np.asarray(region)[before_y:, before_x:], self._transparent)

    def close(self) -> None:
        """Close the slide."""
        self._slide.close()

    def _renew(self) -> None:
        """Replace the handle: once one has failed, say on a network drive, it always fails."""
        with contextlib.suppress(openslide.OpenSlideError, OSError):
            self._slide = _open(self.path)


def _open(path: str) -> openslide.OpenSlide:
    slide = openslide.OpenSlide(path)
    slide.set_cache(_cache)
    return slide


class _Start(NamedTuple):
    """Where a region begins along an axis: a coordinate of level 0, and the level's pixel there."""

    position: int
    pixel: int


def _unblended(first: int, length: int, downsample: float, unseen: float) -> _Start | None:
    """Return the nearest start at or before a pixel at which OpenSlide blends nothing, if any.

    The region from there to the segment's end must not be longer than OpenSlide reads in one piece.
    """
    pixels = np.arange(first, max(first + length - LONGEST_REGION, 0) - 1, -1)
    positions = np.rint(pixels * downsample)
    found = np.flatnonzero(np.abs(positions / downsample - pixels) <= unseen)
    return _Start(int(positions[found[0]]), int(pixels[found[0]])) if found.size else None


def _grid(size: tuple[int, int], downsample: float) -> Level:
    if downsample.is_integer():
        return Level(*size, BLOCK, BLOCK)
    # Half the longest region leaves the other half to search for a start in.
    width, height = (one if one <= LONGEST_REGION else LONGEST_REGION // 2 for one in size)
    return Level(*size, width, height)


def _rgb(rgba: NDArray[np.uint8], transparent: float) -> NDArray[np.uint8]:
    # A copy without alpha, since the core takes contiguous pixels.
    rgb = rgba[:, :, :3].copy()
    rgb[rgba[:, :, 3] == 0] = transparent
    return rgb


def _resolution(properties: Mapping[str, str]) -> ResolutionMetadata:
    """Tell a vendor's properties from a generic TIFF's tags, which may be a default of 72 dpi."""
    if properties.get(openslide.PROPERTY_NAME_VENDOR) == "generic-tiff":
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
