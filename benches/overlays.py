"""The overlays used by every measurement, seeded so that their samples are the same everywhere.

    python benches/overlays.py FOLDER

writes these files if they do not exist yet (a minute, 3 GB of memory, 100 MB of files):

class_0.5.tiff   40000 x 32000 labels {0, 1, 2, 255}, 0.5 µm/px, tiles of 512 px, deflate, 4 levels
class_4.tiff     5000 x 4000 labels, 4 µm/px, tiles of 256 px, deflate, 4 levels
runs_0.5.tiff    8192 x 8192 values 0 to 31 in runs of 16, 0.5 µm/px: all segments are different
many/000.tiff    and so on: a thousand of 2048 x 2048 labels, 0.5 µm/px, tiles of 256 px
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT, WIDTH = 4000, 5000


def label_map(count: int = 60) -> NDArray[np.uint8]:
    """Wavy blobs of three labels on 0, (HEIGHT, WIDTH)."""
    rng = np.random.default_rng(0)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(count):
        y0, x0 = rng.integers(0, HEIGHT), rng.integers(0, WIDTH)
        radius = rng.integers(HEIGHT // 40, HEIGHT // 8)
        top, bottom = max(0, y0 - 2 * radius), min(HEIGHT, y0 + 2 * radius)
        left, right = max(0, x0 - 2 * radius), min(WIDTH, x0 + 2 * radius)
        window = np.s_[top:bottom, left:right]
        y, x = np.mgrid[window].astype(np.float32)
        angle = np.arctan2(y - y0, x - x0)
        waves = [
            amplitude * np.sin((k + 2) * angle + phase)
            for k, (amplitude, phase) in enumerate(rng.uniform((0, 0), (0.12, 6.28), (5, 2)))
        ]
        inside = np.hypot(y - y0, x - x0) < radius * (1 + np.sum(waves, axis=0))
        labels[window][inside] = rng.choice(np.array([1, 2, 255], np.uint8))
    return labels


def enlarged(labels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The labels with each pixel `factor` times as wide and high, and ragged from row to row."""
    large = np.repeat(np.repeat(labels, factor, 0), factor, 1)
    for row, shift in enumerate(np.random.default_rng(1).integers(-9, 9, len(large))):
        large[row] = np.roll(large[row], shift)
    return large


def write(path: Path, labels: NDArray[np.uint8], mpp: float, tile: int, levels: int = 4) -> None:
    """Write a pyramid by taking every second pixel, which invents no label."""
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for level in range(levels):
            step = 2**level
            tiff.write(
                labels[::step, ::step],
                subfiletype=int(level > 0),
                tile=(tile, tile),
                compression="deflate",
                photometric="minisblack",
                resolution=(1e4 / mpp / step, 1e4 / mpp / step),
                resolutionunit="CENTIMETER",
                metadata=None,
            )


def make(folder: Path) -> tuple[Path, Path]:
    """Return the label maps at 0.5 and at 4 µm per pixel, written if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    fine, coarse = folder / "class_0.5.tiff", folder / "class_4.tiff"
    if not (fine.exists() and coarse.exists()):
        labels = enlarged(label_map(), 8)
        write(fine, labels, 0.5, 512)
        write(coarse, np.ascontiguousarray(labels[::8, ::8]), 4.0, 256)
    return fine, coarse


def make_distinct(folder: Path) -> Path:
    """Return the overlay of runs, written if need be."""
    path = folder / "runs_0.5.tiff"
    if not path.exists():
        runs = np.random.default_rng(2).integers(0, 32, (8192, 8192 // 16), np.uint8)
        write(path, np.repeat(runs, 16, axis=1), 0.5, 512, levels=1)
    return path


def make_many(folder: Path, count: int = 1000) -> list[Path]:
    """Return that many small label maps, each a part of one map, written if need be."""
    (folder / "many").mkdir(parents=True, exist_ok=True)
    paths = [folder / "many" / f"{index:03}.tiff" for index in range(count)]
    missing = [index for index in range(count) if not paths[index].exists()]
    labels = label_map() if missing else np.empty((0, 0), np.uint8)
    for index in missing:
        y, x = 47 * (index % 41), 73 * (index % 40)
        write(paths[index], labels[y : y + 2048, x : x + 2048], 0.5, 256, levels=1)
    return paths


if __name__ == "__main__":
    make(Path(sys.argv[1]))
    make_distinct(Path(sys.argv[1]))
    make_many(Path(sys.argv[1]))
