"""Every measured goal next to its peer, in one table.

    python benches/compare.py [--folder FOLDER] [--json FILE] [--only TEXT]

Each line first asserts that the answer is right. The figures are CPU time on one thread, of this
process and its children: the median of several runs after one warm-up run, with cold caches,
including file opening but not imports. Peer and product take turns. The pure-Python reference runs
in its own process on the first 400 tiles, also as the median of several runs.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import goals_kernels as kernels
import goals_pipeline as pipeline
import memory
import ratiopath
from measure import HEADER, Line, machine
from overlays import make, make_distinct, make_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RAY = (
    "Ray with_column, 2 CPUs, warm workers, against the direct call on 2 threads",
    "Ray end to end against the same pipeline with ratiopath 1.5.0",
)


def goals(folder: Path) -> Iterator[tuple[str, Callable[[], Line | Iterator[Line]]]]:
    """Yield what is measured, by name."""
    fine, coarse = make(folder)
    distinct = make_distinct(folder)
    for roi_name, goal in (("box", 500), ("circle", 300)):
        yield "whole", partial(pipeline.whole_slide, fine, roi_name, 1, goal)
        yield "whole", partial(pipeline.whole_slide, coarse, roi_name, 8, 80)
    yield "polygon", partial(pipeline.polygon_against_box, fine)
    yield "decode", partial(pipeline.decode_floor, fine, distinct)
    yield "strides", partial(pipeline.strides, fine)
    yield "patches", partial(pipeline.patches, distinct)
    yield "count", partial(kernels.counting, "mask")
    yield "count", partial(kernels.counting, "noise")
    yield "mask", kernels.masks
    yield "exact", kernels.exact
    yield "many", lambda: pipeline.many_overlays(make_many(folder))
    memory.write(folder)
    yield "memory", partial(pipeline.memory, folder)


def lines(folder: Path, only: str) -> Iterator[Line]:
    """Measure, one line after the other."""
    for name, work in goals(folder):
        if only in name:
            found = work()
            yield from [found] if isinstance(found, Line) else found


def main() -> None:
    """Print the table as Markdown and, if asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "overlays")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="", help="measure only goals whose name holds this")
    args = parser.parse_args()
    os.environ["RATIOPATH_NUM_THREADS"] = "1"
    print(f"{machine()}, ratiopath {ratiopath.__version__}\n\n{HEADER}")
    measured = []
    for line in lines(args.folder, args.only):
        measured.append({**asdict(line), "ratio": line.ratio, "is_reached": line.is_reached})
        print(line, flush=True)
    for name in RAY if not args.only else ():
        print(f"| {name} | see `benches/cluster.py` | | | | | |")
    if args.json:
        result = {"machine": machine(), "lines": measured}
        args.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
