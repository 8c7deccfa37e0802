"""Which pages of a TIFF make its pyramid, and which of them its channels.

tifffile sorts the pages of a file into series of equal pages and finds the levels that vendors,
OME-XML and halving sizes tell of. This module picks the series of the image, adds levels
that only carry the flag "reduced image", and takes one plane of each: the first of Z, T and of
pages without a meaning; axis C and samples are channels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# tifffile's TiffPageSeries.
Series: TypeAlias = Any
# Its TiffPage, or TiffFrame, which has its own segments and the layout of its keyframe.
Page: TypeAlias = Any

REDUCED = 1
MASK = 4

# Formats whose levels tifffile knows from their own metadata, so that a further reduced page is
# not a level but a label, a macro picture or a thumbnail.
_COMPLETE_KINDS = frozenset({"ome", "svs", "qpi", "uniform"})


def pyramid_pages(series: Sequence[Series]) -> list[list[Page]]:
    """Return the pages of every level, each level's channels in order.

    Args:
        series: ``TiffFile.series``.

    Returns:
        Level 0 first; one page per channel stored as a page, mostly one. Levels get smaller, and
        all have level 0's dtype and samples.

    Raises:
        ValueError: The file has no image, or lacks a page of the plane that is read.
    """
    base = _base_series(series)
    levels = [level for level in base.levels if not _is_mask(level)]
    if base.kind not in _COMPLETE_KINDS:
        levels += _reduced_series(base, series)
    first = levels[0].keyframe
    same = [level for level in levels if _is_same_kind(first, level.keyframe)]
    same = [level for level in same if _area(level.keyframe)] or same[:1]
    same.sort(key=lambda level: (-_area(level.keyframe), level.keyframe.offset))
    return [_channel_pages(level) for level in _shrinking(same)]


def _base_series(series: Sequence[Series]) -> Series:
    images = [one for one in series if not _is_mask(one)]
    if not images:
        raise ValueError("the file holds no image")
    # Where tifffile takes the format's own word, its first series is the image.
    if images[0].kind in _COMPLETE_KINDS:
        return images[0]
    whole = [one for one in images if not one.keyframe.subfiletype & REDUCED]
    return (whole or images)[0]


def _reduced_series(base: Series, series: Sequence[Series]) -> Iterator[Series]:
    """Yield levels that tifffile misses: smaller by other factors than 2, 3 or 4."""
    start = _top(base)
    # Reduced pages follow their image, up to the next one.
    end = min((_top(one) for one in series if _is_whole(one) and _top(one) > start), default=None)
    for one in series:
        within = start <= _top(one) and (end is None or _top(one) < end)
        own = _top(one) == start or not one.keyframe.is_subifd
        if one is base or _is_whole(one) or _is_mask(one):
            continue
        if within and own:
            # Where these halve in turn, tifffile takes them for a pyramid of their own.
            levels = (level for level in one.levels if not _is_mask(level))
            yield from (ok for ok in levels if _is_reduction(base.keyframe, ok.keyframe))


def _top(series: Series) -> int:
    return int(series.keyframe.treeindex[0])


def _is_whole(series: Series) -> bool:
    page = series.keyframe
    return not (page.subfiletype & (REDUCED | MASK) or page.is_subifd)


def _is_mask(series: Series) -> bool:
    return bool(series.keyframe.subfiletype & MASK)


def _is_reduction(page: Page, reduced: Page) -> bool:
    """Whether both axes shrink alike, but for rounding to whole pixels."""
    width, height = page.imagewidth, page.imagelength
    skew = abs(width * reduced.imagelength - height * reduced.imagewidth)
    return skew <= width + height and _area(reduced) > 0


def _is_same_kind(page: Page, other: Page) -> bool:
    return (page.dtype, page.samplesperpixel) == (other.dtype, other.samplesperpixel)


def _area(page: Page) -> int:
    return int(page.imagewidth) * int(page.imagelength)


def _shrinking(levels: Sequence[Series]) -> Iterator[Series]:
    area = None
    for level in levels:
        if area is None or _area(level.keyframe) < area:
            area = _area(level.keyframe)
            yield level


def _channel_pages(series: Series) -> list[Page]:
    axes, shape = _axes_over_pages(series)
    count, stride = 1, 1
    if "C" in axes:
        position = axes.index("C")
        count, stride = shape[position], math.prod(shape[position + 1 :])
    if (count - 1) * stride >= len(series):
        raise ValueError(f"{count} channels are declared, {len(series)} pages are there")
    return [_page(series, channel * stride) for channel in range(count)]


def _axes_over_pages(series: Series) -> tuple[str, tuple[int, ...]]:
    """Return the axes, and their sizes, that lead from page to page."""
    axes, shape = _all_axes(series)
    within = math.prod(series.keyframe.shape)
    split, size = len(shape), 1
    while split > 0 and size < within:
        split -= 1
        size *= shape[split]
    return axes[:split], shape[:split]


def _all_axes(series: Series) -> tuple[str, tuple[int, ...]]:
    """Return the axes and the shape with those of length 1, as all series have of 2026.5.2 on."""
    if hasattr(series, "get_axes"):
        return series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    return series.axes, series.shape


def _page(series: Series, index: int) -> Page:
    page = series[index]
    if page is None or page.parent is not series.keyframe.parent:
        raise ValueError(f"plane {index} is not in this file but in another one of its set")
    return page
