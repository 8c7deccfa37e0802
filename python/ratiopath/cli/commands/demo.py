"""``ratiopath demo``: its options, and its errors as messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ratiopath.cli.console import say_error
from ratiopath.errors import OverlayError, OverlayResolutionError

_YOURS = "Your own slide"
_TILES = "Tiles"


def demo(
    slide: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            rich_help_panel=_YOURS,
            show_default="a generated one",
            help="A slide; needs --overlay.",
        ),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            rich_help_panel=_YOURS,
            show_default=False,
            help="The tissue mask of that slide.",
        ),
    ] = None,
    value: Annotated[
        str,
        typer.Option(rich_help_panel=_YOURS, help="The value of the overlay that means tissue."),
    ] = "255",
    slide_mpp: Annotated[
        float | None,
        typer.Option(
            metavar="µM",
            rich_help_panel=_YOURS,
            show_default="as the file says",
            help="µm per pixel of level 0 of the slide.",
        ),
    ] = None,
    overlay_mpp: Annotated[
        float | None,
        typer.Option(
            metavar="µM",
            rich_help_panel=_YOURS,
            show_default="as the file says",
            help="µm per pixel of level 0 of the overlay.",
        ),
    ] = None,
    tile_extent: Annotated[
        int,
        typer.Option(
            "--tile",
            "--tile-extent",
            min=1,
            metavar="PX",
            rich_help_panel=_TILES,
            help="Width and height of a tile.",
        ),
    ] = 512,
    stride: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="PX",
            rich_help_panel=_TILES,
            show_default="the tile",
            help="Distance from one tile to the next.",
        ),
    ] = None,
    mpp: Annotated[
        float | None,
        typer.Option(
            metavar="µM",
            rich_help_panel=_TILES,
            show_default="the slide's finest level",
            help="µm per pixel of the tiles.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the results.")
    ] = Path("demo-output"),
) -> None:
    """Run the tutorial on a local Ray: generate a slide and a tissue mask, and find its tiles.

    Writes a table and a picture. For real work use [cyan]ratiopath overlap[/].
    """
    if (slide is None) != (overlay is None):
        raise typer.BadParameter("--slide and --overlay go together")
    # Options are checked before: a mistake should not wait for Ray to start.
    from ratiopath.demo.tutorial import DemoSettings, run  # noqa: PLC0415 - imports Ray, which takes its time

    settings = DemoSettings(
        slide=slide,
        overlay=overlay,
        overlay_mpp=overlay_mpp,
        slide_mpp=slide_mpp,
        value=value,
        output=output,
        tile_extent=tile_extent,
        stride=stride or tile_extent,
        mpp=mpp,
    )
    try:
        run(settings, Console())
    except (OverlayError, ValueError) as error:
        # Ray's error has the worker's traceback in its message; its cause is the error itself.
        cause, hints = getattr(error, "cause", error), []
        if isinstance(cause, OverlayResolutionError):
            # Its remedy is in Python's words.
            cause = cause.with_remedy(None)
            hints = ["The options --overlay-mpp and --slide-mpp give a file's µm per pixel."]
        say_error(str(cause), *hints)
        raise typer.Exit(1) from error
