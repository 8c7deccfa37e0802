"""Small overlays for the tests: their pixels, and files whose every tag the test chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MICROMETRES_PER_CENTIMETRE = 1e4

WIDTH, HEIGHT = 45, 37
PALETTE = np.array([(0, 0, 0), (255, 0, 0), (7, 7, 7), (1, 2, 3)], np.uint8)


def labels(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> np.ndarray:
    """Labels 0 to 4, (height, width), one at random in every pixel."""
    return np.random.default_rng(seed).integers(0, 5, (height, width), np.uint8)


def blocks(seed: int = 0) -> np.ndarray:
    """Labels 0 to 2, (HEIGHT, WIDTH), one in each 16 x 16 block, so that segments repeat."""
    rng = np.random.default_rng(seed)
    few = rng.integers(0, 3, (HEIGHT // 16 + 1, WIDTH // 16 + 1), np.uint8)
    return few.repeat(16, axis=0).repeat(16, axis=1)[:HEIGHT, :WIDTH]


def colours() -> np.ndarray:
    """RGB pixels (HEIGHT, WIDTH, 3), grey ones among them."""
    return PALETTE[labels() % 4]


def write_overlay(
    path: Path,
    levels: Sequence[np.ndarray],
    mpp: float | tuple[float, float] | None = None,
    *,
    tile: tuple[int, int] | None = (16, 16),
    compression: str | None = "deflate",
    ome: bool = False,
    **options: Any,
) -> Path:
    """Write a pyramidal TIFF, level 0 first, and return its path.

    Args:
        path: Where to write.
        levels: Arrays (H, W), (H, W, 3) for RGB or (H, W, 4) for RGB with alpha.
        mpp: µm per pixel of level 0, one number or (x, y). It goes into the resolution tags in
            pixels per centimetre, or into OME-XML. None writes neither.
        tile: Height and width of the segments, multiples of 16. None writes strips.
        compression: A codec by tifffile's name, or None.
        ome: Write OME-XML, and the lower levels as SubIFDs.
        **options: Passed to every page: ``rowsperstrip``, ``predictor``, ``photometric``...
    """
    common: dict[str, Any] = {
        "tile": tile,
        "compression": compression,
        **_photometric(levels[0]),
        **options,
    }
    with tifffile.TiffWriter(path, ome=ome) as tiff:
        for index, level in enumerate(levels):
            first = index == 0
            tiff.write(
                level,
                subfiletype=0 if first else 1,
                subifds=len(levels) - 1 if ome and first else None,
                metadata=_ome_metadata(levels[0], mpp) if ome and first else None,
                **_resolution_tags(levels[0], level, None if ome else mpp),
                **common,
            )
    return path


def _photometric(level: np.ndarray) -> dict[str, Any]:
    if level.ndim == 2:
        return {"photometric": "minisblack"}
    extra = ["unassalpha"] if level.shape[2] == 4 else None
    return {"photometric": "rgb", "planarconfig": "contig", "extrasamples": extra}


def _resolution_tags(
    base: np.ndarray, level: np.ndarray, mpp: float | tuple[float, float] | None
) -> dict[str, Any]:
    if mpp is None:
        return {}
    shrink = (level.shape[1] / base.shape[1], level.shape[0] / base.shape[0])
    pixels = [MICROMETRES_PER_CENTIMETRE / m * s for m, s in zip(_pair(mpp), shrink, strict=True)]
    return {"resolution": tuple(pixels), "resolutionunit": "CENTIMETER"}


def _ome_metadata(level: np.ndarray, mpp: float | tuple[float, float] | None) -> dict[str, Any]:
    axes = {"axes": "YX" if level.ndim == 2 else "YXS"}
    if mpp is None:
        return axes
    x, y = _pair(mpp)
    unit = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    return axes | unit | {"PhysicalSizeX": x, "PhysicalSizeY": y}


def _pair(mpp: float | tuple[float, float]) -> tuple[float, float]:
    return mpp if isinstance(mpp, tuple) else (mpp, mpp)
