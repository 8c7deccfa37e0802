"""Statistics of heatmaps under tiles as a Ray Data expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from ray.data.datatype import DataType

from ratiopath.call.batch import Batch
from ratiopath.call.options import check_columns, check_given
from ratiopath.call.region import Region
from ratiopath.call.request import Call
from ratiopath.call.statistics_options import stats_options
from ratiopath.measure.summaries import statistics
from ratiopath.tiling.expressions import BatchExpression, expression, pandas_index, struct_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ray.data.expressions import Expr
    from shapely.geometry.base import BaseGeometry

    from ratiopath.call.statistics_options import StatsOptions


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

    `ratiopath.overlay_stats` defines the statistics; the arguments are the same, with columns as
    Ray expressions:

    Args:
        roi: A shapely polygon or multipolygon in tile pixels, relative to the tile's top-left
            corner; None for the whole tile.
        overlay_path: The column of overlay paths, or one path.
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x.
        mpp_y: µm per pixel of that level along y.
        stats: Names: ``"count"``, ``"sum"``, ``"mean"``, ``"std"``, ``"var"``, ``"min"``,
            ``"max"``, ``"median"``, ``"q0"`` to ``"q100"``.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        overlay_mpp_x: µm per pixel of the overlay's level 0 along x, instead of the file's own.
        overlay_mpp_y: The same along y.
        slide_extent_x: Width of the slide in tile pixels, see `tile_overlay`.
        slide_extent_y: Height of the slide in tile pixels.
        level: The pyramid level to read, instead of the one nearest to the tile's resolution.
        coverage: ``"center"``, ``"all_touched"``, or ``"exact"``, which weighs every pixel by the
            area that it shares with the region.
        channel: The only channel to read; needed where the overlay has several.
        on_missing: ``"error"``, or ``"empty"`` to count a null path or a missing file as an overlay
            without pixels.
        nodata: A number or several that do not count, as NaN never does.
        storage_options: What the file systems of remote overlays are made with.

    Returns:
        An expression for `Dataset.with_column`, and a callable for `Dataset.add_column`, whose rows
        are structs of float64 with a field for each statistic, known before any overlay is read.
        Rows without a value have nulls, but 0 for count and sum. Workers raise `OverlayError`
        naming the file and the row of the block.

    Raises:
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.
    """
    options = stats_options(
        stats=stats,
        coverage=coverage,
        channel=channel,
        on_missing=on_missing,
        nodata=nodata,
        storage_options=storage_options,
    )
    columns = {
        "tile_x": tile_x,
        "tile_y": tile_y,
        "mpp_x": mpp_x,
        "mpp_y": mpp_y,
        "tile_extent_x": tile_extent_x,
        "tile_extent_y": tile_extent_y,
        "overlay_mpp_x": overlay_mpp_x,
        "overlay_mpp_y": overlay_mpp_y,
        "slide_extent_x": slide_extent_x,
        "slide_extent_y": slide_extent_y,
        "level": level,
    }
    check_given(columns)
    check_columns(roi, columns)
    if isinstance(overlay_path, np.ndarray):
        raise TypeError("overlay_path must be a column or a path; arrays are for overlay_stats")
    fields = pa.struct([(name, pa.float64()) for name in options.stats])
    return expression(
        _statistics,
        DataType.from_arrow(fields),
        {"overlay_path": overlay_path, **columns},
        region=None if roi is None else Region.from_geometry(roi),
        options=options,
    )


def _statistics(
    region: Region | None, options: StatsOptions, overlay_path: Any, **columns: Any
) -> Any:
    """Measure the statistics of one block."""
    found = statistics(Call(region, Batch.of(overlay_path, **columns), options))
    # NaN is what the function for NumPy has for no value; a statistic that is NaN is none either.
    fields = [pa.array(values, mask=np.isnan(values)) for values in found.values()]
    column = pa.StructArray.from_arrays(fields, names=list(found))
    return struct_result(column, pandas_index(overlay_path, *columns.values()))
