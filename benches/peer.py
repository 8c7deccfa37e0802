"""Fractions by ratiopath 1.5.0, the pure-Python reference, on the standard work: CPU s per tile.

    python benches/peer.py OVERLAY box|circle TILES RUNS RESULT.json

It has this package's import name, so it runs in its own process, from its wheel unpacked into the
first folder on the path. The wheel requires Python 3.12 because of a generic signature that
overlays do not use; that line is rewritten after unpacking.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(tempfile.gettempdir()) / "ratiopath-1.5.0"


def unpack() -> None:
    """Download the wheel once and make it importable."""
    package = FOLDER / "ratiopath"
    if not package.exists():
        FOLDER.mkdir(exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        wheel = ["--python-version", "3.12", "--only-binary=:all:", "ratiopath==1.5.0"]
        subprocess.run([*pip, "-d", str(FOLDER), *wheel], check=True)
        zipfile.ZipFile(next(FOLDER.glob("*.whl"))).extractall(FOLDER)
        tilers = package / "tiling" / "tilers.py"
        source = re.sub(r"def grid_tiles\[\*Dims\]\(", "def grid_tiles(", tilers.read_text())
        tilers.write_text(source.replace("tuple[int, *Dims]", "tuple"))
    # A namespace package would lose against the installed package of this name.
    (package / "__init__.py").touch()
    sys.path.insert(0, str(FOLDER))


def main() -> None:
    """Run the overlap and write what came out."""
    overlay, roi_name, tiles, runs, result = sys.argv[1:]
    unpack()
    import pyarrow as pa  # noqa: PLC0415 - after unpacking
    from ray.data.expressions import col  # noqa: PLC0415 - after unpacking

    from ratiopath.tiling.overlays import (  # type: ignore[attr-defined] # noqa: PLC0415 - the peer's
        tile_overlay_overlap,
    )
    from work import MPP, region, tile_grid  # noqa: PLC0415 - after unpacking

    names = ("overlay_path", "tile_x", "tile_y", "mpp_x", "mpp_y")
    roi = region(roi_name)
    expressions: dict[str, Any] = {name: col(name) for name in names}
    overlap: Callable[..., Any] = tile_overlay_overlap(roi=roi, **expressions).fn
    x, y = (axis[: int(tiles)] for axis in tile_grid())
    mpp = pa.array([MPP] * len(x))
    columns = [pa.array([overlay] * len(x)), pa.array(x), pa.array(y), mpp, mpp]
    arguments = dict(zip(names, columns, strict=True))
    rows = overlap(roi=roi, **arguments).to_pylist()
    seconds = []
    for _ in range(int(runs)):
        start = time.process_time()
        overlap(roi=roi, **arguments).to_pylist()
        seconds.append(time.process_time() - start)
    cpu = statistics.median(seconds) / len(x)
    Path(result).write_text(json.dumps({"cpu": cpu, "rows": rows}), encoding="utf-8")


if __name__ == "__main__":
    main()
