"""Overlays as Ray Data expressions: patches and masks, fractions per value, or statistics.

The functions return an object that is an expression for `Dataset.with_column` and a callable for
`Dataset.add_column`. Arguments are checked when it is built; the work is done in workers by
functions of this module, over whole blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from ray.data.datatype import DataType

from ratiopath.call.columns import check_given
from ratiopath.call.options import Options, OverlapOptions, overlap_options, patch_options
from ratiopath.call.query import Query, overlay_query
from ratiopath.call.statistics_options import StatsOptions, stats_options
from ratiopath.errors import OverlayValueError
from ratiopath.measure.pipeline import fractions, stacked_patches
from ratiopath.measure.summaries import statistics
from ratiopath.results.arrow import check_labels, struct_column
from ratiopath.results.entries import Fractions
from ratiopath.tiling.expressions import (
    BatchExpression,
    expression,
    pandas_index,
    struct_dtype,
    struct_result,
    tensor_column,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

    `ratiopath.read_overlay` says more of the arguments. Here a column is a Ray expression, or one
    value for all rows.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile.
        overlay_path: A path or a column of paths.
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
        coverage: ``"center"`` or ``"all_touched"``.
        outside: ``"clip"`` masks pixels beyond the overlay's bounds; a number gives them that
            value, unmasked.
        channel: The only channel to read.
        on_missing: ``"error"``, or ``"empty"`` to count a missing overlay as one without pixels.
        dtype: The sample type of all patches, which must hold every value exactly.
        storage_options: Settings of remote overlays' file systems, such as ``{"anon": True}``.

    Returns:
        An expression for `Dataset.with_column`, and a callable for `Dataset.add_column`, whose rows
        are tensors (2, H, W, C): ``[0]`` the pixels under the ROI's bounding box, ``[1]`` the mask
        in the same dtype, 1 outside the ROI. Overlays that differ in theirs need ``dtype``. Workers
        raise `OverlayError` naming the file and the row of the block.

    Raises:
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.
    """
    query = overlay_query(patch_options, locals())
    return _column(_patches, DataType(np.ndarray), query, "read_overlay")


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

    `ratiopath.overlay_overlap` says more of the arguments. Here a column is a Ray expression, or
    one value for all rows.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile.
        overlay_path: A path or a column of paths.
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
        storage_options: Settings of remote overlays' file systems, such as ``{"anon": True}``.
        nodata: A value or several to leave out of the result and of the denominator.
        classes: Declared values, or a mapping of values to names, which become the keys; other
            values raise unless ``"other"`` is declared to gather them.
        absent: What a key gets in rows where it does not occur; None for null.
        bins: Ascending edges; ranges are counted instead of values, right-open, the last closed.

    Returns:
        An expression for `Dataset.with_column`, and a callable for `Dataset.add_column`, whose rows
        are structs of float64 under string keys such as ``"255"`` or ``"255,0,0"``, the same keys
        for all rows of a block, and with ``classes`` of all blocks. A row whose region has no pixel
        on the overlay has every key ``absent``. Workers raise `OverlayError` naming the file and
        the row of the block.

    Raises:
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.
    """
    query = overlay_query(overlap_options, locals())
    selection = query.options.selection
    # A bin for NaN appears only where NaN does.
    names = None if selection.bins else selection.declared_keys
    return _column(_overlap, struct_dtype(names), query, "read_overlay")


def tile_overlay_stats(
    roi: BaseGeometry | None,
    overlay_path: Expr | str,
    tile_x: Expr | float,
    tile_y: Expr | float,
    mpp_x: Expr | float,
    mpp_y: Expr | float,
    *,
    stats: str | Sequence[str] = ("mean",),
    tile_extent_x: Expr | float | None = None,
    tile_extent_y: Expr | float | None = None,
    overlay_mpp_x: Expr | float | None = None,
    overlay_mpp_y: Expr | float | None = None,
    slide_extent_x: Expr | float | None = None,
    slide_extent_y: Expr | float | None = None,
    level: Expr | int | None = None,
    coverage: str = "center",
    channel: int | None = None,
    on_missing: str = "error",
    nodata: object = None,
    storage_options: dict[str, Any] | None = None,
) -> BatchExpression:
    """Attach statistics of the overlay's values under a region of each tile.

    `ratiopath.overlay_stats` defines the statistics, and says more of the arguments. Here a column
    is a Ray expression, or one value for all rows.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile.
        overlay_path: A path or a column of paths.
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x.
        mpp_y: µm per pixel of that level along y.
        stats: The statistics' names, one or several: ``"count"``, ``"sum"``, ``"mean"``, ``"std"``,
            ``"var"``, ``"min"``, ``"max"``, ``"median"``, ``"q0"`` to ``"q100"``.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        overlay_mpp_x: µm per pixel of the overlay's level 0 along x, instead of the file's own.
        overlay_mpp_y: The same along y.
        slide_extent_x: Width of the slide in tile pixels, for overlays without a resolution.
        slide_extent_y: Height of the slide in tile pixels, likewise.
        level: The pyramid level to read, instead of the one nearest to the tile's resolution.
        coverage: ``"center"``, ``"all_touched"``, or ``"exact"``, which weighs every pixel by the
            area that it shares with the region.
        channel: The only channel to read; needed where the overlay has several.
        on_missing: ``"error"``, or ``"empty"`` to count a missing overlay as one without pixels.
        nodata: A number or several that do not count, as NaN never does.
        storage_options: Settings of remote overlays' file systems, such as ``{"anon": True}``.

    Returns:
        An expression for `Dataset.with_column`, and a callable for `Dataset.add_column`, whose rows
        are structs of float64 with a field for each statistic, known before any overlay is read.
        Rows without a value have nulls, but 0 for count and sum. Workers raise `OverlayError`
        naming the file and the row of the block.

    Raises:
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.
    """
    query = overlay_query(stats_options, locals())
    return _column(_statistics, struct_dtype(query.options.stats), query, "overlay_stats")


def _column(
    function: Callable[..., Any],
    return_dtype: DataType,
    query: Query[object],
    takes_arrays: str,
) -> BatchExpression:
    """Check what only expressions refuse, and build the expression.

    Args:
        function: What workers call.
        return_dtype: What the column holds.
        query: The checked arguments.
        takes_arrays: The function for overlays in memory, for messages.
    """
    check_given(query.columns)
    # An array would be pickled into every task.
    if isinstance(query.columns["overlay_path"], np.ndarray):
        raise TypeError(f"overlay_path must be a column or a path; arrays are for {takes_arrays}")
    return expression(function, return_dtype, query)


def _patches(query: Query[Options], **columns: Any) -> Any:
    """Read the patches of one block."""
    patches = stacked_patches(query.of(columns).call())
    # Shapes may differ in a tensor column, sample types not.
    if patches.dtype == object:
        _check_one_dtype(patches)
    return tensor_column(patches, pandas_index(*columns.values()))


def _overlap(query: Query[OverlapOptions], **columns: Any) -> Any:
    """Measure the fractions of one block."""
    call = query.of(columns).call()
    found, options = Fractions.joined(list(fractions(call))), call.options
    declared = options.selection.declared_keys
    # Without declared keys every value is a field, and heatmaps have thousands.
    if declared is None:
        check_labels(call.batch, found)
    column = struct_column(found, call.batch.size, declared, options.absent)
    return struct_result(column, pandas_index(*columns.values()))


def _statistics(query: Query[StatsOptions], **columns: Any) -> Any:
    """Measure the statistics of one block."""
    found = statistics(query.of(columns).call())
    # NaN is what the function for NumPy has for no value; a statistic that is NaN is none either.
    fields = [pa.array(values, mask=np.isnan(values)) for values in found.values()]
    column = pa.StructArray.from_arrays(fields, names=list(found))
    return struct_result(column, pandas_index(*columns.values()))


def _check_one_dtype(patches: np.ndarray[Any, Any]) -> None:
    """Refuse what Ray could not merge: a tensor column has one dtype."""
    first = patches[0].dtype
    for row, patch in enumerate(patches):
        if patch.dtype != first:
            raise OverlayValueError(
                f"overlays of {first} and {patch.dtype} in one column", row=row, code="mixed_dtypes"
            )
