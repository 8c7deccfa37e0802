"""A million tiles on a thousand overlays through Ray, to a parquet file of those worth keeping.

    python benches/cluster.py [--overlays 1000] [--folder FOLDER] [--reference-overlays 20]

makes the overlays (2560 x 1600 labels at 4 µm/px, all different, for slides of 0.5 µm/px with 1000
tiles of 512 px each; a minute, 100 MB), and prints the throughput of ``with_column`` against the
direct call, the throughput of the pipeline by number of workers and Ray's share of its time, the
same pipeline with ratiopath 1.5.0 on fewer overlays, and memory over time. Writes `cluster.json`
and `cluster.svg` to FOLDER. First compares tiles of the result with plain NumPy on whole overlays.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tifffile
from matplotlib.figure import Figure

import peer
from cluster_run import EXTENT, MPP

HEIGHT, WIDTH = 1600, 2560
DOWNSAMPLE = 8
ROWS, COLUMNS = HEIGHT * DOWNSAMPLE // EXTENT, WIDTH * DOWNSAMPLE // EXTENT


def labels(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Discs of three labels on 0, (HEIGHT, WIDTH), ragged from row to row."""
    rng = np.random.default_rng(seed)
    result = np.zeros((HEIGHT, WIDTH), np.uint8)
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    for _ in range(12):
        row, column, radius = rng.integers((0, 0, 60), (HEIGHT, WIDTH, 320))
        inside = (y - row) ** 2 + (x - column) ** 2 < radius**2 + rng.integers(0, 4000, (HEIGHT, 1))
        result[inside] = rng.choice([1, 2, 255])
    return result


