"""The cost of a tile as the work grows, measured and drawn.

    python benches/scaling.py [--folder FOLDER] [--picture FILE.svg] [--json FILE]

CPU time per tile on one thread, with cold caches and including file opening: the median of three
runs after one warm-up run. Memory is the peak of a separate process over that of its imports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import shapely

import ratiopath
from measure import cpu, forget, machine
from memory import highest
from overlays import make, make_many
from work import EXTENT, MPP, SLIDE_HEIGHT, SLIDE_WIDTH, region, tile_grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely import Polygon

    Curve = list[tuple[float, float]]
    Panel = tuple[str, str, str, dict[str, Curve]]

PER_OVERLAY = 1000


def per_tile(
    roi: Polygon, overlay: Any, x: NDArray[np.int64], y: NDArray[np.int64], mpp: float = MPP
) -> float:
    """Return the µs of CPU for each tile of one cold call."""

    def work() -> object:
        forget()
        return ratiopath.overlay_overlap(roi, overlay, x, y, mpp, mpp)

    return 1e6 * cpu(work, 1 if len(x) > 200_000 else 3) / len(x)


def in_batches(overlay: Path, order: NDArray[np.int64], size: int) -> float:
    """Return the µs of CPU for each tile of a slide in batches, the cache kept between them."""
    x, y = (axis[order] for axis in tile_grid())
    roi = region("box")

    def work() -> None:
        forget()
        for start in range(0, len(x), size):
            part = slice(start, start + size)
            ratiopath.overlay_overlap(roi, overlay, x[part], y[part], MPP, MPP)

    return 1e6 * cpu(work, 3) / len(x)


def over_overlays(paths: list[Path]) -> tuple[Any, NDArray[np.int64], NDArray[np.int64]]:
    """Return columns of a thousand tiles on each overlay."""
    x, y = (axis[:PER_OVERLAY] for axis in tile_grid(2048, 2048, extent=64, stride=64))
    column = np.repeat([str(path) for path in paths], PER_OVERLAY)
    return column, np.tile(x, len(paths)), np.tile(y, len(paths))


def scattered(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return tiles of 64 px anywhere on the map at 4 µm/px."""
    rng = np.random.default_rng(5)
    return rng.integers(0, 5000 - 64, count), rng.integers(0, 4000 - 64, count)


def ring(vertices: int) -> Polygon:
    """Return a ragged outline with this number of vertices."""
    rng = np.random.default_rng(6)
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radii = 200 + rng.uniform(-0.5, 0.5, vertices)
    points = np.stack([256 + radii * np.cos(angles), 256 + radii * np.sin(angles)], 1)
    return shapely.Polygon(points)


def times(folder: Path) -> Iterator[Panel]:
    """Measure time, panel by panel."""
    fine, coarse = make(folder)
    counts = (10_000, 30_000, 100_000, 300_000, 1_000_000)
    paths = make_many(folder)
    small = region("box", 64)
    many = {n: over_overlays(paths[: n // PER_OVERLAY]) for n in counts}
    spread = [(float(n), per_tile(small, *many[n])) for n in counts]
    one = [(float(n), per_tile(small, coarse, *scattered(n), mpp=4.0)) for n in counts]
    curves = {"a thousand tiles on each overlay": spread, "all on one overlay, anywhere": one}
    yield "tiles", "tiles of 64 px", "µs per tile", curves

    sides = (16, 32, 64, 128, 256, 512, 1024, 2048)
    wide = [(s, min(SLIDE_WIDTH, 256 * s), min(SLIDE_HEIGHT, 64 * s)) for s in sides]
    grids = {s: tile_grid(width, height, s, s) for s, width, height in wide}
    sizes = {
        name: [(float(s), per_tile(region(name, s), fine, *grids[s])) for s in sides]
        for name in ("box", "circle")
    }
    yield "patch", "side of a patch, px", "µs per tile", sizes

    batches = (64, 256, 1024, len(tile_grid()[0]))
    order = np.arange(batches[-1])
    mixed = np.random.default_rng(7).permutation(order)
    orders = {
        name: [(float(size), in_batches(fine, which, size)) for size in batches]
        for name, which in (("by row", order), ("shuffled", mixed))
    }
    yield "batch", "tiles of 512 px in a batch", "µs per tile", orders

    rings = (4, 16, 64, 256, 1024, 4096, 16384, 100_000)
    grid = tile_grid()
    vertices = [(float(n), per_tile(ring(n), fine, *grid)) for n in rings]
    yield "vertices", "vertices of the ROI", "µs per tile", {f"{EXTENT} px, one ROI": vertices}


def memory_of(count: int, folder: Path) -> float:
    """Return the MiB for fractions of this number of tiles, in a separate process."""
    script = [sys.executable, __file__, "--folder", str(folder), "--memory-of", str(count)]
    run = subprocess.run(script, check=True, capture_output=True, text=True)
    return float(run.stdout)


def memory_here(count: int, folder: Path) -> float:
    """Return the MiB for fractions of this number of tiles, and the MiB of their result."""
    import ratiopath.readers.tiff.reader  # noqa: PLC0415 # pyright: ignore[reportUnusedImport] - what it imports is not counted

    columns = over_overlays(make_many(folder)[: count // PER_OVERLAY])
    before = highest()
    rows = ratiopath.overlay_overlap(region("box", 64), *columns, MPP, MPP)
    assert len(rows) == count
    return highest() - before


def draw(panels: list[Panel], path: Path) -> None:
    """Draw the panels beside each other."""
    mpl.use("svg")
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the choice of backend

    plt.rcParams.update({"font.size": 8, "svg.hashsalt": "ratiopath"})
    figure, axes = plt.subplots(1, len(panels), figsize=(3.1 * len(panels), 2.8))
    for axis, (_, along, what, curves) in zip(axes, panels, strict=True):
        for name, points in curves.items():
            axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        axis.set(xscale="log", xlabel=along, ylabel=what)
        values = [y for points in curves.values() for _, y in points]
        if max(values) > 20 * min(values):
            axis.set_yscale("log")
        else:
            axis.set_ylim(0, 1.4 * max(values))
        axis.legend(frameon=False, loc="upper left")
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, print, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "overlays")
    parser.add_argument("--picture", type=Path, default=Path("docs/images/scaling.svg"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory-of", type=int)
    args = parser.parse_args()
    os.environ["RATIOPATH_NUM_THREADS"] = "1"
    if args.memory_of:
        print(memory_here(args.memory_of, args.folder))
        return
    panels = list(times(args.folder))
    counts = (10_000, 30_000, 100_000, 300_000, 1_000_000)
    used = [(float(n), memory_of(n, args.folder)) for n in counts]
    panels.append(("memory", "tiles, a thousand on each overlay", "MiB", {"with the result": used}))
    for name, along, what, curves in panels:
        for curve, points in curves.items():
            text = ", ".join(f"{x:,.0f}: {y:,.1f}" for x, y in points)
            print(f"{name} ({along}; {what}), {curve}: {text}", flush=True)
    draw(panels, args.picture)
    if args.json:
        result = {"machine": machine(), "panels": panels}
        args.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
