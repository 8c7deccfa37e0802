"""From areas to fractions: under which key they count, and what they are of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ratiopath.measure.areas import Areas, count_areas
from ratiopath.results.entries import Fractions
from ratiopath.values.pixels import Distinct
from ratiopath.values.selection import UNDECLARED, Key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ratiopath.call.options import OverlapOptions
    from ratiopath.errors import OverlayValueError
    from ratiopath.placement.placement import Placement


@dataclass(frozen=True)
class _Sums:
    """Areas added up by patch and key.

    Attributes:
        keys: The output keys as Python values.
        texts: The same as text.
        patches: The patch of each entry, ascending (E,).
        key_index: Index into ``keys`` of each entry (E,).
        areas: The area of each entry, in pixels (E,).
        undeclared: The first patch with a value that was not declared, and that value, if any.
    """

    keys: list[Key]
    texts: list[str]
    patches: NDArray[np.intp]
    key_index: NDArray[np.intp]
    areas: NDArray[np.float64]
    undeclared: tuple[int, str] | None = None


def overlap_fractions(placement: Placement[OverlapOptions]) -> Fractions:
    """Count the pixels under each patch's region and divide by all that count.

    Args:
        placement: The patches of one group.

    Returns:
        An entry per patch and key that occurs in it.

    Raises:
        OverlayError: A segment cannot be decoded, or a value was not declared; names the row.
    """
    selection, channels = placement.options.selection, placement.channels
    if selection.bins is not None and channels > 1:
        raise placement.group.error(
            f"bins need channel=: the overlay has {channels} channels",
            code="needs_channel",
            remedy="choose one",
        )
    # Keys that are declared are the same for every piece of the work.
    at_once = selection.declared_keys is None
    sums = _joined(count_areas(placement, partial(_sums, placement), at_once=at_once))
    if sums.undeclared is not None:
        raise _undeclared(placement, *sums.undeclared)
    # Patches without a pixel that counts have no entry, and so divide nothing by 0.
    totals = np.bincount(sums.patches, sums.areas, minlength=1)
    rows = placement.group.rows[sums.patches]
    return Fractions(sums.keys, sums.texts, rows, sums.key_index, sums.areas / totals[sums.patches])


def _sums(placement: Placement[OverlapOptions], found: Areas) -> _Sums:
    distinct = Distinct.of(found.patterns)
    try:
        keyed = placement.options.selection.apply(distinct)
    except ValueError as error:
        raise placement.group.error(str(error), code="ambiguous_class") from error
    values = distinct.index[found.index]
    key_index = keyed.index[values]
    counted = key_index >= 0
    patches, added_index, areas = _add_up(
        found.patches[counted], key_index[counted], found.areas[counted], len(keyed.keys)
    )
    undeclared = None
    missing = np.flatnonzero(key_index == UNDECLARED)
    if len(missing):
        # The least row, then the least value: the error is the same however the work was divided.
        first = missing[np.lexsort((values[missing], found.patches[missing]))[0]]
        undeclared = int(found.patches[first]), distinct.texts()[values[first]]
    return _Sums(keyed.keys, keyed.texts, patches, added_index, areas, undeclared)


def _joined(parts: Sequence[_Sums]) -> _Sums:
    """Join sums of one placement, all under the same declared keys."""
    if len(parts) == 1:
        return parts[0]
    # A bin for NaN comes last, where there is one.
    widest = max(parts, key=lambda part: len(part.keys))
    patches, key_index, areas = _add_up(
        np.concatenate([part.patches for part in parts]),
        np.concatenate([part.key_index for part in parts]),
        np.concatenate([part.areas for part in parts]),
        len(widest.keys),
    )
    undeclared = [part.undeclared for part in parts if part.undeclared is not None]
    return _Sums(
        widest.keys, widest.texts, patches, key_index, areas, min(undeclared, default=None)
    )


def _add_up(
    patches: NDArray[np.intp],
    key_index: NDArray[np.intp],
    areas: NDArray[np.float64],
    width: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Join entries of one patch and key."""
    cells, index = np.unique(patches * max(width, 1) + key_index, return_inverse=True)
    sums = np.bincount(index, areas, minlength=len(cells)).astype(np.float64, copy=False)
    joined_patches, joined_index = np.divmod(cells, max(width, 1))
    return joined_patches, joined_index, sums


def _undeclared(placement: Placement[OverlapOptions], patch: int, text: str) -> OverlayValueError:
    if placement.options.selection.classes is not None:
        return placement.group.error(
            f"value {text} is not among the classes", patch, code="undeclared_class"
        )
    return placement.group.error(f"value {text} is in no bin", patch, code="outside_bins")
