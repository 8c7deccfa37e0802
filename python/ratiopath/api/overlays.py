"""The functions for NumPy: the pipeline without Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ratiopath.call.options import overlap_options, patch_options
from ratiopath.call.query import overlay_query
from ratiopath.measure.pipeline import fractions, separate_patches
from ratiopath.results.entries import dictionaries

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from ratiopath.values.selection import Key


# A tuple, for callers write ``data, mask = read_overlay(...)`` before they read on.
class OverlayPatches(NamedTuple):
    """The overlay's pixels under a region, and which of them lie outside it: ``data, mask``.

    Attributes:
        data: Patches (N, H, W, C) in the overlay's dtype; an object array (N,) of arrays (H, W, C)
            where shapes or dtypes differ. Pixels outside the region but inside the overlay are as
            they are in the file.
        mask: True outside the region, (N, H, W), or an object array (N,) of arrays (H, W).
    """

    data: NDArray[Any]
    mask: NDArray[Any]

    def masked(self) -> np.ma.MaskedArray[Any, Any] | NDArray[Any]:
        """Return the patches as a masked array, the mask repeated for every channel.

        Returns:
            One masked array (N, H, W, C), or an object array of masked arrays (H, W, C).
        """
        if self.data.dtype != object:
            return _masked(self.data, self.mask)
        # np.array of equal shapes would make one array of all.
        result = np.empty(len(self.data), object)
        for index, (data, mask) in enumerate(zip(self.data, self.mask, strict=True)):
            result[index] = _masked(data, mask)
        return result


def read_overlay(
    roi: BaseGeometry | None,
    overlay_path: object,
    tile_x: object,
    tile_y: object,
    mpp_x: object,
    mpp_y: object,
    *,
    tile_extent_x: object = None,
    tile_extent_y: object = None,
    overlay_mpp_x: object = None,
    overlay_mpp_y: object = None,
    slide_extent_x: object = None,
    slide_extent_y: object = None,
    level: object = None,
    coverage: str = "center",
    outside: object = "clip",
    channel: int | None = None,
    on_missing: str = "error",
    dtype: DTypeLike | None = None,
    storage_options: object = None,
) -> OverlayPatches:
    """Read the overlay's pixels under a region of each tile.

    Every argument but the ROI and the options may be a scalar or a column of any kind (NumPy, list,
    pandas, Arrow); scalars hold for all rows.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile. (0, 0) is
            the tile's top-left corner.
        overlay_path: A path, a column of paths, or an overlay in memory (H, W) or (H, W, C).
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x.
        mpp_y: µm per pixel of that level along y.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        overlay_mpp_x: µm per pixel of the overlay's level 0 along x, instead of the file's own.
        overlay_mpp_y: The same along y.
        slide_extent_x: Width of the slide in tile pixels, for overlays without a resolution. They
            must span the slide.
        slide_extent_y: Height of the slide in tile pixels, likewise.
        level: The pyramid level to read, instead of the one nearest to the tile's resolution.
        coverage: ``"center"`` or ``"all_touched"``.
        outside: ``"clip"`` masks pixels beyond the overlay's bounds; a number gives them that
            value, unmasked. The patches' dtype must hold it.
        channel: The only channel to read.
        on_missing: ``"error"``, or ``"empty"`` to count a missing overlay as one without pixels. A
            null path is missing too.
        dtype: The sample type of all patches, which must hold every value exactly.
        storage_options: Settings of remote overlays' file systems, such as ``{"anon": True}``. See
            fsspec. One for all rows.

    Returns:
        One patch a row, in the order of the rows.

    Raises:
        OverlayError: An overlay is missing, corrupt, without resolution, or a row's numbers make
            no sense; names the file and the row.
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.
    """
    query = overlay_query(patch_options, locals())
    return OverlayPatches(*separate_patches(query.call()))


def overlay_overlap(
    roi: BaseGeometry | None,
    overlay_path: object,
    tile_x: object,
    tile_y: object,
    mpp_x: object,
    mpp_y: object,
    *,
    tile_extent_x: object = None,
    tile_extent_y: object = None,
    overlay_mpp_x: object = None,
    overlay_mpp_y: object = None,
    slide_extent_x: object = None,
    slide_extent_y: object = None,
    level: object = None,
    coverage: str = "center",
    outside: object = "clip",
    channel: int | None = None,
    on_missing: str = "error",
    nodata: object = None,
    classes: object = None,
    bins: object = None,
    storage_options: object = None,
) -> list[dict[Key, float]]:
    """Measure what fraction of a region of each tile every overlay value covers.

    As in `read_overlay`, every argument but the ROI and the options may be a scalar or a column.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile.
        overlay_path: A path, a column of paths, or an overlay in memory (H, W) or (H, W, C).
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x.
        mpp_y: µm per pixel of that level along y.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        overlay_mpp_x: µm per pixel of the overlay's level 0 along x, instead of the file's own.
        overlay_mpp_y: The same along y.
        slide_extent_x: Width of the slide in tile pixels, for overlays without a resolution.
        slide_extent_y: Height of the slide in tile pixels, likewise.
        level: The pyramid level to read, instead of the one nearest to the tile's resolution.
            Pyramids of labels are often averaged, which invents labels; ``level=0`` never is.
        coverage: ``"center"``, ``"all_touched"``, or ``"exact"``, which weighs every pixel by the
            area that it shares with the region.
        outside: ``"clip"`` leaves pixels beyond the overlay's bounds out of the denominator; a
            number counts them as that value.
        channel: The only channel to read.
        on_missing: ``"error"``, or ``"empty"`` to count a missing overlay as one without pixels.
        nodata: A value or several to leave out of the result and of the denominator.
        classes: Declared values, or a mapping of values to names, which become the keys; other
            values raise unless ``"other"`` is declared to gather them.
        bins: Ascending edges; ranges are counted instead of values, right-open, the last closed.
        storage_options: Settings of remote overlays' file systems, such as ``{"anon": True}``.

    Returns:
        One dictionary a row, in the order of the rows, from value to fraction. Values are int or
        float, a tuple of channels where these differ, a declared name, or a bin such as
        ``"[0,0.5)"``. Only what occurs is in it; fractions sum to 1, and a region without a pixel
        on the overlay gives an empty dictionary.

    Raises:
        OverlayError: An overlay is missing, corrupt, without resolution, holds an undeclared value,
            or a row's numbers make no sense; names the file and the row.
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.
    """
    call = overlay_query(overlap_options, locals()).call()
    return dictionaries(fractions(call), call.batch.size)


def _masked(data: NDArray[Any], mask: NDArray[np.bool_]) -> np.ma.MaskedArray[Any, Any]:
    return np.ma.MaskedArray(data, np.broadcast_to(mask[..., np.newaxis], data.shape))
