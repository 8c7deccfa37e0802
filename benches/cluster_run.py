"""One timed run over the tiles of many overlays: ours or the reference's, with or without Ray.

    python benches/cluster_run.py WHAT TILES.parquet RESULT.json [--workers N] [--reference]

TILES is a table that `cluster.py` made. WHAT is ``direct`` (the column's function on the same
blocks, on N threads, without Ray), ``column`` (``with_column`` alone, workers warm), ``nothing``
(the pipeline without the overlay), or ``pipeline`` (from the table of tiles to a parquet file of
the kept ones). The reference has this package's name, so PYTHONPATH decides which one is imported.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from shapely import box

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_ROWS = 20_000
EXTENT, MPP = 512, 0.5
LABELS = (0, 1, 2, 255)
NAMES = ("overlay_path", "tile_x", "tile_y", "mpp_x", "mpp_y")
ROI = box(0, 0, EXTENT, EXTENT)


def tissue(row: dict[str, Any]) -> bool:
    """The tutorial's threshold, as it must be written for both packages."""
    return bool((row["overlap"].get("255") or 0.0) >= 0.5)


def blocks(tiles: Path) -> list[pa.Table]:
    """The table of tiles in blocks."""
    table = pq.read_table(tiles)
    return [table.slice(start, BLOCK_ROWS) for start in range(0, table.num_rows, BLOCK_ROWS)]


class Memory(threading.Thread):
    """Samples the resident memory of all processes of this run, Ray's workers among them."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, int]] = []
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        start = time.perf_counter()
        while not self.done.wait(0.25):
            self.samples.append((time.perf_counter() - start, resident()))


def resident() -> int:
    """Private bytes of this process and of Ray's workers; the object store is shared memory."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if command.startswith(b"ray::") or process.name == str(os.getpid()):
                fields = (process / "statm").read_text().split()
                total += (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue  # it ended between the two looks
    return total


def direct(parts: list[pa.Table], workers: int) -> Callable[[], int]:
    """The function behind the column, on one block after the other in a loop without Ray."""
    from ray.data.expressions import col  # noqa: PLC0415 - only where it is measured

    from ratiopath.tiling import tile_overlay_overlap  # noqa: PLC0415 - one of two packages

    os.environ["RATIOPATH_NUM_THREADS"] = str(workers)
    columns: dict[str, Any] = {name: col(name) for name in NAMES}
    column = tile_overlay_overlap(ROI, **columns, classes=LABELS)
    return lambda: sum(len(column(part)) for part in parts)


def start_ray(workers: int) -> Any:
    """A local Ray whose workers have imported what they need."""
    import ray  # noqa: PLC0415 - not where it is not measured

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    return ray


def overlap(*, ours: bool) -> Any:
    """The same call of both packages; ours declares the labels."""
    from ray.data.expressions import col  # noqa: PLC0415 - only where it is measured

    from ratiopath.tiling.overlays import (  # noqa: PLC0415 - one of two packages
        tile_overlay_overlap,
    )

    declared: dict[str, Any] = {"classes": LABELS} if ours else {}
    return tile_overlay_overlap(roi=ROI, **{name: col(name) for name in NAMES}, **declared)


def column(ray: Any, parts: list[pa.Table], overlay: Any) -> Callable[[], int]:
    """``with_column`` on blocks that are already in the object store."""
    # A few tiles of one overlay warm the workers and leave the caches as good as cold.
    few = ray.data.from_arrow([parts[0].slice(0, 64)] * 8).materialize()
    few.with_column("overlap", overlay).materialize()
    stored = ray.data.from_arrow(parts).materialize()
    return lambda: stored.with_column("overlap", overlay).materialize().count()


def pipeline(ray: Any, tiles: Path, overlay: Any) -> Callable[[], int]:
    """From the table of tiles to a parquet file of those with enough tissue."""
    target = tiles.with_name("kept")

    def run() -> int:
        shutil.rmtree(target, ignore_errors=True)
        rows = ray.data.read_parquet(str(tiles))
        rows = rows.repartition(target_num_rows_per_block=BLOCK_ROWS)
        if overlay is not None:
            rows = rows.with_column("overlap", overlay).filter(tissue)
        rows.write_parquet(str(target))
        return pq.read_metadata(tiles).num_rows

    return run


def main() -> None:
    """Run, time, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("direct", "column", "nothing", "pipeline"))
    parser.add_argument("tiles", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--reference", action="store_true", help="it is not ours that answers")
    args = parser.parse_args()
    if args.what == "direct":
        run = direct(blocks(args.tiles), args.workers)
    else:
        ray = start_ray(args.workers)
        overlay = None if args.what == "nothing" else overlap(ours=not args.reference)
        run = (
            column(ray, blocks(args.tiles), overlay)
            if args.what == "column"
            else pipeline(ray, args.tiles, overlay)
        )
    memory = Memory()
    memory.start()
    start = time.perf_counter()
    rows = run()
    seconds = time.perf_counter() - start
    memory.done.set()
    result = {"rows": rows, "seconds": seconds, "memory": memory.samples}
    args.result.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
