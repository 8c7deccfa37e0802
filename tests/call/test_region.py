"""Proofs that a polygon is valid: sound on every input, and found wherever nothing touches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LinearRing, MultiPolygon, Polygon, box
from shapely.affinity import affine_transform, rotate, translate

from geometries import REGIONS, regions
from ratiopath import _core, polygon_mask
from ratiopath.call.region import Rings

UNIT = box(0, 0, 10, 10)


def is_certain(geometry) -> bool:
    return _core.is_certainly_valid(*Rings.of(geometry))


def contour(vertices: int, seed: int) -> Polygon:
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    waves = [rng.uniform(0, 60 / k) * np.sin(k * angles + rng.uniform(0, 6)) for k in range(2, 40)]
    radii = 300 + np.sum(waves, axis=0) + rng.uniform(-0.5, 0.5, vertices) * 500 / vertices
    return Polygon(np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1))


@pytest.mark.parametrize("vertices", [3, 4, 7, 8, 9, 16, 17, 64, 65, 500, 2000, 20000])
def test_a_contour_is_proven_valid(vertices):
    for seed in range(5):
        assert is_certain(contour(vertices, seed))


def spiral() -> Polygon:
    angles = np.linspace(0, 12 * np.pi, 700)
    arm = [np.stack([r * np.cos(angles), r * np.sin(angles)], 1) for r in (angles + 3, angles + 5)]
    return Polygon(np.vstack([arm[0], arm[1][::-1]]))


def comb(teeth: int) -> Polygon:
    upper = [
        (x, y)
        for k in range(teeth)
        for x, y in [(2 * k, 0), (2 * k, 50), (2 * k + 1, 50), (2 * k + 1, 0)]
    ]
    return Polygon([*upper, (2 * teeth, -3), (-1, -3)])


@pytest.mark.parametrize(
    "geometry",
    [
        UNIT,
        UNIT - box(2, 2, 4, 4) - box(5, 5, 7, 7),
        Polygon([(0, 0), (0, 0), (10, 0), (10, 10), (10, 10), (0, 10), (0, 0)]),
        Polygon([(0, 0), (5, 0), (10, 0), (10, 10), (0, 10), (0, 5)]),
        MultiPolygon([UNIT, box(20, 0, 30, 10), box(0, 11, 3, 12)]),
        MultiPolygon([UNIT - box(2, 2, 4, 4), box(20, 0, 30, 10) - box(22, 2, 23, 3)]),  # pyright: ignore[reportArgumentType] # polygons
        spiral(),
        rotate(spiral(), 33),
        comb(200),
        rotate(comb(40), 45),
        translate(contour(64, 0), 2.0**31, -(2.0**31)),
    ],
)
def test_what_touches_nowhere_is_proven_valid(geometry):
    assert geometry.is_valid
    assert is_certain(geometry)


def nested() -> Polygon:
    return Polygon(UNIT.exterior, [box(1, 1, 9, 9).exterior, box(2, 2, 3, 3).exterior])


DOUBTFUL = {
    "bowtie": Polygon([(0, 0), (4, 4), (4, 0), (0, 4)]),
    "spike out": Polygon([(0, 0), (10, 0), (15, 0), (10, 0), (10, 10), (0, 10)]),
    "spike along": Polygon([(0, 0), (10, 0), (10, 10), (5, 10), (5, 12), (5, 10), (0, 10)]),
    "spike in": Polygon([(0, 0), (10, 0), (10, 10), (5, 10), (5, 5), (5, 10), (0, 10)]),
    "zero area": Polygon([(0, 0), (4, 4), (2, 2)]),
    "two vertices": Polygon([(0, 0), (4, 4), (0, 0), (4, 4)]),
    "one vertex": Polygon([(1, 1), (1, 1), (1, 1), (1, 1)]),
    "vertex on an edge": Polygon([(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)]),
    "vertex met twice": Polygon([(0, 0), (5, 5), (10, 0), (10, 10), (5, 5), (0, 10)]),
    "edge there and back": Polygon([(0, 0), (10, 0), (10, 10), (5, 10), (5, 3), (5, 10), (0, 10)]),
    "hole at a corner": Polygon(UNIT.exterior, [LinearRing([(0, 0), (4, 2), (2, 4)])]),
    "hole along an edge": Polygon(UNIT.exterior, [box(0, 2, 4, 4).exterior]),
    "hole across": Polygon(UNIT.exterior, [box(8, 2, 14, 4).exterior]),
    "hole outside": Polygon(UNIT.exterior, [box(12, 2, 14, 4).exterior]),
    "hole around": Polygon(UNIT.exterior, [box(-1, -1, 11, 11).exterior]),
    "hole in a hole": nested(),
    "holes that touch": Polygon(
        UNIT.exterior, [box(1, 1, 3, 3).exterior, box(3, 3, 5, 5).exterior]
    ),
    "same hole twice": Polygon(UNIT.exterior, [box(1, 1, 3, 3).exterior] * 2),
    "parts that touch": MultiPolygon([UNIT, box(10, 10, 12, 12)]),
    "parts that share an edge": MultiPolygon([UNIT, box(10, 0, 12, 10)]),
    "parts that overlap": MultiPolygon([UNIT, box(8, 8, 12, 12)]),
    "part in a part": MultiPolygon([UNIT, box(2, 2, 4, 4)]),
    "same part twice": MultiPolygon([UNIT, UNIT]),
    "part in a hole": MultiPolygon([UNIT - box(2, 2, 8, 8), box(3, 3, 4, 4)]),  # pyright: ignore[reportArgumentType] # polygons
    "not finite": Polygon([(0, 0), (math.inf, 0), (0, 4)]),
    "too far to be sure": Polygon([(0, 0), (1e300, 0), (0, 1e300)]),
    "too small to be sure": Polygon([(0, 0), (1e-200, 0), (0, 1e-200)]),
    "empty": Polygon(),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_touches_is_left_to_geos(name):
    assert not is_certain(DOUBTFUL[name])


@pytest.mark.parametrize("name", DOUBTFUL)
@pytest.mark.parametrize("angle", [0, 17, 45])
def test_what_is_refused_is_what_geos_finds_invalid(name, angle):
    geometry = DOUBTFUL[name]
    if name != "not finite":
        geometry = rotate(geometry, angle, origin=(0, 0))
    assert not (is_certain(geometry) and not geometry.is_valid)
    far = not geometry.is_empty and np.abs(geometry.bounds).max() > 1e15
    # An area beyond 1e308 is a warning in some versions of shapely.
    if not far and geometry.is_valid and geometry.area > 0:
        polygon_mask(geometry, (4, 4))
    else:
        with pytest.raises(ValueError, match=r"make_valid|1e15"):
            polygon_mask(geometry, (4, 4))


def rings(closeness: int) -> st.SearchStrategy[list[tuple[float, float]]]:
    """Rings of points so close that they touch, cross and repeat all the time."""
    whole = st.integers(0, closeness).map(float)
    third = st.integers(0, 3 * closeness).map(lambda n: n / 3)
    point = st.one_of(st.tuples(whole, whole), st.tuples(third, third))
    return st.lists(point, min_size=3, max_size=20)


@given(ring=st.one_of(rings(3), rings(6), rings(30)))
def test_a_proof_is_never_wrong_about_a_ring(ring):
    polygon = Polygon(ring)
    assert not is_certain(polygon) or polygon.is_valid


@given(exterior=rings(12), holes=st.lists(rings(8), max_size=3), shift=st.integers(-3, 5))
def test_a_proof_is_never_wrong_about_holes(exterior, holes, shift):
    moved = [[(x + shift, y + shift) for x, y in hole] for hole in holes]
    polygon = Polygon(exterior, moved)
    assert not is_certain(polygon) or polygon.is_valid


@given(parts=st.lists(regions(), min_size=1, max_size=4), turn=st.integers(0, 3))
def test_a_proof_is_never_wrong_about_parts(parts, turn):
    polygons = [polygon for part in parts for polygon in getattr(part, "geoms", [part])]
    multi = rotate(MultiPolygon(polygons), 30 * turn, origin=(0, 0))
    assert not is_certain(multi) or multi.is_valid


@given(
    region=regions(),
    matrix=st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4),
    offset=st.lists(
        st.sampled_from([0.0, 0.1, 2.0**31, 2.0**53 - 1, -(2.0**52) + 0.5]), min_size=2, max_size=2
    ),
)
def test_a_proof_is_never_wrong_about_rounded_coordinates(region, matrix, offset):
    moved = affine_transform(region, [*matrix, *offset])
    assert not is_certain(moved) or moved.is_valid


@given(
    vertices=st.lists(st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 2), max_size=12)
)
def test_any_numbers_at_all_are_answered(vertices):
    points = np.array(vertices, np.float64).reshape(-1, 2)
    ends, exteriors = np.array([len(points)], np.int64), np.ones(1, bool)
    if _core.is_certainly_valid(points, ends, exteriors):
        assert Polygon(points).is_valid


def test_rings_that_do_not_match_prove_nothing():
    square = shapely.get_coordinates(UNIT)
    ends, one = np.array([len(square)], np.int64), np.ones(1, bool)
    assert _core.is_certainly_valid(square, ends, one)
    assert not _core.is_certainly_valid(square, ends, np.zeros(1, bool))
    assert not _core.is_certainly_valid(square, ends, np.ones(2, bool))
    assert not _core.is_certainly_valid(square, ends - 1, one)
    assert not _core.is_certainly_valid(square, np.empty(0, np.int64), np.empty(0, bool))


@pytest.mark.parametrize("name", REGIONS)
def test_the_regions_of_other_tests_are_proven(name):
    assert is_certain(REGIONS[name])
