"""The picture of one slide: its overlay, its tiles, and histograms of their fractions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import StrMethodFormatter

from ratiopath.plots.colours import ALL_BAR, KEPT_BAR
from ratiopath.plots.draw import SlidePicture, draw_slide, draw_tiles, fraction_bar, tile_legend
from ratiopath.plots.overlay_picture import draw_overlay, read_overlay_picture
from ratiopath.plots.tiles import Cells, Tiles
from ratiopath.values.conditions import COVERAGE_PREFIX, Keep
from ratiopath.values.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ratiopath.placement.resolution import Pair

THUMBNAIL = 1600
# More would be lower than their labels.
MOST_HISTOGRAMS = 5
BINS = 20
# From this many tiles on, only a logarithmic axis shows both rare and frequent fractions.
MANY = 60


def plot_slide(
    slide: str | os.PathLike[str],
    tiles: Any,
    *,
    overlay: str | os.PathLike[str] | None = None,
    keep: str | Iterable[str] | Keep = (),
    color_by: str | None = None,
    channel: int | None = None,
    nodata: object = None,
    classes: object = None,
    bins: object = None,
    overlay_mpp: Pair | None = None,
    spans_slide: bool = False,
    title: str | None = None,
) -> Figure:
    """Draw a slide with its overlay, its tiles, and histograms of the fractions that values cover.

    The fraction of one value or class is shown as colour (cividis, which reads alike with any
    colour vision). Kept tiles are outlined, dropped ones pale and hatched. More than 20,000 tiles
    are drawn in square blocks.

    Args:
        slide: The slide's path.
        tiles: A table of its tiles with the columns that ``ratiopath overlap`` writes: a
            dictionary of arrays, a pandas or polars data frame, or an Arrow table. Rows of other
            slides, by the column ``path``, are passed over. All tiles are drawn that are in it.
        overlay: The overlay's path, or None to draw none.
        keep: Which tiles are kept, such as ``"tissue>=0.5"``; without it what the column ``kept``
            says, else all.
        color_by: The value or class whose fraction is the colour, such as ``"255"`` for the column
            ``coverage_255``; default: the first that ``keep`` asks for, else the last column.
        channel: The overlay's only channel, as in `ratiopath.overlay_overlap`.
        nodata: Values left out, likewise.
        classes: Names of values, likewise.
        bins: Edges of ranges, likewise.
        overlay_mpp: µm per pixel of the overlay's level 0 along x and y, instead of the file's own.
        spans_slide: Take an overlay that does not say its resolution to span the slide.
        title: The title; default: the slide's name.

    Returns:
        A figure, to be saved with ``figure.savefig("slide.png")``.

    Raises:
        OverlayError: The slide or the overlay cannot be read.
        ValueError: The table lacks a column or has no tile of this slide, or ``keep`` is no
            condition.
    """
    selection = Selection.from_options(nodata, classes, bins)
    kept = keep if isinstance(keep, Keep) else Keep.parse(keep, selection.declared_keys)
    laid = Tiles.of(tiles, slide, kept)
    key = coloured_key(laid, kept, color_by)
    picture = SlidePicture.read(os.fspath(slide), laid, THUMBNAIL)
    figure, left, right, histograms = _layout(picture, _histogram_keys(laid, kept, key))
    draw_slide(left, picture, faded=0.0 if overlay is None else 0.25)
    if overlay is not None:
        extent = picture.extent if spans_slide else None
        drawn = read_overlay_picture(
            os.fspath(overlay),
            selection,
            channel=channel,
            overlay_mpp=overlay_mpp,
            tile_mpp=laid.mpp,
            slide_extent=extent,
        )
        patches = draw_overlay(left, drawn, 1000.0)
        if patches:
            _legend(left, patches)
    name = Path(os.fspath(slide)).name
    left.set_title(name if overlay is None else f"overlay {Path(os.fspath(overlay)).name}")
    _draw_tiles(right, laid, key, picture)
    for axes, histogram_key in histograms:
        _draw_histogram(axes, laid, histogram_key, kept)
    if histograms:
        histograms[-1][0].set_xlabel("fraction of a tile")
        first, _ = histograms[0]
        first.legend(
            fontsize="small", loc="lower right", bbox_to_anchor=(1.02, 1), ncols=2, frameon=False
        )
    figure.suptitle(title or _title(name, picture, kept), fontsize="large")
    return figure


def coloured_key(tiles: Tiles, keep: Keep, wanted: str | None) -> str | None:
    """Return the key whose fraction is shown as colour.

    Args:
        tiles: The tiles.
        keep: Which are kept.
        wanted: The caller's key, or None.

    Returns:
        ``wanted``, else the first that ``keep`` asks for, else the last of the tiles' keys; None
        where they have none.

    Raises:
        ValueError: The wanted key has no column.
    """
    if wanted is not None:
        if wanted not in tiles.fractions:
            raise ValueError(f"the table of tiles has no column {COVERAGE_PREFIX}{wanted}")
        return wanted
    asked = [key for key in keep.keys if key in tiles.fractions]
    return next(iter([*asked, *reversed(tiles.fractions)]), None)


def key_fractions(tiles: Tiles, key: str | None) -> NDArray[np.float64]:
    """Return the fractions that are shown as colour, 0 where there are none (N,)."""
    return np.zeros(len(tiles)) if key is None else tiles.fractions[key]


def _layout(
    picture: SlidePicture, keys: Sequence[str]
) -> tuple[Figure, Axes, Axes, list[tuple[Axes, str]]]:
    width, height = picture.size
    # In inches. Bounded, since a slide may be a long strip.
    panel = 5.4
    tall = float(np.clip(panel * height / width, 3.4, 9.0))
    ratio = min(tall * width / height, panel)
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
    figure = Figure(figsize=(2 * ratio + 5.6, tall + 1.4), dpi=150, layout=layout)
    grid = figure.add_gridspec(max(len(keys), 1), 3, width_ratios=(ratio, ratio * 1.12, 3.4))
    left, right = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[:, 1])
    histograms: list[tuple[Axes, str]] = []
    for row, key in enumerate(keys):
        first = histograms[0][0] if histograms else None
        histograms.append((figure.add_subplot(grid[row, 2], sharex=first), key))
    return figure, left, right, histograms


def _draw_tiles(axes: Axes, tiles: Tiles, key: str | None, picture: SlidePicture) -> None:
    draw_slide(axes, picture, faded=0.35)
    cells = Cells.of(tiles, key_fractions(tiles, key))
    filled = draw_tiles(axes, cells, tiles.mpp)
    if key is not None:
        fraction_bar(filled, axes, f"fraction covered by {key}", fraction=0.05)
    kept = int(np.count_nonzero(tiles.kept))
    _legend(axes, tile_legend(kept, len(tiles) - kept))
    blocks = f", in blocks of {cells.block} x {cells.block}" if cells.block > 1 else ""
    axes.set_title(f"{len(tiles):,} tiles{blocks}")


def _legend(axes: Axes, patches: Sequence[Any]) -> None:
    axes.legend(
        handles=patches,
        loc="upper right",
        bbox_to_anchor=(1.0, 0.0),
        ncols=min(len(patches), 3),
        borderaxespad=0.3,
        frameon=False,
        handleheight=1.3,
        handlelength=2.2,
    )


def _histogram_keys(tiles: Tiles, keep: Keep, key: str | None) -> list[str]:
    """Return the keys with a histogram: those asked for, then those that cover most."""
    first = [one for one in dict.fromkeys([*keep.keys, key]) if one in tiles.fractions]
    means = {one: shares.mean() if len(shares) else 0.0 for one, shares in tiles.fractions.items()}
    rest = sorted((one for one in means if one not in first), key=lambda one: -means[one])
    return [*first, *rest][:MOST_HISTOGRAMS]


def _draw_histogram(axes: Axes, tiles: Tiles, key: str, keep: Keep) -> None:
    shares = tiles.fractions[key]
    edges = np.linspace(0, 1, BINS + 1)
    counts, _ = np.histogram(shares.clip(0, 1), edges)
    kept, _ = np.histogram(shares[tiles.kept].clip(0, 1), edges)
    middle, width = (edges[:-1] + edges[1:]) / 2, 1 / BINS
    axes.bar(
        middle,
        counts,
        width,
        color=ALL_BAR,
        edgecolor="#8A8A8A",
        hatch="////",
        linewidth=0,
        label="all tiles",
    )
    axes.bar(middle, kept, width * 0.7, color=KEPT_BAR, linewidth=0, label="kept")
    asked = [condition for condition in keep.conditions if condition.key == key]
    for condition in asked:
        axes.axvline(condition.threshold, color="black", linestyle="--", linewidth=1.2)
    log = counts.max(initial=0) > MANY
    # Empty bins have no place on it: its foot is below one tile.
    axes.set_yscale("log" if log else "linear")
    axes.set(xlim=(0, 1), ylabel="tiles")
    if log:
        axes.set_ylim(bottom=0.7)
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    limits = " and ".join(f"{one.operator} {one.threshold:g}" for one in asked)
    axes.set_title(f"{key} {limits}".rstrip(), fontsize="medium", loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _title(name: str, picture: SlidePicture, keep: Keep) -> str:
    width, height = picture.extent
    kept = f"; kept is {keep}" if keep.conditions else ""
    return f"{name}: {width:,} x {height:,} px at {picture.mpp[0]:.4g} µm/px{kept}"
