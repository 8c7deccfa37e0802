"""scale_coordinates: floor(old * S + 0.5) in float64, as written."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from ratiopath import scale_coordinates


def test_halves_round_up_without_gaps_or_repeats():
    # Rounding half to even gives 0, 2, 2, 4, 4.
    found = scale_coordinates([16, 48, 80, 112, 144], 1 / 32)
    np.testing.assert_array_equal(found, [1, 2, 3, 4, 5])
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("coordinate", "scale", "expected"),
    [
        (0, 0.125, 0),
        (3, 0.125, 0),
        (4, 0.125, 1),
        (11, 0.125, 1),
        (12, 0.125, 2),
        (7, 2.0, 14),
        (-1, 0.5, 0),
        (-2, 0.5, -1),
        (-3, 0.5, -1),
        (-4, 0.125, 0),
        (-5, 0.125, -1),
        (-12, 0.125, -1),
        (2.25, 2.0, 5),
    ],
)
def test_one_coordinate_by_hand(coordinate, scale, expected):
    assert scale_coordinates([coordinate], scale).tolist() == [expected]


def test_product_and_sum_are_rounded_apart():
    # 101 * S is just below a half and rounds up to it; a fused multiply-add would give 0.
    assert scale_coordinates([101], float.fromhex("0x1.446f86562d9fap-8")).tolist() == [1]


def test_coordinates_that_float32_cannot_tell_apart():
    coordinates = np.array([2**31 - 1, 2**31, -(2**31), -(2**31) + 1, 2**24 + 1])
    expected = [2**30, 2**30, -(2**30), -(2**30) + 1, 2**23 + 1]
    np.testing.assert_array_equal(scale_coordinates(coordinates, 0.5), expected)
    np.testing.assert_array_equal(scale_coordinates(coordinates, 1.0), coordinates)


def test_the_noise_of_a_resolution_tag_does_not_move_odd_coordinates():
    # 0.504 is stored as 0.50400000788; the scale would be 0.49999999.
    odd = np.arange(1, 4001, 2)
    found = scale_coordinates(odd, 0.252 / 0.50400000788)
    np.testing.assert_array_equal(found, odd // 2 + 1)


def test_a_scale_further_than_the_noise_from_a_ratio_stays_as_it_is():
    assert scale_coordinates([1], 0.5 * (1 - 2e-6)).tolist() == [0]
    assert scale_coordinates([1], 0.5 * (1 - 0.5e-6)).tolist() == [1]


def test_the_largest_denominator_that_counts_as_simple_is_64():
    scale = 1 / 64 * (1 - 0.5e-6)
    assert scale_coordinates([32], scale).tolist() == [1]
    scale = 1 / 65 * (1 - 0.5e-6)
    assert scale_coordinates([65 * 2**20], scale).tolist() == [2**20 - 1]


@given(
    coordinates=st.lists(st.integers(-(2**31), 2**31), max_size=50),
    scale=st.floats(1e-4, 100, allow_nan=False),
)
def test_any_coordinates_are_the_oracle_s(coordinates, scale):
    snapped = oracle.snap(scale)
    expected = [oracle.scale_coordinate(x, snapped) for x in coordinates]
    np.testing.assert_array_equal(scale_coordinates(coordinates, scale), expected)


@given(
    coordinates=st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=50),
    p=st.integers(1, 200),
    q=st.integers(1, 64),
    noise=st.floats(-0.9e-6, 0.9e-6),
)
def test_any_ratio_loses_its_noise(coordinates, p, q, noise):
    expected = [oracle.scale_coordinate(x, Fraction(p, q)) for x in coordinates]
    found = scale_coordinates(coordinates, p / q * (1 + noise))
    np.testing.assert_array_equal(found, expected)


def test_shape_is_kept_and_the_input_too():
    coordinates = np.arange(24, dtype=np.int32).reshape(2, 3, 4)[:, ::-1, ::2]
    before = coordinates.copy()
    coordinates.flags.writeable = False
    found = scale_coordinates(coordinates, 0.5)
    np.testing.assert_array_equal(found, (before + 1) // 2)
    np.testing.assert_array_equal(coordinates, before)


def test_no_coordinates_give_none():
    found = scale_coordinates(np.zeros((0, 2)), 0.5)
    assert found.shape == (0, 2)
    assert found.dtype == np.int64


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_a_scale_that_is_no_positive_number_is_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        scale_coordinates([1], scale)


@pytest.mark.parametrize("coordinate", [np.nan, np.inf, 1e300])
def test_a_coordinate_without_an_int64_is_refused(coordinate):
    with pytest.raises(ValueError, match="coordinate"):
        scale_coordinates([coordinate], 1.0)


@pytest.mark.parametrize("dtype", ["c16", "M8[s]", "U3"])
def test_coordinates_that_are_no_numbers_are_refused(dtype):
    with pytest.raises(TypeError, match="coordinates"):
        scale_coordinates(np.zeros(2, dtype), 1.0)


def test_whole_numbers_as_objects_are_coordinates():
    assert scale_coordinates(np.array([3, 2**31], object), 2.0).tolist() == [6, 2**32]
