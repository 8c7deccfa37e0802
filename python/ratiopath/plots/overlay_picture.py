"""Draw an overlay over a slide: classes as tinted and hatched areas, a heatmap as colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Patch

from ratiopath.placement import resolution
from ratiopath.plots.colours import COLOURS, HATCHES
from ratiopath.plots.thumbnail import read_thumbnail
from ratiopath.readers.opening import open_reader
from ratiopath.values.pixels import Distinct

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ratiopath.placement.resolution import Pair
    from ratiopath.values.selection import Selection

# More classes than this cannot be told apart by colour and hatching.
MOST_CLASSES = 7
# Contours are drawn of every class, which is slow for larger pictures.
LONGEST = 1000

# Most of an overlay is background; drawn, it would hide the slide.
BACKGROUND = ("0", "background")


@dataclass(frozen=True)
class OverlayPicture:
    """A thumbnail of an overlay, and what its pixels mean.

    Attributes:
        keys: Key texts of the classes.
        index: Which key each pixel has, -1 for none (h, w).
        values: The samples themselves, of one channel (h, w); None for colours.
        size: Width and height of the overlay in µm.
    """

    keys: list[str]
    index: NDArray[np.intp]
    values: NDArray[Any] | None
    size: Pair

    @property
    def is_heatmap(self) -> bool:
        """Whether there are too many values to be classes."""
        return self.values is not None and len(self.keys) > MOST_CLASSES + 1


def read_overlay_picture(
    path: str,
    selection: Selection,
    *,
    channel: int | None,
    overlay_mpp: Pair | None,
    tile_mpp: Pair,
    slide_extent: Pair | None,
) -> OverlayPicture:
    """Read a thumbnail of an overlay and name its pixels as the fractions do.

    Args:
        path: The overlay.
        selection: Which values count, and their names.
        channel: The only channel to read, or None.
        overlay_mpp: µm per pixel of the overlay's level 0, or None to take the file's word.
        tile_mpp: µm per pixel of the tiles.
        slide_extent: The slide's size in tile pixels where the overlay is taken to span it.

    Returns:
        The picture.

    Raises:
        OverlayError: The overlay cannot be read, or nothing says its resolution.
    """
    reader = open_reader(path)
    mpp = resolution.base_mpp(
        reader.resolution,
        path=path,
        level0=reader.levels[0],
        override=overlay_mpp,
        tile_mpp=tile_mpp,
        slide_extent=slide_extent,
    )
    pixels = read_thumbnail(reader, LONGEST)
    if channel is not None:
        pixels = pixels[..., channel : channel + 1]
    distinct = Distinct.of(pixels.reshape(-1, pixels.shape[2]))
    keyed = selection.apply(distinct)
    index = keyed.index[distinct.index].reshape(pixels.shape[:2])
    values = pixels[..., 0] if pixels.shape[2] == 1 else None
    size = (reader.levels[0].width * mpp[0], reader.levels[0].height * mpp[1])
    return OverlayPicture(keyed.texts, index, values, size)


def draw_overlay(axes: Axes, picture: OverlayPicture, unit: float) -> list[Patch]:
    """Draw an overlay.

    Args:
        axes: Where to.
        picture: The overlay.
        unit: µm per unit of the axes.

    Returns:
        What the legend shows: a patch for each class that occurs, background aside.
    """
    width, height = picture.size[0] / unit, picture.size[1] / unit
    if picture.is_heatmap:
        assert picture.values is not None  # noqa: S101 - for the type checker
        image = axes.imshow(
            np.ma.masked_invalid(picture.values.astype(np.float64)),
            extent=(0, width, height, 0),
            cmap="viridis",
            alpha=0.6,
            interpolation="nearest",
        )
        axes.figure.colorbar(image, ax=axes, fraction=0.04, pad=0.02, label="value of the overlay")
        return []
    shown = [key for key in np.unique(picture.index) if _is_shown(picture, int(key))]
    return [
        _draw_class(axes, picture, int(key), place, (width, height))
        for place, key in enumerate(shown[:MOST_CLASSES])
    ]


def _is_shown(picture: OverlayPicture, key: int) -> bool:
    return key >= 0 and picture.keys[key] not in BACKGROUND


def _draw_class(
    axes: Axes, picture: OverlayPicture, key: int, place: int, size: tuple[float, float]
) -> Patch:
    colour, hatch = COLOURS[place], HATCHES[place]
    # A border of zeros closes the outline of what reaches the overlay's edge.
    mask = np.pad(picture.index == key, 1).astype(np.float64)
    rows, columns = picture.index.shape
    x = (np.arange(-1, columns + 1) + 0.5) * size[0] / columns
    y = (np.arange(-1, rows + 1) + 0.5) * size[1] / rows
    areas = axes.contourf(
        x, y, mask, levels=[0.5, 1.5], colors=[colour], alpha=0.2, hatches=[hatch]
    )
    areas.set_edgecolor((*_rgb(colour), 0.55))
    areas.set_linewidth(0)
    # On a white line, as tiles are outlined.
    for line, width in (("white", 2.4), (colour, 1.3)):
        axes.contour(x, y, mask, levels=[0.5], colors=[line], linewidths=width)
    return Patch(
        facecolor=(*_rgb(colour), 0.25), edgecolor=colour, hatch=hatch, label=picture.keys[key]
    )


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