def make(folder: Path, overlays: int) -> Path:
    """Write the overlays that do not exist yet, and the table of all tiles."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"overlay_{index:04}.tiff" for index in range(overlays)]
    for index, path in enumerate(paths):
        if not path.exists():
            partial = path.with_suffix(".part")
            tifffile.imwrite(
                partial,
                labels(index),
                tile=(256, 256),
                compression="deflate",
                resolution=(1e4 / MPP / DOWNSAMPLE, 1e4 / MPP / DOWNSAMPLE),
                resolutionunit="CENTIMETER",
                metadata=None,
            )
            partial.rename(path)
    return table(folder, paths)


def table(folder: Path, paths: list[Path]) -> Path:
    """Write a row for each tile of these overlays."""
    x, y = np.meshgrid(np.arange(COLUMNS) * EXTENT, np.arange(ROWS) * EXTENT)
    tiles = len(paths) * x.size
    columns = {
        "overlay_path": np.repeat([str(path) for path in paths], x.size),
        "tile_x": np.tile(x.ravel(), len(paths)),
        "tile_y": np.tile(y.ravel(), len(paths)),
        "mpp_x": np.full(tiles, MPP),
        "mpp_y": np.full(tiles, MPP),
    }
    path = folder / f"tiles_{len(paths)}.parquet"
    rows = pa.table(columns)
    pq.write_table(rows, path, row_group_size=20_000)
    shuffled = rows.take(np.random.default_rng(0).permutation(tiles))
    pq.write_table(shuffled, path.with_name(f"shuffled_{path.name}"), row_group_size=20_000)
    return path


def run(what: str, tiles: Path, workers: int = 2, *, reference: bool = False) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    environment = dict(os.environ)
    if reference:
        peer.unpack()
        environment["PYTHONPATH"] = str(peer.FOLDER)
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "result.json"
        script = Path(__file__).with_name("cluster_run.py")
        command = [sys.executable, str(script), what, str(tiles), str(result)]
        command += ["--workers", str(workers), *(["--reference"] if reference else [])]
        subprocess.run(command, env=environment, check=True)
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    found["microseconds"] = found["seconds"] / found["rows"] * 1e6
    who = "1 worker" if workers == 1 else f"{workers} workers"
    found["what"] = f"{what}{' 1.5.0' if reference else ''}, {who}"
    found["peak"] = max((sample[1] for sample in found["memory"]), default=0)
    print(f"{found['what']:28} {found['rows']:9,} tiles {found['microseconds']:9.2f} µs per tile")
    return found


def check(tiles: Path, overlays: int) -> None:
    """Compare the kept tiles of some overlays with NumPy's counts on whole overlays."""
    kept = pq.read_table(tiles.with_name("kept")).sort_by([("overlay_path", "ascending")])
    step = HEIGHT // ROWS
    for index in np.random.default_rng(0).choice(overlays, min(overlays, 25), replace=False):
        path = str(tiles.with_name(f"overlay_{index:04}.tiff"))
        whole = tifffile.imread(path).reshape(ROWS, step, COLUMNS, step)
        expected = {
            (x * EXTENT, y * EXTENT): {
                str(value): float((whole[y, :, x] == value).mean()) for value in (0, 1, 2, 255)
            }
            for y, x in np.argwhere((whole == 255).mean(axis=(1, 3)) >= 0.5).tolist()
        }
        rows = kept.filter(pc.field("overlay_path") == path).to_pylist()
        assert {(row["tile_x"], row["tile_y"]): row["overlap"] for row in rows} == expected


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """Throughput by number of workers, and memory over time."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    most = max(each["rows"] for each in runs)
    pipelines = [
        each for each in runs if each["what"].startswith("pipeline, ") and each["rows"] == most
    ]
    left.bar(
        [each["what"].split(", ")[1] for each in pipelines],
        [each["rows"] / each["seconds"] / 1e3 for each in pipelines],
        color="tab:blue",
    )
    left.set(ylabel="thousand tiles per second", title="pipeline to parquet")
    for each in pipelines:
        times, bytes_ = zip(*each["memory"], strict=True)
        right.plot(times, np.array(bytes_) / 2**20, label=each["what"].split(", ")[1])
    right.set(xlabel="seconds", ylabel="MiB", ylim=(0, None), title="private memory, all processes")
    right.legend(frameon=False)
    figure.savefig(path)


def main() -> None:
    """Make, measure, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--overlays", type=int, default=1000)
    parser.add_argument("--reference-overlays", type=int, default=20)
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "ratiopath-cluster"
    )
    args = parser.parse_args()
    tiles = make(args.folder, args.overlays)
    few = make(args.folder, min(args.reference_overlays, args.overlays))
    runs = [run("direct", tiles), run("column", tiles)]
    runs += [run("column", tiles.with_name(f"shuffled_{tiles.name}"))]
    runs += [run("nothing", tiles), run("pipeline", tiles, 1), run("pipeline", tiles)]
    check(tiles, args.overlays)
    direct, column, shuffled, nothing, _, pipeline = runs
    runs += [run("pipeline", few), run("pipeline", few, reference=True)]
    ours, theirs = runs[-2:]
    per_tile = {
        "with_column against the direct call, throughput": (
            direct["microseconds"] / column["microseconds"]
        ),
        "rows in random order against rows by overlay, time": (
            shuffled["microseconds"] / column["microseconds"]
        ),
        "pipeline against ratiopath 1.5.0, per tile": (
            theirs["microseconds"] / pipeline["microseconds"]
        ),
        "the same, both on few overlays, starting Ray's tasks included": (
            theirs["microseconds"] / ours["microseconds"]
        ),
        "share of the pipeline that is there without the overlay": (
            nothing["seconds"] / pipeline["seconds"]
        ),
    }
    for name, ratio in per_tile.items():
        print(f"{ratio:8.2f}  {name}")
    report = {"machine": f"{platform.machine()}, {os.cpu_count()} CPUs", "ratios": per_tile}
    (args.folder / "cluster.json").write_text(json.dumps({**report, "runs": runs}, indent=1))
    draw(runs, args.folder / "cluster.svg")


if __name__ == "__main__":
    main()
