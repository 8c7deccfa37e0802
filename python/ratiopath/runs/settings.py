"""What a run was asked to do: all that decides a tile's fractions and whether it is kept.

Two runs with equal settings give equal tables, which is why a checkpoint is reused only then.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from ratiopath._core import __version__
from ratiopath.call.options import overlap_options
from ratiopath.runs.roi_argument import parse_roi
from ratiopath.slides.rows import Tiling
from ratiopath.values.conditions import Keep

if TYPE_CHECKING:
    from typing import Any

    from ratiopath.call.options import OverlapOptions
    from ratiopath.call.region import Region
    from ratiopath.placement.resolution import Pair
    from ratiopath.slides.grid import LastTile

# The pipeline knows nothing of "skip": slides are skipped before they get there.
MissingRule: TypeAlias = Literal["error", "empty", "skip"]


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The options of a run.

    Attributes:
        overlay: Where a slide's overlay is, see `ratiopath.runs.pairing.overlay_path`.
        tile_extent: Width and height of a tile, in pixels of the chosen level.
        stride: Distance from one tile to the next along x and y, in the same pixels.
        mpp: Wanted µm per pixel of the tiles along x and y; the nearest level is taken.
        level: The slide's level to take tiles from; exactly one of ``mpp`` and ``level`` is set.
        slide_mpp: µm per pixel of level 0 of every slide, instead of what the files say.
        last: What happens to a last tile that does not end at the edge, see `grid_tiles`.
        roi: The region of interest as text, see `ratiopath.runs.roi_argument.parse_roi`.
        overlay_mpp: µm per pixel of level 0 of every overlay, instead of what the files say.
        overlay_level: The overlay's level to read, instead of the nearest one.
        spans_slide: Assume that overlays without a resolution span their slide.
        coverage: ``"center"``, ``"all_touched"`` or ``"exact"``.
        outside: ``"clip"``, or the value that pixels beyond the overlay's edge count as.
        channel: The only channel to read.
        nodata: Values to leave out.
        classes: Names of values, as pairs; the value ``"other"`` collects the rest.
        bins: Edges, to count ranges instead of values.
        on_missing: ``"error"``, ``"empty"``, or ``"skip"`` to leave such slides out.
        keep: Conditions, see `ratiopath.values.conditions`.
    """

    # Numbers, texts and tuples of such only: they are written into the checkpoint as JSON.
    overlay: str
    tile_extent: tuple[int, int]
    stride: tuple[int, int]
    mpp: Pair | None = None
    level: int | None = None
    slide_mpp: Pair | None = None
    last: LastTile = "keep"
    roi: str = "tile"
    overlay_mpp: Pair | None = None
    overlay_level: int | None = None
    spans_slide: bool = False
    coverage: str = "center"
    outside: str | float = "clip"
    channel: int | None = None
    nodata: tuple[Any, ...] = ()
    classes: tuple[tuple[Any, str], ...] | None = None
    bins: tuple[float, ...] | None = None
    on_missing: MissingRule = "error"
    keep: tuple[str, ...] = ()

    @cached_property
    def tiling(self) -> Tiling:
        """What is wanted of every slide.

        Raises:
            ValueError: A number is out of range.
        """
        return Tiling.checked(
            self.tile_extent, self.stride, self.mpp, self.level, slide_mpp=self.slide_mpp
        )

    @cached_property
    def options(self) -> OverlapOptions:
        """The options of the overlap.

        Raises:
            ValueError: An option has a value that it does not know, or two exclude each other.
            TypeError: An option has the wrong type.
        """
        return overlap_options(
            coverage=self.coverage,
            outside=self.outside,
            channel=self.channel,
            # Slides to skip never come this far.
            on_missing="error" if self.on_missing == "error" else "empty",
            nodata=list(self.nodata) or None,
            classes=None if self.classes is None else dict(self.classes),
            bins=self.bins,
            storage_options=None,
        )

    @cached_property
    def region(self) -> Region:
        """The region of interest.

        Raises:
            ValueError: The text is not a region.
        """
        return parse_roi(self.roi, self.tile_extent)

    @cached_property
    def conditions(self) -> Keep:
        """Which tiles to keep.

        Raises:
            ValueError: A condition cannot be parsed, or asks for a class that is not declared.
        """
        return Keep.parse(self.keep, self.options.selection.declared_keys)

    def check(self) -> None:
        """Refuse settings that cannot work, before any file is opened.

        Raises:
            ValueError: Says which and why.
            TypeError: An option has the wrong type.
        """
        # Each of these checks its own part when it is first asked for.
        _ = self.tiling, self.options, self.region, self.conditions
        if self.overlay_level is not None and self.overlay_level < 0:
            raise ValueError(f"the overlay's level counts from 0, got {self.overlay_level}")

    def as_json(self) -> dict[str, Any]:
        """Return the settings, and the version that they are for, as JSON would hold them."""
        plain = {"version": __version__, **asdict(self)}
        # Through JSON and back: tuples become lists, as they are when read from a checkpoint.
        settings: dict[str, Any] = json.loads(json.dumps(plain))
        return settings


def short_hash(text: str) -> str:
    """Return 20 characters that stand for a text in a file's name."""
    # 80 bits: two of a billion slides share them with a probability of 1e-6.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:20]
