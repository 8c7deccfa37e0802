"""One call: a region, the rows, and the options that hold for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from ratiopath.call.batch import Batch
    from ratiopath.call.region import Region

# Covariant: what can read patches by any options can read them by those of the fractions.
OptionsT_co = TypeVar("OptionsT_co", covariant=True)


@dataclass(frozen=True)
class Call(Generic[OptionsT_co]):
    """All that is needed to answer, checked.

    Attributes:
        region: The ROI in tile pixels, or None for the whole tile.
        batch: The rows.
        options: What holds for all rows.
    """

    region: Region | None
    batch: Batch
    options: OptionsT_co
