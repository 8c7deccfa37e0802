"""A cluster of three nodes gives the direct call's rows, also when a part of it dies on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import ratiopath

pytest.importorskip("ray")

import ray_cluster

pytestmark = pytest.mark.slow

BLOCKS = ray_cluster.OVERLAYS * 64 // ray_cluster.BLOCK_ROWS


def run(what, folder):
    """Run the script, and return its report and its rows."""
    script = Path(ray_cluster.__file__)
    search = os.pathsep.join([str(script.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(script), what, str(folder)]
    # A cluster that never comes to an end is what a wrong answer to a death looks like.
    done = subprocess.run(  # noqa: S603 - our own script
        command,
        env={**os.environ, "PYTHONPATH": search},
        timeout=240,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads((folder / "report.json").read_text())
    return report, pq.read_table(folder / "rows.parquet").to_pylist()


def expected(folder):
    table = ray_cluster.tiles(folder)
    paths, xs, ys = (table[name].to_numpy() for name in ("mask", "tile_x", "tile_y"))
    mpp = ray_cluster.MPP
    found = ratiopath.overlay_overlap(
        ray_cluster.ROI, paths, xs, ys, mpp, mpp, classes=ray_cluster.CLASSES
    )
    absent = dict.fromkeys(ray_cluster.CLASSES.values(), 0.0)
    rows = table.to_pylist()
    return [
        {**row, "overlap": {**absent, **overlap}} for row, overlap in zip(rows, found, strict=True)
    ]


@pytest.mark.parametrize("what", ["nothing", "worker", "node"])
def test_the_rows_of_a_cluster_are_those_of_the_direct_call_when_it_loses(what, tmp_path):
    report, rows = run(what, tmp_path)

    def place(row):
        return row["mask"], row["tile_y"], row["tile_x"]

    assert sorted(rows, key=place) == sorted(expected(tmp_path), key=place)
    assert report["nodes"] == ray_cluster.NODES
    assert report["dead"] == ([report["killed"]] if what == "node" else [])
    if what == "nothing":
        assert report["attempts"] == BLOCKS
    else:
        # What died held a block's answer: it was worked out anew.
        assert report["killed"] is not None
        assert report["attempts"] > BLOCKS
