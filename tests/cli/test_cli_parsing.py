"""Option texts of the command line, and the regions of interest among them."""

from __future__ import annotations

import math

import pytest
import shapely
import typer

from ratiopath.cli import parsing
from ratiopath.runs.pairing import SlidePair, find_pairs, overlay_path
from ratiopath.runs.roi_argument import parse_roi


def test_sizes_and_resolutions():
    assert parsing.whole_pair("512") == (512, 512)
    assert parsing.whole_pair("512x256") == (512, 256)
    assert parsing.mpp_pair("0.5") == (0.5, 0.5)
    assert parsing.mpp_pair("0.5,0.25") == (0.5, 0.25)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parsing.whole_pair, "0"),
        (parsing.whole_pair, "5.5"),
        (parsing.whole_pair, "1x2x3"),
        (parsing.mpp_pair, "-1"),
        (parsing.mpp_pair, "inf"),
        (parsing.mpp_pair, "1,2,3"),
        (parsing.mpp_pair, "fine"),
        (parsing.edges, "0,half"),
        (parsing.outside, "keep"),
        (parsing.absent, "nothing"),
    ],
)
def test_a_wrong_text_is_a_usage_error_that_shows_it(parse, text):
    with pytest.raises(typer.BadParameter, match=repr(text)[1:-1]) as raised:
        parsing.usage("--option", parse, text)
    assert raised.value.param_hint == "'--option'"


def test_classes_are_values_with_names():
    texts = ["0=background, 255 = blood vessel", "(255,0,0)=tumour,other=rest"]
    expected = ((0, "background"), (255, "blood vessel"), ((255, 0, 0), "tumour"))
    assert parsing.classes(texts) == (*expected, ("other", "rest"))
    assert parsing.classes(["0,2.0,other"]) == ((0, "0"), (2.0, "2"), ("other", "other"))
    assert parsing.classes([]) is None


@pytest.mark.parametrize("text", ["tissue=255", "=a", "0=a=b,c", "(1,2=x"])
def test_classes_that_are_none(text):
    with pytest.raises(ValueError, match=r"understood|numbers"):
        parsing.classes([text])


def test_values_edges_and_the_rest():
    assert parsing.values(["0,7", "(255,0,0)", "nan"])[:3] == (0, 7, (255, 0, 0))
    assert math.isnan(parsing.values(["nan"])[0])
    assert parsing.edges("-inf,0.5,inf") == (-math.inf, 0.5, math.inf)
    assert [parsing.outside(text) for text in ("clip", "0", "0.5")] == ["clip", 0, 0.5]
    assert [parsing.absent(text) for text in ("null", "0", "-1")] == [None, 0.0, -1.0]
    with pytest.raises(ValueError, match="no names"):
        parsing.values(["0=background"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tile", shapely.box(0, 0, 100, 50)),
        ("inset:10", shapely.box(10, 10, 90, 40)),
        ("box:1,2,30.5,40", shapely.box(1, 2, 30.5, 40)),
        ("POLYGON ((0 0, 5 0, 0 5, 0 0))", shapely.Polygon([(0, 0), (5, 0), (0, 5)])),
    ],
)
def test_regions(text, expected):
    region = parse_roi(text, (100, 50))
    assert shapely.Polygon(region.vertices).equals(expected)


@pytest.mark.parametrize(("text", "radius"), [("circle", 25), ("circle:40", 40)])
def test_circles_lie_in_the_tile_s_middle(text, radius):
    region = parse_roi(text, (100, 50))
    assert region.bounds == pytest.approx((50 - radius, 25 - radius, 50 + radius, 25 + radius))
    assert len(region.vertices) == 257
    area = shapely.Polygon(region.vertices).area
    assert area == pytest.approx(math.pi * radius**2, rel=2e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("square", "'square' is no region of interest: write tile, inset:64"),
        ("inset", "no region"),
        ("inset:x", "no region"),
        ("inset:25", "leaves nothing of a tile of 100 x 50 px"),
        ("box:1,2,3", "no region"),
        ("POLYGON ((0 0", "no geometry in WKT"),
        ("POINT (1 1)", "polygon"),
        ("circle:0", "empty|area"),
    ],
)
def test_regions_that_are_none(text, message):
    with pytest.raises(ValueError, match=message):
        parse_roi(text, (100, 50))


@pytest.mark.parametrize(
    ("slide", "pattern", "expected"),
    [
        ("data/a.svs", "{stem}_mask.tif", "data/a_mask.tif"),
        ("a.svs", "{stem}_mask.tif", "a_mask.tif"),
        ("data/a.b.ome.tiff", "masks/{stem}.tif", "data/masks/a.b.tif"),
        ("data/a.svs", "../{name}.tif", "data/../a.svs.tif"),
        ("data/a.svs", "{parent}_masks/{stem}.tif", "data_masks/a.tif"),
        ("data/a.svs", "/masks/{stem}.tif", "/masks/a.tif"),
        ("s3://b/k/a.svs", "{stem}.tif", "s3://b/k/a.tif"),
        ("data/a.svs", "s3://b/{stem}.tif", "s3://b/a.tif"),
    ],
)
def test_overlays_by_pattern(slide, pattern, expected):
    assert overlay_path(slide, pattern) == expected


@pytest.mark.parametrize("pattern", ["{suffix}", "{0}", "{stem", "{stem.x}"])
def test_patterns_with_unknown_fields(pattern):
    with pytest.raises(ValueError, match=r"only \{stem\}, \{name\}, \{parent\} are filled in"):
        overlay_path("a.svs", pattern)


def test_an_overlay_in_the_slides_folder_is_no_slide(tmp_path, monkeypatch):
    for name in ("a.tif", "a_mask.tif", "b.tif"):
        (tmp_path / name).touch()
    found = find_pairs([str(tmp_path)], "{stem}_mask.tif")
    a, b, mask = (str(tmp_path / name) for name in ("a.tif", "b.tif", "a_mask.tif"))
    assert found.pairs == [SlidePair(a, mask), SlidePair(b, str(tmp_path / "b_mask.tif"))]
    assert found.overlays == [mask]
    assert find_pairs([mask, a, a], "{stem}_mask.tif").pairs[0].slide == mask
    assert len(find_pairs([mask, a, a], "{stem}_mask.tif").pairs) == 2
    assert len(find_pairs([str(tmp_path)], "{name}").pairs) == 3
    monkeypatch.chdir(tmp_path.parent)
    relative = find_pairs([tmp_path.name], f"{tmp_path}/{{stem}}_mask.tif")
    assert relative.overlays == [f"{tmp_path.name}/a_mask.tif"]
