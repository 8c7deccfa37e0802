"""Annotations against a plain loop of shapely: 10,000 tiles on 10,000 polygons of four classes.

    python benches/annotations.py

First asserts that both agree to 1e-9 on every tile. Measures CPU time of this process on one
thread. The loop queries an STRtree for the annotations near a tile, intersects each with the tile
and adds up the areas by class; it runs once, on polygons in memory. Ours is the median of five
calls with the file cached; the last column is the first call, which reads the file.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import mapping

import ratiopath
from ratiopath.annotations.layer import cache

if TYPE_CHECKING:
    from shapely import Polygon

TILE, SIDE = 512, 100
CLASSES = ("Tumor", "Stroma", "Necrosis", "Immune cells")


def outline(rng: np.random.Generator, centre: tuple[float, float]) -> Polygon:
    """A wavy outline of 20 to 200 vertices, as drawn by hand."""
    count = int(rng.integers(20, 200))
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    waves = 1 + 0.25 * np.sin(3 * angles + rng.uniform(0, 6)) + rng.uniform(-0.04, 0.04, count)
    radii = rng.uniform(50, 195) * waves
    return shapely.Polygon(np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None] + centre)


def drawn() -> tuple[list[Polygon], list[str]]:
    """10,000 annotations that do not overlap, so that the loop is right."""
    rng = np.random.default_rng(0)
    places = [(TILE * (x + 0.6), TILE * (y + 0.6)) for y in range(SIDE) for x in range(SIDE)]
    polygons = [outline(rng, place) for place in places]
    return polygons, rng.choice(CLASSES, len(polygons)).tolist()


def write(path: Path, polygons: list[Polygon], classes: list[str]) -> None:
    """Write them as QuPath does."""
    features = [
        {
            "type": "Feature",
            "geometry": mapping(polygon),
            "properties": {"objectType": "annotation", "classification": {"name": name}},
        }
        for polygon, name in zip(polygons, classes, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def plain_loop(
    polygons: list[Polygon], classes: list[str], roi: Polygon, tiles: list[tuple[int, int]]
) -> list[dict[str, float]]:
    """The code that one would write without this library."""
    tree = shapely.STRtree(polygons)
    rows = []
    for x, y in tiles:
        region = translate(roi, x, y)
        found: dict[str, float] = defaultdict(float)
        for index in tree.query(region):
            area = polygons[index].intersection(region).area
            if area > 0:
                found[classes[index]] += area / region.area
        rows.append(dict(found))
    return rows


def seconds(start: float) -> float:
    """CPU seconds of this process since a time."""
    return time.process_time() - start


def compare(path: Path, polygons: list[Polygon], classes: list[str], roi: Polygon) -> str:
    """One line of the table; the answers agree or it raises."""
    tiles = [(TILE * x, TILE * y) for y in range(SIDE) for x in range(SIDE)]
    xs, ys = [x for x, _ in tiles], [y for _, y in tiles]

    def ours() -> list[dict[str, float]]:
        return ratiopath.annotation_overlap(roi, path, xs, ys, downsample=1)

    start = time.process_time()
    expected = plain_loop(polygons, classes, roi, tiles)
    theirs = seconds(start)
    cache.clear()
    start = time.process_time()
    found = ours()
    first = seconds(start)
    for ours_row, theirs_row in zip(found, expected, strict=True):
        for name in CLASSES:
            assert abs(ours_row.get(name, 0) - theirs_row.get(name, 0)) < 1e-9
    runs = []
    for _ in range(5):
        start = time.process_time()
        ours()
        runs.append(seconds(start))
    kept = statistics.median(runs)
    per_tile = 1e6 / len(tiles)
    ratio = f"{theirs * per_tile:,.1f} | {kept * per_tile:,.1f} | {theirs / kept:,.0f}"
    return f"{ratio} | {first:.2f}"


def main() -> None:
    """Print the table."""
    os.environ["RATIOPATH_NUM_THREADS"] = "1"
    polygons, classes = drawn()
    regions = {
        "box": shapely.box(0, 0, TILE, TILE),
        "circle of 64 edges": shapely.Point(TILE / 2, TILE / 2).buffer(0.4 * TILE),
    }
    print("| region | shapely, µs per tile | ours | ratio | ours with the file read, s in all |")
    print("| :--- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slide.geojson"
        write(path, polygons, classes)
        for name, roi in regions.items():
            print(f"| {name} | {compare(path, polygons, classes, roi)} |", flush=True)


if __name__ == "__main__":
    main()
