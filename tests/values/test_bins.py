"""bins: every value lies in the range that its number says, in every dtype."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratiopath.values.bins import NO_BIN, Bins

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
FLOATS = ["f2", "f4", "f8"]


def index(edges, values, dtype):
    return Bins.from_option(edges).index(np.array(values, dtype)).tolist()


def in_dtype(edge, dtype):
    """A fraction's nearest value in a float dtype, anything else itself."""
    if dtype.kind != "f" or isinstance(edge, int) or math.isinf(edge) or edge.is_integer():
        return edge
    with np.errstate(over="ignore"):
        nearest = float(dtype.type(edge))
    return nearest if math.isfinite(nearest) else edge


def expected_bin(edges, value, dtype):
    """The range by comparing fractions, one after the other."""

    def exact(number):
        return number if isinstance(number, float) and math.isinf(number) else Fraction(number)

    edges = [exact(in_dtype(edge, dtype)) for edge in edges]
    value = exact(value)
    last = len(edges) - 2
    if value == edges[-1]:
        return last
    found = [k for k in range(last + 1) if edges[k] <= value < edges[k + 1]]
    return found[0] if found else NO_BIN


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_fraction_is_compared_as_the_overlay_would_hold_it(dtype):
    assert index((0, 0.7, 1), [0.7, 0.6, 1.0], dtype) == [1, 0, 1]
    assert index((0, 0.3, 0.7), [0.7, 0.3], dtype) == [1, 1]


def test_a_whole_number_is_compared_exactly_in_a_float_overlay():
    # float16 holds 2048 and 2050 but not 2049.
    assert index((0, 2049, 4096), [2048, 2050], "f2") == [0, 1]
    assert index((0, 2049.0, 4096), [2048, 2050], "f2") == [0, 1]
    assert index((0, 2**53 + 1, 2**60), [2.0**53, 2.0**53 + 2], "f8") == [0, 1]


@pytest.mark.parametrize("dtype", ["u8", "i8"])
def test_integers_that_float64_cannot_hold_fall_on_their_own_side_of_an_edge(dtype):
    values = [2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2]
    assert index((0, 2**53 + 1, 2**60), values, dtype) == [0, 0, 1, 1]
    assert index((0, 2**53 + 1), values, dtype) == [0, 0, 0, NO_BIN]
    assert index((0.0, float(2**53), math.inf), values, dtype) == [0, 1, 1, 1]


def test_edges_beyond_the_dtype_hold_all_of_it():
    assert index((-(2**70), 2**70), [0, 2**63, 2**64 - 1], "u8") == [0, 0, 0]
    assert index((0, 2**64), [2**64 - 1], "u8") == [0]
    assert index((-1, 128.5, 256), [0, 128, 129, 255], "u1") == [0, 0, 1, 1]
    assert index((-math.inf, 0, math.inf), [-128, 0, 127], "i1") == [0, 1, 1]
    assert index((1e6, 1e9), [np.inf, 65504.0], "f2") == [NO_BIN, NO_BIN]


def test_bool_is_0_and_1():
    assert index((0, 0.5, 1), [False, True], "?") == [0, 1]


def test_edges_are_named_by_their_shortest_text():
    assert Bins.from_option(np.array([0, 0.1, 0.7], np.float32)).texts == ("[0,0.1)", "[0.1,0.7]")
    assert Bins.from_option((-math.inf, 2**53 + 1, 1e20)).texts == (
        "[-inf,9007199254740993)",
        "[9007199254740993,100000000000000000000]",
    )


@pytest.mark.parametrize("bins", ["01", ("a", "b"), 5, (0, 10**400), (0, None), [[0, 1]]])
def test_edges_that_are_no_numbers_are_refused(bins):
    with pytest.raises(TypeError, match="bins"):
        Bins.from_option(bins)


edge = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**65), 2**65),
    st.integers(-(2**55), 2**55).map(lambda n: n / 8),
    st.floats(allow_nan=False),
    st.sampled_from([0.1, 0.3, 0.7, 2049, 2**53, 2**53 + 1, 2**63, 2**64, math.inf, -math.inf]),
)


@given(
    edges=st.lists(edge, min_size=2, max_size=5, unique=True).map(sorted),
    dtype=st.sampled_from([*INTEGERS, *FLOATS]).map(np.dtype),
    data=st.data(),
)
def test_any_value_lies_where_fractions_say(edges, dtype, data):
    if dtype.kind == "f":
        limits = st.floats(allow_nan=False, width=dtype.itemsize * 8)
        near = [e for e in edges if abs(e) < 6e4]
    else:
        bounds = np.iinfo(dtype)
        limits = st.integers(int(bounds.min), int(bounds.max))
        near = [math.floor(e) for e in edges if bounds.min <= e < bounds.max]
    values = data.draw(st.lists(limits, min_size=1, max_size=4)) + near
    stored = np.array(values, dtype)
    expected = [expected_bin(edges, value, dtype) for value in stored.tolist()]
    assert Bins.from_option(edges).index(stored).tolist() == expected
