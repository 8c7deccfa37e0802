"""count_values: how often each value or colour occurs, against numpy.unique."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ratiopath import count_values

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
FLOATS = ["f2", "f4", "f8"]


def extremes(dtype: str) -> np.ndarray:
    """Few values of a dtype, its smallest and largest among them."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.array([False, True])
    limits = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    return np.array([limits.min, 0, 1, 7, limits.max], kind)


def noise(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(extremes(dtype), shape)


def check(found: tuple[np.ndarray, np.ndarray], pixels: np.ndarray) -> None:
    """Compare with numpy.unique of pixels (K,) or colours (K, C)."""
    values, counts = found
    axis = 0 if pixels.ndim == 2 else None
    expected_values, expected_counts = np.unique(pixels, return_counts=True, axis=axis)
    np.testing.assert_array_equal(values, expected_values)
    np.testing.assert_array_equal(counts, expected_counts)
    assert values.dtype == pixels.dtype
    assert counts.dtype == np.int64


def test_a_small_array_by_hand():
    values, counts = count_values(np.array([[3, 1, 3], [255, 3, 1]], np.uint8))
    assert (values.tolist(), counts.tolist()) == ([1, 3, 255], [2, 3, 1])


def test_a_mask_leaves_out_what_it_marks():
    pixels = np.array([[3, 1, 3], [255, 3, 1]], np.uint8)
    mask = np.array([[True, False, False], [True, False, True]])
    values, counts = count_values(pixels, mask)
    assert (values.tolist(), counts.tolist()) == ([1, 3], [1, 2])


def test_weights_are_summed():
    values, counts = count_values(
        np.array([[3, 1, 3]], np.uint8), weights=np.array([[0.25, 0.5, 1.5]])
    )
    assert (values.tolist(), counts.tolist()) == ([1, 3], [0.5, 1.75])
    assert counts.dtype == np.float64


def test_weights_under_a_mask_do_not_count():
    values, counts = count_values(
        np.array([[3, 1, 3]], np.uint8),
        np.array([[False, True, False]]),
        weights=np.array([[0.25, 0.5, 1.5]]),
    )
    assert (values.tolist(), counts.tolist()) == ([3], [1.75])


def test_colours_are_pixels_in_lexicographic_order():
    pixels = np.array([[[9, 0, 0], [1, 2, 3]], [[1, 2, 3], [1, 0, 200]]], np.uint8)
    values, counts = count_values(pixels)
    assert values.tolist() == [[1, 0, 200], [1, 2, 3], [9, 0, 0]]
    assert counts.tolist() == [1, 2, 1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (37, 129), (300, 257)])
def test_grey_pixels_of_every_dtype_are_numpy_unique_s(dtype, shape):
    pixels = noise(dtype, shape)
    check(count_values(pixels), pixels.ravel())
    mask = np.random.default_rng(1).random(shape) < 0.4
    check(count_values(pixels, mask), pixels[~mask])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [2, 3, 5])
def test_colours_of_every_dtype_are_numpy_unique_s(dtype, channels):
    pixels = noise(dtype, (31, 43, channels))
    check(count_values(pixels), pixels.reshape(-1, channels))
    mask = np.random.default_rng(1).random((31, 43)) < 0.4
    check(count_values(pixels, mask), pixels[~mask])


@pytest.mark.parametrize("dtype", DTYPES)
def test_weighted_sums_of_every_dtype_are_bincount_s(dtype):
    pixels = noise(dtype, (37, 129))
    weights = np.random.default_rng(2).random((37, 129))
    values, counts = count_values(pixels, weights=weights)
    expected, inverse = np.unique(pixels, return_inverse=True)
    np.testing.assert_array_equal(values, expected)
    sums = np.bincount(inverse.ravel(), weights.ravel())
    np.testing.assert_allclose(counts, sums, rtol=1e-12)


def test_every_value_of_eight_and_sixteen_bits_is_told_apart():
    for dtype, bits in (("u1", 8), ("i1", 8), ("u2", 16), ("i2", 16)):
        pixels = np.arange(2**bits).astype(dtype).reshape(-1, 16)
        pixels = np.vstack([pixels, pixels[3:7]])
        check(count_values(pixels), pixels.ravel())


