"""The functions for NumPy: the pipeline without Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ratiopath import _core
from ratiopath.call.batch import Batch
from ratiopath.call.options import check_columns, overlap_options, patch_options
from ratiopath.call.region import Region
from ratiopath.call.request import Call
from ratiopath.measure.pipeline import fractions, separate_patches

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from ratiopath.values.selection import Key


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
        roi: A shapely polygon or multipolygon in tile pixels, relative to the tile's top-left
            corner; None for the whole tile.
        overlay_path: A path, a column of paths, or an overlay in memory (H, W) or (H, W, C).
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x.
        mpp_y: µm per pixel of that level along y.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        overlay_mpp_x: µm per pixel of the overlay's level 0 along x, instead of the file's own.
        overlay_mpp_y: The same along y.
        slide_extent_x: Width of the slide in tile pixels, for overlays that do not say their
            resolution and span the slide.
        slide_extent_y: Height of the slide in tile pixels.
        level: The pyramid level to read, instead of the one nearest to the tile's resolution.
        coverage: ``"center"`` or ``"all_touched"``.
        outside: ``"clip"`` masks pixels beyond the overlay's bounds; a number that the patches'
            dtype can hold gives them that value, unmasked.
        channel: The only channel to read.
        on_missing: ``"error"``, or ``"empty"`` to count a null path or a missing file as an overlay
            without pixels.
        dtype: The sample type of the patches, which must hold every value exactly.
        storage_options: What the file systems of remote overlays (``s3://``, ``https://``) are
            made with, such as ``{"anon": True}``; see fsspec. One for all rows.

    Returns:
        One patch a row, in the order of the rows.

    Raises:
        OverlayError: An overlay is missing, corrupt, without resolution, or a row's numbers make no
            sense; names the file and the row.
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.
    """
    options = patch_options(
        coverage=coverage,
        outside=outside,
        channel=channel,
        on_missing=on_missing,
        dtype=dtype,
        storage_options=storage_options,
    )
    region = None if roi is None else Region.from_geometry(roi)
    batch = _batch(
        roi,
        overlay_path,
        tile_x=tile_x,
        tile_y=tile_y,
        mpp_x=mpp_x,
        mpp_y=mpp_y,
        tile_extent_x=tile_extent_x,
        tile_extent_y=tile_extent_y,
        overlay_mpp_x=overlay_mpp_x,
        overlay_mpp_y=overlay_mpp_y,
        slide_extent_x=slide_extent_x,
        slide_extent_y=slide_extent_y,
        level=level,
    )
    return OverlayPatches(*separate_patches(Call(region, batch, options)))


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
        slide_extent_x: Width of the slide in tile pixels, see `read_overlay`.
        slide_extent_y: Height of the slide in tile pixels.
        level: The pyramid level to read, instead of the one nearest to the tile's resolution.
        coverage: ``"center"``, ``"all_touched"``, or ``"exact"``, which weighs every pixel by the
            area that it shares with the region.
        outside: ``"clip"`` leaves pixels beyond the overlay's bounds out of the denominator; a
            number counts them as that value.
        channel: The only channel to read.
        on_missing: ``"error"`` or ``"empty"``.
        nodata: A value or several to leave out of the result and of the denominator.
        classes: Declared values, which are the keys then, or a mapping of values to names; other
            values raise unless ``"other"`` is declared to gather them.
        bins: Ascending edges; ranges are counted instead of values, right-open, the last closed.
        storage_options: What the file systems of remote overlays (``s3://``, ``https://``) are
            made with, such as ``{"anon": True}``; see fsspec. One for all rows.

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
    options = overlap_options(
        coverage=coverage,
        outside=outside,
        channel=channel,
        on_missing=on_missing,
        nodata=nodata,
        classes=classes,
        bins=bins,
        storage_options=storage_options,
    )
    region = None if roi is None else Region.from_geometry(roi)
    batch = _batch(
        roi,
        overlay_path,
        tile_x=tile_x,
        tile_y=tile_y,
        mpp_x=mpp_x,
        mpp_y=mpp_y,
        tile_extent_x=tile_extent_x,
        tile_extent_y=tile_extent_y,
        overlay_mpp_x=overlay_mpp_x,
        overlay_mpp_y=overlay_mpp_y,
        slide_extent_x=slide_extent_x,
        slide_extent_y=slide_extent_y,
        level=level,
    )
    result: list[dict[Key, float]] = [{} for _ in range(batch.size)]
    for found in fractions(Call(region, batch, options)):
        _core.fill_dictionaries(result, found.rows, found.keys, found.columns, found.fractions)
    return result


def _masked(data: NDArray[Any], mask: NDArray[np.bool_]) -> np.ma.MaskedArray[Any, Any]:
    return np.ma.MaskedArray(data, np.broadcast_to(mask[..., np.newaxis], data.shape))


def _batch(roi: object, overlay_path: object, **columns: object) -> Batch:
    check_columns(roi, columns)
    return Batch.of(overlay_path, **columns)
