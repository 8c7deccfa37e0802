"""What annotations cover of tiles: shapely's intersection areas, to 1e-9."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

import ratiopath
from annotation_files import drawn_annotations, plain_overlap, write_qupath
from geometries import REGIONS
from ratiopath.errors import (
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayValueError,
)

TILES = [(0, 0), (100, 0), (37, 251), (300, 300), (-40, -25), (390, 10), (5000, 5000)]
XS, YS = [x for x, _ in TILES], [y for _, y in TILES]


def check(found, expected, tolerance=1e-9):
    assert len(found) == len(expected)
    for row, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert set(ours) <= set(theirs)
        for name, fraction in theirs.items():
            assert ours.get(name, 0.0) == pytest.approx(fraction, rel=0, abs=tolerance), row
        assert all(0 < fraction <= 1 for fraction in ours.values())


@pytest.fixture
def two(tmp_path):
    """A tumour of 100 x 100 and a stroma that shares a quarter of it."""
    shapes = [(box(0, 0, 100, 100), "Tumor"), (box(50, 50, 150, 150), "Stroma")]
    return write_qupath(tmp_path / "two.geojson", shapes)


# --- the answer ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("roi", [*REGIONS.values(), Point(64, 64).buffer(50), box(0, 0, 100, 100)])
@pytest.mark.parametrize("scale", [1.0, 4.0, 1 / 3, 1.37])
def test_fractions_are_shapely_s_intersection_areas(tmp_path, roi, scale):
    annotations = drawn_annotations(1, 150, 400 * scale)
    path = write_qupath(tmp_path / "drawn.geojson", annotations)
    found = ratiopath.annotation_overlap(roi, path, XS, YS, downsample=scale)
    check(found, plain_overlap(annotations, roi, TILES, (scale, scale)))
    assert found[-1] == {}


def test_the_axes_have_scales_of_their_own(tmp_path):
    annotations = drawn_annotations(2, 80, 400)
    path = write_qupath(tmp_path / "drawn.geojson", annotations)
    found = ratiopath.annotation_overlap(
        REGIONS["polygon with hole"],
        path,
        XS,
        YS,
        0.5,
        0.75,
        annotations_mpp_x=0.25,
        annotations_mpp_y=0.25,
    )
    check(found, plain_overlap(annotations, REGIONS["polygon with hole"], TILES, (2, 3)))


@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 12),
    points=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=9),
    tile=st.tuples(st.integers(-20, 60), st.integers(-20, 60)),
)
def test_any_region_on_any_annotations(tmp_path_factory, seed, count, points, tile):
    roi = shapely.make_valid(Polygon(points))
    roi = shapely.union_all([part for part in shapely.get_parts(roi) if part.area > 0])
    if roi.area < 1:
        return
    rng = np.random.default_rng(seed)
    # Whole coordinates make outlines that touch, cross in vertices and coincide.
    boxes = np.sort(rng.integers(0, 40, (count, 2, 2)), axis=1)
    annotations = [
        (box(*low, *high), str(rng.choice(["a", "b"]))) for low, high in boxes if (low < high).all()
    ]
    path = write_qupath(tmp_path_factory.mktemp("any") / "boxes.json", annotations)
    found = ratiopath.annotation_overlap(roi, path, *tile, downsample=1)
    expected = plain_overlap(annotations, roi, [tile], (1, 1))
    check(found, expected)
    # Where nothing is shared, no rounding may pretend that there is.
    assert set(found[0]) == {name for name, fraction in expected[0].items() if fraction > 1e-12}


def test_the_whole_tile_counts_without_a_region(two):
    (row,) = ratiopath.annotation_overlap(
        None, two, 0, 0, tile_extent_x=200, tile_extent_y=100, downsample=1
    )
    assert row == {"Tumor": 0.5, "Stroma": 0.25}


def test_a_tile_wholly_inside_is_exactly_1_at_any_scale(tmp_path):
    path = write_qupath(tmp_path / "all.geojson", [(box(-1e5, -1e5, 1e5, 1e5), "Tumor")])
    for roi in (box(0, 0, 512, 512), Point(256, 256).buffer(250), REGIONS["sliver"]):
        for scale in (1.0, 1 / 3, 3.9999):
            rows = ratiopath.annotation_overlap(roi, path, XS, YS, downsample=scale)
            assert rows == [{"Tumor": 1.0}] * len(rows)


def test_an_outline_of_many_vertices_is_as_exact_as_one_of_few(tmp_path):
    angles = np.linspace(0, 2 * np.pi, 20000, endpoint=False)
    radii = 20000 * (1 + 0.2 * np.sin(40 * angles))
    large = Polygon(25000 + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, np.newaxis])
    # A comb, whose teeth each cross all heights.
    teeth = [box(30 * tooth, 0, 30 * tooth + 15, 50000) for tooth in range(1600)]
    comb = shapely.union_all([*teeth, box(0, 0, 48000, 10)])
    annotations = [(large, "Tumor"), (comb, "Stroma")]
    path = write_qupath(tmp_path / "large.geojson", annotations)
    tiles = [(x, y) for x in range(0, 50000, 9973) for y in range(0, 50000, 9973)]
    for roi in (box(0, 0, 1024, 1024), Point(500, 500).buffer(500)):
        found = ratiopath.annotation_overlap(
            roi, path, [x for x, _ in tiles], [y for _, y in tiles], downsample=1
        )
        check(found, plain_overlap(annotations, roi, tiles, (1, 1)))


# --- classes -------------------------------------------------------------------------------


def test_overlapping_annotations_of_one_class_count_once(tmp_path):
    parts = MultiPolygon([box(80, 0, 90, 100), box(10, 10, 20, 20)])
    shapes = [(box(0, 0, 60, 100), "Tumor"), (box(40, 0, 80, 100), "Tumor"), (parts, "Tumor")]
    path = write_qupath(tmp_path / "a.geojson", shapes)
    assert ratiopath.annotation_overlap(box(0, 0, 100, 100), path, 0, 0, downsample=1) == [
        {"Tumor": 0.9}
    ]


def test_classes_count_all_that_they_cover_unless_exclusive(two):
    roi = box(0, 0, 100, 100)
    assert ratiopath.annotation_overlap(roi, two, 0, 0, downsample=1) == [
        {"Tumor": 1.0, "Stroma": 0.25}
    ]
    for classes, expected in (
        (("Tumor", "Stroma"), {"Tumor": 1.0}),
        (("Stroma", "Tumor"), {"Stroma": 0.25, "Tumor": 0.75}),
    ):
        (row,) = ratiopath.annotation_overlap(
            roi, two, 0, 0, downsample=1, classes=classes, exclusive=True
        )
        assert row == expected


def test_exclusive_fractions_partition_the_union(tmp_path):
    annotations = drawn_annotations(3, 120, 400)
    path = write_qupath(tmp_path / "drawn.geojson", annotations)
    order = ("Necrosis", "Tumor", "other")
    roi = Point(60, 60).buffer(55)
    found = ratiopath.annotation_overlap(
        roi, path, XS, YS, downsample=1, classes=order, exclusive=True, uncovered="glass"
    )
    named = [(shape, name if name in order else "other") for shape, name in annotations]
    first = shapely.union_all([shape for shape, name in named if name == "Necrosis"])
    second = shapely.union_all([shape for shape, name in named if name == "Tumor"]) - first
    rest = shapely.union_all([shape for shape, _ in named])
    pieces = [(first, "Necrosis"), (second, "Tumor"), (rest - first - second, "other")]
    pieces.append((box(-1e4, -1e4, 1e4, 1e4) - rest, "glass"))
    check(found, plain_overlap(pieces, roi, TILES, (1, 1)))
    assert [sum(row.values()) for row in found] == pytest.approx([1.0] * len(TILES), abs=1e-9)


def test_what_nothing_covers_has_a_key_if_asked_for(two):
    rows = ratiopath.annotation_overlap(
        box(0, 0, 100, 100), two, [0, 100, 200], [0, 100, 0], downsample=1, uncovered="none"
    )
    assert rows == [
        {"Tumor": 1.0, "Stroma": 0.25},
        {"Stroma": 0.25, "none": 0.75},
        {"none": 1.0},
    ]


def test_classes_with_one_key_are_united(two):
    (row,) = ratiopath.annotation_overlap(
        box(0, 0, 200, 200),
        two,
        0,
        0,
        downsample=1,
        classes={"Tumor": "tissue", "Stroma": "tissue"},
    )
    assert row == {"tissue": 17500 / 40000}


def test_an_undeclared_class_names_itself_the_file_and_the_row(two):
    with pytest.raises(OverlayValueError, match=r"class 'Stroma' is not .*two\.geojson.*row=0"):
        ratiopath.annotation_overlap(box(0, 0, 9, 9), two, 0, 0, downsample=1, classes="Tumor")
    (row,) = ratiopath.annotation_overlap(
        box(0, 0, 100, 100), two, 0, 0, downsample=1, classes=("Tumor", "other")
    )
    assert row == {"Tumor": 1.0, "other": 0.25}


def test_the_key_of_the_uncovered_is_no_class(two):
    options: dict[str, Any] = {
        "downsample": 1,
        "uncovered": "Tumor",
        "classes": ("Tumor", "Stroma"),
    }
    with pytest.raises(ValueError, match="is the key of a class"):
        ratiopath.annotation_overlap(box(0, 0, 9, 9), two, 0, 0, **options)
    with pytest.raises(OverlayValueError, match="'Tumor' is a class of the file"):
        ratiopath.annotation_overlap(box(0, 0, 9, 9), two, 0, 0, downsample=1, uncovered="Tumor")


# --- rows and files ------------------------------------------------------------------------


def test_rows_of_several_files_keep_their_order(tmp_path, two):
    other = write_qupath(tmp_path / "other.geojson", [(box(0, 0, 50, 100), "Fat")])
    rows = ratiopath.annotation_overlap(
        box(0, 0, 100, 100),
        [other, two, None, other],
        [0, 0, 0, 10],
        [0, 50, 0, 0],
        downsample=[1, 1, 1, 2],
        on_missing="empty",
        uncovered="none",
    )
    assert rows == [
        {"Fat": 0.5, "none": 0.5},
        {"Tumor": 0.5, "Stroma": 0.5, "none": 0.25},
        {"none": 1.0},
        {"Fat": 30 * 100 / 40000, "none": 37000 / 40000},
    ]


def test_many_rows_on_several_threads_are_those_on_one(tmp_path, monkeypatch):
    path = write_qupath(tmp_path / "drawn.geojson", drawn_annotations(4, 60, 4000))
    x, y = np.random.default_rng(0).uniform(0, 4000, (2, 5000))
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("RATIOPATH_NUM_THREADS", threads)
        found.append(ratiopath.annotation_overlap(box(0, 0, 99, 99), path, x, y, downsample=1))
    assert found[0] == found[1]
    assert sum(map(bool, found[0])) > 1000


def test_a_missing_file_names_the_row_or_counts_as_empty(tmp_path, two):
    paths = [two, str(tmp_path / "gone.geojson")]
    with pytest.raises(OverlayNotFoundError, match=r"gone\.geojson.*row=1"):
        ratiopath.annotation_overlap(box(0, 0, 9, 9), paths, [0, 0], [0, 0], downsample=1)
    rows = ratiopath.annotation_overlap(
        box(0, 0, 9, 9), paths, [0, 0], [0, 0], downsample=1, on_missing="empty"
    )
    assert rows == [{"Tumor": 1.0}, {}]


def test_invalid_polygons_are_repaired_with_a_warning_or_refused(tmp_path):
    bow = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    path = write_qupath(tmp_path / "bow.geojson", [(box(20, 0, 30, 10), "a"), (bow, "b")])
    with pytest.warns(UserWarning, match=r"1 invalid .*feature 1 \(id 5a7e-1\), Self-inter.*bow"):
        rows = ratiopath.annotation_overlap(box(0, 0, 10, 10), path, 0, 0, downsample=1)
    assert rows == [{"b": 0.5}]
    with pytest.raises(OverlayFormatError, match=r"feature 1 \(id 5a7e-1\).*invalid='repair'"):
        ratiopath.annotation_overlap(box(0, 0, 10, 10), path, 0, 0, downsample=1, invalid="error")


def test_points_and_lines_do_not_count_and_are_warned_of(tmp_path):
    line = shapely.LineString([(0, 0), (9, 9)])
    shapes = [(Point(1, 1), "dot"), (box(0, 0, 5, 10), "a"), (line, "line"), (None, "nothing")]
    path = write_qupath(tmp_path / "mixed.geojson", shapes)
    with pytest.warns(UserWarning, match=r"3 annotations have no area.*feature 0 \(id 5a7e-0\)"):
        rows = ratiopath.annotation_overlap(box(0, 0, 10, 10), path, 0, 0, downsample=1)
    assert rows == [{"a": 0.5}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "pass either downsample"),
        ({"downsample": 1, "annotations_mpp_x": 1, "annotations_mpp_y": 1}, "pass either"),
        ({"annotations_mpp_x": 1}, "annotations_mpp_y go together"),
        ({"annotations_mpp_x": 1, "annotations_mpp_y": 1}, "need mpp_x"),
        ({"downsample": 1, "exclusive": True}, "pass classes="),
        ({"downsample": 1, "invalid": "ignore"}, "invalid must be"),
        ({"downsample": 1, "on_missing": "skip"}, "on_missing must be"),
        ({"downsample": 1, "classes": ()}, "at least one name"),
        ({"downsample": 1, "classes": ["a", "a"]}, "each once"),
    ],
)
def test_wrong_arguments_fail_before_a_file_is_read(options, message):
    with pytest.raises(ValueError, match=message):
        ratiopath.annotation_overlap(box(0, 0, 9, 9), "nowhere.geojson", 0, 0, **options)


@pytest.mark.parametrize("classes", [5, [1, 2], {1: "a"}, {"a": None}])
def test_classes_are_names(classes):
    with pytest.raises(TypeError, match="classes must be names"):
        ratiopath.annotation_overlap(
            box(0, 0, 9, 9), "nowhere.geojson", 0, 0, downsample=1, classes=classes
        )


@pytest.mark.parametrize("bad", [0, -1, float("nan")])
def test_a_scale_that_cannot_be_names_the_row(two, bad):
    with pytest.raises(OverlayValueError, match=r"downsample must be positive.*row=1"):
        ratiopath.annotation_overlap(box(0, 0, 9, 9), two, [0, 0], [0, 0], downsample=[1, bad])
