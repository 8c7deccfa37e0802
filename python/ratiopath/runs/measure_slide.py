"""Measure the tiles of one slide in chunks, so that memory holds one chunk however many tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from ratiopath.call.batch import Batch
from ratiopath.call.query import Call
from ratiopath.errors import OverlayError, OverlayValueError
from ratiopath.measure.pipeline import fractions
from ratiopath.results.entries import Fractions
from ratiopath.runs.plan import slide_extent
from ratiopath.values.pixels import MOST_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ratiopath.runs.plan import SlidePlan
    from ratiopath.runs.settings import RunSettings


@dataclass(frozen=True)
class TileFractions:
    """The fraction of each value in some tiles, as entries: most tiles hold few of many values.

    Attributes:
        size: How many tiles.
        keys: The keys as text.
        tiles: Index of the tile of each entry, ascending (E,).
        key_index: Index into ``keys`` of each entry (E,).
        fractions: The fraction of each entry (E,).
    """

    size: int
    keys: list[str]
    tiles: NDArray[np.intp]
    key_index: NDArray[np.intp]
    fractions: NDArray[np.float64]

    @classmethod
    def of(cls, size: int, groups: Sequence[Fractions]) -> Self:
        """Join the groups of one call, each with keys of its own."""
        joined = Fractions.joined(groups)
        return cls(size, joined.texts, joined.rows, joined.key_index, joined.fractions)

    def dense(self, key: str) -> NDArray[np.float64]:
        """Return each tile's fraction of one key, 0 where it does not occur (N,)."""
        # One key at a time: all keys at once would be tiles x values, mostly zeros.
        column = np.zeros(self.size)
        if key in self.keys:
            entries = self.key_index == self.keys.index(key)
            column[self.tiles[entries]] = self.fractions[entries]
        return column

    def sums(self) -> dict[str, float]:
        """Return the sum of the fractions by key, of keys that occur."""
        # A declared class that no tile holds adds no key: its column comes from the declaration.
        counts = np.bincount(self.key_index, minlength=len(self.keys))
        sums = np.bincount(self.key_index, self.fractions, minlength=len(self.keys))
        pairs = zip(self.keys, sums.tolist(), counts.tolist(), strict=True)
        return {key: total for key, total, count in pairs if count}

    def as_map(self) -> pa.MapArray:
        """Return a map from key to fraction for each tile."""
        counts = np.bincount(self.tiles, minlength=self.size)
        # Arrow's offsets are of 32 bits; a chunk has fewer entries.
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        codes = pa.array(self.key_index.astype(np.int32))
        texts = pa.DictionaryArray.from_arrays(codes, pa.array(self.keys, pa.string()))
        return pa.MapArray.from_arrays(
            pa.array(offsets), texts.cast(pa.string()), pa.array(self.fractions)
        )


@dataclass(frozen=True)
class MeasuredTiles:
    """Some tiles of a slide and what they hold.

    Attributes:
        x: Left pixel of each tile (N,).
        y: Top pixel of each tile (N,).
        kept: Which tiles meet the conditions (N,).
        fractions: What they hold.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    kept: NDArray[np.bool_]
    fractions: TileFractions


def measure_slide(plan: SlidePlan, settings: RunSettings) -> Iterator[MeasuredTiles]:
    """Measure a slide's tiles.

    Args:
        plan: The slide, its overlay and its tiles.
        settings: What the run was asked to do.

    Yields:
        The measured tiles, chunk by chunk.

    Raises:
        OverlayError: The overlay cannot be read, or holds a value that was not declared, or more
            values than labels have; its row is the tile's number in the slide, row by row.
    """
    seen: set[str] = set()
    conditions = settings.conditions
    for tiles in plan.chunks():
        x, y = plan.corners(tiles)
        found = TileFractions.of(len(tiles), _measure(plan, settings, tiles, x, y))
        seen.update(found.keys)
        # Each value becomes a column of the table, and a heatmap has as many as it has pixels.
        if settings.options.selection.declared_keys is None and len(seen) > MOST_LABELS:
            raise OverlayValueError(
                f"more than {MOST_LABELS} distinct values are a heatmap, not labels",
                plan.pair.overlay,
                code="too_many_values",
            )
        kept = conditions.mask({key: found.dense(key) for key in conditions.keys}, len(tiles))
        yield MeasuredTiles(x, y, kept, found)


def _measure(
    plan: SlidePlan,
    settings: RunSettings,
    tiles: range,
    x: NDArray[np.int64],
    y: NDArray[np.int64],
) -> list[Fractions]:
    batch = _batch(plan, settings, x, y)
    try:
        return list(fractions(Call(settings.region, batch, settings.options)))
    except OverlayError as error:
        if error.row is None:
            raise
        # A row of this call is a tile of the chunk.
        raise error.at_row(tiles.start + error.row) from error.__cause__


def _batch(
    plan: SlidePlan, settings: RunSettings, x: NDArray[np.int64], y: NDArray[np.int64]
) -> Batch:
    overlay_mpp = settings.overlay_mpp or (None, None)
    extent = slide_extent(plan.slide, settings) or (None, None)
    return Batch.of(
        overlay_path=plan.pair.overlay,
        tile_x=x,
        tile_y=y,
        mpp_x=plan.mpp[0],
        mpp_y=plan.mpp[1],
        overlay_mpp_x=overlay_mpp[0],
        overlay_mpp_y=overlay_mpp[1],
        slide_extent_x=extent[0],
        slide_extent_y=extent[1],
        # Chosen with the plan, once for all chunks.
        level=plan.overlay_level,
    )
