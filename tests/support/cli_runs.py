"""Slides with masks beside them, and ``ratiopath overlap`` run on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import tifffile
from typer.testing import CliRunner, Result

from overlays import write_overlay
from ratiopath.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path


TILE = 32


def write_slide(
    folder: Path, name: str, mask: np.ndarray | None, size: tuple[int, int] = (256, 192)
) -> Path:
    """A grey slide at 0.5 µm/px, and beside it a mask of pixels of 8 x 8 slide pixels."""
    folder.mkdir(exist_ok=True)
    width, height = size
    pixels = np.full((height, width, 3), 200, np.uint8)
    if mask is not None:
        write_overlay(folder / f"{name}_mask.tif", [mask], 4.0)
    return write_overlay(folder / f"{name}.tif", [pixels, pixels[::2, ::2]], 0.5)


def random_mask(
    seed: int, values: tuple[int, ...] = (0, 255), size: tuple[int, int] = (256, 192)
) -> np.ndarray:
    """Values at random, one for 8 x 8 pixels of a slide of this size."""
    shape = (size[1] // 8, size[0] // 8)
    return np.random.default_rng(seed).choice(np.array(values, np.uint8), shape)


def run(*arguments: object, code: int = 0, overlay: str = "{stem}_mask.tif") -> Result:
    """Run ``ratiopath overlap`` in this process, and check its exit code."""
    texts = [str(argument) for argument in arguments]
    command = ["overlap", *texts, "--overlay", overlay, "--tile", str(TILE)]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def expected_rows(folder: Path, threshold: float, key: int = 255) -> list[tuple[Any, ...]]:
    """Straight from the masks: name, corner and fraction of the tiles kept."""
    rows = []
    for mask_path in sorted(folder.glob("*_mask.tif")):
        slide = folder / mask_path.name.replace("_mask", "")
        counted = tifffile.imread(mask_path) == key
        for y in range(0, 192, TILE):
            for x in range(0, 256, TILE):
                # A pixel of the mask is 8 x 8 of the slide's, so a tile holds whole ones.
                share = counted[y // 8 : (y + TILE) // 8, x // 8 : (x + TILE) // 8].mean()
                if share >= threshold:
                    rows.append((str(slide), x, y, share))
    return rows


def rows_of(path: Path, column: str = "coverage_255") -> list[tuple[Any, ...]]:
    """The rows of a table as `expected_rows` has them."""
    names = ("path", "tile_x", "tile_y", column)
    return [tuple(row[name] for name in names) for row in pq.read_table(path).to_pylist()]
