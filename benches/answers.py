"""Answers side by side with ratiopath 1.5.0, on small overlays where the right answer is obvious.

    python benches/answers.py

Prints the table of `docs/moving.md`. Each line asserts that this package gives the right answer.
1.5.0 runs in a separate process, and its answer is printed as it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from shapely import Point, box

import ratiopath

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

MPP = 0.5


def halves(left: Any, right: Any, width: int = 1024, height: int = 1024) -> NDArray[Any]:
    """Left half of one value, right half of another."""
    pixels = np.empty((height, width, *np.shape(left)), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = left, right
    return pixels


def columns(width: int, height: int = 64) -> NDArray[np.uint8]:
    """Every pixel the number of its column."""
    return np.broadcast_to(np.arange(width, dtype=np.uint8), (height, width)).copy()


def chequers(size: int, square: int) -> NDArray[np.uint8]:
    """A chequerboard of 0 and 200."""
    rows, columns = np.indices((size, size)) // square
    return (200 * ((rows + columns) % 2)).astype(np.uint8)


def write(path: Path, levels: list[NDArray[Any]], mpp: float) -> None:
    """Write a tiled TIFF pyramid, OME-TIFF by its name."""
    ome, colour = path.name.endswith(".ome.tiff"), levels[0].ndim == 3
    with tifffile.TiffWriter(path, ome=ome) as tiff:
        for level, pixels in enumerate(levels):
            step = levels[0].shape[1] / pixels.shape[1]
            metadata = {"axes": "YX", "PhysicalSizeX": mpp, "PhysicalSizeY": mpp} if ome else None
            tiff.write(
                pixels,
                tile=(256, 256),
                compression="deflate",
                photometric="rgb" if colour else "minisblack",
                subfiletype=int(level > 0),
                resolution=(1e4 / mpp / step,) * 2,
                resolutionunit="CENTIMETER",
                metadata=metadata,
            )


@dataclass
class Case:
    """One question, and its answer."""

    what: str
    levels: Callable[[], list[NDArray[Any]]]
    overlay_mpp: float
    roi: BaseGeometry
    answer: dict[str, float]
    tile: tuple[int, int] = (0, 0)
    mpp: float = MPP
    name: str = "overlay.tiff"
    options: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        "the same scale, a whole tile, inside the overlay",
        lambda: [halves(0, 255)],
        MPP,
        box(0, 0, 512, 512),
        {"0": 0.5, "255": 0.5},
        tile=(256, 0),
    ),
    Case(
        "a circle, on an overlay four times as coarse",
        lambda: [halves(1, 2, 128, 128)],
        4 * MPP,
        Point(256, 256).buffer(200),
        {"1": 0.5, "2": 0.5},
    ),
    Case(
        "the middle of a tile, on an overlay twice as fine",
        lambda: [halves(1, 2)],
        MPP / 2,
        box(128, 128, 384, 384),
        {"1": 0.5, "2": 0.5},
    ),
    Case(
        "a region that starts 128 px left of the overlay's edge",
        lambda: [halves(1, 2, 512, 512)],
        MPP,
        box(-128, 0, 384, 512),
        {"1": 256 / 384, "2": 128 / 384},
    ),
    Case(
        "a tile half beyond the overlay's right edge",
        lambda: [np.full((512, 768), 5, np.uint8)],
        MPP,
        box(0, 0, 512, 512),
        {"5": 1.0},
        tile=(512, 0),
    ),
    Case(
        "an offset of 16 px, half an overlay pixel, which rounds up",
        lambda: [columns(256)],
        32 * MPP,
        box(0, 0, 32, 32),
        {"1": 1.0},
        tile=(16, 0),
    ),
    Case(
        "a region of 8 px on overlay pixels of 64",
        lambda: [np.full((64, 64), 7, np.uint8)],
        64 * MPP,
        box(0, 0, 8, 8),
        {"7": 1.0},
        tile=(640, 640),
    ),
    Case(
        'a region too thin to contain a pixel centre (`coverage="exact"` here)',
        lambda: [np.full((512, 512), 3, np.uint8)],
        MPP,
        box(10.1, 0, 10.3, 512),
        {"3": 1.0},
        options={"coverage": "exact"},
    ),
    Case(
        "half of the pixels red, half blue",
        lambda: [halves((255, 0, 0), (0, 0, 255))],
        MPP,
        box(0, 0, 512, 512),
        {"255,0,0": 0.5, "0,0,255": 0.5},
        tile=(256, 0),
    ),
    Case(
        "the labels 0 and 200, at a level with downsample 2.002",
        lambda: [chequers(1001, 4), chequers(500, 2)],
        MPP / 2,
        box(0, 0, 400, 400),
        {"0": 0.5, "200": 0.5},
        tile=(32, 32),
    ),
    Case(
        "label 300 of a 16-bit TIFF",
        lambda: [np.full((512, 512), 300, np.uint16)],
        MPP,
        box(0, 0, 512, 512),
        {"300": 1.0},
    ),
    Case(
        "a single-channel OME-TIFF of 9 except in its first three columns",
        lambda: [np.where(columns(256, 256) < 3, columns(256, 256) + 1, 9).astype(np.uint8)],
        MPP,
        box(0, 0, 256, 256),
        {"1": 1 / 256, "2": 1 / 256, "3": 1 / 256, "9": 253 / 256},
        name="overlay.ome.tiff",
    ),
]


def text(answer: dict[str, float]) -> str:
    """An answer as the table shows it."""
    shares = [f"{key}: {answer[key]:.3g}" for key in sorted(answer, key=len) if answer[key]]
    return "`{" + ", ".join(shares[:6]) + (", ...}`" if len(shares) > 6 else "}`")


def ours(case: Case, path: Path) -> dict[str, float]:
    """This package's answer, asserted to be the right one."""
    found = ratiopath.overlay_overlap(
        case.roi, path, *case.tile, case.mpp, case.mpp, **case.options
    )
    keyed = {
        ",".join(map(str, value)) if isinstance(value, tuple) else str(value): share
        for value, share in found[0].items()
    }
    assert keyed.keys() == case.answer.keys(), (case.what, keyed)
    assert all(abs(keyed[key] - case.answer[key]) < 1e-9 for key in keyed), (case.what, keyed)
    return keyed


def theirs(case: Case, path: Path) -> str:
    """What 1.5.0 answers, as text: fractions, or the error."""
    question = json.dumps([str(path), case.roi.wkt, *case.tile, case.mpp])
    script = Path(__file__).with_name("peer_answer.py")
    run = subprocess.run(
        [sys.executable, str(script), question], capture_output=True, text=True, check=False
    )
    if run.returncode:
        return f"`{run.stderr.strip().splitlines()[-1][:90]}`"
    return text(json.loads(run.stdout.splitlines()[-1]))


def main() -> None:
    """Print the table as Markdown."""
    print("| question | 1.5.0 | here |\n| :--- | :--- | :--- |")
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(CASES):
            path = Path(folder) / f"{number}-{case.name}"
            write(path, case.levels(), case.overlay_mpp)
            print(f"| {case.what} | {theirs(case, path)} | {text(ours(case, path))} |", flush=True)


if __name__ == "__main__":
    main()
