"""A contact sheet: the tiles of many slides side by side, in the same colours."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ratiopath.plots.draw import (
    SlidePicture,
    draw_slide,
    draw_tiles,
    fraction_bar,
    tile_legend,
)
from ratiopath.plots.slide import coloured_key, key_fractions
from ratiopath.plots.tiles import Cells, Tiles
from ratiopath.values.conditions import Keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.collections import PolyCollection

# Pixels of a thumbnail and inches of a panel: at 120 dpi somewhat more pixels than dots.
THUMBNAIL = 500
PANEL = 3.2
# About as many letters of the small title as a panel is wide.
LONGEST_NAME = 34


def plot_contact_sheet(
    slides: Iterable[tuple[str | os.PathLike[str], Any]],
    *,
    keep: str | Iterable[str] | Keep = (),
    declared: Sequence[str] | None = None,
    color_by: str | None = None,
    columns: int | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the tiles of many slides, a panel each.

    Args:
        slides: Each slide's path with a table of its tiles, see `ratiopath.plots.plot_slide`. They
            are taken one after the other, so a generator need not hold all tables at once.
        keep: Which tiles are kept, such as ``"tissue>=0.5"``.
        declared: Names of the classes or bins that ``keep`` may ask for, where there are such.
        color_by: The value or class whose fraction is the colour; default: the first that ``keep``
            asks for, else each table's last column.
        columns: Panels side by side; default: as many as make the sheet about as wide as high.
        title: The title of the sheet.

    Returns:
        A figure, to be saved with ``figure.savefig("sheet.png")``.

    Raises:
        OverlayError: A slide cannot be read.
        ValueError: There is no slide, a table lacks a column, or ``keep`` is no condition.
    """
    kept = keep if isinstance(keep, Keep) else Keep.parse(keep, declared)
    panels = [_Panel(slide, table, kept, color_by) for slide, table in slides]
    if not panels:
        raise ValueError("a contact sheet needs at least one slide")
    across = columns or math.ceil(math.sqrt(len(panels)))
    down = math.ceil(len(panels) / across)
    figure = Figure(
        figsize=(across * PANEL + 1.2, down * (PANEL + 0.35) + 1.1), dpi=120, layout="constrained"
    )
    axes = figure.subplots(down, across, squeeze=False).ravel()
    filled: PolyCollection | None = None
    for one, panel in zip(axes, panels, strict=False):
        filled = panel.draw(one)
    # The last row need not be full.
    for one in axes[len(panels) :]:
        one.set_axis_off()
    keys = list(dict.fromkeys(panel.key for panel in panels if panel.key is not None))
    if keys and filled is not None:
        label = f"fraction covered by {keys[0]}" if len(keys) == 1 else "fraction covered"
        fraction_bar(filled, list(axes), label, fraction=0.03, shrink=min(1, 2 / down))
    total, total_kept = (sum(n) for n in zip(*((p.total, p.kept) for p in panels), strict=True))
    figure.legend(
        handles=tile_legend(total_kept, total - total_kept),
        loc="outside lower center",
        ncols=2,
        frameon=False,
        handleheight=1.3,
    )
    if title or kept.conditions:
        figure.suptitle(title or f"kept is {kept}", fontsize="large")
    return figure


class _Panel:
    """One slide of a sheet, without its table, which may have a million rows."""

    def __init__(
        self, slide: str | os.PathLike[str], table: Any, keep: Keep, color_by: str | None
    ) -> None:
        tiles = Tiles.of(table, slide, keep)
        self.name = Path(os.fspath(slide)).name
        self.key = coloured_key(tiles, keep, color_by)
        self.picture = SlidePicture.read(os.fspath(slide), tiles, THUMBNAIL)
        self.cells = Cells.of(tiles, key_fractions(tiles, self.key))
        self.total, self.kept = len(tiles), int(np.count_nonzero(tiles.kept))

    def draw(self, axes: Any) -> PolyCollection:
        draw_slide(axes, self.picture, faded=0.25)
        share = f" ({self.kept / self.total:.0%})" if self.total else ""
        axes.set_title(
            f"{_short(self.name)}\n{self.kept:,} of {self.total:,}{share}", fontsize="small"
        )
        return draw_tiles(axes, self.cells, self.picture.mpp)


def _short(name: str) -> str:
    """Cut a long name in its middle, where names of one batch differ least."""
    if len(name) <= LONGEST_NAME:
        return name
    half = (LONGEST_NAME - 3) // 2
    return f"{name[:half]}...{name[-half:]}"
