"""The command line of the demo: its options, and its errors in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ratiopath.demo import Settings, run
from ratiopath.errors import OverlayError, OverlayResolutionError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Overlay pixels under the tiles of whole-slide images: exactly, and fast.",
)


@app.callback()
def ratiopath() -> None:
    """Keep ``demo`` a named command, although it is the only one."""


@app.command()
def demo(
    slide: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A slide; default: one made on the spot."),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The tissue mask aligned with the slide."),
    ] = None,
    overlay_mpp: Annotated[
        float | None, typer.Option(help="µm per pixel of the overlay, where its file lacks it.")
    ] = None,
    slide_mpp: Annotated[
        float | None, typer.Option(help="µm per pixel of the slide, where its file lacks it.")
    ] = None,
    value: Annotated[str, typer.Option(help="The overlay value that means tissue.")] = "255",
    output: Annotated[Path, typer.Option(file_okay=False, help="Folder for the results.")] = Path(
        "demo-output"
    ),
    tile_extent: Annotated[
        int, typer.Option(min=1, help="Width and height of a tile, in px.")
    ] = 512,
    stride: Annotated[
        int | None,
        typer.Option(min=1, help="From one tile to the next, in px; default: the tile extent."),
    ] = None,
    mpp: Annotated[
        float | None,
        typer.Option(help="µm per pixel of the tiles; default: the slide's finest level."),
    ] = None,
) -> None:
    """Find the tiles of a slide that are at least half tissue, and draw them."""
    if (slide is None) != (overlay is None):
        raise typer.BadParameter("--slide and --overlay go together")
    settings = Settings(
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
        _say_error(error)
        raise typer.Exit(1) from error


def _say_error(error: Exception) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error:", style="bold red", end=" ")
    # What Ray raises holds the worker's traceback in its text; its cause is the error itself.
    console.print(str(getattr(error, "cause", error)), markup=False)
    if isinstance(error, OverlayResolutionError):
        console.print("The options --overlay-mpp and --slide-mpp give a file's µm per pixel.")
