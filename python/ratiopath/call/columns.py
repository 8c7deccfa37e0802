"""Which columns a call may have, and which of them must come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TILE = ("tile_x", "tile_y")
EXTENT = ("tile_extent_x", "tile_extent_y")
MPP = ("mpp_x", "mpp_y")
OVERLAY_MPP = ("overlay_mpp_x", "overlay_mpp_y")
SLIDE_EXTENT = ("slide_extent_x", "slide_extent_y")
ANNOTATIONS_MPP = ("annotations_mpp_x", "annotations_mpp_y")

# All that a call on overlays, or on annotations, may give row by row. Its other arguments are the
# ROI and the options.
OVERLAY_COLUMNS = ("overlay_path", *TILE, *MPP, *EXTENT, *OVERLAY_MPP, *SLIDE_EXTENT, "level")
ANNOTATION_COLUMNS = ("annotations_path", *TILE, *MPP, *EXTENT, *ANNOTATIONS_MPP, "downsample")

# What decides how an overlay is read: rows that agree on it share one plan.
GROUP_BY = (*MPP, *OVERLAY_MPP, *SLIDE_EXTENT, "level")


def check_overlay_columns(roi: object, columns: Mapping[str, object]) -> None:
    """Refuse a call on overlays whose columns can never say where its tiles lie.

    Args:
        roi: The region of interest, or None for the whole tile.
        columns: All columns by name; None where not given.

    Raises:
        ValueError: One of a pair is missing, or without a ROI the tiles' extent.
    """
    _check_pairs(roi, columns, (EXTENT, OVERLAY_MPP, SLIDE_EXTENT))


def check_annotation_columns(roi: object, columns: Mapping[str, object]) -> None:
    """Refuse a call that can never say where tiles lie on the annotations.

    Args:
        roi: The region of interest, or None for the whole tile.
        columns: All columns by name; None where not given.

    Raises:
        ValueError: A column that is needed is missing, or two contradict each other.
    """
    _check_pairs(roi, columns, (EXTENT, MPP, ANNOTATIONS_MPP))
    if (columns["downsample"] is None) == (columns["annotations_mpp_x"] is None):
        raise ValueError(
            "say how tile pixels and the annotations' coordinates compare: pass either downsample"
            " (level-0 pixels per tile pixel) or annotations_mpp_x and annotations_mpp_y (µm per"
            " unit of the coordinates)"
        )
    if columns["downsample"] is None and columns["mpp_x"] is None:
        raise ValueError("annotations_mpp_x and annotations_mpp_y need mpp_x and mpp_y")


def check_given(columns: Mapping[str, object]) -> None:
    """Refuse to do without a tile's place or resolution.

    Args:
        columns: All columns by name; None where not given.

    Raises:
        ValueError: Names the column that is missing.
    """
    for name in (*TILE, *MPP):
        if columns[name] is None:
            raise ValueError(f"{name} must be a column or a number, got None")


def _check_pairs(
    roi: object, columns: Mapping[str, object], pairs: Sequence[tuple[str, str]]
) -> None:
    # Half a pair is most often a typing error: taken as square, it would be a wrong answer.
    for pair in pairs:
        missing = [name for name in pair if columns[name] is None]
        if len(missing) == 1:
            raise ValueError(f"{pair[0]} and {pair[1]} go together: {missing[0]} is missing")
    if roi is None and columns["tile_extent_x"] is None:
        raise ValueError("without a roi, tile_extent_x and tile_extent_y must be given")
