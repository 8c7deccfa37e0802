"""The options of a call, checked once, when it is built, so that no worker meets a bad one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from ratiopath.values.pixels import check_dtype
from ratiopath.values.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

Coverage: TypeAlias = Literal["center", "all_touched", "exact"]
Outside: TypeAlias = Literal["clip"] | int | float
OnMissing: TypeAlias = Literal["error", "empty"]


class StorageOptions(Mapping[str, Any]):
    """What a file system of fsspec is made with; it never shows its values.

    Args:
        options: Keyword arguments of the file system, such as ``anon``, ``key``, ``endpoint_url``.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = dict(options)

    def __getitem__(self, name: str) -> Any:
        return self._options[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    # Names only: values may be keys and tokens, and what is printed ends in logs and tracebacks.
    def __repr__(self) -> str:
        return f"StorageOptions({', '.join(map(str, self._options))})"


@dataclass(frozen=True)
class Options:
    """What both functions share.

    Attributes:
        coverage: When a pixel is inside the ROI.
        outside: ``"clip"``, or the value that pixels beyond the overlay's bounds get.
        channel: The only channel to read, or None for all.
        on_missing: What a null path or a missing file means.
        dtype: The sample type of patches, or None for the file's own.
        storage_options: What the file systems of remote overlays are made with.
    """

    coverage: Coverage = "center"
    outside: Outside = "clip"
    channel: int | None = None
    on_missing: OnMissing = "error"
    dtype: np.dtype[Any] | None = None
    storage_options: StorageOptions | None = None

    @property
    def clips(self) -> bool:
        """Whether what lies beyond the overlay's bounds is left out."""
        return self.outside == "clip"


@dataclass(frozen=True)
class OverlapOptions(Options):
    """What the fractions need besides.

    Attributes:
        selection: Which values count and what they are called.
        absent: What a key that does not occur gets in a struct row: a number or None.
    """

    selection: Selection = field(default_factory=Selection)
    absent: float | None = 0.0


def patch_options(
    *,
    coverage: str,
    outside: object,
    channel: object,
    on_missing: str,
    dtype: object,
    storage_options: object,
) -> Options:
    """Check the options of `ratiopath.read_overlay`.

    Raises:
        ValueError: An option has a value that it does not know.
        TypeError: An option has the wrong type.
    """
    if coverage == "exact":
        raise ValueError(
            "coverage='exact' weighs pixels and a patch has none: use 'center' or 'all_touched'"
        )
    return Options(
        coverage=_coverage(coverage),
        outside=_outside(outside),
        channel=check_channel(channel),
        on_missing=check_on_missing(on_missing),
        dtype=_dtype(dtype),
        storage_options=_storage_options(storage_options),
    )


def overlap_options(
    *,
    coverage: str,
    outside: object,
    channel: object,
    on_missing: str,
    nodata: object,
    classes: object,
    bins: object,
    storage_options: object,
    absent: float | None = 0.0,
) -> OverlapOptions:
    """Check the options of `ratiopath.overlay_overlap`.

    Raises:
        ValueError: An option has a value that it does not know, or two contradict each other.
        TypeError: An option has the wrong type.
    """
    return OverlapOptions(
        coverage=_coverage(coverage),
        outside=_outside(outside),
        channel=check_channel(channel),
        on_missing=check_on_missing(on_missing),
        selection=Selection.from_options(nodata, classes, bins),
        absent=check_absent(absent),
        storage_options=_storage_options(storage_options),
    )


def check_on_missing(on_missing: str) -> OnMissing:
    """Check what a null path or a missing file means.

    Raises:
        ValueError: It is neither ``"error"`` nor ``"empty"``.
    """
    if on_missing not in ("error", "empty"):
        raise ValueError(f"on_missing must be 'error' or 'empty', got {on_missing!r}")
    return cast("OnMissing", on_missing)


def check_absent(absent: object) -> float | None:
    """Check what a key gets where it does not occur.

    Raises:
        ValueError: It is neither a number nor None.
    """
    if absent is None:
        return None
    # NaN in a column of fractions would make every mean of it NaN: null is there for that.
    if not isinstance(absent, Real) or math.isnan(absent):
        raise ValueError(f"absent must be a number or None, got {absent!r}")
    return float(absent)


def _coverage(coverage: str) -> Coverage:
    if coverage not in ("center", "all_touched", "exact"):
        raise ValueError(f"coverage must be 'center', 'all_touched' or 'exact', got {coverage!r}")
    return cast("Coverage", coverage)


def _outside(outside: object) -> Outside:
    if isinstance(outside, str):
        if outside == "clip":
            return "clip"
    # NumPy's numbers become Python's: equal options are equal, and pickle small.
    elif isinstance(outside, Integral):
        return int(outside)
    elif isinstance(outside, Real):
        return float(outside)
    raise ValueError(f"outside must be 'clip' or a number, got {outside!r}")


def check_channel(channel: object) -> int | None:
    """Check the number of the only channel to read.

    Raises:
        ValueError: It is negative.
        TypeError: It is no whole number.
    """
    if channel is None:
        return None
    # To Python True is the number 1; here it is a mistake.
    if not isinstance(channel, Integral) or isinstance(channel, bool):
        raise TypeError(f"channel must be a whole number or None, got {channel!r}")
    if channel < 0:
        raise ValueError(f"channel counts from 0, got {channel}")
    return int(channel)


def _dtype(dtype: object) -> np.dtype[Any] | None:
    if dtype is None:
        return None
    try:
        result = np.dtype(cast("Any", dtype))
        check_dtype(result)
    except TypeError as error:
        raise TypeError(f"dtype={dtype!r}: {error}") from error
    # Segments are decoded to native byte order whatever the file has, so >u2 and <u2 are one type.
    native: np.dtype[Any] = result.newbyteorder("=")
    return native


def _storage_options(storage_options: object) -> StorageOptions | None:
    if storage_options is None:
        return None
    # Without its value, which may hold credentials.
    if not isinstance(storage_options, Mapping):
        kind = type(storage_options).__name__
        raise TypeError(f"storage_options must be a dictionary or None, got a {kind}")
    if not all(isinstance(name, str) for name in storage_options):
        raise TypeError("the keys of storage_options must be strings")
    return StorageOptions(storage_options)
