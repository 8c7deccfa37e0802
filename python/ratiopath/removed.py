"""Modules that ratiopath 1.5.0 had and this package lacks: importing one names its substitute."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

SUBSTITUTES = {
    "ratiopath.augmentations": (
        "use the stain augmentation of TIAToolbox (tiatoolbox.tools.stainaugment) or another "
        "augmentation library"
    ),
    "ratiopath.lightning": "derive from lightning.pytorch.Callback",
    "ratiopath.masks": (
        "make tissue masks with scikit-image (skimage.filters.threshold_otsu) and write label "
        "pyramids with pyvips (tiffsave with region_shrink='nearest')"
    ),
    "ratiopath.model_selection": (
        "use sklearn.model_selection (StratifiedGroupKFold, GroupShuffleSplit)"
    ),
    "ratiopath.openslide": (
        "use openslide.OpenSlide for a slide, ratiopath.ray.read_slides to choose levels, "
        "ratiopath.tiling.read_slide_tiles for pixels"
    ),
    "ratiopath.parsers": (
        "use ratiopath.annotation_overlap, which reads GeoJSON, ASAP and GeoParquet, or read "
        "geometries with geopandas.read_file for ratiopath.tiling.tile_annotations"
    ),
    "ratiopath.ray.aggregate": "derive from ray.data.aggregate.AggregateFnV2",
    "ratiopath.ray.datasource": (
        "use ratiopath.ray.read_slides to read slides, pyvips in Dataset.map to write TIFF files"
    ),
    "ratiopath.tifffile": (
        "use tifffile.TiffFile for a file, ratiopath.tiling.read_slide_tiles for pixels"
    ),
    "ratiopath.tiling.annotations": "use 'from ratiopath.tiling import tile_annotations'",
    "ratiopath.tiling.read_slide_tiles": "use 'from ratiopath.tiling import read_slide_tiles'",
    "ratiopath.tiling.tilers": "use 'from ratiopath.tiling import grid_tiles'",
    "ratiopath.tiling.types": "annotate with ray.data.expressions.Expr",
    "ratiopath.torch": (
        "use ratiopath.tiling.read_slide_tiles and Dataset.iter_torch_batches, "
        "or openslide.OpenSlide in a dataset of your own"
    ),
}


class RemovedModules(MetaPathFinder):
    """A finder that finds nothing, but names the substitute of a module that was removed."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the signature of the import system
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> ModuleSpec | None:
        """Raise `ModuleNotFoundError` for a module that was removed, and find none."""
        if fullname in SUBSTITUTES:
            raise ModuleNotFoundError(
                f"ratiopath 2 has no module {fullname!r}: {SUBSTITUTES[fullname]}, "
                "or stay with 'ratiopath<2'",
                name=fullname,
            )
        return None


def name_substitutes() -> None:
    """Have Python name the substitute where a removed module is imported."""
    # Last, so that it is asked only for what no other finder has found.
    sys.meta_path.append(RemovedModules())