@pytest.mark.parametrize("run", [1, 3, 15, 16, 17, 63, 64, 65, 500])
def test_runs_of_every_length_are_counted_whole(run):
    rng = np.random.default_rng(run)
    pixels = np.repeat(rng.integers(0, 256, 4000 // run + 2, np.uint8), run)[: 61 * 64 + 5]
    check(count_values(pixels.reshape(1, -1)), pixels)
    check(count_values(pixels.reshape(-1, 1)), pixels)


def test_more_than_a_counter_of_sixteen_bits_holds():
    pixels = np.full((600, 500), 7, np.uint8)
    pixels[0, :3] = 9
    check(count_values(pixels), pixels.ravel())


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_is_one_value_and_comes_last(dtype):
    pixels = np.array([[np.nan, 1, -np.inf], [np.inf, np.nan, -1]], dtype)
    pixels[1, 1] = -pixels[0, 0]  # another bit pattern of NaN
    values, counts = count_values(pixels)
    np.testing.assert_array_equal(values, np.array([-np.inf, -1, 1, np.inf, np.nan], dtype))
    assert counts.tolist() == [1, 1, 1, 1, 2]


@pytest.mark.parametrize("dtype", FLOATS)
def test_minus_zero_is_zero(dtype):
    values, counts = count_values(np.array([[-0.0, 0.0, -0.0]], dtype))
    assert (values.tolist(), counts.tolist()) == ([0.0], [3])
    assert not np.signbit(values[0])


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_and_minus_zero_are_one_value_in_colours_too(dtype):
    pixels = np.array([[[np.nan, 0.0], [np.nan, -0.0], [1, np.nan], [1, 0]]], dtype)
    values, counts = count_values(pixels)
    expected = np.array([[1, 0], [1, np.nan], [np.nan, 0]], dtype)
    np.testing.assert_array_equal(values, expected)
    assert counts.tolist() == [1, 1, 2]
    assert not np.signbit(values[2, 1])


def test_nothing_left_gives_nothing():
    pixels = np.ones((2, 3), np.uint16)
    values, counts = count_values(pixels, np.ones((2, 3), bool))
    assert (values.shape, values.dtype, counts.shape) == ((0,), np.uint16, (0,))
    values, counts = count_values(np.ones((2, 3, 3), np.uint8), np.ones((2, 3), bool))
    assert (values.shape, counts.shape) == ((0, 3), (0,))


def test_an_array_without_pixels_gives_nothing():
    values, counts = count_values(np.ones((0, 3), np.float32))
    assert (values.shape, values.dtype, counts.shape) == ((0,), np.float32, (0,))


def views(base: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "step": base[::2, ::3],
        "reversed": base[::-1, ::-1],
        "transposed": base.swapaxes(0, 1),
        "Fortran order": np.asfortranarray(base),
        "repeated": np.broadcast_to(base[:1], base.shape),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(24, 30), (24, 30, 3)])
@pytest.mark.parametrize("name", list(views(np.zeros((1, 1)))))
def test_a_view_counts_like_its_copy_and_stays_as_it_was(name, shape, dtype):
    view = views(noise(dtype, shape))[name]
    view.flags.writeable = False
    before = view.copy()
    mask = np.random.default_rng(3).random((60, 60))[: view.shape[0], : view.shape[1]] < 0.5
    check(count_values(view, mask), before[~mask])
    np.testing.assert_array_equal(view, before)


def test_a_view_of_the_channels_counts_like_its_copy():
    pixels = noise("u1", (24, 30, 4))
    check(count_values(pixels[:, :, :3]), pixels[:, :, :3].reshape(-1, 3))
    check(count_values(pixels[:, :, ::-2]), pixels[:, :, ::-2].reshape(-1, 2))


def test_other_byte_orders_and_lists_are_taken():
    pixels = noise("u2", (5, 7))
    values, counts = count_values(pixels.astype(">u2"))
    expected = np.unique(pixels, return_counts=True)
    np.testing.assert_array_equal(values, expected[0])
    np.testing.assert_array_equal(counts, expected[1])
    values, counts = count_values([[1, 2], [2, 2]])
    assert (values.tolist(), counts.tolist()) == ([1, 2], [1, 3])


@given(
    pixels=hnp.arrays(
        st.sampled_from(DTYPES).map(np.dtype), hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)
    )
)
def test_any_grey_pixels_are_numpy_unique_s(pixels):
    check(count_values(pixels), pixels.ravel())


@pytest.mark.parametrize(
    ("pixels", "arguments"),
    [
        (np.ones((2, 3)), {"mask": np.ones((3, 2), bool)}),
        (np.ones((2, 3)), {"weights": np.ones((2, 2))}),
        (np.ones(3), {}),
        (np.ones((2, 2, 2, 2)), {}),
    ],
)
def test_shapes_that_do_not_match_are_refused(pixels, arguments):
    with pytest.raises(ValueError, match=r"shape|\(H, W\)"):
        count_values(pixels, **arguments)


@pytest.mark.parametrize("dtype", ["c16", "M8[s]", "O", "U3"])
def test_pixels_of_another_kind_are_refused(dtype):
    with pytest.raises(TypeError):
        count_values(np.zeros((2, 2), dtype))


@pytest.mark.parametrize("name", ["mask", "weights"])
@pytest.mark.parametrize("values", [[["a", "b"]], [[1j, 0]], [[None, 1]]])
def test_a_mask_or_weights_of_another_kind_are_refused_by_name(name, values):
    with pytest.raises(TypeError, match=name):
        count_values([[1, 2]], **{name: values})


def test_a_pixel_of_weight_0_is_left_out_like_a_masked_one():
    values, sums = count_values([[1, 2, 1]], weights=[[0.5, 0, 0]])
    assert (values.tolist(), sums.tolist()) == ([1], [0.5])
