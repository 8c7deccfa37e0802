"""The function for NumPy: what annotations cover of tiles, without Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratiopath.annotations.class_fractions import annotation_fractions
from ratiopath.call.query import annotation_query
from ratiopath.results.entries import dictionaries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry


def annotation_overlap(
    roi: BaseGeometry | None,
    annotations_path: object,
    tile_x: object,
    tile_y: object,
    mpp_x: object = None,
    mpp_y: object = None,
    *,
    tile_extent_x: object = None,
    tile_extent_y: object = None,
    annotations_mpp_x: object = None,
    annotations_mpp_y: object = None,
    downsample: object = None,
    classes: Iterable[str] | Mapping[str, str] | str | None = None,
    exclusive: bool = False,
    uncovered: str | None = None,
    class_column: str = "classification",
    invalid: str = "repair",
    on_missing: str = "error",
) -> list[dict[str, float]]:
    """Measure exactly what fraction of a region of each tile every class of annotations covers.

    Files are GeoJSON (QuPath's, or any other; also gzipped), ASAP's XML, or GeoParquet, told by
    their content. Polygons count, those of multipolygons and collections too; points and lines do
    not, and are warned of. The area of each intersection is exact: no pixel is involved.

    Every argument but the ROI and the options may be a scalar or a column of any kind (NumPy, list,
    pandas, Arrow); scalars hold for all rows.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile. (0, 0) is
            the tile's top-left corner.
        annotations_path: A path or a column of paths.
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x; needed with ``annotations_mpp_x``.
        mpp_y: µm per pixel of that level along y; needed with ``annotations_mpp_y``.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        annotations_mpp_x: µm per unit of the annotations' coordinates along x: the slide's of level
            0 for QuPath and ASAP, which write pixels of that level, and 1 for coordinates in µm.
        annotations_mpp_y: The same along y.
        downsample: Units of the annotations' coordinates per tile pixel, instead of the four µm:
            for level-0 pixels the column ``downsample`` of `ratiopath.ray.read_slides`.
        classes: Names of declared classes, or a mapping of names to keys, which fix the keys and
            their order; classes with one key are united. Another class raises unless ``"other"``
            is declared to gather them.
        exclusive: Whether a place counts only for the first of ``classes`` that covers it, so that
            fractions add up to at most 1. By default every class counts all that it covers.
        uncovered: The key of what no annotation covers; by default there is none.
        class_column: The GeoJSON property or GeoParquet column that holds the class, as text or as
            an object with a name. Features without have the class ``"unclassified"``.
        invalid: ``"repair"`` mends invalid polygons by `shapely.make_valid` and warns; ``"error"``
            refuses them.
        on_missing: ``"error"``, or ``"empty"`` to count a missing file as one without annotations.
            A null path is missing too.

    Returns:
        One dictionary a row, in the order of the rows, from key to fraction of the ROI's area, in
        (0, 1]; only what occurs is in it. Within a class a place counts once, however many
        annotations cover it.

    Raises:
        OverlayError: A file is missing or damaged, holds an undeclared class, or a row's numbers
            make no sense; names the file and the row.
        ValueError: The ROI is empty, invalid or without area, an option is wrong, or nothing says
            how tile pixels and the annotations' coordinates compare.
        TypeError: An argument has the wrong type.

    Warns:
        UserWarning: Polygons were repaired, or annotations without area left out.
    """
    call = annotation_query(locals()).call()
    return dictionaries(annotation_fractions(call), call.batch.size)
