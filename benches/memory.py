"""Peak memory of overlap over that of the imports, overlay by overlay.

    python benches/memory.py FOLDER [CASE]

Every case runs in its own process, since the peak memory of a process never goes down.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from shapely import box

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 12288
BINS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Written how, at which µm per pixel tiles of 512 px are asked for, and counted how.
CASES: dict[str, tuple[str, float, dict[str, Any]]] = {
    "class map": ("class_0.5.tiff", 0.5, {}),
    "class map, not aligned": ("class_0.5.tiff", 0.53, {}),
    "class map, tiles overlap": ("class_0.5.tiff", 0.5, {"stride": 128}),
    "f32 tiles": ("heat_tiles.tiff", 0.5, {"bins": BINS}),
    "f32 tiles, not aligned": ("heat_tiles.tiff", 0.53, {"bins": BINS}),
    "f32, one strip": ("heat_strip.tiff", 0.5, {"bins": BINS}),
    "f32, one strip, not aligned": ("heat_strip.tiff", 0.53, {"bins": BINS}),
    "f32, strips of one row": ("heat_rows.tiff", 0.53, {"bins": BINS}),
    "u8, one strip, deflate": ("labels_strip.tiff", 0.53, {}),
}
LAYOUTS = {
    "heat_tiles.tiff": {"tile": (512, 512), "compression": "zstd"},
    "heat_strip.tiff": {"rowsperstrip": SIDE},
    "heat_rows.tiff": {"rowsperstrip": 1, "compression": "zstd"},
    "labels_strip.tiff": {"rowsperstrip": SIDE, "compression": "deflate"},
}


def heat() -> NDArray[np.float32]:
    """Smooth values in [0, 1], nearly all of them different, (SIDE, SIDE)."""
    ramp = np.linspace(0, 1, SIDE, dtype=np.float32)
    return (ramp[:, np.newaxis] + ramp) / np.float32(2)


def write(folder: Path) -> None:
    """Write the overlays of the cases, where they are not there yet."""
    for name, layout in LAYOUTS.items():
        if not (folder / name).exists():
            pixels = heat()
            if name.startswith("labels"):
                pixels = (pixels * 8).astype(np.uint8)
            options: dict[str, Any] = {"photometric": "minisblack", "metadata": None, **layout}
            tags: dict[str, Any] = {"resolution": (2e4, 2e4), "resolutionunit": "CENTIMETER"}
            tifffile.imwrite(folder / name, pixels, **options, **tags)


def peak(case: str, folder: Path) -> float:
    """Return the MiB that a case took in a process of its own."""
    script = [sys.executable, __file__, str(folder), case]
    threads = {"RATIOPATH_NUM_THREADS": "2"}
    run = subprocess.run(
        script, check=True, capture_output=True, text=True, env={**os.environ, **threads}
    )
    return float(run.stdout)


def highest() -> float:
    """Return the highest memory of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # What getrusage says begins with the memory of the process that started this one.
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


def measure(case: str, folder: Path) -> float:
    """Run a case here and return its MiB over what the imports took."""
    import ratiopath  # noqa: PLC0415 - what it takes is not counted
    import ratiopath.readers.tiff.reader  # noqa: PLC0415 # pyright: ignore[reportUnusedImport] - likewise, what it imports
    from work import tile_grid  # noqa: PLC0415 - likewise

    name, mpp, options = CASES[case]
    with tifffile.TiffFile(folder / name) as tiff:
        height, width = (int(side * 0.5 / mpp) for side in tiff.pages.first.shape)
    options = dict(options)
    x, y = tile_grid(width, height, stride=options.pop("stride", 512))
    arguments = (box(0, 0, 512, 512), folder / name)
    before = highest()
    rows = ratiopath.overlay_overlap(*arguments, x, y, mpp, mpp, **options)
    assert all(abs(sum(row.values()) - 1) < 1e-9 for row in rows)
    return highest() - before


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(measure(sys.argv[2], Path(sys.argv[1])))
    else:
        write(Path(sys.argv[1]))
        for each in CASES:
            print(f"{each:32} {peak(each, Path(sys.argv[1])):8.1f} MiB", flush=True)
