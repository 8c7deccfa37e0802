"""Which overlay pixels lie under a tile's region, and what fraction of it each value covers.

The functions here work on arrays and files and import no Ray; `ratiopath.tiling` has the same as
Ray Data expressions, and `ratiopath.ray` reads slides.
"""

from ratiopath._core import __version__
from ratiopath.api.annotations import annotation_overlap
from ratiopath.api.arrays import (
    count_values,
    polygon_coverage,
    polygon_mask,
    polygon_overlap,
    scale_coordinates,
)
from ratiopath.api.overlays import OverlayPatches, overlay_overlap, read_overlay
from ratiopath.api.statistics import overlay_stats
from ratiopath.errors import (
    OverlayAccessError,
    OverlayError,
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayResolutionError,
    OverlayValueError,
)
from ratiopath.removed import name_substitutes

__all__ = [
    "OverlayAccessError",
    "OverlayError",
    "OverlayFormatError",
    "OverlayNotFoundError",
    "OverlayPatches",
    "OverlayResolutionError",
    "OverlayValueError",
    "__version__",
    "annotation_overlap",
    "count_values",
    "overlay_overlap",
    "overlay_stats",
    "polygon_coverage",
    "polygon_mask",
    "polygon_overlap",
    "read_overlay",
    "scale_coordinates",
]

name_substitutes()
