"""Runs a pipeline on a cluster of raylets on this machine, and kills a part of it on the way.

A script, so that its cluster has a process of its own: ``ray_cluster.py KILL FOLDER`` with KILL one
of ``nothing``, ``worker``, ``node``. It makes overlays in FOLDER, computes their fractions on a
cluster of three nodes, and writes ``rows.parquet`` and ``report.json`` there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
from ray.cluster_utils import Cluster
from ray.data.expressions import col
from shapely import Point

from overlays import write_overlay
from ratiopath.tiling import tile_overlay_overlap

NODES = 3
OVERLAYS = 6
BLOCK_ROWS = 32
MPP = 0.5
ROI = Point(16, 16).buffer(16)
CLASSES = {0: "glass", 1: "tissue", 2: "tumour"}


def tiles(folder: Path) -> pa.Table:
    """Write the overlays and return a row for each of their tiles."""
    rows = []
    for index in range(OVERLAYS):
        pixels = np.random.default_rng(index).integers(0, 3, (128, 128), np.uint8)
        path = str(write_overlay(folder / f"mask_{index}.tiff", [pixels], 2 * MPP))
        grid = [(x, y) for y in range(0, 256, 32) for x in range(0, 256, 32)]
        rows += [{"mask": path, "tile_x": x, "tile_y": y} for x, y in grid]
    return pa.Table.from_pylist(rows)


def started(batch: pa.Table, folder: Path) -> pa.Table:
    """Leave a note that this process works on a block, and on which node."""
    node = ray.get_runtime_context().get_node_id()
    (folder / f"{os.getpid()}.running").write_text(node)
    with (folder / "attempts").open("a") as attempts:
        attempts.write(f"{node}\n")
    return batch


def finished(batch: pa.Table, folder: Path) -> pa.Table:
    """Stay a while, so that there is time to be killed with the block's answer in hand."""
    time.sleep(0.3)
    (folder / f"{os.getpid()}.running").unlink()
    return batch


def run(table: pa.Table, folder: Path) -> list[dict[str, object]]:
    """Attach the fractions to all rows, in blocks."""
    parts = [table.slice(start, BLOCK_ROWS) for start in range(0, table.num_rows, BLOCK_ROWS)]
    notes: dict[str, Any] = {
        "fn_kwargs": {"folder": folder},
        "batch_format": "pyarrow",
        "batch_size": None,
    }
    overlap = tile_overlay_overlap(
        ROI, col("mask"), col("tile_x"), col("tile_y"), MPP, MPP, classes=CLASSES
    )
    dataset = ray.data.from_arrow(parts).map_batches(started, **notes)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # notes give the folder
    dataset = dataset.with_column("overlap", overlap)
    dataset = dataset.map_batches(finished, **notes)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # likewise
    rows: list[dict[str, object]] = dataset.take_all()
    return rows


class Killer(threading.Thread):
    """Kills a worker or a node in the middle of a block, once some blocks are done."""

    def __init__(self, what: str, folder: Path, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self.what, self.folder, self.cluster = what, folder, cluster
        self.killed: str | None = None

    def run(self) -> None:
        """Wait for the middle of the run, then kill."""
        attempts = self.folder / "attempts"
        while not attempts.exists() or len(attempts.read_text().splitlines()) < NODES + 2:
            time.sleep(0.01)
        while self.killed is None:
            for note in self.folder.glob("*.running"):
                # A block may be finished, and its note gone, between two looks.
                with contextlib.suppress(FileNotFoundError):
                    if node := note.read_text():
                        self.kill(int(note.stem), node)
                        return

    def kill(self, process: int, node: str) -> None:
        """End the process, or the whole node that it runs on."""
        if self.what == "worker":
            os.kill(process, signal.SIGKILL)
            self.killed = str(process)
            return
        (raylet,) = [item for item in self.cluster.worker_nodes if item.node_id == node]
        self.cluster.remove_node(raylet, allow_graceful=False)
        self.killed = node


def dead_nodes(expected: int) -> list[str]:
    """The nodes that the cluster knows are dead, of which it may take a while to hear."""
    deadline = time.monotonic() + 60
    while True:
        dead = [node["NodeID"] for node in ray.nodes() if not node["Alive"]]
        if len(dead) >= expected or time.monotonic() > deadline:
            return dead
        time.sleep(0.1)


def main(what: str, folder: Path) -> None:
    """Run, kill, and report."""
    table = tiles(folder)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(NODES):
        cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    ray.init(address=cluster.address, log_to_driver=False)
    killer = Killer(what, folder, cluster)
    if what != "nothing":
        killer.start()
    rows = run(table, folder)
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    attempts = (folder / "attempts").read_text().splitlines()
    report = {
        "killed": killer.killed,
        "attempts": len(attempts),
        "nodes": len(set(attempts)),
        "dead": dead_nodes(1 if what == "node" else 0),
    }
    (folder / "report.json").write_text(json.dumps(report))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
