"""The function for NumPy: statistics of overlays under tiles, without Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratiopath.call.query import overlay_query
from ratiopath.call.statistics_options import stats_options
from ratiopath.measure.summaries import statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


def overlay_stats(
    roi: BaseGeometry | None,
    overlay_path: object,
    tile_x: object,
    tile_y: object,
    mpp_x: object,
    mpp_y: object,
    *,
    stats: str | Sequence[str] = ("mean",),
    tile_extent_x: object = None,
    tile_extent_y: object = None,
    overlay_mpp_x: object = None,
    overlay_mpp_y: object = None,
    slide_extent_x: object = None,
    slide_extent_y: object = None,
    level: object = None,
    coverage: str = "center",
    channel: int | None = None,
    on_missing: str = "error",
    nodata: object = None,
    storage_options: object = None,
) -> dict[str, NDArray[np.float64]]:
    """Measure statistics of the overlay's values under a region of each tile.

    The pixels are those that `ratiopath.overlay_overlap` counts. With values x and weights w, the
    covered area of each pixel (1 under all rules but ``"exact"``), of the pixels that count:

    - ``"count"`` is sum(w), in overlay pixels, and ``"sum"`` is sum(w x);
    - ``"mean"`` is m = sum(w x) / sum(w);
    - ``"var"`` is sum(w (x - m)²) / sum(w), the variance of a population, ``"std"`` its root;
    - ``"min"`` and ``"max"`` are over pixels with w > 0;
    - ``"q90"``, any from ``"q0"`` to ``"q100"`` also with decimals, and ``"median"`` are
      quantiles: with the n values ascending, value k lies at
      k w[k] + (n - 1) (w[0] + ... + w[k-1]), the quantile q at q (n - 1) sum(w), between two values
      in proportion. With equal weights this is type 7 of Hyndman and Fan (1996), NumPy's default;
      with others it is what exactextract computes.

    NaN and ``nodata`` do not count, nor does what lies beyond the overlay's bounds. Numbers are
    float64; integers beyond 2^53 are rounded to it. Every argument but the ROI and the options may
    be a scalar or a column of any kind; scalars hold for all rows.

    Args:
        roi: A shapely polygon or multipolygon in tile pixels; None for the whole tile.
        overlay_path: A path, a column of paths, or an overlay in memory (H, W) or (H, W, C).
        tile_x: The tiles' left pixel, in pixels of the level they come from.
        tile_y: The tiles' top pixel, likewise.
        mpp_x: µm per pixel of that level along x.
        mpp_y: µm per pixel of that level along y.
        stats: The statistics' names, one or several: ``"count"``, ``"sum"``, ``"mean"``, ``"std"``,
            ``"var"``, ``"min"``, ``"max"``, ``"median"``, ``"q0"`` to ``"q100"``.
        tile_extent_x: Width of the tiles in pixels; needed where ``roi`` is None.
        tile_extent_y: Height of the tiles in pixels, likewise.
        overlay_mpp_x: µm per pixel of the overlay's level 0 along x, instead of the file's own.
        overlay_mpp_y: The same along y.
        slide_extent_x: Width of the slide in tile pixels, for overlays without a resolution.
        slide_extent_y: Height of the slide in tile pixels, likewise.
        level: The pyramid level to read, instead of the one nearest to the tile's resolution.
        coverage: ``"center"``, ``"all_touched"``, or ``"exact"``, which weighs every pixel by the
            area that it shares with the region.
        channel: The only channel to read; needed where the overlay has several.
        on_missing: ``"error"``, or ``"empty"`` to count a missing overlay as one without pixels.
        nodata: A number or several that do not count, as NaN never does.
        storage_options: Settings of remote overlays' file systems, such as ``{"anon": True}``.

    Returns:
        An array float64 (N,) for each statistic, under its name. Rows without a value have NaN, but
        0 for count and sum.

    Raises:
        OverlayError: An overlay is missing, corrupt, without resolution, has several channels, or a
            row's numbers make no sense; names the file and the row.
        ValueError: The ROI is empty, invalid or without area, or an option is wrong.
        TypeError: An argument has the wrong type.

    Examples:
        >>> import numpy as np
        >>> from shapely import box
        >>> heat = np.array([[0.0, 1.0], [2.0, 3.0]])
        >>> overlay_stats(
        ...     box(0, 0, 2, 1), heat, 0, 0, 1, 1, overlay_mpp_x=1, overlay_mpp_y=1, stats="mean"
        ... )
        {'mean': array([0.5])}
    """
    return statistics(overlay_query(stats_options, locals()).call())
