"""How many threads and how much memory one call may use.

Threads are asked for at each call, because Ray decides them per task. Memory is refused before it
is asked for: an allocation too large would end the process instead.
"""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Result = TypeVar("Result")

# More threads never help, and exceeding the system's limit would raise.
MOST_THREADS = 1024

# The bytes of one call's arrays. A level or extent mixed up asks for terabytes.
LARGEST_OUTPUT = 16 * 1024**3

# The decoded bytes of one segment, which for a PNG or JPEG is the whole image: far above any tile
# in use, far below any worker's memory.
LARGEST_SEGMENT = 256 * 1024**2

# The bytes that the spans of one region may take while they are made.
LARGEST_SPANS = 2 * 1024**3

# Rows or columns up to which a region is rasterized whole; of a larger one only what patches show.
FEW_ROWS = 1 << 16


DEFAULT_CACHE_BYTES = 256 * 1024**2


def cache_bytes() -> int:
    """Return ``RATIOPATH_CACHE_BYTES``, else 256 MiB.

    Raises:
        ValueError: The variable is set to something other than a whole number of at least 0.
    """
    text = os.environ.get("RATIOPATH_CACHE_BYTES", "").strip()
    if not text:
        return DEFAULT_CACHE_BYTES
    try:
        size = int(text)
    except ValueError:
        size = -1
    if size < 0:
        raise ValueError(f"RATIOPATH_CACHE_BYTES must be a whole number of bytes, got {text!r}")
    # The core counts bytes in a machine word.
    return min(size, sys.maxsize)


def thread_count() -> int:
    """Return ``RATIOPATH_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs of this process.

    Ray sets ``OMP_NUM_THREADS`` for every task to the CPUs that the task was given.

    Raises:
        ValueError: A variable is set to something other than a positive whole number.
    """
    for name in ("RATIOPATH_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "").strip()
        if text:
            # OMP_NUM_THREADS may be a list, one number for each level of nesting.
            return _positive(name, text.split(",")[0])
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parts(work: Callable[[range], Result], items: range, least: int = 8) -> Sequence[Result]:
    """Split items into contiguous parts, one for each thread, and work on them.

    Args:
        work: What to do with a part; called at least once.
        items: What there is to do.
        least: Fewer items than this are not worth a thread of their own.

    Returns:
        What ``work`` returned, in the order of the parts.
    """
    parts = max(1, min(thread_count(), len(items) // least, MOST_THREADS))
    edges = [len(items) * part // parts for part in range(parts + 1)]
    ranges = [items[start:end] for start, end in itertools.pairwise(edges)]
    if parts == 1:
        return [work(ranges[0])]
    # A pool for each call: no thread outlives the allowance that it was made under.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import

    with ThreadPoolExecutor(parts) as pool:
        return list(pool.map(work, ranges))


def _positive(name: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} must be a positive whole number, got {text!r}")
    return number


def check_grid(shape: tuple[int, int], pixel_bytes: int) -> None:
    """Refuse a grid that has no pixels or is too large for memory.

    Args:
        shape: Rows and columns.
        pixel_bytes: Bytes of the output for each pixel.

    Raises:
        ValueError: Says which, and the bytes.
    """
    height, width = shape
    if height < 1 or width < 1:
        raise ValueError(f"the shape of a grid must be positive, got {height} x {width}")
    needed = height * (24 + width * pixel_bytes)
    if needed > LARGEST_OUTPUT:
        raise ValueError(
            f"a grid of {height} x {width} needs {needed:,} bytes, more than {LARGEST_OUTPUT:,}"
        )


def check_spans(
    vertices: NDArray[np.float64], scale: tuple[float, float], shape: tuple[int, int]
) -> None:
    """Refuse a polygon whose spans on a grid would take too much memory.

    Every edge is cut at the rows' and columns' borders, and a piece takes 24 bytes, as does a row.

    Args:
        vertices: The polygon's vertices (n, 2).
        scale: Pixels of the grid per unit of the vertices, along x and y.
        shape: Rows and columns that are made.

    Raises:
        ValueError: States the bytes.
    """
    height, width = shape
    if 24 * (height + len(vertices) * (width + height + 2)) <= LARGEST_SPANS:
        return
    lengths = np.abs(np.diff(vertices, axis=0)) * scale
    pieces = np.minimum(lengths, (width, height)).sum() + 2 * len(vertices)
    needed = 24 * (height + pieces)
    if needed > LARGEST_SPANS:
        raise ValueError(
            f"a region of {len(vertices)} vertices on {height} x {width} pixels needs"
            f" {needed:,.0f} bytes, more than {LARGEST_SPANS:,}: check the ROI and the µm per pixel"
        )
