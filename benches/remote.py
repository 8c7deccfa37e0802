"""The cost of 100 tiles on a remote overlay of 1 GB: bytes fetched and requests made.

    python benches/remote.py FOLDER [SECONDS]

writes an overlay of 32768 x 32768 labels to FOLDER, once uncompressed and once with deflate, unless
they exist (1.2 GB), serves them from this machine with a latency of SECONDS (0.02 by default) for
each response, and compares every fraction with that of the local file.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ratiopath import overlay_overlap, read_overlay
from ratiopath.readers.opening import open_reader
from ratiopath.segments.cache import cache
from ratiopath.storage import remote_file

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

SIDE, SEGMENT, TILE, TILES = 32768, 256, 512, 100
MPP = 0.5


def segments() -> Iterator[NDArray[np.uint8]]:
    """Seeded segments of three labels in random rows, so that no two are alike."""
    rng = np.random.default_rng(0)
    for _ in range((SIDE // SEGMENT) ** 2):
        yield np.repeat(rng.choice([0, 1, 255], (SEGMENT, 16)), 16, axis=1).astype(np.uint8)


def write(path: Path, compression: str | None) -> None:
    """Write the overlay as a BigTIFF."""
    if path.exists():
        return
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        tiff.write(
            segments(),
            shape=(SIDE, SIDE),
            dtype=np.uint8,
            tile=(SEGMENT, SEGMENT),
            compression=compression,
            photometric="minisblack",
            resolution=(1e4 / MPP, 1e4 / MPP),
            resolutionunit="CENTIMETER",
        )


class Server(ThreadingHTTPServer):
    """Serves one file, in ranges, and counts."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, path: Path, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.path, self.delay = path, delay
        self.url = f"http://127.0.0.1:{self.server_port}/{path.name}"
        self.reset()

    def reset(self) -> None:
        """Count from nothing."""
        self.requests, self.sent = 0, 0


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] # no other makes it

    def do_HEAD(self) -> None:
        """Answer with size and date."""
        self.answer(200, b"", self.server.path.stat().st_size)

    def do_GET(self) -> None:
        """Answer with the requested range."""
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        with self.server.path.open("rb") as file:
            file.seek(first)
            data = file.read(last - first + 1)
        self.answer(206, data, len(data))

    def answer(self, status: int, body: bytes, length: int) -> None:
        """Send one answer, late."""
        time.sleep(self.server.delay)
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Last-Modified", self.date_time_string(0))
        self.end_headers()
        self.wfile.write(body)
        self.server.requests += 1
        self.server.sent += len(body)

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] # called by place
        """Say nothing."""


@contextmanager
def serving(path: Path, delay: float) -> Generator[Server]:
    """Serve a file until the block ends."""
    server = Server(path, delay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def tiles() -> dict[str, Any]:
    """Tiles at random places of the slide."""
    x, y = np.random.default_rng(1).integers(0, SIDE - TILE, (2, TILES))
    return {
        "tile_x": x, "tile_y": y, "mpp_x": MPP, "mpp_y": MPP,
        "tile_extent_x": TILE, "tile_extent_y": TILE,
    }  # fmt: skip


def touched(columns: dict[str, Any]) -> int:
    """The number of segments under the tiles."""
    found = set()
    for x, y in zip(columns["tile_x"], columns["tile_y"], strict=True):
        rows, across = (range(v // SEGMENT, (v + TILE - 1) // SEGMENT + 1) for v in (y, x))
        found |= {(row, column) for row in rows for column in across}
    return len(found)


def forget() -> None:
    """Drop everything cached."""
    cache.clear()
    remote_file.fetched.clear()


def measure(path: Path, delay: float) -> None:
    """Print one overlay's figures."""
    columns, size = tiles(), path.stat().st_size
    expected = overlay_overlap(None, path, **columns)
    pixels = read_overlay(None, path, **columns).data
    with serving(path, delay) as server:
        open_reader(server.url)
        print(
            f"{path.name}: {size:,} bytes, {TILES} tiles of {TILE} px on {touched(columns)}"
            f" segments\n  opening it: {server.requests} requests, {server.sent:,} bytes"
        )
        for name in ("fractions", "pixels"):
            forget()
            server.reset()
            start = time.perf_counter()
            if name == "fractions":
                assert overlay_overlap(None, server.url, **columns) == expected
            else:
                assert np.array_equal(read_overlay(None, server.url, **columns).data, pixels)
            seconds = time.perf_counter() - start
            print(
                f"  {name}: {server.requests} requests, {server.sent:,} bytes"
                f" ({server.sent / size:.1%} of the file), {seconds:.2f} s"
                f" with {delay:g} s an answer; the same as the file at hand"
            )


def main() -> None:
    """Write, serve and measure."""
    folder = Path(sys.argv[1])
    delay = float(sys.argv[2]) if len(sys.argv) > 2 else 0.02
    for compression in (None, "deflate"):
        path = folder / f"remote_{compression or 'plain'}.tiff"
        write(path, compression)
        measure(path, delay)


if __name__ == "__main__":
    main()
