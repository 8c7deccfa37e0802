"""Which statistics a call wants, checked once, when it is built."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratiopath.call.options import Options, overlap_options

# Statistics that five numbers a patch are enough for.
MOMENTS = ("count", "sum", "mean", "std", "var", "min", "max")

_QUANTILE = re.compile(r"q(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class StatsOptions(Options):
    """What statistics need besides.

    Attributes:
        stats: Names of the statistics, as the caller wrote them.
        nodata: Values that do not count.
    """

    stats: tuple[str, ...] = ("mean",)
    nodata: tuple[float, ...] = ()

    @property
    def shares(self) -> list[float]:
        """The quantiles wanted, 0 to 1, in the order of ``stats``."""
        return [share for share in map(quantile_share, self.stats) if share is not None]


def quantile_share(name: str) -> float | None:
    """Return which quantile a name asks for, 0 to 1, or None where it asks for none."""
    if name == "median":
        return 0.5
    match = _QUANTILE.fullmatch(name)
    share = float(match[1]) / 100 if match else None
    return share if share is not None and share <= 1 else None


def stats_options(
    *,
    stats: object,
    coverage: str,
    channel: object,
    on_missing: str,
    nodata: object,
    storage_options: object,
) -> StatsOptions:
    """Check the options of `ratiopath.overlay_stats`.

    Raises:
        ValueError: A statistic is unknown or named twice, or an option has a value that it does
            not know.
        TypeError: An option has the wrong type.
    """
    checked = overlap_options(
        coverage=coverage,
        outside="clip",
        channel=channel,
        on_missing=on_missing,
        nodata=nodata,
        classes=None,
        bins=None,
        storage_options=storage_options,
    )
    return StatsOptions(
        coverage=checked.coverage,
        channel=checked.channel,
        on_missing=checked.on_missing,
        storage_options=checked.storage_options,
        stats=_names(stats),
        nodata=_numbers(checked.selection.nodata),
    )


def _names(stats: object) -> tuple[str, ...]:
    names = (stats,) if isinstance(stats, str) else stats
    if not isinstance(names, Iterable):
        raise TypeError(f"stats must be names of statistics, got {stats!r}")
    result = tuple(names)
    for name in result:
        if not isinstance(name, str):
            raise TypeError(f"stats must be names of statistics, got {name!r}")
        if name not in MOMENTS and quantile_share(name) is None:
            known = ", ".join(MOMENTS)
            raise ValueError(f"no statistic {name!r}: there are {known}, median and q0 to q100")
    # Results go by name: one named twice would be lost.
    if not result or len(set(result)) < len(result):
        raise ValueError(f"stats must name at least one statistic, each once, got {stats!r}")
    return result


def _numbers(nodata: tuple[Any, ...]) -> tuple[float, ...]:
    if any(isinstance(value, tuple) for value in nodata):
        raise TypeError(f"nodata must be numbers, for statistics take one channel, got {nodata}")
    # NaN never counts, and is equal to nothing that could be left out.
    return tuple(float(value) for value in nodata if not np.isnan(value))
