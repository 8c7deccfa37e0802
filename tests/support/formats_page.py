"""docs/formats.md as tables, and the pixels that its tests write."""

from __future__ import annotations

from pathlib import Path

import numpy as np

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
HEIGHT, WIDTH = 75, 61


def rows_of(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading."""
    below = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def ramps(dtype: str = "u1", channels: int | None = None, bits: int = 7) -> np.ndarray:
    """Values below 2^bits that rise along the rows: compressible, and of every byte."""
    shape = (HEIGHT, WIDTH) if channels is None else (HEIGHT, WIDTH, channels)
    steps = np.random.default_rng(8).integers(0, 3, shape)
    return (np.cumsum(steps, axis=1) * (2**bits // 125 or 1) % 2**bits).astype(dtype)
