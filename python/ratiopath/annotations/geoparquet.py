"""GeoParquet: a table whose primary geometry column holds well-known binary."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ratiopath.annotations.features import UNCLASSIFIED, Features
from ratiopath.annotations.geojson import class_name
from ratiopath.errors import OverlayFormatError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# GeoPandas' default, assumed where a file has no GeoParquet metadata.
_GEOMETRY = "geometry"


def parse_geoparquet(data: bytes, path: str, class_column: str) -> Features:
    """Read the rows of a GeoParquet file as features.

    Args:
        data: The file's bytes.
        path: Where it comes from, for messages.
        class_column: The column of classes: text, numbers, or objects with a name.

    Returns:
        A feature a row; rows without polygons have none.

    Raises:
        OverlayFormatError: It is no Parquet file, its geometry is not well-known binary, or a
            column is missing.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and other formats do without
    import pyarrow.parquet as pq  # noqa: PLC0415 - likewise

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        geometry = _geometry_column(file, path)
        _check_columns(file, (geometry, class_column), path)
        table = file.read([geometry, class_column])
        binary = table[geometry].cast(pa.binary()).to_numpy(zero_copy_only=False)
        geometries = shapely.from_wkb(binary)
    except (pa.ArrowException, shapely.errors.GEOSException) as error:
        reason = f"the GeoParquet file cannot be read: {error}"
        raise OverlayFormatError(reason, path, code="corrupt") from error
    # An empty geometry has NaN as its bounds, and is no error.
    finite = np.isfinite(shapely.bounds(geometries)).all(1) | shapely.is_empty(geometries)
    bad = ~finite & ~shapely.is_missing(geometries)
    if bad.any():
        reason = f"row {int(np.argmax(bad))}: a coordinate is not finite"
        raise OverlayFormatError(reason, path, code="corrupt")
    names = [f"row {number}" for number in range(len(geometries))]
    classes = [class_name(value) or UNCLASSIFIED for value in table[class_column].to_pylist()]
    return Features.from_geometries(names, classes, geometries)


def _geometry_column(file: pq.ParquetFile, path: str) -> str:
    """Return the primary geometry column's name, from the metadata if there are any."""
    metadata = (file.schema_arrow.metadata or {}).get(b"geo")
    if metadata is None:
        return _GEOMETRY
    try:
        geo: dict[str, Any] = json.loads(metadata)
        name = str(geo["primary_column"])
        encoding = geo["columns"][name]["encoding"]
    except (ValueError, KeyError, TypeError) as error:
        reason = "the file's GeoParquet metadata are damaged"
        raise OverlayFormatError(reason, path, code="corrupt") from error
    if encoding != "WKB":
        reason = f"geometry encoded as {encoding}"
        code = "unsupported_annotations"
        raise OverlayFormatError(reason, path, code=code, remedy="write it as WKB")
    return name


def _check_columns(file: pq.ParquetFile, wanted: tuple[str, ...], path: str) -> None:
    there = file.schema_arrow.names
    for name in wanted:
        if name not in there:
            raise OverlayFormatError(
                f"the file has no column {name!r}, but {', '.join(there)}",
                path,
                code="no_such_column",
            )
