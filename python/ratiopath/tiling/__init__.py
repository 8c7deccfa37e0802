"""Tiles of slides: grids, pixels, annotations, and overlays as Ray Data expressions.

What needs Ray is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ratiopath.annotations.clip import tile_annotations
from ratiopath.slides.grid import grid_tiles

if TYPE_CHECKING:
    from ratiopath.tiling.annotation_columns import tile_annotation_overlap
    from ratiopath.tiling.overlays import tile_overlay, tile_overlay_overlap, tile_overlay_stats
    from ratiopath.tiling.slide_columns import read_slide_tiles

__all__ = [
    "grid_tiles",
    "read_slide_tiles",
    "tile_annotation_overlap",
    "tile_annotations",
    "tile_overlay",
    "tile_overlay_overlap",
    "tile_overlay_stats",
]

_NEEDS_RAY = {
    "read_slide_tiles": "ratiopath.tiling.slide_columns",
    "tile_annotation_overlap": "ratiopath.tiling.annotation_columns",
    "tile_overlay": "ratiopath.tiling.overlays",
    "tile_overlay_overlap": "ratiopath.tiling.overlays",
    "tile_overlay_stats": "ratiopath.tiling.overlays",
}


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_RAY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_NEEDS_RAY[name]), name)
