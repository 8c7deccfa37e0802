"""``ratiopath overlap``: parses the options into settings and runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from ratiopath.cli import flags, parsing
from ratiopath.cli.steps import RunOptions, run_overlap
from ratiopath.runs.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Result = TypeVar("Result")

_FAILED = 1

# A paragraph is one line: the terminal wraps it.
HELP = (
    "Find the tiles worth keeping: measure what an overlay holds under every tile of each slide."
    "\n\n"
    "Slides and overlays may have any size and resolution. For each tile the table has the fraction"
    " that each value or class of the overlay covers. If a slide fails, it is reported, and the"
    " others are still measured. To resume a run that was stopped, start it again."
)
HELP_END = """
[bold]Tiles with at least half tissue, and pictures; the masks are next to the slides:[/]

[cyan]ratiopath overlap slides/ --overlay "{stem}_mask.tif" --mpp 0.5 --keep "255>=0.5" --plot plots/[/]

[bold]Named classes, only the middle of each tile, masks in another folder:[/]

[cyan]ratiopath overlap "slides/*.svs" --overlay "../masks/{stem}.tif" --roi inset:128
--classes 0=background,1=tissue,2=fat --keep "tissue>=0.5 and fat<0.2"[/]

[bold]Exit codes:[/] 0 all slides done, 1 some slides failed, 2 wrong usage, 130 interrupted.
"""  # noqa: E501 - commands to copy


def overlap(
    slides: flags.Slides,
    *,
    overlay: flags.Overlay,
    keep: flags.KeepTexts = None,
    output: flags.Output = Path("tiles.parquet"),
    plot: flags.Plot = None,
    tile: flags.Tile = "512",
    stride: flags.Stride = None,
    mpp: flags.Mpp = None,
    level: flags.Level = None,
    last: flags.LastTile = flags.Last.KEEP,
    slide_mpp: flags.SlideMpp = None,
    roi: flags.Roi = "tile",
    overlay_mpp: flags.OverlayMpp = None,
    spans_slide: flags.SpansSlide = False,
    overlay_level: flags.OverlayLevel = None,
    on_missing: flags.Missing = flags.MissingOverlay.ERROR,
    classes: flags.Classes = None,
    bins: flags.Bins = None,
    nodata: flags.Nodata = None,
    channel: flags.Channel = None,
    coverage: flags.CoverageRule = flags.PixelRule.CENTER,
    outside: flags.Outside = "clip",
    absent: flags.Absent = "0",
    keep_all: flags.KeepAll = False,
    dry_run: flags.DryRun = False,
    as_json: flags.AsJson = False,
    strict: flags.Strict = False,
    restart: flags.Restart = False,
    threads: flags.Threads = None,
) -> None:
    """Find the tiles worth keeping; its help is `HELP`."""
    tile_extent = parsing.usage("--tile", parsing.whole_pair, tile)
    settings = RunSettings(
        overlay=overlay,
        tile_extent=tile_extent,
        stride=optional("--stride", parsing.whole_pair, stride) or tile_extent,
        mpp=optional("--mpp", parsing.mpp_pair, mpp),
        # RunSettings wants exactly one of the two.
        level=0 if level is None and mpp is None else level,
        slide_mpp=optional("--slide-mpp", parsing.mpp_pair, slide_mpp),
        last=last.value,
        roi=roi,
        overlay_mpp=optional("--overlay-mpp", parsing.mpp_pair, overlay_mpp),
        overlay_level=overlay_level,
        spans_slide=spans_slide,
        coverage=coverage.value,
        outside=parsing.usage("--outside", parsing.outside, outside),
        channel=channel,
        nodata=_several("--nodata", parsing.values, nodata) or (),
        classes=_several("--classes", parsing.classes, classes),
        bins=optional("--bins", parsing.edges, bins),
        on_missing=on_missing.value,
        keep=tuple(keep or ()),
    )
    options = RunOptions(
        output=output,
        plot=plot,
        absent=parsing.usage("--absent", parsing.absent, absent),
        keep_all=keep_all,
        dry_run=dry_run,
        as_json=as_json,
        strict=strict,
        restart=restart,
        threads=threads,
    )
    outcome = run_overlap(slides, settings, options)
    # The table is written all the same, so scripts must be told by the exit code.
    if outcome.failed:
        raise typer.Exit(_FAILED)


def optional(option: str, parse: Callable[[str], Result], text: str | None) -> Result | None:
    """Parse an option's text, if it was given."""
    return None if text is None else parsing.usage(option, parse, text)


def _several(
    option: str, parse: Callable[[Iterable[str]], Result], texts: list[str] | None
) -> Result | None:
    return None if not texts else parsing.usage(option, parse, texts)
