"""Annotations as vector overlays: the fraction of each class as a Ray Data expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from ray.data.datatype import DataType

from ratiopath.annotations.class_fractions import annotation_fractions, check_places
from ratiopath.annotations.features import UNCLASSIFIED
from ratiopath.call.annotation_options import AnnotationOptions, annotation_options
from ratiopath.call.batch import Batch
from ratiopath.call.options import OverlapOptions, check_absent
from ratiopath.call.region import Region
from ratiopath.call.request import Call
from ratiopath.results.arrow import struct_column
from ratiopath.tiling.expressions import BatchExpression, expression, pandas_index, struct_result
from ratiopath.values.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ray.data.expressions import Expr
    from shapely.geometry.base import BaseGeometry

    from ratiopath.results.entries import Fractions


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

    The arguments are those of `ratiopath.annotation_overlap`, with columns as Ray expressions:

    Args:
        roi: A shapely polygon or multipolygon in tile pixels, relative to the tile's top-left
            corner; None for the whole tile.
        annotations_path: The column of paths (GeoJSON, ASAP XML or GeoParquet), or one path.
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x; needed with ``annotations_mpp_x``.
        mpp_y: µm per pixel of that level along y; needed with ``annotations_mpp_y``.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        annotations_mpp_x: µm per unit of the annotations' coordinates along x: the slide's at
            level 0 for QuPath and ASAP, 1 for coordinates in µm.
        annotations_mpp_y: The same along y.
        downsample: Units of the annotations' coordinates per tile pixel, instead of the four µm:
            for level-0 pixels the column ``downsample`` of `ratiopath.ray.read_slides`.
        classes: Names of declared classes, or a mapping of names to keys, which fix the keys and so
            the schema. Another class raises unless ``"other"`` is declared to gather them.
        exclusive: Whether a place counts only for the first of ``classes`` that covers it.
        uncovered: The key of what no annotation covers; by default there is none.
        class_column: The GeoJSON property or GeoParquet column that holds the class.
        invalid: ``"repair"`` mends invalid polygons and warns; ``"error"`` refuses them.
        on_missing: ``"error"``, or ``"empty"`` to count a null path or a missing file as one
            without annotations.
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
    options = annotation_options(
        classes=classes,
        exclusive=exclusive,
        uncovered=uncovered,
        class_column=class_column,
        invalid=invalid,
        on_missing=on_missing,
    )
    columns = {
        "tile_x": tile_x,
        "tile_y": tile_y,
        "mpp_x": mpp_x,
        "mpp_y": mpp_y,
        "tile_extent_x": tile_extent_x,
        "tile_extent_y": tile_extent_y,
        "annotations_mpp_x": annotations_mpp_x,
        "annotations_mpp_y": annotations_mpp_y,
        "downsample": downsample,
    }
    check_places(roi, columns)
    return expression(
        _overlap,
        _return_dtype(options.declared_keys),
        {"annotations_path": annotations_path, **columns},
        region=None if roi is None else Region.from_geometry(roi),
        options=options,
        absent=check_absent(absent),
    )


def _return_dtype(keys: Sequence[str] | None) -> DataType:
    if keys is None:
        return DataType(dict)
    return DataType.from_arrow(pa.struct([(key, pa.float64()) for key in keys]))


def _overlap(
    region: Region | None,
    options: AnnotationOptions,
    absent: float | None,
    annotations_path: Any,
    **columns: Any,
) -> Any:
    """Measure the fractions of one block."""
    batch = Batch.of(annotations_path, **columns)
    found = list(annotation_fractions(Call(region, batch, options)))
    names = dict(enumerate(options.declared_keys or _keys(found, options)))
    declared = OverlapOptions(selection=Selection.from_options(classes=names), absent=absent)
    column = struct_column(batch, found, declared)
    return struct_result(column, pandas_index(annotations_path, *columns.values()))


def _keys(found: Sequence[Fractions], options: AnnotationOptions) -> list[str]:
    """Return the classes of all files of a block; Arrow cannot write a struct without a field."""
    classes = {key for part in found for key in part.texts}.difference(options.uncovered_keys)
    return [*sorted(classes), *options.uncovered_keys] or [UNCLASSIFIED]
