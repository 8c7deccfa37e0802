"""What the command line says can be done about a slide that failed: each error is provoked."""

from __future__ import annotations

import os

import numpy as np
import pytest
from shapely import box

from overlays import labels, write_overlay
from ratiopath import OverlayError, overlay_overlap, read_overlay
from ratiopath.cli.hints import HINTS, REMEDY_IS_HINT, SLIDE_HINTS, failure_hint, hint, reason
from ratiopath.errors import CODES, OverlayAccessError, OverlayFormatError
from ratiopath.runs.pairing import SlidePair
from ratiopath.runs.plan import plan_slide
from ratiopath.runs.run import SLIDE_ERRORS, SlideFailure
from ratiopath.runs.settings import RunSettings

ROI = box(0, 0, 4, 4)


@pytest.fixture
def overlay(tmp_path):
    """Labels of 0.5 µm per pixel."""
    return write_overlay(tmp_path / "labels.tiff", [labels()], 0.5)


def planned(slide, overlay, level=0):
    tile = (4, 4)
    settings = RunSettings(overlay="", tile_extent=tile, stride=tile, level=level)
    plan_slide(SlidePair(str(slide), str(overlay)), settings)


def measured(overlay, **options):
    overlay_overlap(ROI, overlay, 0, 0, 0.5, 0.5, **options)


def missing(_overlay, folder):
    measured(folder / "gone.tif")


def folder_for_a_file(_overlay, folder):
    measured(folder)


def no_file_system(_overlay, _folder):
    measured("nothing://bucket/mask.tif")


def not_readable(_overlay, folder):
    (folder / "notes.tif").write_bytes(b"what is this?")
    measured(folder / "notes.tif")


def cut_off(_overlay, folder):
    (folder / "torn.tif").write_bytes(b"II*\0" + bytes(3))
    measured(folder / "torn.tif")


def large_image(_overlay, folder):
    path = folder / "large.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    # Sparse: no byte of it is written.
    os.truncate(path, 2**28 + 1)
    measured(path)


def without_resolution(_overlay, folder):
    measured(write_overlay(folder / "bare.tiff", [labels()]))


def other_level(overlay, _folder):
    measured(overlay, level=7)


def other_level_of_a_slide(overlay, _folder):
    planned(overlay, overlay, level=7)


def other_channel(overlay, _folder):
    measured(overlay, channel=3)


def several_channels(_overlay, folder):
    colours = np.zeros((8, 8, 3), np.uint8)
    measured(write_overlay(folder / "rgb.tiff", [colours], 0.5), bins=(0, 1))


def undeclared(overlay, _folder):
    measured(overlay, classes=(77,))


def in_no_bin(overlay, _folder):
    measured(overlay, bins=(-2, -1))


def twice_declared(_overlay, folder):
    path = write_overlay(folder / "half.tiff", [np.zeros((8, 8), np.float16)], 0.5)
    measured(path, classes={2048: "a", 2048.2: "b", "other": "c"})


def outside_of_the_dtype(overlay, _folder):
    read_overlay(ROI, overlay, -2, 0, 0.5, 0.5, outside=-1)


def out_of_proportion(overlay, _folder):
    measured(overlay, overlay_mpp_x=1e-12, overlay_mpp_y=1)


PROVOKED = [
    (missing, "not_found", "check --overlay"),
    (folder_for_a_file, "not_a_file", "--overlay must lead to a file"),
    (no_file_system, "unsupported", "check how it begins"),
    (not_readable, "unsupported", "damaged or of an unknown kind"),
    (cut_off, "corrupt", "damaged or of an unknown kind"),
    (large_image, "too_large", "rewrite the file as a tiled TIFF"),
    (without_resolution, "unknown_resolution", "--overlay-mpp says it"),
    (other_level, "no_such_level", "another --level or --overlay-level"),
    (other_level_of_a_slide, "no_such_level", "another --level or --overlay-level"),
    (other_channel, "no_such_channel", "--channel counts from 0"),
    (several_channels, "needs_channel", "--channel 0"),
    (undeclared, "undeclared_class", "--classes other=NAME"),
    (in_no_bin, "outside_bins", "let --bins begin with -inf"),
    (twice_declared, "ambiguous_class", "declare each value once"),
    (outside_of_the_dtype, "not_in_dtype", "choose an --outside"),
    (out_of_proportion, "unplaceable", "check --roi"),
]


@pytest.mark.parametrize(("provoke", "code", "words"), PROVOKED)
def test_a_failure_has_a_hint_in_the_command_line_s_options(
    overlay, tmp_path, provoke, code, words
):
    with pytest.raises(OverlayError) as caught:
        provoke(overlay, tmp_path)
    error = caught.value
    assert error.code == code
    assert words in (
        failure_hint(SlideFailure(SlidePair("slide.svs", str(error.path)), error)) or ""
    )
    assert error.remedy is not None
    assert error.remedy not in reason(error)


def test_a_slide_without_resolution_has_a_hint_of_its_own(tmp_path):
    slide = write_overlay(tmp_path / "slide.tiff", [labels()])
    pair = SlidePair(str(slide), str(tmp_path / "mask.tif"))
    with pytest.raises(OverlayError) as caught:
        planned(slide, pair.overlay)
    assert "--slide-mpp says" in (failure_hint(SlideFailure(pair, caught.value)) or "")
    own_overlay = SlidePair(str(slide), str(slide))
    assert "--overlay-mpp says" in (failure_hint(SlideFailure(own_overlay, caught.value)) or "")


def test_a_server_that_fails_may_answer_another_time():
    error = OverlayAccessError("no answer", "s3://b/m.tif", code="unreachable")
    assert "start the same command again" in (hint(error) or "")


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "--threads 1"), (OSError(28, os.strerror(28)), "folder of --output")],
)
def test_an_error_of_the_machine_has_a_hint_too(error, words):
    assert isinstance(error, SLIDE_ERRORS)
    assert words in (hint(error) or "")


def test_a_reason_that_says_all_needs_no_hint(overlay):
    with pytest.raises(OverlayError) as caught:
        overlay_overlap(ROI, overlay, np.nan, 0, 0.5, 0.5)
    assert caught.value.code == "invalid_number"
    assert hint(caught.value) is None


def test_a_reason_leaves_out_what_python_would_be_told(tmp_path):
    with pytest.raises(OverlayError) as caught:
        without_resolution(None, tmp_path)
    assert "overlay_mpp_x" in str(caught.value)
    assert reason(caught.value) == "the file does not say how many µm a pixel measures"
    assert reason(MemoryError()) == "MemoryError"


def test_every_hint_is_of_a_code_that_exists():
    assert {*HINTS, *SLIDE_HINTS, *REMEDY_IS_HINT} <= set(CODES)
    error = OverlayFormatError("Zarr needs zarr", code="missing_package", remedy="pip install it")
    assert hint(error) == "pip install it"
