"""Overlays as Ray Data expressions: patches and their masks, or fractions per value.

Both functions return an object that is an expression for `Dataset.with_column` and a callable for
`Dataset.add_column`. Arguments are checked when it is built; the work is done in workers by two
functions of this module, over whole blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ray.data.datatype import DataType

from ratiopath.call.batch import Batch
from ratiopath.call.options import (
    Options,
    OverlapOptions,
    check_columns,
    check_given,
    overlap_options,
    patch_options,
)
from ratiopath.call.region import Region
from ratiopath.call.request import Call
from ratiopath.errors import OverlayValueError
from ratiopath.measure.pipeline import fractions, stacked_patches
from ratiopath.results.arrow import struct_column, struct_type
from ratiopath.tiling.expressions import (
    BatchExpression,
    expression,
    pandas_index,
    struct_result,
    tensor_column,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike
    from ray.data.expressions import Expr
    from shapely.geometry.base import BaseGeometry


def tile_overlay(
    roi: BaseGeometry | None,
    overlay_path: Expr | str,
    tile_x: Expr | float,
    tile_y: Expr | float,
    mpp_x: Expr | float,
    mpp_y: Expr | float,
    *,
    tile_extent_x: Expr | float | None = None,
    tile_extent_y: Expr | float | None = None,
    overlay_mpp_x: Expr | float | None = None,
    overlay_mpp_y: Expr | float | None = None,
    slide_extent_x: Expr | float | None = None,
    slide_extent_y: Expr | float | None = None,
    level: Expr | int | None = None,
    coverage: str = "center",
    outside: float | str = "clip",
    channel: int | None = None,
    on_missing: str = "error",
    dtype: DTypeLike | None = None,
    storage_options: dict[str, Any] | None = None,
) -> BatchExpression:
    """Attach the overlay's pixels under a region of each tile, and which of them lie outside it.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels, relative to the tile's top-left
            corner; None for the whole tile.
        overlay_path: The column of overlay paths, or one path.
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
        outside: ``"clip"`` masks pixels beyond the overlay's bounds; a number gives them that value
            unmasked.
        channel: The only channel to read.
        on_missing: ``"error"``, or ``"empty"`` to count a null path or a missing file as an overlay
            without pixels.
        dtype: The sample type of the column, for overlays that differ in theirs; it must hold
            every value exactly.
        storage_options: What the file systems of remote overlays (``s3://``, ``https://``) are
            made with, such as ``{"anon": True}``; see fsspec. One for all rows.

    Returns:
        An expression whose rows are tensors (2, H, W, C): ``[0]`` the pixels under the ROI's
        bounding box, ``[1]`` the mask in the same dtype, 1 outside the ROI. Workers raise
        `OverlayError` naming the file and the row of the block.

    Raises:
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
    return _expression(
        _patches,
        DataType(np.ndarray),
        roi,
        options,
        overlay_path=overlay_path,
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


def tile_overlay_overlap(
    roi: BaseGeometry | None,
    overlay_path: Expr | str,
    tile_x: Expr | float,
    tile_y: Expr | float,
    mpp_x: Expr | float,
    mpp_y: Expr | float,
    *,
    tile_extent_x: Expr | float | None = None,
    tile_extent_y: Expr | float | None = None,
    overlay_mpp_x: Expr | float | None = None,
    overlay_mpp_y: Expr | float | None = None,
    slide_extent_x: Expr | float | None = None,
    slide_extent_y: Expr | float | None = None,
    level: Expr | int | None = None,
    coverage: str = "center",
    outside: float | str = "clip",
    channel: int | None = None,
    on_missing: str = "error",
    storage_options: dict[str, Any] | None = None,
    nodata: object = None,
    classes: object = None,
    absent: float | None = 0.0,
    bins: object = None,
) -> BatchExpression:
    """Attach what fraction of a region of each tile every overlay value covers.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels, relative to the tile's top-left
            corner; None for the whole tile.
        overlay_path: The column of overlay paths, or one path.
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x.
        mpp_y: µm per pixel of that level along y.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        overlay_mpp_x: µm per pixel of the overlay's level 0 along x, instead of the file's own.
        overlay_mpp_y: The same along y.
        slide_extent_x: Width of the slide in tile pixels, see `tile_overlay`.
        slide_extent_y: Height of the slide in tile pixels.
        level: The pyramid level to read; pyramids of labels are often averaged, which invents
            labels, and ``level=0`` is the safe reading.
        coverage: ``"center"``, ``"all_touched"``, or ``"exact"``, which weighs every pixel by the
            area that it shares with the region.
        outside: ``"clip"`` leaves pixels beyond the overlay's bounds out of the denominator; a
            number counts them as that value.
        channel: The only channel to read.
        on_missing: ``"error"`` or ``"empty"``.
        storage_options: What the file systems of remote overlays (``s3://``, ``https://``) are
            made with, such as ``{"anon": True}``; see fsspec. One for all rows.
        nodata: A value or several to leave out of the result and of the denominator.
        classes: Declared values, or a mapping of values to names, which fix the keys and so the
            schema; other values raise unless ``"other"`` is declared to gather them.
        absent: What a key gets in rows where it does not occur; None for null.
        bins: Ascending edges; ranges are counted instead of values, right-open, the last closed.

    Returns:
        An expression whose rows are structs of float64 under string keys such as ``"255"`` or
        ``"255,0,0"``, the same keys for all rows of a block. Fractions of a row sum to 1; a row
        whose region has no pixel on the overlay has every key ``absent``. Workers raise
        `OverlayError` naming the file and the row of the block.

    Raises:
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
        absent=absent,
        storage_options=storage_options,
    )
    declared = struct_type(options)
    return _expression(
        _overlap,
        DataType(dict) if declared is None else DataType.from_arrow(declared),
        roi,
        options,
        overlay_path=overlay_path,
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


def _expression(
    function: Callable[..., Any],
    return_dtype: DataType,
    roi: BaseGeometry | None,
    options: Options,
    **columns: object,
) -> BatchExpression:
    """Check what can be known before any row is, and build the expression."""
    check_given(columns)
    check_columns(roi, columns)
    if isinstance(columns["overlay_path"], np.ndarray):
        raise TypeError("overlay_path must be a column or a path; arrays are for read_overlay")
    region = None if roi is None else Region.from_geometry(roi)
    return expression(function, return_dtype, columns, region=region, options=options)


def _patches(region: Region | None, options: Options, **columns: Any) -> Any:
    """Read the patches of one block."""
    patches = stacked_patches(Call(region, Batch.of(**columns), options))
    if patches.dtype == object:
        _check_one_dtype(patches)
    return tensor_column(patches, pandas_index(*columns.values()))


def _overlap(region: Region | None, options: OverlapOptions, **columns: Any) -> Any:
    """Measure the fractions of one block."""
    batch = Batch.of(**columns)
    column = struct_column(batch, list(fractions(Call(region, batch, options))), options)
    return struct_result(column, pandas_index(*columns.values()))


def _check_one_dtype(patches: np.ndarray[Any, Any]) -> None:
    """Refuse what Ray could not merge: a tensor column has one dtype."""
    first = patches[0].dtype
    for row, patch in enumerate(patches):
        if patch.dtype != first:
            raise OverlayValueError(
                f"overlays of {first} and {patch.dtype} in one column", row=row, code="mixed_dtypes"
            )
