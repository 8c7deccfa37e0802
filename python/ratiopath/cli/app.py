"""The ``ratiopath`` application: its commands, and the options before a command."""

from __future__ import annotations

from typing import Annotated

import typer

import ratiopath
from ratiopath.cli.commands.demo import demo
from ratiopath.cli.commands.info import HELP_END as INFO_END
from ratiopath.cli.commands.info import info
from ratiopath.cli.commands.overlap import HELP, HELP_END, overlap

app = typer.Typer(
    name="ratiopath",
    no_args_is_help=True,
    add_completion=False,
    # What is not caught is a fault of this package, and a plain traceback is what a report needs.
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Measure exactly what overlays (masks, label maps, heatmaps) hold under the tiles of"
        " whole-slide images, and find the tiles worth keeping."
    ),
    epilog="[dim]ratiopath COMMAND --help describes a command, with examples.[/]",
)


def _say_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(ratiopath.__version__)
        raise typer.Exit


@app.callback()
def _ratiopath(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=lambda wanted: _say_version(wanted=wanted),
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Take the options that come before a command."""


app.command(
    help=HELP, short_help="Find the tiles worth keeping.", epilog=HELP_END, no_args_is_help=True
)(overlap)
app.command(short_help="Show what is in a file.", epilog=INFO_END, no_args_is_help=True)(info)
app.command(short_help="Run the tutorial on a slide.")(demo)
