"""Vendors' slides, written here as their scanners lay them out, through the public functions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image
from shapely import box

from mirax_slides import write_mirax
from ratiopath import OverlayFormatError, OverlayResolutionError, overlay_overlap, read_overlay
from ratiopath.placement.downsamples import level_mpps
from ratiopath.readers.base import ResolutionMetadata
from ratiopath.readers.opening import open_reader
from ratiopath.readers.openslide import OpenSlideReader
from ratiopath.readers.tiff.reader import TiffReader
from ratiopath.slides.rows import Tiling, read_slide_row
from readers_assembly import assemble, sizes
from vendor_cases import (
    BLACK,
    LEVELS,
    SLIDES,
    Slide,
    leica,
    mirax,
)
from vendor_slides import (
    LABELS,
    MPP,
    Area,
    labels,
    pyramid,
    write_aperio,
    write_hamamatsu,
    write_leica,
    write_philips,
    write_trestle,
    write_ventana,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(params=SLIDES, ids=lambda write: write.__name__)
def slide(request, tmp_path) -> Slide:
    return request.param(tmp_path)


def colours(pixels: np.ndarray) -> set[tuple[int, ...]]:
    return set(map(tuple, pixels.reshape(-1, 3).tolist()))


STORED = colours(LABELS)


def shares(pixels: np.ndarray) -> dict[object, float]:
    """The fraction of each colour; one of equal samples is a number."""
    values, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    keys = [value[0] if len(set(value)) == 1 else tuple(value) for value in values.tolist()]
    return dict(zip(keys, (counts / counts.sum()).tolist(), strict=True))


def test_openslide_reads_it_with_the_vendor_s_levels_and_resolution(slide):
    reader = open_reader(slide.path)
    assert type(reader) is OpenSlideReader
    assert reader.encoding == f"{slide.vendor}, by OpenSlide"
    assert sizes(reader) == [(level.shape[1], level.shape[0]) for level in slide.levels]
    assert reader.resolution == ResolutionMetadata(vendor=(MPP, MPP))


def test_every_level_s_pixels_are_those_stored(slide):
    reader = open_reader(slide.path)
    with openslide.OpenSlide(slide.path) as file:
        for k, expected in enumerate(slide.levels):
            np.testing.assert_array_equal(assemble(reader, k), expected)
            # From its origin OpenSlide blends no level.
            region = file.read_region((0, 0), k, file.level_dimensions[k])
            np.testing.assert_array_equal(np.asarray(region)[:, :, :3], expected)


def test_tiles_get_the_stored_pixels_of_the_level_that_fits(slide):
    mpps = level_mpps((MPP, MPP), open_reader(slide.path).levels)
    roi, xs, ys = box(0, 0, 40, 30), [0, 33, 20, -20], [0, 20, 15, -20]
    for level, mpp in zip(slide.levels, mpps, strict=True):
        found = overlay_overlap(roi, str(slide.path), xs, ys, *mpp)
        patches = read_overlay(roi, str(slide.path), xs, ys, *mpp)
        for row, (x, y) in enumerate(zip(xs, ys, strict=True)):
            stored = level[max(0, y) : y + 30, max(0, x) : x + 40]
            inside = patches.data[row][~patches.mask[row]]
            np.testing.assert_array_equal(inside, stored.reshape(-1, 3))
            assert found[row] == shares(stored)


def test_a_row_of_the_slide_has_the_level_s_size_and_resolution(slide):
    level = len(slide.levels) - 1
    mpp = level_mpps((MPP, MPP), open_reader(slide.path).levels)[level]
    tiling = Tiling.checked(tile_extent=16, stride=16, mpp=mpp, level=None, slide_mpp=None)
    (row,) = read_slide_row(str(slide.path), tiling).to_pylist()
    assert row["level"] == level
    assert (row["extent_y"], row["extent_x"]) == slide.levels[level].shape[:2]
    assert (row["mpp_x"], row["mpp_y"]) == mpp


# --- Bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [leica, mirax])
def test_tiles_count_from_the_origin_and_not_from_the_bounds(tmp_path, write):
    slide = write(tmp_path)
    properties = openslide.OpenSlide(slide.path).properties
    x, y = (int(properties[f"openslide.bounds-{axis}"]) for axis in "xy")
    assert (x, y) == {"leica": (100, 60), "mirax": (64, 64)}[slide.vendor]
    found = overlay_overlap(box(0, 0, 32, 32), str(slide.path), [0, x, x - 16], [0, y, y], MPP, MPP)
    scanned = slide.levels[0][y : y + 32, x : x + 32]
    assert found[:2] == [{0: 1.0}, shares(scanned)]
    assert found[2][0] == 0.5
    assert colours(scanned) <= STORED


@pytest.mark.parametrize("write", [leica, mirax])
def test_what_was_not_scanned_is_transparent_as_in_slide_tiles(tmp_path, write):
    slide = write(tmp_path)
    empty = (slide.levels[0] == 0).all(axis=2, keepdims=True)
    reader = open_reader(slide.path, transparent=255)
    np.testing.assert_array_equal(assemble(reader), np.where(empty, 255, slide.levels[0]))


# --- Resolution ---------------------------------------------------------------------------------

WITHOUT_RESOLUTION: dict[str, Callable[[Path], Path]] = {
    "leica": lambda path: write_leica(path, [Area(LEVELS, 0, 0)], (300, 300), has_resolution=False),
    "philips": lambda path: write_philips(path, pyramid(320, 192), has_spacing=False),
    "ventana": lambda path: write_ventana(path, LEVELS, scan_resolution=""),
    "trestle": lambda path: write_trestle(path, LEVELS, mpp=0),
    "aperio": lambda path: write_aperio(path, LEVELS, mpp=None),
}


@pytest.mark.parametrize("vendor", WITHOUT_RESOLUTION)
def test_a_slide_without_resolution_asks_for_it(tmp_path, vendor):
    path = str(WITHOUT_RESOLUTION[vendor](tmp_path / "a.tif"))
    with pytest.raises(OverlayResolutionError, match="overlay_mpp_x"):
        overlay_overlap(box(0, 0, 32, 32), path, 0, 0, MPP, MPP)
    given: dict[str, Any] = {"overlay_mpp_x": MPP, "overlay_mpp_y": MPP}
    pixels = assemble(open_reader(path))[:32, :32]
    assert overlay_overlap(box(0, 0, 32, 32), path, 0, 0, MPP, MPP, **given) == [shares(pixels)]


# --- What is whose ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        {"description": "Label_Image"},
        {"description": "Thumbnail"},
        {"software": "ScanOutputManager 1.1"},
        {"description": "whatever"},
    ],
)
def test_a_bif_is_known_by_its_packet_whatever_its_first_page_is(tmp_path, words):
    reader = open_reader(write_ventana(tmp_path / "a.tif", LEVELS, **words))
    np.testing.assert_array_equal(assemble(reader, 1), LEVELS[1])


def test_a_tiff_with_an_editor_s_packet_is_read_as_stored(tmp_path):
    packet = b"<x:xmpmeta/>"
    extra = (700, 1, len(packet), packet, True)
    options: dict[str, Any] = {"photometric": "rgb", "tile": (64, 64), "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", LEVELS[0], extratags=[extra], **options)
    reader = open_reader(tmp_path / "a.tif")
    assert type(reader) is TiffReader
    np.testing.assert_array_equal(assemble(reader), LEVELS[0])


def test_a_mirax_slide_without_its_folder_is_refused(tmp_path):
    path = write_mirax(tmp_path / "a.mrxs", LEVELS)
    path.with_suffix("").rename(tmp_path / "elsewhere")
    with pytest.raises(OverlayFormatError, match="no backend reads the file"):
        open_reader(path)


@pytest.mark.parametrize("size", [(301, 203), (300, 200), (307, 193)])
def test_an_aperio_slide_of_uneven_levels_equals_openslide_without_its_other_images(tmp_path, size):
    levels = pyramid(*size)
    path = write_aperio(tmp_path / "a.svs", levels)
    reader = open_reader(path)
    assert type(reader) is TiffReader
    assert reader.resolution == ResolutionMetadata(vendor=(MPP, MPP))
    with openslide.OpenSlide(path) as file:
        assert set(file.associated_images) == {"thumbnail", "label", "macro"}
        assert sizes(reader) == list(file.level_dimensions)
        for k, level in enumerate(levels):
            assert level.shape[1::-1] == file.level_dimensions[k]
            region = file.read_region((0, 0), k, file.level_dimensions[k])
            np.testing.assert_array_equal(assemble(reader, k), np.asarray(region)[:, :, :3])


def test_mirax_tiles_in_jpeg_equal_libjpeg_s(tmp_path):
    reader = open_reader(mirax(tmp_path, "JPEG").path)
    stream = io.BytesIO()
    Image.fromarray(LEVELS[0][64:128, 64:128]).save(stream, "JPEG")
    expected = np.asarray(Image.open(stream))
    np.testing.assert_array_equal(assemble(reader)[64:128, 64:128], expected)


def test_a_vms_equals_openslide_at_every_level_and_libjpeg_at_those_stored(tmp_path):
    """OpenSlide makes further levels by averaging, as libjpeg decodes a JPEG smaller."""
    columns, overview = [labels(256, 128, 1), labels(256, 128, 2)], labels(64, 16)
    path = write_hamamatsu(tmp_path / "a.vms", columns, overview)
    reader = open_reader(path)
    assert type(reader) is OpenSlideReader
    assert reader.resolution == ResolutionMetadata(vendor=(MPP, MPP))
    with openslide.OpenSlide(path) as file:
        assert sizes(reader) == list(file.level_dimensions)
        for k, size in enumerate(file.level_dimensions):
            region = np.asarray(file.read_region((0, 0), k, size))[:, :, :3]
            np.testing.assert_array_equal(assemble(reader, k), region)
    images = [np.asarray(Image.open(tmp_path / f"image{x}.jpg")) for x in (0, 1)]
    np.testing.assert_array_equal(assemble(reader), np.concatenate(images, axis=1))
    stored = sizes(reader).index((64, 16))
    np.testing.assert_array_equal(
        assemble(reader, stored), np.asarray(Image.open(tmp_path / "map.jpg"))
    )


# --- What OpenSlide blends ----------------------------------------------------------------------


def test_a_level_longer_than_openslide_reads_at_once_invents_no_label(tmp_path):
    """Its downsample, 2.03, comes near enough to whole positions all along."""
    levels = [labels(16821, 35), labels(8400, 17)]
    path = write_trestle(tmp_path / "a.tif", levels)
    with openslide.OpenSlide(path) as file:
        whole = np.asarray(file.read_region((0, 0), 1, (8400, 17)))[:, :, :3]
    assert not colours(whole) <= STORED
    np.testing.assert_array_equal(assemble(open_reader(path), 1), levels[1])


def test_a_level_turned_on_its_side_invents_no_label_either(tmp_path):
    levels = [labels(35, 16821), labels(17, 8400)]
    reader = open_reader(write_trestle(tmp_path / "a.tif", levels))
    np.testing.assert_array_equal(assemble(reader, 1), levels[1])


@pytest.mark.parametrize("vendor", ["trestle", "leica"])
def test_where_no_start_divides_to_a_whole_pixel_the_segment_is_refused(tmp_path, vendor):
    """A downsample of 2.00006 meets whole pixels near the origin, and then for long not."""
    levels = [labels(16401, 128), labels(8200, 64)]
    if vendor == "trestle":
        path = str(write_trestle(tmp_path / "a.tif", levels))
    else:
        path = str(write_leica(tmp_path / "a.scn", [Area(levels, 0, 0)], (16401, 200)))
    roi, mpp = box(0, 0, 64, 64), level_mpps((MPP, MPP), open_reader(path).levels)[1]
    within = levels[1][:64, 4000:4064]
    assert overlay_overlap(roi, path, 4000, 0, *mpp, level=1) == [shares(within)]
    with pytest.raises(OverlayFormatError, match="choose another one with level="):
        overlay_overlap(roi, path, 7000, 0, *mpp, level=1)
    whole = levels[0][:64, 16000:16064]
    assert overlay_overlap(roi, path, 16000, 0, MPP, MPP) == [shares(whole)]


def test_level_0_of_a_mirax_slide_is_as_the_camera_took_it(tmp_path):
    """Below it OpenSlide itself blends tiles that lie at odd places, which no reader can undo."""
    places = [(64 * x + x % 2, 64 * y + y) for y in range(3) for x in range(4)]
    path = write_mirax(tmp_path / "a.mrxs", LEVELS, positions=places)
    reader = open_reader(path)
    expected = np.zeros((192, 256, 3), np.uint8)
    for number, (left, top) in reversed(list(enumerate(places))):
        row, column = divmod(number, 4)
        tile = LEVELS[0][64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        under = expected[top : top + 64, left : left + 64]
        tile = tile[: under.shape[0], : under.shape[1]]
        under[...] = np.where((under == 0).all(axis=2, keepdims=True), tile, under)
    np.testing.assert_array_equal(assemble(reader), expected)
    with openslide.OpenSlide(path) as file:
        region = np.asarray(file.read_region((0, 0), 1, file.level_dimensions[1]))[:, :, :3]
    np.testing.assert_array_equal(assemble(reader, 1), region)
    assert not colours(region) <= STORED | {BLACK}
