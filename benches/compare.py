"""Side by side with the peers: each row first asserts that both give the same answer.

    python benches/compare.py [--folder FOLDER] [--json FILE]

CPU time of this process on one thread, median of several runs, cold caches, file opening included,
imports not. The pure-Python reference runs in a process of its own on the first 400 tiles.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import exactextract
import numpy as np
import rasterio
import rasterio.features
import shapely
from shapely.geometry import mapping

import ratiopath
from overlays import make
from ratiopath.readers import _readers
from ratiopath.segments import cache
from work import EXTENT, MPP, region, tile_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEER_TILES = 400
RUNS = 7
# At any scale but 1 the reference masks the wrong pixels of anything but a box.
WRONG_IN_PEER = {("circle", 8)}


def cpu(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median CPU seconds of a call, its result dropped, after one to warm up."""
    work()
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def forget() -> None:
    """Close every file and drop every segment."""
    cache.clear()
    _readers._forget()  # noqa: SLF001 - there is no public way to make a run cold


def whole_slide(overlay: Path, roi_name: str, downsample: int) -> dict[str, Any]:
    """Fractions of every tile of a slide, against the pure-Python reference."""
    roi, (x, y) = region(roi_name), tile_grid()

    def overlap() -> list[dict[Any, float]]:
        forget()
        return ratiopath.overlay_overlap(roi, overlay, x, y, MPP, MPP)

    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "peer.json"
        script = Path(__file__).with_name("peer.py")
        work = [str(overlay), roi_name, str(PEER_TILES), str(result)]
        subprocess.run([sys.executable, str(script), *work], check=True)
        peer = json.loads(result.read_text(encoding="utf-8"))
    if (roi_name, downsample) not in WRONG_IN_PEER:
        for theirs, ours in zip(peer["rows"], overlap(), strict=False):
            assert {k: v for k, v in theirs.items() if v} == {str(k): v for k, v in ours.items()}
    name = f"fractions of a whole slide, {roi_name}, scale 1/{downsample}, per tile"
    return row(name, "ratiopath 1.5.0", cpu(overlap) / len(x), peer["cpu"])


def counting(kind: str) -> dict[str, Any]:
    """Distinct values of 512 x 512 labels."""
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (20, EXTENT, EXTENT), np.uint8)
    mask = np.repeat(rng.integers(0, 4, (20, EXTENT, EXTENT // 64), np.uint8), 64, axis=2)
    inputs = {"mask": mask, "noise": noise}[kind]
    for pixels in inputs:
        expected = np.unique(pixels, return_counts=True)
        np.testing.assert_array_equal(ratiopath.count_values(pixels), expected)
    ours = cpu(lambda: [ratiopath.count_values(pixels) for pixels in inputs])
    theirs = cpu(lambda: [np.unique(pixels, return_counts=True) for pixels in inputs])
    return row(f"count_values, 512 x 512 u8, {kind}", "numpy.unique", ours / 20, theirs / 20)


def contours(vertices: int) -> list[shapely.Polygon]:
    """Twenty wavy outlines of so many vertices, as a contour of tissue has them."""
    rng = np.random.default_rng(3)
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    waves = [
        180
        + sum(rng.uniform(0, 60 / k) * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 40))
        for angle in [angles] * 20
    ]
    radii = [wave + rng.uniform(-0.5, 0.5, vertices) for wave in waves]
    points = [np.stack([256.3 + r * np.cos(angles), 256.7 + r * np.sin(angles)], 1) for r in radii]
    return [shapely.Polygon(ring) for ring in points]


def masks() -> dict[str, Any]:
    """Masks of polygons of 2000 vertices."""
    polygons, shape, identity = contours(2000), (EXTENT, EXTENT), rasterio.Affine.identity()

    def theirs(polygon: shapely.Polygon) -> np.ndarray[Any, Any]:
        mask: np.ndarray[Any, Any] = rasterio.features.geometry_mask([polygon], shape, identity)
        return mask

    for polygon in polygons:
        np.testing.assert_array_equal(ratiopath.polygon_mask(polygon, shape), theirs(polygon))
    our_time = cpu(lambda: [ratiopath.polygon_mask(polygon, shape) for polygon in polygons])
    their_time = cpu(lambda: [theirs(polygon) for polygon in polygons])
    name = "polygon_mask, 512 x 512, 2000 vertices"
    return row(name, "rasterio geometry_mask", our_time / 20, their_time / 20)


def exact() -> dict[str, Any]:
    """Exact fractions of labels under a circle of 64 edges."""
    rng = np.random.default_rng(4)
    labels = np.repeat(rng.integers(0, 4, (EXTENT, EXTENT // 16), np.uint8), 16, axis=1)
    circle = shapely.Point(256.3, 255.6).buffer(200)
    source = exactextract.raster.NumPyRasterSource(labels, 0, 0, EXTENT, EXTENT)
    # exactextract's rows go up.
    mirrored = shapely.transform(circle, lambda xy: [0, EXTENT] + xy * [1, -1])
    feature = {"type": "Feature", "geometry": mapping(mirrored), "properties": {}}

    def theirs() -> dict[int, float]:
        found = exactextract.exact_extract(source, feature, ["unique", "frac"])[0]["properties"]
        return dict(zip(found["unique"].tolist(), found["frac"].tolist(), strict=True))

    def ours() -> dict[Any, float]:
        return ratiopath.polygon_overlap(labels, circle, coverage="exact")

    expected, found = theirs(), ours()
    assert expected.keys() == found.keys()
    assert all(abs(expected[value] - found[value]) < 1e-7 for value in expected)
    name = "polygon_overlap, exact, 512 x 512, 64 edges"
    return row(name, "exactextract", cpu(ours), cpu(theirs))


def row(name: str, peer: str, ours: float, theirs: float) -> dict[str, Any]:
    """One line of the table, times in µs of CPU."""
    return {"what": name, "peer": peer, "ours": 1e6 * ours, "theirs": 1e6 * theirs}


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Measure everything, one line after the other."""
    fine, coarse = make(folder)
    for roi_name in ("box", "circle"):
        yield whole_slide(fine, roi_name, 1)
        yield whole_slide(coarse, roi_name, 8)
    yield counting("mask")
    yield counting("noise")
    yield masks()
    yield exact()


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return f"{model}, {os.cpu_count()} CPUs, Python {platform.python_version()}"


def main() -> None:
    """Print the table as Markdown and, if asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "overlays")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    os.environ["RATIOPATH_NUM_THREADS"] = "1"
    print(f"{machine()}, ratiopath {ratiopath.__version__}\n")
    print("| what | peer | peer, µs | ours, µs | ratio |\n| :--- | :--- | ---: | ---: | ---: |")
    measured = []
    for line in rows(args.folder):
        measured.append(line)
        ratio = line["theirs"] / line["ours"]
        times = f"{line['theirs']:,.1f} | {line['ours']:,.1f} | {ratio:,.{0 if ratio > 10 else 1}f}"
        print(f"| {line['what']} | {line['peer']} | {times} |", flush=True)
    if args.json:
        result = {"machine": machine(), "rows": measured}
        args.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
