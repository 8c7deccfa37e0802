"""Small OME-Zarrs for the tests, written with zarr, their metadata by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import zarr

from overlays import labels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np

# A pyramid by halves.
HALVES = [labels(), labels()[::2, ::2], labels()[::4, ::4]]
TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def axes_of(names: str, unit: str | None = "micrometer") -> list[dict[str, str]]:
    """Describe the axes as NGFF does."""
    axes = [{"name": name, "type": TYPES[name]} for name in names]
    return [axis | {"unit": unit} if unit and axis["type"] == "space" else axis for axis in axes]


def multiscales(names: str, scales: Sequence[float], unit: str | None, version: str) -> list[Any]:
    """Describe a pyramid, level k in the array `k`, with `scales[k]` units a pixel."""
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [scale if n in "yx" else 1.0 for n in names]}
            ],
        }
        for level, scale in enumerate(scales)
    ]
    entry = {"axes": axes_of(names, unit), "datasets": datasets}
    return [entry | ({"version": version} if version == "0.4" else {})]


def write_zarr(
    path: Path | str,
    levels: Sequence[np.ndarray],
    mpp: float = 1.0,
    *,
    names: str = "yx",
    version: str = "0.5",
    unit: str | None = "micrometer",
    chunks: tuple[int, ...] = (16, 16),
    **options: Any,
) -> Any:
    """Write a pyramid of NGFF 0.4 (Zarr 2) or 0.5 (Zarr 3), level 0 first, and return its path.

    Args:
        path: Where to write.
        levels: Arrays with one axis for each of `names`.
        mpp: Units per pixel of level 0.
        names: Names of the axes.
        version: Of NGFF.
        unit: Of the axes in space.
        chunks: Of every level.
        **options: Passed to `create_array`: `shards`, `fill_value`, `compressors`...
    """
    zarr_format: Literal[2, 3] = 2 if version == "0.4" else 3
    group = zarr.open_group(str(path), mode="w", zarr_format=zarr_format)
    scales = [mpp * levels[0].shape[-1] / level.shape[-1] for level in levels]
    found = multiscales(names, scales, unit, version)
    group.attrs.update(
        {"multiscales": found}
        if version == "0.4"
        else {"ome": {"version": "0.5", "multiscales": found}}
    )
    for index, level in enumerate(levels):
        array = group.create_array(
            str(index), shape=level.shape, dtype=level.dtype, chunks=chunks, **options
        )
        array[...] = level
    return path


def change(path: Path, edit: Callable[[Any], object], name: str = "zarr.json") -> None:
    """Change the multiscales of a Zarr's metadata, or with another name the whole of a file."""
    document = json.loads((path / name).read_text())
    edit(document["attributes"]["ome"]["multiscales"] if name == "zarr.json" else document)
    (path / name).write_text(json.dumps(document))
