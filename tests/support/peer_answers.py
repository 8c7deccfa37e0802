"""Answer requests with ratiopath 1.5.0, in a Python of its own: it has this package's name.

    PYTHON peer_answers.py REQUESTS.json ANSWERS.pickle

A request has ``roi`` (WKT), ``overlay_path``, ``tile_x``, ``tile_y`` (lists) and ``mpp``; an answer
is the rows of fractions and the patches with their masks.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any


def answer(request: dict[str, Any]) -> tuple[list[dict[str, float | None]], Any]:
    """Ask both functions."""
    import pyarrow as pa  # noqa: PLC0415 - of the other Python
    import shapely  # noqa: PLC0415 - of the other Python
    from ray.data.expressions import col  # noqa: PLC0415 - of the other Python

    from ratiopath.tiling.overlays import tile_overlay, tile_overlay_overlap  # noqa: PLC0415 - the other

    count = len(request["tile_x"])
    mpp = pa.array([request["mpp"]] * count)
    columns: dict[str, Any] = {
        "roi": shapely.from_wkt(request["roi"]),
        "overlay_path": pa.array([request["overlay_path"]] * count),
        "tile_x": pa.array(request["tile_x"]),
        "tile_y": pa.array(request["tile_y"]),
        "mpp_x": mpp,
        "mpp_y": mpp,
    }
    expressions: dict[str, Any] = {name: col(name) for name in columns if name != "roi"}
    patches: Any
    rows: Any
    patches, rows = (
        build(roi=columns["roi"], **expressions).fn(**columns)
        for build in (tile_overlay, tile_overlay_overlap)
    )
    return rows.to_pylist(), patches.to_numpy(zero_copy_only=False)


if __name__ == "__main__":
    requests = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_bytes(pickle.dumps([answer(request) for request in requests]))
