"""The options of ``ratiopath overlap``: their names, groups and help texts."""

# Typer reads names, types and help from annotations. They are kept here, away from the command, so
# that its signature can be read at a glance.

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_TILES = "Tiles"
_OVERLAYS = "Overlays"
_VALUES = "Values"
_RUN = "Run"


class Last(StrEnum):
    """What happens to a last tile that does not end at the slide's edge."""

    KEEP = "keep"
    DROP = "drop"
    SHIFT = "shift"


class PixelRule(StrEnum):
    """Which pixels are inside the region."""

    CENTER = "center"
    ALL_TOUCHED = "all_touched"
    EXACT = "exact"


class MissingOverlay(StrEnum):
    """What happens to a slide without an overlay."""

    ERROR = "error"
    SKIP = "skip"
    EMPTY = "empty"


Slides = Annotated[
    list[str],
    typer.Argument(metavar="SLIDES", show_default=False, help="Slides, folders or glob patterns."),
]
Overlay = Annotated[
    str,
    typer.Option(
        metavar="PATTERN",
        show_default=False,
        help="Where a slide's overlay is, relative to the slide's folder or absolute. {stem} is the"
        " slide's name without its extension, {name} with it, {parent} its folder.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FILE", dir_okay=False, help="The table to write, as Parquet."
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        file_okay=False,
        show_default=False,
        help="Draw a picture of each slide, and overviews of all slides, into this folder.",
    ),
]
KeepTexts = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONDITION",
        show_default=False,
        help="Keep tiles by the fraction that a value or class covers: '255>=0.5',"
        " 'tissue>=0.5 and fat<0.2'. If given several times, all must hold.",
    ),
]

Tile = Annotated[
    str,
    typer.Option(
        "--tile",
        "--tile-extent",
        metavar="PX",
        rich_help_panel=_TILES,
        help="Width and height of a tile: 512, or 512x256.",
    ),
]
Stride = Annotated[
    str | None,
    typer.Option(
        metavar="PX",
        rich_help_panel=_TILES,
        show_default="the tile",
        help="Distance from one tile to the next.",
    ),
]
Mpp = Annotated[
    str | None,
    typer.Option(
        metavar="µM",
        rich_help_panel=_TILES,
        show_default=False,
        help="µm per pixel of the tiles, which are taken from the slide's nearest level.",
    ),
]
Level = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_TILES,
        show_default="0 without --mpp",
        help="The slide's level to take tiles from.",
    ),
]
LastTile = Annotated[
    Last,
    typer.Option(
        "--last",
        rich_help_panel=_TILES,
        help="A last tile that does not end at the slide's edge extends past it, is dropped, or is"
        " shifted back.",
    ),
]
SlideMpp = Annotated[
    str | None,
    typer.Option(
        metavar="µM",
        rich_help_panel=_TILES,
        show_default="as the file says",
        help="µm per pixel of level 0 of every slide.",
    ),
]
Roi = Annotated[
    str,
    typer.Option(
        metavar="REGION",
        rich_help_panel=_TILES,
        help="The part of a tile that counts: tile, inset:64, box:128,128,384,384, circle,"
        " circle:200, or a polygon as WKT, in pixels of the tile.",
    ),
]

OverlayMpp = Annotated[
    str | None,
    typer.Option(
        metavar="µM",
        rich_help_panel=_OVERLAYS,
        show_default="as the file says",
        help="µm per pixel of level 0 of every overlay.",
    ),
]
SpansSlide = Annotated[
    bool,
    typer.Option(
        "--spans-slide",
        metavar="",
        rich_help_panel=_OVERLAYS,
        help="Assume that overlays without a resolution span their slide.",
    ),
]
OverlayLevel = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_OVERLAYS,
        show_default="the nearest in resolution",
        help="The overlay's level to read. 0 is safe if coarser levels may hold averages.",
    ),
]
Missing = Annotated[
    MissingOverlay,
    typer.Option(
        "--on-missing",
        rich_help_panel=_OVERLAYS,
        help="A slide without an overlay fails, is left out, or counts as having no overlay"
        " pixels.",
    ),
]

Classes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VALUE=NAME,...",
        rich_help_panel=_VALUES,
        show_default=False,
        help="Names of values: 0=background,255=tissue. other=NAME collects the rest; without it"
        " any other value is an error. A colour is written as (255,0,0)=tumour.",
    ),
]
Bins = Annotated[
    str | None,
    typer.Option(
        metavar="EDGES",
        rich_help_panel=_VALUES,
        show_default=False,
        help="Count ranges of values, for heatmaps: 0,0.5,1.",
    ),
]
Nodata = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VALUES",
        rich_help_panel=_VALUES,
        show_default=False,
        help="Values to leave out altogether: 0,7.",
    ),
]
Channel = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_VALUES,
        show_default="all",
        help="Read only this channel of the overlay.",
    ),
]
CoverageRule = Annotated[
    PixelRule,
    typer.Option(
        "--coverage",
        rich_help_panel=_VALUES,
        help="Count pixels whose centre is inside the region, all pixels that it touches, or each"
        " by the exact area inside.",
    ),
]
Outside = Annotated[
    str,
    typer.Option(
        metavar="clip|VALUE",
        rich_help_panel=_VALUES,
        help="Pixels beyond the overlay's edge do not count, or count as this value.",
    ),
]
Absent = Annotated[
    str,
    typer.Option(
        metavar="NUMBER|null",
        rich_help_panel=_VALUES,
        help="What to write if a value does not occur in a tile.",
    ),
]

KeepAll = Annotated[
    bool,
    typer.Option(
        "--all",
        metavar="",
        rich_help_panel=_RUN,
        help="Also write dropped tiles; the column kept tells them apart.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        metavar="",
        rich_help_panel=_RUN,
        help="Show what would be done; write nothing.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        rich_help_panel=_RUN,
        help="Print the summary as JSON, and nothing else.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        metavar="",
        rich_help_panel=_RUN,
        help="Stop at the first slide that fails.",
    ),
]
Restart = Annotated[
    bool,
    typer.Option(
        "--restart",
        metavar="",
        rich_help_panel=_RUN,
        help="Discard an unfinished run's results and start over.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", rich_help_panel=_RUN, show_default="all CPUs", help="Number of threads."
    ),
]
