"""Annotations as the programs of pathologists write them, and their overlap by a plain loop."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.affinity import scale as enlarge
from shapely.affinity import translate
from shapely.geometry import mapping

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

QUPATH_CLASSES = ("Tumor", "Stroma", "Necrosis", "Immune cells")


def qupath_feature(
    geometry: BaseGeometry | None, class_name: str | None, identity: str | None = None
) -> dict[str, Any]:
    """One annotation as QuPath 0.5 exports it."""
    properties: dict[str, Any] = {"objectType": "annotation", "isLocked": False}
    if class_name is not None:
        properties["classification"] = {"name": class_name, "color": [200, 0, 0]}
    feature: dict[str, Any] = (
        {"type": "Feature"}
        if identity is None
        else {
            "type": "Feature",
            "id": identity,
        }
    )
    shape = None if geometry is None else mapping(geometry)
    return {**feature, "geometry": shape, "properties": properties}


def write_qupath(
    path: Path,
    annotations: Sequence[tuple[BaseGeometry | None, str | None]],
    *,
    collection: bool = True,
) -> str:
    """Write annotations as QuPath's FeatureCollection, or as the plain list of older versions."""
    features = [
        qupath_feature(geometry, class_name, f"5a7e-{number}")
        for number, (geometry, class_name) in enumerate(annotations)
    ]
    document: Any = {"type": "FeatureCollection", "features": features} if collection else features
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def outline(rng: np.random.Generator, centre: np.ndarray, radius: float, points: int) -> Any:
    """A wavy outline as a pathologist draws it, now and then with a hole; it is valid."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    waves = 1 + 0.3 * np.sin(3 * angles + rng.uniform(0, 6)) + rng.uniform(-0.05, 0.05, points)
    ring = np.stack([np.cos(angles), np.sin(angles)], 1) * (radius * waves)[:, np.newaxis]
    polygon = shapely.Polygon(ring + centre)
    if rng.random() < 0.3:
        polygon -= shapely.Point(centre).buffer(0.4 * radius, quad_segs=4)
    return polygon


def drawn_annotations(
    seed: int, count: int, extent: float, radii: tuple[float, float] = (0.01, 0.2)
) -> list[tuple[Any, str]]:
    """Annotations of four classes, from cells to regions, which overlap in and between classes."""
    rng = np.random.default_rng(seed)
    sizes = extent * np.exp(rng.uniform(math.log(radii[0]), math.log(radii[1]), count))
    return [
        (
            outline(rng, rng.uniform(0, extent, 2), size, int(rng.integers(3, 90))),
            str(rng.choice(QUPATH_CLASSES)),
        )
        for size in sizes
    ]


def plain_overlap(
    annotations: Sequence[tuple[Any, str]],
    roi: BaseGeometry,
    tiles: Sequence[tuple[float, float]],
    scale: tuple[float, float],
) -> list[dict[str, float]]:
    """The fractions tile by tile and class by class, nothing shared, nothing clever."""
    classes = sorted({class_name for _, class_name in annotations})
    united = {
        name: shapely.union_all([shape for shape, other in annotations if other == name])
        for name in classes
    }
    rows = []
    for x, y in tiles:
        region = enlarge(translate(roi, x, y), *scale, origin=(0, 0))
        areas = {name: united[name].intersection(region).area for name in classes}
        rows.append({name: area / region.area for name, area in areas.items()})
    return rows
