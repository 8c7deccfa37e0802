"""The goals of the kernels: counting values, masks, exact fractions, on plain arrays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import exactextract
import numpy as np
import rasterio
import rasterio.features
import shapely
from shapely.geometry import mapping

import ratiopath
from measure import Line, side_by_side
from work import EXTENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def counting(kind: str) -> Line:
    """Distinct values of 512 x 512 labels."""
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (20, EXTENT, EXTENT), np.uint8)
    mask = np.repeat(rng.integers(0, 4, (20, EXTENT, EXTENT // 64), np.uint8), 64, axis=2)
    inputs = {"mask": mask, "noise": noise}[kind]
    for pixels in inputs:
        expected = np.unique(pixels, return_counts=True)
        np.testing.assert_array_equal(ratiopath.count_values(pixels), expected)
    ours, theirs = side_by_side(
        [
            lambda: drop(ratiopath.count_values, inputs),
            lambda: drop(partial(np.unique, return_counts=True), inputs),
        ]
    )
    name = f"count_values, 512 x 512 u8, {kind}"
    return Line(name, "numpy.unique", 1e6 * theirs / 20, 1e6 * ours / 20, 80)


def contours(vertices: int) -> list[shapely.Polygon]:
    """Twenty wavy outlines of so many vertices, as a contour of tissue has them."""
    rng = np.random.default_rng(3)
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    waves = [
        180
        + sum(rng.uniform(0, 60 / k) * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 40))
        for angle in [angles] * 20
    ]
    radii = [wave + rng.uniform(-0.5, 0.5, vertices) for wave in waves]
    points = [np.stack([256.3 + r * np.cos(angles), 256.7 + r * np.sin(angles)], 1) for r in radii]
    return [shapely.Polygon(ring) for ring in points]


def masks() -> Line:
    """Masks of polygons of 2000 vertices."""
    polygons, shape, identity = contours(2000), (EXTENT, EXTENT), rasterio.Affine.identity()

    def theirs(polygon: shapely.Polygon) -> np.ndarray[Any, Any]:
        mask: np.ndarray[Any, Any] = rasterio.features.geometry_mask([polygon], shape, identity)
        return mask

    for polygon in polygons:
        np.testing.assert_array_equal(ratiopath.polygon_mask(polygon, shape), theirs(polygon))
    our_time, their_time = side_by_side(
        [
            lambda: drop(lambda polygon: ratiopath.polygon_mask(polygon, shape), polygons),
            lambda: drop(theirs, polygons),
        ]
    )
    name = "polygon_mask, 512 x 512, 2000 vertices"
    return Line(name, "rasterio geometry_mask", 1e6 * their_time / 20, 1e6 * our_time / 20, 25)


def exact() -> Line:
    """Exact fractions of labels under twenty circles of 64 edges."""
    rng = np.random.default_rng(4)
    labels = np.repeat(rng.integers(0, 4, (20, EXTENT, EXTENT // 16), np.uint8), 16, axis=2)
    places = rng.uniform(240, 270, (20, 2))
    circles = [shapely.Point(place).buffer(200) for place in places]
    sources = [
        exactextract.raster.NumPyRasterSource(pixels, 0, 0, EXTENT, EXTENT) for pixels in labels
    ]
    # exactextract's rows go up.
    mirrored = [shapely.transform(c, lambda xy: [0, EXTENT] + xy * [1, -1]) for c in circles]
    features = [
        {"type": "Feature", "geometry": mapping(circle), "properties": {}} for circle in mirrored
    ]

    def theirs(k: int) -> dict[int, float]:
        rows: Any = exactextract.exact_extract(sources[k], features[k], ["unique", "frac"])
        found = rows[0]["properties"]
        return dict(zip(found["unique"].tolist(), found["frac"].tolist(), strict=True))

    def ours(k: int) -> dict[Any, float]:
        return ratiopath.polygon_overlap(labels[k], circles[k], coverage="exact")

    for k in range(20):
        expected, found = theirs(k), ours(k)
        assert expected.keys() == found.keys()
        assert all(abs(expected[value] - found[value]) < 1e-7 for value in expected)
    name = "polygon_overlap, exact, 512 x 512, 64 edges"
    our_time, their_time = side_by_side(
        [lambda: drop(ours, range(20)), lambda: drop(theirs, range(20))]
    )
    return Line(name, "exactextract", 1e6 * their_time / 20, 1e6 * our_time / 20, 80)


def drop(work: Callable[[Any], object], inputs: Iterable[Any]) -> None:
    """Call for each input and let each result go before the next."""
    for each in inputs:
        work(each)
