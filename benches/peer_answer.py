"""The fractions of one tile by ratiopath 1.5.0, printed as JSON; called by `answers.py`.

python benches/peer_answer.py '["overlay.tiff", "POLYGON (...)", TILE_X, TILE_Y, MPP]'
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import shapely

from peer import unpack

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Ask the peer, which has this package's import name and so a process of its own."""
    unpack()
    from ray.data.expressions import col  # noqa: PLC0415 - after unpacking

    from ratiopath.tiling.overlays import (  # type: ignore[attr-defined] # noqa: PLC0415 - the peer's
        tile_overlay_overlap,
    )

    path, wkt, x, y, mpp = json.loads(sys.argv[1])
    names = ("overlay_path", "tile_x", "tile_y", "mpp_x", "mpp_y")
    roi = shapely.from_wkt(wkt)
    expressions: dict[str, Any] = {name: col(name) for name in names}
    overlap: Callable[..., Any] = tile_overlay_overlap(roi=roi, **expressions).fn
    columns = [pa.array([value]) for value in (path, x, y, mpp, mpp)]
    row = overlap(roi=roi, **dict(zip(names, columns, strict=True))).to_pylist()[0]
    print(json.dumps(row or {}))


if __name__ == "__main__":
    main()
