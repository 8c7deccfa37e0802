"""The metadata of an OME-Zarr: its axes, its levels, and the size of a pixel.

OME-NGFF 0.1 to 0.5 (https://ngff.openmicroscopy.org/0.5/): a group holds one array per level,
listed under ``multiscales`` with the name, type and unit of each axis, and what scales every level
to these units. Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ratiopath.readers.base import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

# µm per unit, by UDUNITS-2's names, which NGFF prescribes, and by the symbols that some write.
_UNITS = {
    "angstrom": 1e-4, "picometer": 1e-6, "nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3,
    "centimeter": 1e4, "decimeter": 1e5, "meter": 1e6, "inch": 25400.0, "foot": 304800.0,
    "Å": 1e-4, "pm": 1e-6, "nm": 1e-3, "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0,
    "mm": 1e3, "cm": 1e4, "m": 1e6,
}  # fmt: skip

# Before version 0.4 axes had names only, and before 0.3 not even these.
_OLDEST_AXES = ("t", "c", "z", "y", "x")


@dataclass(frozen=True, slots=True)
class Axes:
    """Which axis of an array is which.

    Attributes:
        y: The axis of rows.
        x: The axis of columns.
        channel: The axis of channels, or None. Of any further axis only index 0 is read.
    """

    y: int
    x: int
    channel: int | None


@dataclass(frozen=True, slots=True)
class Dataset:
    """One level as the metadata list it.

    Attributes:
        path: Where in the group its array is.
        scale: Units per pixel along y and x, or None where it is not said.
        offset: Where its first pixel lies, in the same units.
    """

    path: str
    scale: tuple[float, float] | None
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Multiscale:
    """A pyramid as the metadata describe it.

    Attributes:
        axes: Which axis is which.
        dimensions: How many axes the arrays have.
        datasets: The levels, in the order of the list.
        units: µm per unit along y and x, or None where the unit is missing or no length.
    """

    axes: Axes
    dimensions: int
    datasets: tuple[Dataset, ...]
    units: tuple[float, float] | None

    def mpp(self, dataset: Dataset) -> tuple[float, float] | None:
        """Return the µm per pixel of a level along x and y, or None where the metadata lack it."""
        if self.units is None or dataset.scale is None:
            return None
        return dataset.scale[1] * self.units[1], dataset.scale[0] * self.units[0]


def find_multiscale(attributes: Mapping[str, Any]) -> Multiscale | None:
    """Read the first pyramid that a group's attributes describe.

    Args:
        attributes: The group's attributes, of Zarr 2 or 3.

    Returns:
        The pyramid, or None where there is no word of one.

    Raises:
        ValueError: The metadata contradict themselves or the specification.
    """
    ome = attributes.get("ome", attributes)
    listed = ome.get("multiscales") if isinstance(ome, Mapping) else None
    if not listed:
        return None
    try:
        return _multiscale(listed[0])
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f"the metadata 'multiscales' are not as NGFF has them: {error!r}"
        ) from error


def is_series(attributes: Mapping[str, Any]) -> bool:
    """Whether a group is bioformats2raw's, which holds several images: 0, 1, 2, ..."""
    ome = attributes.get("ome", attributes)
    return isinstance(ome, Mapping) and "bioformats2raw.layout" in ome


def named_axes(names: Sequence[str | None], types: Sequence[str | None]) -> Axes:
    """Find out which axis is which.

    Args:
        names: The axes' names.
        types: Their types, or None.

    Returns:
        The axes.

    Raises:
        ValueError: There is not one x and one y.
    """
    # Some writers have X and Y in capitals.
    lower = [str(name).lower() for name in names]
    if lower.count("y") != 1 or lower.count("x") != 1:
        raise RefusedError(f"the axes must be named, with one y and one x, not {list(names)}")
    channels = [
        index for index, name in enumerate(lower) if types[index] == "channel" or name == "c"
    ]
    if len(channels) > 1:
        raise RefusedError(f"several axes are channels: {list(names)}")
    return Axes(lower.index("y"), lower.index("x"), channels[0] if channels else None)


def plain_axes(dimensions: int, names: Sequence[str | None] | None) -> Axes:
    """Return the axes of an array that belongs to no pyramid.

    Args:
        dimensions: How many it has.
        names: Their names, or None: then it is (H, W) or (H, W, C).

    Raises:
        ValueError: There are other axes, without names.
    """
    if (
        names is not None
        and len(names) == dimensions
        and {"y", "x"} <= {str(n).lower() for n in names}
    ):
        return named_axes(names, [None] * dimensions)
    if dimensions not in (2, 3):
        raise RefusedError(
            f"an array without multiscales or names of its axes is (H, W) or (H, W, C), not"
            f" of {dimensions} axes"
        )
    return Axes(0, 1, 2 if dimensions == 3 else None)


def _multiscale(entry: Mapping[str, Any]) -> Multiscale:
    listed = entry.get("axes") or _OLDEST_AXES
    axes = [{"name": axis} if isinstance(axis, str) else axis for axis in listed]
    found = named_axes([axis["name"] for axis in axes], [axis.get("type") for axis in axes])
    shared = _transformation(entry, len(axes), found)
    datasets = tuple(_dataset(dataset, len(axes), found, shared) for dataset in entry["datasets"])
    if not datasets:
        raise ValueError("the metadata list no level")
    units = [_UNITS.get(axes[axis].get("unit", "")) for axis in (found.y, found.x)]
    y, x = units
    return Multiscale(found, len(axes), datasets, None if y is None or x is None else (y, x))


# Scale and offset along y and x.
_Placing = tuple[tuple[float, float] | None, tuple[float, float]]


def _dataset(entry: Mapping[str, Any], dimensions: int, axes: Axes, shared: _Placing) -> Dataset:
    scale, offset = _transformation(entry, dimensions, axes)
    more, shift = shared
    if more is not None and scale is not None:
        scale = scale[0] * more[0], scale[1] * more[1]
        offset = offset[0] * more[0], offset[1] * more[1]
    return Dataset(str(entry["path"]), scale, (offset[0] + shift[0], offset[1] + shift[1]))


def _transformation(entry: Mapping[str, Any], dimensions: int, axes: Axes) -> _Placing:
    scale, offset = None, (0.0, 0.0)
    for step in entry.get("coordinateTransformations") or ():
        kind = step["type"]
        if kind == "identity":
            continue
        values = step.get(kind)
        if kind not in ("scale", "translation") or values is None or len(values) != dimensions:
            raise ValueError(f"a coordinate transformation is not understood: {step}")
        pair = float(values[axes.y]), float(values[axes.x])
        if kind == "scale":
            scale = pair
        else:
            offset = pair
    return scale, offset
