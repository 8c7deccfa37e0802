"""Files of annotations: what each format says, and what is wrong with one that cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from shapely import GeometryCollection, MultiPolygon, Point, box

from annotation_files import qupath_feature, write_qupath
from ratiopath.annotations.formats import read_features
from ratiopath.annotations.geojson import class_name
from ratiopath.errors import OverlayFormatError, OverlayNotFoundError

SQUARE, OTHER = box(0, 0, 10, 10), box(20, 0, 25, 5)


def found(path, class_column="classification"):
    """The polygons of each class, as a set of their well-known text."""
    features = read_features(str(path), class_column)
    classes: dict[str, set[str]] = {}
    for polygon, index in zip(features.polygons, features.index, strict=True):
        name = features.classes[int(index)]
        classes.setdefault(name, set()).add(polygon.normalize().wkt)
    return classes


def wkts(*shapes):
    return {shape.normalize().wkt for shape in shapes}


# --- GeoJSON -------------------------------------------------------------------------------


@pytest.mark.parametrize("collection", [True, False])
def test_qupath_s_collections_and_lists(tmp_path, collection):
    holed = box(50, 50, 90, 90) - box(60, 60, 70, 70)
    several = MultiPolygon([box(100, 0, 110, 10), box(120, 0, 130, 10)])
    shapes = [(SQUARE, "Tumor"), (holed, "Stroma"), (several, "Tumor"), (OTHER, None)]
    path = write_qupath(tmp_path / "export.geojson", shapes, collection=collection)
    assert found(path) == {
        "Tumor": wkts(SQUARE, *several.geoms),
        "Stroma": wkts(holed),
        "unclassified": wkts(OTHER),
    }


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"name": "Tumor", "colorRGB": -3670016}, "Tumor"),
        ({"name": "Tumor", "color": [1, 2, 3]}, "Tumor"),
        ({"names": ["Tumor", "Positive"], "color": [1, 2, 3]}, "Tumor: Positive"),
        ({"name": "Positive", "parentClass": {"name": "Tumor"}}, "Tumor: Positive"),
        ('{"name": "Tumor", "color": [1, 2, 3]}', "Tumor"),
        ("Tumor", "Tumor"),
        ("{Tumor", "{Tumor"),
        (3, "3"),
        ({}, None),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_a_class_is_named_as_text_or_object(value, name):
    assert class_name(value) == name


def test_the_property_of_the_class_can_be_named(tmp_path):
    feature = qupath_feature(SQUARE, None)
    feature["properties"]["label"] = "fat"
    path = tmp_path / "one.json"
    path.write_text(json.dumps(feature))
    assert found(path, "label") == {"fat": wkts(SQUARE)}


def test_collections_of_geometries_give_their_polygons(tmp_path):
    mixed = GeometryCollection([Point(1, 1), SQUARE, GeometryCollection([OTHER])])
    path = write_qupath(tmp_path / "mixed.geojson", [(mixed, "a"), (None, "b")])
    assert found(path) == {"a": wkts(SQUARE, OTHER)}


def test_rings_may_be_open_and_have_heights(tmp_path):
    ring = [[0, 0, 5], [10, 0, 5], [10, 10, 5], [0, 10, 5]]
    feature = qupath_feature(None, "a")
    feature["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    path = tmp_path / "open.json"
    path.write_text(json.dumps([feature]))
    assert found(path) == {"a": wkts(SQUARE)}


def test_gzip_and_a_byte_order_mark_are_unpacked(tmp_path):
    path = write_qupath(tmp_path / "plain.geojson", [(SQUARE, "a")])
    packed = tmp_path / "packed.txt"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf\n" + Path(path).read_bytes()))
    assert found(packed) == {"a": wkts(SQUARE)}


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [1, 1]]]}, "no list of coord"),
        ({"type": "Polygon", "coordinates": [[0, 1, 2]]}, "no list of coordinates"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1], [1, 1]]]}, "no list of coordinates"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, float("nan")]]]}, "not finite"),
        ({"type": "Polygon", "coordinates": 3}, "no GeoJSON geometry"),
        ({"type": "Polygon"}, "no GeoJSON geometry"),
        ({"type": "MultiPolygon", "coordinates": [7]}, "no GeoJSON geometry"),
        ("here", "no GeoJSON geometry"),
    ],
)
def test_a_damaged_feature_names_itself(tmp_path, geometry, message):
    feature = qupath_feature(None, "a", "f-1")
    feature["geometry"] = geometry
    path = tmp_path / "bad.geojson"
    path.write_text(json.dumps([qupath_feature(SQUARE, "a"), feature]))
    with pytest.raises(OverlayFormatError, match=rf"feature 1 \(id f-1\): .*{message}.*bad"):
        read_features(str(path), "classification")


# --- ASAP ----------------------------------------------------------------------------------


def asap(*annotations):
    """An ASAP document of (name, type, group, points)."""
    body = "".join(
        f'<Annotation Name="{name}" Type="{kind}" PartOfGroup="{group}" Color="#F4FA58">'
        "<Coordinates>"
        + "".join(
            f'<Coordinate Order="{order}" X="{x}" Y="{y}" />' for order, (x, y) in enumerate(points)
        )
        + "</Coordinates></Annotation>"
        for name, kind, group, points in annotations
    )
    groups = '<AnnotationGroups><Group Name="tumor" PartOfGroup="None"/></AnnotationGroups>'
    return (
        f'<?xml version="1.0"?><ASAP_Annotations><Annotations>{body}</Annotations>{groups}'
        "</ASAP_Annotations>"
    )


def test_asap_groups_are_classes(tmp_path):
    points = [(0, 0), (10, 0), (10, 10), (0, 10)]
    others = [(20, 0), (25, 0), (25, 5), (20, 5)]
    path = tmp_path / "asap.xml"
    path.write_text(
        asap(
            ("a", "Polygon", "tumor", points),
            ("b", "Rectangle", "None", others),
            ("c", "Spline", "tumor", others),
            ("d", "Dot", "tumor", points[:1]),
            ("e", "PointSet", "tumor", points),
        )
    )
    assert found(path) == {"tumor": wkts(SQUARE, OTHER), "unclassified": wkts(OTHER)}
    assert len(read_features(str(path), "").names) == 5


def test_asap_points_are_taken_in_their_order(tmp_path):
    document = asap(("a", "Polygon", "t", [(0, 0), (10, 0), (10, 10), (0, 10)]))
    swapped = document.replace('Order="1" X="10" Y="0"', 'Order="2" X="10" Y="10"', 1)
    swapped = swapped.replace('Order="2" X="10" Y="10" /><Coordinate Order="3"', "@", 1)
    swapped = swapped.replace("@", 'Order="1" X="10" Y="0" /><Coordinate Order="3"', 1)
    path = tmp_path / "asap.xml"
    for text in (document, swapped):
        path.write_text(text)
        assert found(path) == {"t": wkts(SQUARE)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<ASAP_Annotations><Anno", "no XML"),
        ("<Annotations MicronsPerPixel='0.5'/>", "root is <Annotations>.*as GeoJSON"),
        (asap(("a", "Polygon", "t", [("x", 0)])), r"annotation 0 \(a\): a Coordinate has no"),
        (asap(("a", "Polygon", "t", [("nan", 0)] * 4)), r"annotation 0 \(a\): .*not finite"),
    ],
)
def test_damaged_xml_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "bad.xml"
    path.write_text(text)
    with pytest.raises(OverlayFormatError, match=rf"{message}.*bad\.xml"):
        read_features(str(path), "")


# --- GeoParquet ----------------------------------------------------------------------------


def write_geoparquet(path, shapes, classes, *, name="geometry", column="classification", geo=None):
    table = pa.table({name: pa.array(shapely.to_wkb(np.array(shapes, object))), column: classes})
    if geo is None:
        columns = {name: {"encoding": "WKB", "geometry_types": []}}
        geo = json.dumps({"version": "1.1.0", "primary_column": name, "columns": columns})
    if geo:
        table = table.replace_schema_metadata({"geo": geo})
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize("name", ["geometry", "shape"])
def test_geoparquet_rows_are_features(tmp_path, name):
    two = MultiPolygon([OTHER, box(30, 30, 31, 31)])
    shapes = [SQUARE, two, None, Point(1, 1)]
    path = write_geoparquet(
        tmp_path / "a.parquet", shapes, ["t", "s", "t", None], name=name, column="label"
    )
    assert found(path, "label") == {"t": wkts(SQUARE), "s": wkts(*two.geoms)}
    assert read_features(str(path), "label").classes == ["t", "s", "t", "unclassified"]


def test_geoparquet_without_metadata_has_a_column_called_geometry(tmp_path):
    path = write_geoparquet(tmp_path / "a.parquet", [SQUARE], ["t"], geo="")
    assert found(path) == {"t": wkts(SQUARE)}


def test_geoparquet_classes_may_be_objects(tmp_path):
    classes = pa.array([{"name": "t", "color": [1]}, None])
    path = write_geoparquet(tmp_path / "a.parquet", [SQUARE, OTHER], classes)
    assert found(path) == {"t": wkts(SQUARE), "unclassified": wkts(OTHER)}


@pytest.mark.parametrize(
    ("shapes", "options", "column", "message"),
    [
        ([SQUARE], {}, "label", "no column 'label', but geometry, classification: class_column="),
        ([SQUARE], {"geo": "{"}, "classification", "metadata are damaged"),
        (
            [SQUARE],
            {"geo": '{"primary_column": "g", "columns": {"g": {"encoding": "polygon"}}}'},
            "classification",
            "encoded as polygon: write it as WKB",
        ),
        ([shapely.Polygon([(0, 0), (1, np.inf), (1, 1)])], {}, "classification", "row 0: .*finite"),
    ],
)
def test_geoparquet_that_cannot_be_read_says_why(tmp_path, shapes, options, column, message):
    path = write_geoparquet(tmp_path / "bad.parquet", shapes, ["t"], **options)
    with pytest.raises(OverlayFormatError, match=rf"{message}.*bad\.parquet"):
        read_features(str(path), column)


# --- any file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is none"),
        (b"II*\0", "this is none"),
        (b'{"type": "FeatureCollection"', "no JSON"),
        (b'{"type": "Topology"}', "no GeoJSON"),
        (b"[1, 2]", "no GeoJSON"),
        (b'{"features": [1]}', "feature 0: it is no GeoJSON feature"),
        (b'{"features": [{"properties": 3}]}', "feature 0: .*properties"),
        (b"\xff\xfe{", "this is none"),
        (b"{\xff}", "no JSON"),
        (b"PAR1 and no more", "cannot be read"),
        (b"\x1f\x8b damaged", "gzip"),
    ],
)
def test_a_file_that_is_none_of_these_says_so(tmp_path, data, message):
    path = tmp_path / "bad.file"
    path.write_bytes(data)
    with pytest.raises(OverlayFormatError, match=rf"{message}.*bad\.file"):
        read_features(str(path), "classification")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(OverlayNotFoundError, match="no such"):
        read_features(str(tmp_path / "gone"), "classification")
    with pytest.raises(OverlayFormatError, match="cannot be opened"):
        read_features(str(tmp_path), "classification")
