"""What the pictures of one slide and of many share: the slide, its tiles and its scale bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

from ratiopath.plots.colours import CMAP, DROPPED_ALPHA, HALO, KEPT_ALPHA, LINE
from ratiopath.plots.thumbnail import as_picture, read_thumbnail
from ratiopath.readers.opening import open_reader

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ratiopath.plots.tiles import Cells, Tiles

UNIT = 1000.0  # axes are in mm


@dataclass(frozen=True)
class SlidePicture:
    """A slide's thumbnail and its true size.

    Attributes:
        pixels: What `imshow` takes.
        extent: Width and height of the tiles' level in pixels.
        mpp: µm per pixel of that level.
    """

    pixels: NDArray[Any]
    extent: tuple[int, int]
    mpp: tuple[float, float]

    @classmethod
    def read(cls, slide: str, tiles: Tiles, longest: int) -> SlidePicture:
        """Read the thumbnail of a slide.

        Args:
            slide: The slide.
            tiles: Its tiles, which tell the resolution of their level.
            longest: The most pixels along the thumbnail's longer side.

        Raises:
            OverlayError: The slide cannot be read.
            ValueError: It lacks the tiles' level.
        """
        reader = open_reader(slide)
        if tiles.level >= len(reader.levels):
            raise ValueError(f"{slide} has no level {tiles.level}, which the tiles come from")
        level = reader.levels[tiles.level]
        pixels = as_picture(read_thumbnail(reader, longest))
        return cls(pixels, (level.width, level.height), tiles.mpp)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in mm."""
        (width, height), (mpp_x, mpp_y) = self.extent, self.mpp
        return width * mpp_x / UNIT, height * mpp_y / UNIT


def draw_slide(axes: Axes, picture: SlidePicture, *, faded: float = 0.0) -> None:
    """Draw a slide with its scale bar, in mm, and no ticks.

    Args:
        axes: Where to.
        picture: The slide.
        faded: How far its colours are taken to white, so that others show over it.
    """
    width, height = picture.size
    cmap = "gray" if picture.pixels.ndim == 2 else None
    axes.imshow(
        picture.pixels,
        extent=(0, width, height, 0),
        cmap=cmap,
        interpolation="antialiased",
        alpha=1 - faded,
    )
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    length, text = scale_bar(width)
    # Below the picture, where it hides no tile.
    bar = AnchoredSizeBar(
        axes.transData,
        length,
        text,
        "upper left",
        pad=0,
        borderpad=0.4,
        sep=3,
        size_vertical=height / 200,  # pyright: ignore[reportArgumentType] # its default is an int
        frameon=False,
        bbox_to_anchor=(0, 0),
        bbox_transform=axes.transAxes,
    )
    axes.add_artist(bar)


def scale_bar(width: float) -> tuple[float, str]:
    """Return the length of a scale bar for a picture, and its label.

    Args:
        width: Width of what the picture shows, in mm.

    Returns:
        A length in mm of 1, 2 or 5 times a power of ten, at most a quarter of the width, and the
        length with its unit.
    """
    exponent = math.floor(math.log10(width / 4))
    length = max(n * 10.0**exponent for n in (1, 2, 5) if n * 10.0**exponent <= width / 4)
    return length, f"{length:g} mm" if length >= 1 else f"{length * UNIT:g} µm"


def draw_tiles(axes: Axes, cells: Cells, mpp: tuple[float, float]) -> PolyCollection:
    """Draw tiles: a fraction as colour, dropped ones pale and hatched, kept ones outlined.

    Args:
        axes: Where to, in mm.
        cells: The tiles or blocks of them.
        mpp: µm per pixel of the tiles.

    Returns:
        What the colour bar is for: all cells, kept ones last.
    """
    scale = (mpp[0] / UNIT, mpp[1] / UNIT)
    corners = cells.corners(scale)
    # Kept tiles last, so that their edges lie over those of dropped neighbours.
    order = np.argsort(cells.kept, kind="stable")
    filled = PolyCollection(
        list(corners[order]),
        array=cells.fractions[order],
        cmap=CMAP,
        clim=(0, 1),
        linewidth=0,
        # Smoothed edges of neighbours would leave pale seams between them.
        antialiased=False,
        alpha=_alpha(cells)[order] if len(order) else None,
        label="tiles",
    )
    axes.add_collection(filled, autolim=False)
    _hatch(axes, corners[~cells.kept])
    lines = cells.outline(scale)
    for colour, width in (("white", HALO), ("black", LINE)):
        label = "kept" if colour == "black" else "_halo"
        edges = LineCollection(list(lines), colors=colour, linewidths=width, label=label)
        # Else the corners of the outline, which is made of single edges, are open.
        edges.set_capstyle("projecting")
        axes.add_collection(edges, autolim=False)
    return filled


def _alpha(cells: Cells) -> NDArray[np.float64]:
    """Return the opacity of each cell: a dropped one without the key is clear."""
    dropped = np.where(cells.fractions > 0, DROPPED_ALPHA, 0.0)
    return np.where(cells.kept, KEPT_ALPHA, dropped)


def _hatch(axes: Axes, corners: NDArray[np.float64]) -> None:
    """Hatch cells as one area, so that the lines go on from one to the next."""
    if not len(corners):
        return
    closed = np.concatenate([corners, corners[:, :1]], axis=1).reshape(-1, 2)
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * len(corners)
    area = PathPatch(
        Outline(closed, codes),
        facecolor="none",
        edgecolor=(0, 0, 0, 0.25),
        hatch="///",
        linewidth=0,
        label="dropped",
    )
    axes.add_patch(area)


def fraction_bar(filled: PolyCollection, axes: Any, label: str, **options: Any) -> None:
    """Add the colour bar of drawn tiles beside the axes.

    Args:
        filled: What `draw_tiles` returned.
        axes: One or several.
        label: What it says.
        **options: Passed to `Figure.colorbar`.
    """
    figure = filled.figure
    assert figure is not None  # noqa: S101 - for the type checker: it is drawn
    bar = figure.colorbar(filled, ax=axes, pad=0.02, label=label, **options)
    # The tiles' alpha is not the bar's.
    if bar.solids is not None:
        bar.solids.set_alpha(1)


def tile_legend(kept: int, dropped: int) -> list[Patch]:
    """Return what a legend shows of kept and dropped tiles, with their numbers."""
    return [
        Patch(facecolor="none", edgecolor="black", linewidth=LINE, label=f"kept: {kept:,}"),
        Patch(
            facecolor="none",
            edgecolor=(0, 0, 0, 0.4),
            hatch="///",
            linewidth=0,
            label=f"dropped: {dropped:,}",
        ),
    ]
