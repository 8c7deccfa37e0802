"""What a second thread costs and gains.

    python benches/threads.py [--folder FOLDER]

Wall-clock and CPU time of whole-slide fractions and of patches on 1 and 2 threads: the median of
seven runs that take turns, with cold caches. On a busy machine the wall clock means little.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ratiopath
from measure import RUNS, forget, machine, used
from overlays import make, make_distinct
from work import MPP, region, tile_grid

if TYPE_CHECKING:
    from collections.abc import Callable


def on(threads: int, work: Callable[[], Any]) -> tuple[float, float]:
    """Return the wall and CPU seconds of one cold call on this number of threads."""
    os.environ["RATIOPATH_NUM_THREADS"] = str(threads)
    forget()
    wall, cpu = time.perf_counter(), used()
    work()
    return time.perf_counter() - wall, used() - cpu


def compare(what: str, tiles: int, work: Callable[[], Any]) -> None:
    """Print a line for a call on one and on two threads."""
    runs = [[on(threads, work) for threads in (1, 2)] for _ in range(RUNS + 1)][1:]
    wall = [statistics.median(run[k][0] for run in runs) for k in range(2)]
    cpu = [statistics.median(run[k][1] for run in runs) for k in range(2)]
    times = " | ".join(f"{1e6 * seconds / tiles:,.1f}" for seconds in (*wall, *cpu))
    print(f"| {what} | {times} | {wall[0] / wall[1]:.2f} | {cpu[1] / cpu[0]:.2f} |", flush=True)


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "overlays")
    folder = parser.parse_args().folder
    (fine, coarse), distinct = make(folder), make_distinct(folder)
    print(f"{machine()}, ratiopath {ratiopath.__version__}\n")
    print("| what, µs per tile | wall 1 | wall 2 | CPU 1 | CPU 2 | gain | cost |")
    print("| :--- | ---: | ---: | ---: | ---: | ---: | ---: |")
    answers = []
    for name, overlay, grid in (
        ("fractions, class map, scale 1", fine, tile_grid()),
        ("fractions, class map, scale 1/8", coarse, tile_grid()),
        ("fractions, distinct segments", distinct, tile_grid(8192, 8192)),
    ):
        call = (region("circle"), overlay, *grid, MPP, MPP)
        for threads in ("1", "2"):
            os.environ["RATIOPATH_NUM_THREADS"] = threads
            forget()
            answers.append(ratiopath.overlay_overlap(*call))
        assert answers[-1] == answers[-2]
        compare(name, len(grid[0]), lambda call=call: ratiopath.overlay_overlap(*call))
    grid = tile_grid(8192, 4096)
    call = (region("circle"), distinct, *grid, MPP, MPP)
    compare("patches, distinct segments", len(grid[0]), lambda: ratiopath.read_overlay(*call))


if __name__ == "__main__":
    main()
