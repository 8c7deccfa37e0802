"""``ratiopath info``: what is in a file, as text or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ratiopath.cli.console import say_error
from ratiopath.errors import OverlayError
from ratiopath.slides.report import inspect
from ratiopath.values.pixels import MOST_LABELS

if TYPE_CHECKING:
    from ratiopath.slides.report import LevelReport, Report, Values

# More values than this are counted, not listed.
_LISTED = 16
HELP_END = (
    "Large levels are sampled, and the output says so. [bold]Exit codes:[/] 0 done, 1 the file"
    " cannot be read, 2 wrong usage."
)
_SOURCES = {"ome": "OME-XML", "vendor": "the vendor's property", "tags": "the resolution tags"}


def info(
    file: Annotated[
        str, typer.Argument(metavar="FILE", show_default=False, help="A slide or an overlay.")
    ],
    *,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            metavar="",
            help="Read every pixel, instead of a sample of each large level.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print JSON, and nothing else.")
    ] = False,
) -> None:
    """Show what is in a file: levels, resolution and its source, values, warnings."""
    try:
        report = inspect(file, complete=complete)
    except OverlayError as error:
        say_error(str(error))
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2))
    else:
        _say(report)


def _say(report: Report) -> None:
    console = Console(highlight=False)
    channels = "1 channel" if report.channels == 1 else f"{report.channels} channels"
    source = _SOURCES.get(report.mpp_source or "", "unknown")
    console.print(f"[bold]{escape(report.path)}[/]", soft_wrap=True)
    console.print(f"{escape(report.encoding)}; {channels} of {report.dtype}")
    console.print(f"µm per pixel: {source}")
    console.print()
    console.print(_table(report))
    for text in report.warnings:
        console.print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True)


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("level", "px", "downsample", "µm/px", "segments"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("values", overflow="fold")
    for index, level in enumerate(report.levels):
        grid = level.grid
        table.add_row(
            str(index),
            f"{grid.width} x {grid.height}",
            _pair(level.downsample),
            "?" if level.mpp is None else _pair(level.mpp),
            f"{grid.rows * grid.columns:,} of {grid.segment_width} x {grid.segment_height}",
            escape(_values(level.values)),
        )
    return table


def _pair(pair: tuple[float, float]) -> str:
    x, y = (f"{number:.6g}" for number in pair)
    return x if x == y else f"{x}, {y}"


def _values(values: Values) -> str:
    seen = "" if values.complete else "sampled: "
    if values.lowest is None:
        return f"{seen}nan"
    extremes = f"samples from {values.lowest:g} to {values.highest:g}"
    if not values.shares:
        return f"{seen}more than {MOST_LABELS:,} different, {extremes}"
    if len(values.shares) > _LISTED:
        return f"{seen}{len(values.shares):,} different, {extremes}"
    return seen + ", ".join(f"{key} ({share:.1%})" for key, share in values.shares.items())


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "path": report.path,
        "encoding": report.encoding,
        "dtype": str(report.dtype),
        "channels": report.channels,
        "mpp_source": report.mpp_source,
        "levels": [_level_json(level) for level in report.levels],
        "warnings": report.warnings,
    }


def _level_json(level: LevelReport) -> dict[str, Any]:
    # Names are a contract with scripts, and stay when names in the code change.
    grid, values = level.grid, level.values
    return {
        "width": grid.width,
        "height": grid.height,
        "downsample": level.downsample,
        "mpp": level.mpp,
        "segment_width": grid.segment_width,
        "segment_height": grid.segment_height,
        "segments": grid.rows * grid.columns,
        "values": values.shares,
        # JSON cannot hold NumPy's numbers.
        "lowest": None if values.lowest is None else float(values.lowest),
        "highest": None if values.highest is None else float(values.highest),
        "complete": values.complete,
    }
