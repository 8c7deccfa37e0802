"""OME-Zarr (NGFF 0.1 to 0.5, Zarr 2 and 3) and plain Zarr arrays, read with the zarr library.

The first image of a file is read: of several multiscales the first, of bioformats2raw's series
image 0; of times and focal planes the first. Channels are channels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, cast

import zarr

from ratiopath.errors import OverlayError
from ratiopath.readers.base import (
    SAMPLE_TYPES,
    Reader,
    RefusedError,
    ResolutionMetadata,
    cannot_read,
    closed_on_error,
    segment_name,
)
from ratiopath.readers.zarr.level import ZarrLevel
from ratiopath.readers.zarr.metadata import find_multiscale, is_series, plain_axes
from ratiopath.readers.zarr.store import FolderStore
from ratiopath.storage.remote_file import AHEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ratiopath.readers.zarr.metadata import Dataset, Multiscale
    from ratiopath.storage.folders import Folder


class ZarrReader(Reader):
    """A Zarr opened for reading.

    Args:
        folder: Where it lies.
        zarr_format: 2 or 3.
        transparent: Not used, since no channel is taken for transparency.

    Raises:
        OverlayFormatError: It is no image, is corrupt, or uses what is not supported.
        OverlayAccessError: It is remote, and could not be read.
    """

    def __init__(self, folder: Folder, zarr_format: Literal[2, 3], transparent: float = 0) -> None:
        self.path = folder.path
        self.identity = (*folder.identity, transparent)
        self.reads_ahead = folder.is_remote
        self._folder = folder
        with closed_on_error(self, "the Zarr"):
            self._open(zarr.open(FolderStore(folder), mode="r", zarr_format=zarr_format))
            folder.settle()

    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any] | None:
        """Decode one chunk, or several small ones; see `Reader.read_segment`.

        Raises:
            OverlayFormatError: A chunk is corrupt or truncated.
        """
        try:
            return self._levels[level].read(row, column)
        except OverlayError:
            raise
        except Exception as error:
            raise cannot_read(segment_name(level, row, column), error, self.path) from error

    def read_ahead(self, level: int, segments: Sequence[tuple[int, int]]) -> int:
        """Fetch chunks many at a time; see `Reader.read_ahead`."""
        array = self._levels[level]
        count = max(1, AHEAD_BYTES // array.segment_bytes)
        try:
            array.read_ahead(segments[:count])
        except ValueError as error:
            raise cannot_read("a shard", error, self.path) from error
        return min(count, len(segments))

    def close(self) -> None:
        """Do nothing: no file stays open but a zip file, which its folder closes."""

    def _open(self, node: zarr.Array[Any] | zarr.Group) -> None:
        if isinstance(node, zarr.Array):
            names = getattr(node.metadata, "dimension_names", None)
            names = cast("Any", names or node.attrs.get("_ARRAY_DIMENSIONS"))
            self._take([ZarrLevel(self._folder, _checked(node), plain_axes(node.ndim, names))])
            self.resolution = ResolutionMetadata()
            return
        multiscale = find_multiscale(dict(node.attrs))
        if multiscale is None and is_series(dict(node.attrs)):
            self._open(node["0"])
            return
        if multiscale is None:
            raise RefusedError(
                "the group holds no multiscales",
                remedy="name an image within it, such as x.zarr/0 or x.zarr/labels/tissue",
            )
        self._open_pyramid(node, multiscale)

    def _open_pyramid(self, group: zarr.Group, multiscale: Multiscale) -> None:
        pairs = [(dataset, _array(group, dataset, multiscale)) for dataset in multiscale.datasets]
        levels = [
            (dataset, ZarrLevel(self._folder, array, multiscale.axes)) for dataset, array in pairs
        ]
        # NGFF wants them from fine to coarse, but not all writers comply.
        levels.sort(key=lambda pair: -pair[1].grid.width * pair[1].grid.height)
        for dataset, level in levels:
            _check_place(dataset, level, *levels[0])
        self._take([level for _, level in levels])
        self.resolution = ResolutionMetadata(ome=multiscale.mpp(levels[0][0]))

    def _take(self, levels: list[ZarrLevel]) -> None:
        first = levels[0]
        for level in levels:
            if (level.dtype, level.channels) != (first.dtype, first.channels):
                raise ValueError("levels differ in their dtype or channels")
            if not _is_same(level.fill, first.fill):
                raise ValueError(f"levels differ in their fill_value: {first.fill}, {level.fill}")
        self._levels = levels
        self.levels = tuple(level.grid for level in levels)
        self.dtype, self.channels, self.fill = first.dtype, first.channels, first.fill


def _array(group: zarr.Group, dataset: Dataset, multiscale: Multiscale) -> zarr.Array[Any]:
    node = group[dataset.path]
    if not isinstance(node, zarr.Array) or node.ndim != multiscale.dimensions:
        raise ValueError(f"level {dataset.path!r} is no array of {multiscale.dimensions} axes")
    return _checked(node)


def _checked(array: zarr.Array[Any]) -> zarr.Array[Any]:
    if array.dtype.char not in SAMPLE_TYPES:
        raise RefusedError(f"samples of {array.dtype} are not supported")
    return array


def _is_same(fill: float, other: float) -> bool:
    return fill == other or (math.isnan(fill) and math.isnan(other))


def _check_place(dataset: Dataset, level: ZarrLevel, base: Dataset, level0: ZarrLevel) -> None:
    """Refuse a level that does not span level 0, or that lies elsewhere than at the origin.

    Raises:
        ValueError: Names the level and the way out.
    """
    if dataset.scale is None or base.scale is None:
        return
    sizes = zip(
        dataset.scale, base.scale, dataset.offset,
        (level.grid.height, level.grid.width), (level0.grid.height, level0.grid.width), strict=True,
    )  # fmt: skip
    for scale, scale0, offset, size, size0 in sizes:
        if not (0 < scale < math.inf and 0 < scale0 < math.inf and math.isfinite(offset)):
            raise ValueError(f"level {dataset.path!r} has no sensible scale: {dataset.scale}")
        # Some writers note that centres of coarse pixels lie half a pixel off those of fine ones.
        if abs(offset) > scale:
            raise RefusedError(
                f"level {dataset.path!r} begins {offset:g} units off the origin, where its slide"
                " begins",
                remedy=f"read the array {dataset.path} on its own, and say its µm per pixel",
            )
        expected = size0 * scale0 / scale
        # Some write the same scale for all levels; then the sizes tell.
        if scale != scale0 and abs(expected - size) > 1 + size / 200:
            raise RefusedError(
                f"level {dataset.path!r} has {size} pixels along an axis where its scale of"
                f" {scale:g} asks for {expected:g}",
                remedy=f"read the array {dataset.path} on its own",
            )
