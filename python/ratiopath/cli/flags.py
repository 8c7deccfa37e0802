"""The options of ``ratiopath overlap``: their names, their groups, and what the help says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_TILES = "Tiles"
_OVERLAYS = "Overlays"
_VALUES = "What is counted"
_RUN = "The run"


class Last(StrEnum):
    """What becomes of a last tile that does not end at the slide's edge."""

    KEEP = "keep"
    DROP = "drop"
    SHIFT = "shift"


class PixelRule(StrEnum):
    """When a pixel is inside the region."""

    CENTER = "center"
    ALL_TOUCHED = "all_touched"
    EXACT = "exact"


class MissingOverlay(StrEnum):
    """What becomes of a slide without an overlay."""

    ERROR = "error"
    SKIP = "skip"
    EMPTY = "empty"


Slides = Annotated[
    list[str],
    typer.Argument(
        metavar="SLIDES", show_default=False, help="Slides, folders, and glob patterns."
    ),
]
Overlay = Annotated[
    str,
    typer.Option(
        metavar="PATTERN",
        show_default=False,
        help="Where a slide's overlay lies, relative to the slide's folder or absolute. {stem} is"
        " the slide's name without its extension, {name} with it, {parent} its folder.",
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="The table, as Parquet."),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        file_okay=False,
        show_default=False,
        help="Draw a picture of each slide, and of all of them, into this folder.",
    ),
]
KeepTexts = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONDITION",
        show_default=False,
        help="Keep tiles of which a value or class covers so much: '255>=0.5',"
        " 'tissue>=0.5 and fat<0.2'. Given several times, all must hold.",
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
        help="From one tile to the next.",
    ),
]
Mpp = Annotated[
    str | None,
    typer.Option(
        metavar="µM",
        rich_help_panel=_TILES,
        show_default=False,
        help="µm per pixel of the tiles: they are taken from the slide's level that is nearest.",
    ),
]
Level = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_TILES,
        show_default="0 without --mpp",
        help="The slide's level that tiles are taken from.",
    ),
]
LastTile = Annotated[
    Last,
    typer.Option(
        "--last",
        rich_help_panel=_TILES,
        help="A last tile that does not end at the slide's edge reaches past it, is dropped, or is"
        " shifted back.",
    ),
]
SlideMpp = Annotated[
    str | None,
    typer.Option(
        metavar="µM",
        rich_help_panel=_TILES,
        show_default="as the file says",
        help="µm per pixel of every slide's level 0.",
    ),
]
Roi = Annotated[
    str,
    typer.Option(
        metavar="REGION",
        rich_help_panel=_TILES,
        help="The part of a tile that counts: tile, inset:64, box:128,128,384,384, circle,"
        " circle:200, or a polygon as WKT, in px of the tile.",
    ),
]

OverlayMpp = Annotated[
    str | None,
    typer.Option(
        metavar="µM",
        rich_help_panel=_OVERLAYS,
        show_default="as the file says",
        help="µm per pixel of every overlay's level 0.",
    ),
]
SpansSlide = Annotated[
    bool,
    typer.Option(
        "--spans-slide",
        metavar="",
        rich_help_panel=_OVERLAYS,
        help="Overlays that do not say their resolution span their slide.",
    ),
]
OverlayLevel = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_OVERLAYS,
        show_default="the nearest in resolution",
        help="The overlay's level to read. 0 is safe where coarser ones were averaged.",
    ),
]
Missing = Annotated[
    MissingOverlay,
    typer.Option(
        "--on-missing",
        rich_help_panel=_OVERLAYS,
        help="A slide without an overlay fails, is left out, or is covered by nothing.",
    ),
]

Classes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VALUE=NAME,...",
        rich_help_panel=_VALUES,
        show_default=False,
        help="What values mean: 0=background,255=tissue. other=NAME gathers the rest, without it"
        " any other value is an error. A colour is written (255,0,0)=tumour.",
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
        help="Values that do not count at all: 0,7.",
    ),
]
Channel = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=_VALUES,
        show_default="all",
        help="The overlay's only channel to read.",
    ),
]
CoverageRule = Annotated[
    PixelRule,
    typer.Option(
        "--coverage",
        rich_help_panel=_VALUES,
        help="Pixels count whose centre is in the region, all that it touches, or by exact area.",
    ),
]
Outside = Annotated[
    str,
    typer.Option(
        metavar="clip|VALUE",
        rich_help_panel=_VALUES,
        help="Pixels beyond the overlay do not count, or count as this value.",
    ),
]
Absent = Annotated[
    str,
    typer.Option(
        metavar="NUMBER|null",
        rich_help_panel=_VALUES,
        help="What is written where a value does not occur.",
    ),
]

KeepAll = Annotated[
    bool,
    typer.Option(
        "--all",
        metavar="",
        rich_help_panel=_RUN,
        help="Write dropped tiles too; column kept tells.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", metavar="", rich_help_panel=_RUN, help="Say what would be done; write nothing."
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
        help="Stop at the first slide that fails, instead of going on.",
    ),
]
Restart = Annotated[
    bool,
    typer.Option(
        "--restart",
        metavar="",
        rich_help_panel=_RUN,
        help="Do not go on with what an unfinished run has left.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", rich_help_panel=_RUN, show_default="all CPUs", help="Threads to use."
    ),
]
