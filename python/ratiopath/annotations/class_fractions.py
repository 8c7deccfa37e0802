"""From rows to the fraction of each row's region that every class of annotations covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ratiopath.annotations.layer import cache
from ratiopath.call.columns import ANNOTATIONS_MPP, EXTENT, MPP, TILE
from ratiopath.call.region import Region
from ratiopath.errors import OverlayError
from ratiopath.placement.resolution import snap_scale
from ratiopath.resources import in_parts
from ratiopath.results.entries import Fractions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ratiopath.annotations.layer import AnnotationLayer
    from ratiopath.call.annotation_options import AnnotationOptions
    from ratiopath.call.batch import Group
    from ratiopath.call.query import Call

_SCALE = ("downsample", *MPP, *ANNOTATIONS_MPP)

# Fewer rows than this are not worth a thread of their own.
_LEAST_ROWS = 1024

# A fraction of less than this is the rounding of a sum near 1.
_NOISE = 1e-12


def annotation_fractions(call: Call[AnnotationOptions]) -> Iterator[Fractions]:
    """Yield the fractions of each group of rows, one file of annotations at a time.

    Args:
        call: The call; its rows point at files of annotations.

    Raises:
        OverlayError: A file is missing or damaged, or a row's numbers make no sense; names both.
    """
    batch = call.batch
    batch.require(*TILE)
    needed = [name for name in _SCALE if name in batch.numbers]
    # A given downsample says all: µm may be null then.
    needed = ["downsample"] if "downsample" in needed else needed
    batch.require(*needed, positive=True)
    if call.region is None:
        batch.require(*EXTENT, positive=True)
        needed += EXTENT
    for group in batch.groups(needed):
        yield _group_fractions(call, group)


def _group_fractions(call: Call[AnnotationOptions], group: Group) -> Fractions:
    region, options = call.region, call.options
    try:
        # A batch of annotations holds paths only.
        layer = cache.read(cast("str | None", group.source), options)
    except OverlayError as error:
        raise error.at_row(int(group.rows[0])) from error.__cause__
    if region is None:
        # Rows differ in extent, so the region is made by group.
        region = Region.rectangle(*(group.numbers[name] for name in EXTENT))
    if layer is None:
        keys = options.declared_keys or options.uncovered_keys
        nothing = np.empty(0, np.intp)
        rows, key_index, values = nothing, nothing, np.empty(0)
    else:
        keys = layer.keys
        scale = _scale(group)
        origin_x, origin_y = (
            np.ascontiguousarray(tiles * factor)
            for tiles, factor in zip(group.tiles(call.batch), scale, strict=True)
        )
        try:
            vertices, ends = region.vertices * scale, region.ring_ends
            rows, key_index, values = _measure(layer, vertices, ends, origin_x, origin_y)
        except ValueError as error:
            raise group.error(str(error), code="unplaceable") from error
    if options.uncovered is not None:
        rows, key_index, values = _complement(
            rows, key_index, values, len(group.rows), len(keys) - 1
        )
    return Fractions([*keys], [*keys], group.rows[rows], key_index, values)


def _scale(group: Group) -> tuple[float, float]:
    """Return units of the annotations' coordinates per tile pixel, along x and y."""
    downsample = group.number("downsample")
    if downsample is not None:
        return snap_scale(downsample), snap_scale(downsample)
    numbers = group.numbers
    x = numbers["mpp_x"] / numbers["annotations_mpp_x"]
    y = numbers["mpp_y"] / numbers["annotations_mpp_y"]
    return snap_scale(x), snap_scale(y)


def _measure(
    layer: AnnotationLayer,
    vertices: NDArray[np.float64],
    ring_ends: NDArray[np.int64],
    origin_x: NDArray[np.float64],
    origin_y: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Measure the region at every origin, on as many threads as are allowed."""

    def work(part: range) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        some = slice(part.start, part.stop)
        x, y = origin_x[some], origin_y[some]
        rows, keys, values = layer.native.fractions(vertices, ring_ends, x, y)
        return rows + part.start, keys, values

    parts = in_parts(work, range(len(origin_x)), _LEAST_ROWS)
    rows = np.concatenate([part[0] for part in parts])
    key_index = np.concatenate([part[1] for part in parts])
    return rows, key_index, np.concatenate([part[2] for part in parts])


def _complement(
    rows: NDArray[np.intp],
    key_index: NDArray[np.intp],
    values: NDArray[np.float64],
    count: int,
    uncovered: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Replace what is covered of each row by what is not."""
    covered = key_index == uncovered
    # A row that nothing covers has no entry, and is bare as a whole.
    rest = np.ones(count)
    rest[rows[covered]] -= values[covered]
    bare = np.flatnonzero(rest > _NOISE)
    return (
        np.concatenate([rows[~covered], bare]),
        np.concatenate([key_index[~covered], np.full(len(bare), uncovered)]),
        np.concatenate([values[~covered], rest[bare]]),
    )
