"""Scales, level downsamples, the source of a resolution and the choice of a level."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratiopath.errors import OverlayResolutionError, OverlayValueError
from ratiopath.placement.downsamples import level_downsamples, level_mpps
from ratiopath.placement.levels import choose_level
from ratiopath.placement.resolution import base_mpp, find_base_mpp, snap_scale
from ratiopath.readers.base import Level, ResolutionMetadata

INCH = 25400.0
CENTIMETRE = 10000.0


def level(width, height):
    return Level(width, height, 256, 256)


def downsamples(*sizes):
    return level_downsamples([level(*size) for size in sizes])


def resolve(metadata, *, size=(100, 200), override=None, tile_mpp=(0.5, 0.5), slide_extent=None):
    return base_mpp(
        metadata,
        path="mask.tif",
        level0=level(*size),
        override=override,
        tile_mpp=tile_mpp,
        slide_extent=slide_extent,
    )


# --- snap_scale -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "snapped"),
    [
        (0.252 / 0.50400000788, 0.5),
        (1.0000009, 1.0),
        (0.0312500001, 1 / 32),
        (1 / 64 * (1 + 9e-7), 1 / 64),
        (2 / 3 + 1e-8, 2 / 3),
        (12.300001, 12.3),
        (63 / 64, 63 / 64),
        (1 / 3, 1 / 3),
    ],
)
def test_a_scale_near_a_simple_ratio_becomes_that_ratio(scale, snapped):
    assert snap_scale(scale) == snapped


@pytest.mark.parametrize("scale", [1.0000012, 1 / 65, 1e-9, math.pi, 0.0, -0.5, math.inf, 66 / 65])
def test_a_scale_away_from_simple_ratios_is_unchanged(scale):
    assert snap_scale(scale) == scale


def test_the_smallest_denominator_wins():
    # 1000001 / 2 is nearer than 500000 / 1, but both are within 1e-6.
    assert snap_scale(500000.5) == 500000.0


def nearest_ratio_by_search(scale):
    exact = Fraction(scale)
    for q in range(1, 65):
        for p in {math.floor(exact * q), math.ceil(exact * q)}:
            if p >= 1 and abs(exact - Fraction(p, q)) <= Fraction(1, 10**6) * Fraction(p, q):
                return p / q
    return scale


@given(st.floats(1e-3, 200), st.integers(1, 64), st.floats(-2e-6, 2e-6))
def test_snapping_agrees_with_a_search_in_exact_fractions(scale, q, noise):
    ratio = max(round(scale * q), 1) / q
    for candidate in (scale, ratio * (1 + noise)):
        # At the tolerance itself, float64 and fractions may round to different sides.
        if abs(abs(candidate / ratio - 1) - 1e-6) > 1e-12:
            assert snap_scale(candidate) == nearest_ratio_by_search(candidate)


@given(st.floats(1e-4, 200))
def test_snapping_twice_changes_nothing(scale):
    assert snap_scale(snap_scale(scale)) == snap_scale(scale)


# --- level_downsamples ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(100, 60)], [(1, 1)]),
        ([(1, 1)], [(1, 1)]),
        ([(101, 61), (50, 30), (25, 15)], [(1, 1), (2, 2), (4, 4)]),
        ([(101, 61), (51, 31), (26, 16)], [(1, 1), (2, 2), (4, 4)]),
        ([(101, 61), (50, 31)], [(1, 1), (2, 2)]),
        ([(46000, 32914), (11500, 8228)], [(1, 1), (4, 4)]),
        ([(2220, 2967), (222, 297)], [(1, 1), (10, 10)]),
        ([(300, 300), (100, 100)], [(1, 1), (3, 3)]),
        ([(40, 40), (40, 40)], [(1, 1), (1, 1)]),
    ],
    ids=str,
)
def test_one_integer_serves_both_axes(sizes, expected):
    assert downsamples(*sizes) == tuple(expected)


def test_without_a_fitting_integer_each_axis_has_its_own_ratio():
    assert downsamples((10, 10), (7, 7)) == ((1, 1), (10 / 7, 10 / 7))
    assert downsamples((100, 100), (50, 25)) == ((1, 1), (2, 4))
    assert downsamples((10, 10), (20, 20)) == ((1, 1), (0.5, 0.5))


def test_the_nearest_fitting_integer_wins_where_no_power_of_two_fits():
    # 14 alone gives 71 (71.4); 28 and 29 give 35 (35.7, 34.5), and the square root is 28.57.
    assert downsamples((1000, 1000), (71, 71))[1] == (14, 14)
    assert downsamples((1000, 1000), (35, 35))[1] == (29, 29)


def test_a_power_of_two_wins_over_a_nearer_integer():
    # 14 / k rounds to 3, down or up, for k = 4, 5 and 6; the square root is 4.67.
    assert downsamples((14, 14), (3, 3))[1] == (4, 4)
    # 17 / k rounds to 2 for k = 6 to 16; the square root is 8.5, so 8 is nearer than 16.
    assert downsamples((17, 17), (2, 2))[1] == (8, 8)


def test_a_tie_goes_to_the_smaller():
    # 3 -> 1: 2 and everything above fits, sqrt is 3, as far from 2 as from 4.
    assert downsamples((3, 3), (1, 1))[1] == (2, 2)


def test_a_level_of_one_pixel_costs_no_search():
    # Every k above 150000 fits; 2^18 = 262144 is nearer to 300000 than 2^19.
    assert downsamples((300000, 300000), (1, 1))[1] == (262144, 262144)


def downsample_by_search(width0, height0, width, height):
    def fits(size0, size, k):
        return size in (size0 // k, -(-size0 // k))

    limit = 4 * max(width0, height0)
    fitting = [k for k in range(1, limit) if fits(width0, width, k) and fits(height0, height, k)]
    if not fitting:
        return width0 / width, height0 / height
    root = math.sqrt(width0 * height0 / (width * height))
    powers = [k for k in fitting if k & (k - 1) == 0]
    k = min(powers or fitting, key=lambda k: (abs(k - root), k))
    return k, k


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 200), st.integers(1, 200))
def test_downsamples_agree_with_a_search(width0, height0, width, height):
    expected = downsample_by_search(width0, height0, width, height)
    assert downsamples((width0, height0), (width, height))[1] == expected


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 40), st.booleans())
def test_downsamples_of_levels_that_fit_agree_with_a_search(width0, height0, k, up):
    width, height = (max(-(-n // k) if up else n // k, 1) for n in (width0, height0))
    expected = downsample_by_search(width0, height0, width, height)
    assert downsamples((width0, height0), (width, height))[1] == expected


@given(st.integers(3, 10**6), st.integers(3, 10**6), st.lists(st.booleans(), max_size=18))
def test_repeated_halving_by_floor_or_ceil_gives_powers_of_two(width, height, ups):
    sizes = [(width, height)]
    for up in ups:
        halved = tuple((n + 1) // 2 if up else n // 2 for n in sizes[-1])
        if min(halved) < 1 or max(halved) < 3:
            break
        sizes.append(halved)
    assert downsamples(*sizes) == tuple((2**n, 2**n) for n in range(len(sizes)))


def test_the_mpp_of_a_level_is_that_of_level_0_times_its_downsample():
    levels = [level(101, 61), level(50, 30)]
    assert level_mpps((0.25, 0.5), levels) == ((0.25, 0.5), (0.5, 1.0))


# --- base_mpp -------------------------------------------------------------------------------


def test_sources_are_believed_in_order():
    tags = (20000.0, 10000.0, CENTIMETRE)
    full = ResolutionMetadata(ome=(0.2, 0.3), vendor=(0.4, 0.6), tags=tags)
    assert resolve(full, override=(9.0, 8.0)) == (9.0, 8.0)
    assert resolve(full, slide_extent=(400, 400)) == (0.2, 0.3)
    assert resolve(ResolutionMetadata(vendor=(0.4, 0.6), tags=tags)) == (0.4, 0.6)
    assert resolve(ResolutionMetadata(tags=tags)) == (0.5, 1.0)
    assert resolve(ResolutionMetadata(), slide_extent=(400, 400)) == (2.0, 1.0)


@pytest.mark.parametrize(
    ("metadata", "slide_extent", "source"),
    [
        (ResolutionMetadata(ome=(1.0, 1.0)), None, "ome"),
        (ResolutionMetadata(vendor=(1.0, 1.0)), None, "vendor"),
        (ResolutionMetadata(tags=(1e4, 1e4, 1e4)), None, "tags"),
        (ResolutionMetadata(), (100, 200), "slide_extent"),
    ],
)
def test_the_source_is_named(metadata, slide_extent, source):
    found = find_base_mpp(
        metadata,
        path="mask.tif",
        level0=level(100, 200),
        tile_mpp=(1.0, 1.0),
        slide_extent=slide_extent,
    )
    assert found == ((1.0, 1.0), source)


@pytest.mark.parametrize("bad", [0.0, -0.5, math.nan, math.inf])
def test_a_number_in_the_file_that_cannot_be_counts_as_absent(bad):
    metadata = ResolutionMetadata(ome=(bad, 0.5), vendor=(0.5, bad), tags=(5000, 5000, CENTIMETRE))
    assert resolve(metadata) == (2.0, 2.0)
    broken = ResolutionMetadata(tags=(bad, 5000, CENTIMETRE))
    assert resolve(broken, slide_extent=(100, 200)) == (0.5, 0.5)


@pytest.mark.parametrize("unit", [INCH, CENTIMETRE, 1000.0, 1.0])
@pytest.mark.parametrize("default", [25.4, 72.0, 96.0, 300.0])
def test_software_defaults_in_the_tags_count_as_absent(default, unit):
    pixels = default * unit / INCH
    for tags in [(pixels, pixels, unit), (pixels, unit, unit), (unit, pixels, unit)]:
        with pytest.raises(OverlayResolutionError, match="software default"):
            resolve(ResolutionMetadata(tags=tags))
        assert resolve(ResolutionMetadata(tags=tags), slide_extent=(400, 400)) == (2.0, 1.0)


@pytest.mark.parametrize("pixels_per_cm", [28.35, 28.34, 37.8, 118.0, 118.11, 10.0])
def test_software_defaults_rounded_per_centimetre_count_as_absent(pixels_per_cm):
    with pytest.raises(OverlayResolutionError):
        resolve(ResolutionMetadata(tags=(pixels_per_cm, pixels_per_cm, CENTIMETRE)))


@pytest.mark.parametrize("pixels_per_inch", [71.5, 73.0, 95.5, 100.0, 299.0, 301.0, 25400.0])
def test_other_tags_are_a_measurement(pixels_per_inch):
    tags = (pixels_per_inch, pixels_per_inch, INCH)
    mpp = INCH / pixels_per_inch
    assert resolve(ResolutionMetadata(tags=tags)) == (mpp, mpp)


def test_a_missing_resolution_names_the_file_and_both_ways_out():
    with pytest.raises(OverlayResolutionError) as caught:
        resolve(ResolutionMetadata())
    assert caught.value.path == "mask.tif"
    for words in ("mask.tif", "overlay_mpp_x", "overlay_mpp_y", "slide_extent_x", "slide_extent_y"):
        assert words in str(caught.value)


def test_a_slide_extent_without_tiles_says_nothing():
    with pytest.raises(OverlayResolutionError):
        resolve(ResolutionMetadata(), tile_mpp=None, slide_extent=(100, 100))


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_impossible_numbers_of_the_caller_are_an_error(bad):
    known = ResolutionMetadata(ome=(0.5, 0.5))
    with pytest.raises(OverlayValueError, match=r"overlay_mpp_x.*mask\.tif"):
        resolve(known, override=(0.5, bad))
    with pytest.raises(OverlayValueError, match=r"slide_extent_x.*mask\.tif"):
        resolve(ResolutionMetadata(), slide_extent=(bad, 100))
    with pytest.raises(OverlayValueError, match=r"got.*mask\.tif"):
        resolve(ResolutionMetadata(), tile_mpp=(bad, 0.5), slide_extent=(100, 100))


# --- choose_level ---------------------------------------------------------------------------


PYRAMID = [(0.25, 0.25), (0.5, 0.5), (1.0, 1.0), (2.0, 2.0)]


@pytest.mark.parametrize(
    ("tile_mpp", "chosen"),
    [(0.25, 0), (0.5, 1), (0.3, 0), (0.45, 1), (0.8, 2), (100.0, 3), (0.01, 0)],
)
def test_the_nearest_level_is_chosen(tile_mpp, chosen):
    assert choose_level(PYRAMID, (tile_mpp, tile_mpp)) == chosen


@pytest.mark.parametrize("noise", [-1e-7, 0.0, 1e-7])
def test_on_a_tie_the_finer_level_is_chosen(noise):
    assert choose_level(PYRAMID, (0.375 + noise, 0.375)) == 0
    assert choose_level(PYRAMID, (0.75, 0.75 + noise)) == 1
    assert choose_level(PYRAMID[::-1], (0.75, 0.75 + noise)) == 2


def test_beyond_the_tolerance_there_is_no_tie():
    assert choose_level(PYRAMID, (0.3750005, 0.3750005)) == 1


def test_both_axes_count_alike():
    assert choose_level([(1.0, 3.0), (2.5, 2.5)], (1.0, 1.0)) == 0
    assert choose_level([(1.0, 4.5), (2.5, 2.5)], (1.0, 1.0)) == 1
