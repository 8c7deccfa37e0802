"""Which pages of a TIFF are levels, channels and planes, and how many µm it says a pixel has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from overlays import write_overlay
from ratiopath.errors import OverlayFormatError
from ratiopath.readers.base import ResolutionMetadata
from ratiopath.readers.tiff.metadata import resolution_metadata
from ratiopath.readers.tiff.reader import TiffReader
from readers_assembly import assemble, sizes

BASE = np.random.default_rng(3).integers(0, 5, (150, 201), np.uint8)
HALVES = [BASE, BASE[::2, ::2], BASE[::4, ::4]]
TILE: dict[str, Any] = {"tile": (32, 32), "compression": "deflate"}
STRIPS = {"rowsperstrip": 9, "compression": "lzw"}
OPTIONS: dict[str, Any] = {"photometric": "minisblack", "metadata": None, **TILE}


def assert_levels(reader, levels):
    assert sizes(reader) == [(level.shape[1], level.shape[0]) for level in levels]
    for index, level in enumerate(levels):
        expected = level if level.ndim == 3 else level[:, :, np.newaxis]
        np.testing.assert_array_equal(assemble(reader, index), expected)


def write_pages(path, pages, **options):
    """Write pages (pixels, NewSubfileType)."""
    with tifffile.TiffWriter(path) as tiff:
        for pixels, kind in pages:
            tiff.write(pixels, subfiletype=kind, **(OPTIONS | options))
    return TiffReader(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "overlay.tif"


@pytest.mark.parametrize("ome", [False, True])
@pytest.mark.parametrize("tile", [(16, 16), None])
def test_a_pyramid_s_levels_are_found_in_pages_and_in_subifds(path, tile, ome):
    write_overlay(path, HALVES, 0.5, tile=tile, ome=ome)
    assert_levels(TiffReader(path), HALVES)


def test_levels_that_are_not_marked_reduced_are_found_where_they_halve(path):
    assert_levels(write_pages(path, [(level, 0) for level in HALVES]), HALVES)


def test_reduced_levels_by_any_factor_are_found(path):
    levels = [BASE, BASE[::7, ::7], BASE[::15, ::15]]
    reader = write_pages(path, [(levels[0], 0), (levels[1], 1), (levels[2], 1)])
    assert_levels(reader, levels)


@pytest.mark.parametrize("steps", [(1, 7, 14), (1, 2, 7, 14), (1, 3, 6, 12), (1, 7, 14, 28)])
def test_reduced_levels_that_halve_among_themselves_are_found(path, steps):
    levels = [BASE[::step, ::step] for step in steps]
    pages = [(level, 0 if level is levels[0] else 1) for level in levels]
    assert_levels(write_pages(path, pages), levels)


def test_levels_are_ordered_by_size(path):
    reader = write_pages(path, [(HALVES[0], 0), (HALVES[2], 1), (HALVES[1], 1)])
    assert_levels(reader, HALVES)


def test_a_mask_page_is_no_level(path):
    mask = BASE > 2
    pages = [(BASE, 0), (mask, 4), (HALVES[1], 1), (HALVES[1] > 2, 5), (HALVES[2], 1)]
    assert_levels(write_pages(path, pages), HALVES)


def test_a_reduced_page_of_another_aspect_is_no_level(path):
    assert_levels(write_pages(path, [(BASE, 0), (BASE[::2, ::5], 1)]), [BASE])


def test_a_reduced_page_of_the_next_image_is_no_level(path):
    other = np.ones((120, 170), np.uint8)
    pages = [(BASE, 0), (BASE[::7, ::7], 1), (other, 0), (other[::10, ::10], 1)]
    assert_levels(write_pages(path, pages), [BASE, BASE[::7, ::7]])


def test_pages_of_one_size_are_planes_of_which_the_first_is_read(path):
    assert_levels(write_pages(path, [(BASE, 0), (BASE + 1, 0), (BASE + 2, 0)]), [BASE])


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        ({"imagej": True}, {}),
        *((kind, layout) for kind in ({"ome": True}, {}) for layout in ({}, TILE, STRIPS)),
    ],
)
def test_channels_stored_as_pages_are_channels_and_not_levels(path, kind, layout):
    channels = np.stack([BASE, BASE + 10, BASE + 20]).astype(np.uint16)
    tifffile.imwrite(
        path, channels, photometric="minisblack", metadata={"axes": "CYX"}, **kind, **layout
    )
    assert_levels(TiffReader(path), [np.moveaxis(channels, 0, 2)])


@pytest.mark.parametrize("axes", ["ZCYX", "TCYX", "CZYX"])
def test_of_z_and_t_the_first_plane_is_read(path, axes):
    stack = np.stack([np.stack([BASE + 10 * i + j for j in range(2)]) for i in range(2)])
    tifffile.imwrite(path, stack, photometric="minisblack", ome=True, metadata={"axes": axes})
    channels = stack[:, 0] if axes[0] == "C" else stack[0]
    assert_levels(TiffReader(path), [np.moveaxis(channels, 0, 2)])


def test_channels_keep_their_levels_in_subifds(path):
    levels = [np.stack([level, level + 10]) for level in HALVES]
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for index, level in enumerate(levels):
            first = index == 0
            options: dict[str, Any] = (
                {"subifds": 2, "metadata": {"axes": "CYX"}} if first else {"subfiletype": 1}
            )
            tiff.write(level, photometric="minisblack", **TILE, **options)
    assert_levels(TiffReader(path), [np.moveaxis(level, 0, 2) for level in levels])


def test_of_several_ome_images_the_first_is_read(path):
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for pixels, size in ((BASE, 0.5), (BASE[:40, :40], 4.0)):
            metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
            tiff.write(pixels, photometric="minisblack", metadata=metadata)
    reader = TiffReader(path)
    assert_levels(reader, [BASE])
    assert reader.resolution.ome == (0.5, 0.5)


def test_a_plane_in_another_file_is_refused(tmp_path):
    channels = np.stack([BASE, BASE + 1])
    whole = tmp_path / "whole.ome.tif"
    tifffile.imwrite(whole, channels, photometric="minisblack", ome=True, metadata={"axes": "CYX"})
    with tifffile.TiffFile(whole) as tiff:
        description = tiff.pages.first.description
    elsewhere = '<TiffData IFD="0" PlaneCount="1" FirstC="1"><UUID FileName="b.tif">urn:b</UUID>'
    assert 'PlaneCount="2"' in description
    description = description.replace("</Pixels>", f"{elsewhere}</TiffData></Pixels>").replace(
        'PlaneCount="2"', 'PlaneCount="1"'
    )
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, BASE, photometric="minisblack", description=description.encode(), metadata=None
    )
    with pytest.raises(OverlayFormatError, match="not in this file"):
        TiffReader(path)


@pytest.mark.parametrize(
    ("unit", "micrometres"),
    [("µm", 1.0), ("nm", 1e-3), ("mm", 1e3), ("cm", 1e4), ("m", 1e6), ("Å", 1e-4), ("in", 25400.0)],
)
def test_ome_sizes_are_converted_to_micrometres(path, unit, micrometres):
    metadata = {
        "axes": "YX",
        "PhysicalSizeX": 0.5,
        "PhysicalSizeXUnit": unit,
        "PhysicalSizeY": 0.25,
        "PhysicalSizeYUnit": unit,
    }
    tifffile.imwrite(path, BASE, photometric="minisblack", ome=True, metadata=metadata)
    assert TiffReader(path).resolution.ome == (0.5 * micrometres, 0.25 * micrometres)


@pytest.mark.parametrize("unit", ["pixel", "reference frame"])
def test_ome_sizes_that_are_no_lengths_count_for_nothing(path, unit):
    units = {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    metadata = {"axes": "YX", "PhysicalSizeX": 1.0, "PhysicalSizeY": 1.0, **units}
    tifffile.imwrite(path, BASE, photometric="minisblack", ome=True, metadata=metadata)
    assert TiffReader(path).resolution.ome is None


def test_ome_sizes_without_a_unit_are_micrometres(path):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25}
    tifffile.imwrite(path, BASE, photometric="minisblack", ome=True, metadata=metadata)
    assert TiffReader(path).resolution.ome == (0.5, 0.25)


@pytest.mark.parametrize(
    ("unit", "micrometres"),
    [("INCH", 25400.0), ("CENTIMETER", 10000.0), ("MILLIMETER", 1000.0), ("MICROMETER", 1.0)],
)
def test_resolution_tags_are_pixels_per_unit(path, unit, micrometres):
    options = {"resolution": (20000, 10000), "resolutionunit": unit}
    reader = write_pages(path, [(BASE, 0)], **options)
    assert reader.resolution == ResolutionMetadata(tags=(20000.0, 10000.0, micrometres))


@pytest.mark.parametrize(
    "tags",
    [
        {282: (2, 1), 283: (2, 1), 296: 1},
        {282: (0, 1), 283: (2, 1), 296: 2},
        {282: (2, 0), 283: (2, 1), 296: 2},
        {282: None, 283: (2, 1), 296: 2},
        {282: (1, 2, 3, 4), 283: "two", 296: 2},
        {},
    ],
)
def test_resolution_tags_without_a_unit_or_a_number_count_for_nothing(tags):
    assert resolution_metadata(tags, "") == ResolutionMetadata()


def test_resolution_tags_without_a_unit_s_tag_are_per_inch(path):
    Image.fromarray(BASE).save(path, tiffinfo={282: 1000.0, 283: 500.0})
    assert TiffReader(path).resolution == ResolutionMetadata(tags=(1000.0, 500.0, 25400.0))


def test_aperio_s_mpp_is_the_vendor_s_word(path):
    description = "Aperio Image Library v11\r\n201x150 (32x32) |AppMag = 20|MPP = 0.4990|Left = 1"
    reader = write_pages(path, [(BASE, 0)], description=description)
    assert reader.resolution == ResolutionMetadata(vendor=(0.499, 0.499))


def test_the_thumbnail_label_and_macro_of_an_aperio_slide_are_no_levels(path):
    pages = [(BASE, 0), (BASE[::3, ::3], 0), (HALVES[1], 0), (BASE[:99, :99], 1), (BASE[:9], 9)]
    with tifffile.TiffWriter(path) as tiff:
        for index, (pixels, kind) in enumerate(pages):
            tiled: dict[str, Any] = TILE if index in (0, 2) else {}
            options: dict[str, Any] = {
                "description": "Aperio x |MPP = 0.5",
                "metadata": None,
                "photometric": 1,
            }
            tiff.write(pixels, subfiletype=kind, **options, **tiled)
    assert_levels(TiffReader(path), HALVES[:2])
