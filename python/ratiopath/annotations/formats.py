"""The format of an annotations file, told by its content: exporters choose suffixes freely."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from ratiopath.annotations.asap import parse_asap
from ratiopath.annotations.geojson import parse_geojson
from ratiopath.annotations.geoparquet import parse_geoparquet
from ratiopath.errors import OverlayFormatError
from ratiopath.storage.files import unopenable

if TYPE_CHECKING:
    from ratiopath.annotations.features import Features

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
# Both ends of a Parquet file have it.
_PARQUET = b"PAR1"


def read_features(path: str, class_column: str) -> Features:
    """Read an annotations file: GeoJSON, ASAP's XML or GeoParquet, gzipped or not.

    Args:
        path: The file.
        class_column: The GeoJSON property or GeoParquet column that holds the class.

    Returns:
        Its features.

    Raises:
        OverlayNotFoundError: There is no such file.
        OverlayFormatError: It is damaged or of another format.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise unopenable(path, error) from error
    return parse_features(_unpacked(data, path), path, class_column)


def parse_features(data: bytes, path: str, class_column: str) -> Features:
    """Read the bytes of an annotations file.

    Args:
        data: The bytes.
        path: Where they come from, for messages.
        class_column: The GeoJSON property or GeoParquet column that holds the class.

    Returns:
        Its features.

    Raises:
        OverlayFormatError: They are damaged or of another format.
    """
    if data.startswith(_PARQUET):
        return parse_geoparquet(data, path, class_column)
    # Editors on Windows write a byte order mark before the first bracket.
    text = data.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if text.startswith((b"{", b"[")):
        return parse_geojson(text, path, class_column)
    if text.startswith(b"<"):
        return parse_asap(text, path)
    reason = "annotations are GeoJSON, ASAP XML or GeoParquet; this is none"
    raise OverlayFormatError(reason, path, code="unsupported_annotations")


def _unpacked(data: bytes, path: str) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        reason = f"the gzip file is damaged: {error}"
        raise OverlayFormatError(reason, path, code="corrupt") from error
