"""The goals of the pipeline: whole slides, the bare decode, strides, patches, many overlays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import imagecodecs
import numpy as np
import tifffile
from shapely import box

import ratiopath
from measure import Line, cpu, forget, side_by_side
from memory import CASES, peak
from ratiopath.call.batch import Batch
from ratiopath.call.options import Options
from ratiopath.call.query import Call
from ratiopath.call.region import Region
from ratiopath.measure.pipeline import stacked_patches
from ratiopath.readers.base import Reader
from ratiopath.readers.tiff.reader import TiffReader
from work import EXTENT, MPP, region, tile_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Columns = tuple[NDArray[np.int64], NDArray[np.int64]]

PEER_TILES, PEER_RUNS = 400, 3
# At any scale but 1 the reference masks the wrong pixels of anything but a box.
WRONG_IN_PEER = {("circle", 8)}


def overlap(roi_name: str, overlay: Path, tiles: Columns) -> list[dict[Any, float]]:
    """Fractions of tiles, after closing every file and dropping every cached segment."""
    forget()
    return ratiopath.overlay_overlap(region(roi_name), overlay, *tiles, MPP, MPP)


def whole_slide(overlay: Path, roi_name: str, downsample: int, goal: float) -> Line:
    """Fractions of every tile of a slide, against the pure-Python reference."""
    tiles = tile_grid()
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "peer.json"
        script = Path(__file__).with_name("peer.py")
        work = [str(overlay), roi_name, str(PEER_TILES), str(PEER_RUNS), str(result)]
        subprocess.run([sys.executable, str(script), *work], check=True)
        peer = json.loads(result.read_text(encoding="utf-8"))
    wrong = (roi_name, downsample) in WRONG_IN_PEER
    if not wrong:
        for theirs, ours in zip(peer["rows"], overlap(roi_name, overlay, tiles), strict=False):
            assert {k: v for k, v in theirs.items() if v} == {str(k): v for k, v in ours.items()}
    seconds = cpu(lambda: overlap(roi_name, overlay, tiles)) / len(tiles[0])
    name = f"fractions of a whole slide, {roi_name}, scale 1/{downsample}, per tile"
    against = "ratiopath 1.5.0" + (" (wrong pixels)" if wrong else "")
    return Line(name, against, 1e6 * peer["cpu"], 1e6 * seconds, goal)


def polygon_against_box(overlay: Path) -> Line:
    """The cost of a circle relative to a box."""
    tiles = tile_grid()
    works = [lambda name=name: overlap(name, overlay, tiles) for name in ("box", "circle")]
    of_box, of_circle = (1e6 * seconds / len(tiles[0]) for seconds in side_by_side(works))
    return Line("circle, scale 1/1, per tile", "our box", of_box, of_circle, 1.15, faster=False)


def bare_decode(overlay: Path, tiles: Columns) -> None:
    """Open the file and decode every segment that aligned tiles touch into one slot."""
    with tifffile.TiffFile(overlay) as tiff:
        page, descriptor = tiff.pages.first, tiff.filehandle.fileno()
        slot = np.empty(page.tilewidth * page.tilelength, np.uint8)
        columns = -(-page.imagewidth // page.tilewidth)
        wanted = np.unique(tiles[1] // page.tilelength * columns + tiles[0] // page.tilewidth)
        offsets, counts = page.dataoffsets, page.databytecounts
        for index in wanted.tolist():
            stored = os.pread(descriptor, counts[index], offsets[index])
            imagecodecs.deflate_decode(stored, out=slot)  # pyright: ignore[reportArgumentType] # takes arrays too


def against_decode(what: str, overlay: Path, tiles: Columns, goal: float) -> Line:
    """Box fractions against the bare decode of the same segments, per segment."""
    pixels = tifffile.imread(overlay, level=0)
    answers = overlap("box", overlay, tiles)
    for index in range(0, len(answers), len(answers) // 20):
        x, y = tiles[0][index], tiles[1][index]
        part = pixels[y : y + EXTENT, x : x + EXTENT]
        values, counts = np.unique(part, return_counts=True)
        assert answers[index] == dict(
            zip(values.tolist(), (counts / part.size).tolist(), strict=True)
        )
    del pixels
    works = [lambda: bare_decode(overlay, tiles), lambda: overlap("box", overlay, tiles)]
    floor, ours = (1e6 * seconds / len(tiles[0]) for seconds in side_by_side(works))
    return Line(what, "bare decode", floor, ours, goal, faster=False)


def decode_floor(labels: Path, distinct: Path) -> Iterator[Line]:
    """Fractions against the bare decode of the touched segments."""
    what = "box, scale 1/1, per tile: "
    yield against_decode(what + "all segments distinct", distinct, tile_grid(8192, 8192), 1.4)
    yield against_decode(what + "class map", labels, tile_grid(), 0.4)
    # A plain method: to call a Mock costs as much as to count a segment.
    with mock.patch.object(TiffReader, "encoded_segment", Reader.encoded_segment):
        yield against_decode(what + "class map, none interned", labels, tile_grid(), 1.25)


def strides(overlay: Path) -> Iterator[Line]:
    """A stride of a quarter of the extent against one of the extent, per tile."""
    apart, close = tile_grid(), tile_grid(stride=EXTENT // 4)
    for roi_name in ("box", "circle"):
        places, expected = zip(*close, strict=True), overlap(roi_name, overlay, apart)
        by_place = dict(zip(places, overlap(roi_name, overlay, close), strict=True))
        assert [by_place[place] for place in zip(*apart, strict=True)] == expected
        del by_place, expected
        works = [
            lambda tiles=tiles, name=roi_name: overlap(name, overlay, tiles)
            for tiles in (apart, close)
        ]
        one, quarter = side_by_side(works, 3)
        one, quarter = 1e6 * one / len(apart[0]), 1e6 * quarter / len(close[0])
        what = f"stride a quarter of the extent, {roi_name}, per tile"
        yield Line(what, "stride equal to the extent", one, quarter, 0.4, faster=False)


def patches(overlay: Path) -> Line:
    """Stacked patches and masks with their segments cached, against a copy of them."""
    x, y = tile_grid(8192, 8192)
    roi = Region.from_geometry(box(0, 0, EXTENT, EXTENT))
    parts = [slice(k, k + 60) for k in range(0, 200, 10)]

    def read(part: slice) -> NDArray[Any]:
        numbers = {"tile_x": x[part], "tile_y": y[part], "mpp_x": MPP, "mpp_y": MPP}
        batch = Batch.of(overlay_path=str(overlay), **numbers)
        return stacked_patches(Call(roi, batch, Options()))

    pixels = tifffile.imread(overlay)
    stacks = [read(part) for part in parts[:2]]
    for index, (left, top) in enumerate(zip(x[parts[0]], y[parts[0]], strict=True)):
        expected = pixels[top : top + EXTENT, left : left + EXTENT]
        np.testing.assert_array_equal(stacks[0][index, 0, :, :, 0], expected)
        assert not stacks[0][index, 1].any()

    def copies() -> None:
        for k, _ in enumerate(parts):
            stacks[k % 2].copy()

    def reads() -> None:
        for part in parts:
            read(part)

    copy, ours = (1e6 * seconds / len(parts) / 60 for seconds in side_by_side([copies, reads]))
    what = "tile_overlay's patches, 512 x 512, segments cached, per tile"
    return Line(what, "copy of the output", copy, ours, 2, faster=False)


def many_overlays(paths: list[Path]) -> Line:
    """A million tiles over a thousand overlays against ten thousand over ten, per tile."""
    roi = region("box", 64)
    per_overlay = 1000
    x, y = (axis[:per_overlay] for axis in tile_grid(2048, 2048, extent=64, stride=64))

    def run(some: list[Path]) -> Callable[[], object]:
        column = np.repeat([str(path) for path in some], per_overlay)
        tile_x, tile_y = np.tile(x, len(some)), np.tile(y, len(some))

        def work() -> object:
            forget()
            return ratiopath.overlay_overlap(roi, column, tile_x, tile_y, MPP, MPP)

        return work

    rows = run(paths[:10])()
    assert isinstance(rows, list)
    pixels = tifffile.imread(paths[3])
    part = pixels[y[7] : y[7] + 64, x[7] : x[7] + 64]
    values, counts = np.unique(part, return_counts=True)
    expected = dict(zip(values.tolist(), (counts / part.size).tolist(), strict=True))
    assert rows[3 * per_overlay + 7] == expected
    del rows
    few = [run(paths[k : k + 10]) for k in range(0, 200, 10)]
    of_few = [cpu(work, 1) for work in few]
    ten = 1e6 * sorted(of_few)[10] / (10 * per_overlay)
    thousand = 1e6 * cpu(run(paths), 1) / (len(paths) * per_overlay)
    what = "1,000,000 tiles over 1,000 overlays, per tile"
    return Line(what, "10,000 over 10", ten, thousand, 1.1, faster=False)


def memory(folder: Path) -> Line:
    """Peak memory of overlap, the highest over several overlays, against its limit."""
    peaks = {name: peak(name, folder) for name in CASES}
    worst = max(peaks, key=lambda name: peaks[name])
    what = f"peak memory of overlap above that of the imports, MiB; worst case: {worst}"
    return Line(what, "cache of 256 + 150", 256 + 150, peaks[worst], 1, faster=False, unit="MiB")
