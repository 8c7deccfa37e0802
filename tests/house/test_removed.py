"""Modules of ratiopath 1.5.0 that are not provided say what to use instead."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from ratiopath.removed import SUBSTITUTES, RemovedModules

# Every module of the wheel of 1.5.0, by its shortest name that leads to one which is not provided.
OF_1_5_0 = (
    "augmentations",
    "augmentations.estimate_stain_vectors",
    "augmentations.stain_augmentor",
    "lightning.callbacks",
    "masks",
    "masks.mask_builders",
    "masks.tile_mask",
    "masks.tissue_mask",
    "masks.vips_filters",
    "masks.write_big_tiff",
    "model_selection",
    "model_selection.split",
    "openslide",
    "parsers",
    "parsers.asap_parser",
    "parsers.darwin7_json_parser",
    "parsers.empaia_parser",
    "parsers.geojson_parser",
    "ray",
    "ray.aggregate",
    "ray.aggregate.tensor_mean",
    "ray.aggregate.tensor_std",
    "ray.datasource",
    "ray.datasource.slide_metadatasource",
    "ray.datasource.vips_tiff_datasink",
    "ray.read_slides",
    "tifffile",
    "tiling",
    "tiling.annotations",
    "tiling.overlays",
    "tiling.read_slide_tiles",
    "tiling.tilers",
    "tiling.types",
    "tiling.utils",
    "torch.data.openslide_tile_reader",
)


def removed_package(module: str) -> str | None:
    parts = f"ratiopath.{module}".split(".")
    ancestors = (".".join(parts[: length + 1]) for length in range(len(parts)))
    return next((name for name in ancestors if name in SUBSTITUTES), None)


@pytest.mark.parametrize("module", OF_1_5_0)
def test_a_module_of_the_former_version_is_there_or_names_its_substitute(module):
    removed = removed_package(module)
    if removed is None:
        import_module(f"ratiopath.{module}")
        return
    with pytest.raises(ModuleNotFoundError) as raised:
        import_module(f"ratiopath.{module}")
    assert str(raised.value) == (
        f"ratiopath 2 has no module '{removed}': {SUBSTITUTES[removed]}, or stay with 'ratiopath<2'"
    )
    assert raised.value.name == removed


def test_importing_a_name_names_the_substitute_too():
    with pytest.raises(ImportError, match=r"ratiopath\.annotation_overlap"):
        from ratiopath.parsers import GeoJSONParser  # noqa: F401, PLC0415 # pyright: ignore[reportMissingImports, reportUnusedImport] - the point of the test


def test_every_substitute_is_for_a_module_that_is_not_provided():
    assert {removed_package(module) for module in OF_1_5_0} - {None} == set(SUBSTITUTES)


def test_a_module_that_never_was_is_not_found_as_ever():
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'ratiopath\.parser'$"):
        import_module("ratiopath.parser")
    assert find_spec("ratiopath.parser") is None


def test_other_packages_of_these_names_are_found():
    assert RemovedModules().find_spec("parsers", None) is None
    assert find_spec("tifffile") is not None


def test_the_finder_is_asked_last_and_once():
    finders = [type(finder) for finder in sys.meta_path]
    assert finders.count(RemovedModules) == 1
