"""Annotations as vector overlays: the fraction of each class as a Ray Data expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ratiopath.annotations.class_fractions import annotation_fractions
from ratiopath.annotations.features import UNCLASSIFIED
from ratiopath.call.query import Query, annotation_query
from ratiopath.results.arrow import struct_column
from ratiopath.results.entries import Fractions
from ratiopath.tiling.expressions import (
    BatchExpression,
    expression,
    pandas_index,
    struct_dtype,
    struct_result,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ray.data.expressions import Expr
    from shapely.geometry.base import BaseGeometry

    from ratiopath.call.annotation_options import AnnotationOptions


def tile_annotation_overlap(
    roi: BaseGeometry | None,
    annotations_path: Expr | str,
    tile_x: Expr | float,
    tile_y: Expr | float,
    mpp_x: Expr | float | None = None,
    mpp_y: Expr | float | None = None,
    *,
    tile_extent_x: Expr | float | None = None,
    tile_extent_y: Expr | float | None = None,
    annotations_mpp_x: Expr | float | None = None,
    annotations_mpp_y: Expr | float | None = None,
    downsample: Expr | float | None = None,
    classes: Iterable[str] | Mapping[str, str] | str | None = None,
    exclusive: bool = False,
    uncovered: str | None = None,
    class_column: str = "classification",
    invalid: str = "repair",
    on_missing: str = "error",
    absent: float | None = 0.0,
) -> BatchExpression:
    """Attach what fraction of a region of each tile every class of annotations covers, exactly.

    `ratiopath.annotation_overlap` says more of the arguments. Here a column is a Ray expression, or
    one value for all rows.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile.
        annotations_path: A path or a column of paths.
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x; needed with ``annotations_mpp_x``.
        mpp_y: µm per pixel of that level along y; needed with ``annotations_mpp_y``.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        annotations_mpp_x: µm per unit of the annotations' coordinates along x.
        annotations_mpp_y: The same along y.
        downsample: Units of the annotations' coordinates per tile pixel, instead of the four µm.
        classes: Names of declared classes, or a mapping of names to keys, which fix the keys and
            their order; classes with one key are united.
        exclusive: Whether a place counts only for the first of ``classes`` that covers it.
        uncovered: The key of what no annotation covers; by default there is none.
        class_column: The GeoJSON property or GeoParquet column that holds the class.
        invalid: ``"repair"`` mends invalid polygons by `shapely.make_valid` and warns; ``"error"``
            refuses them.
        on_missing: ``"error"``, or ``"empty"`` to count a missing file as one without annotations.
        absent: What a key gets in rows where it does not occur; None for null.

    Returns:
        An expression for `Dataset.with_column`, and a callable for `Dataset.add_column`, whose rows
        are structs of float64, fractions of the ROI's area. Without ``classes``, the keys are the
        classes of all files of a block, sorted. Workers raise `OverlayError` naming the file and
        the row of the block.

    Raises:
        ValueError: The ROI is empty, invalid or without area, an option is wrong, or nothing says
            how tile pixels and the annotations' coordinates compare.
        TypeError: An argument has the wrong type.
    """
    query = annotation_query(locals())
    return expression(_overlap, struct_dtype(query.options.declared_keys), query)


def _overlap(query: Query[AnnotationOptions], **columns: Any) -> Any:
    """Measure the fractions of one block."""
    call = query.of(columns).call()
    found, options = Fractions.joined(list(annotation_fractions(call))), call.options
    # Of all files of the block, met by a tile or not: blocks of one slide have one schema.
    names = options.declared_keys or _keys(found, options)
    column = struct_column(found, call.batch.size, names, options.absent)
    return struct_result(column, pandas_index(*columns.values()))


def _keys(found: Fractions, options: AnnotationOptions) -> list[str]:
    """Return the classes of all files of a block; Arrow cannot write a struct without a field."""
    classes = set(found.texts).difference(options.uncovered_keys)
    return [*sorted(classes), *options.uncovered_keys] or [UNCLASSIFIED]
