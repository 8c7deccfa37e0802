"""Pictures of a run: one for each slide, and contact sheets of all slides."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from ratiopath.errors import OverlayError
from ratiopath.plots import plot_contact_sheet, plot_slide
from ratiopath.runs.run import SlideFailure
from ratiopath.runs.table import fraction_columns, key_names
from ratiopath.storage.atomic import replacing
from ratiopath.values.conditions import COVERAGE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ratiopath.cli.console import RunProgress
    from ratiopath.cli.outcome import Outcome
    from ratiopath.runs.checkpoint import Checkpoint, SlideRecord
    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.settings import RunSettings

SHEET = "contact-sheet"
# More panels would make a sheet that no screen shows at a readable size.
SLIDES_ON_A_SHEET = 24
# Pictures have no more histograms than this, so further classes need not be read.
MOST_KEYS = 8


def draw_pictures(
    outcome: Outcome, checkpoint: Checkpoint, folder: Path, progress: RunProgress
) -> None:
    """Draw each slide that is done, and all of them on contact sheets.

    A picture that is newer than its slide's part was drawn by an earlier run and is left alone. If
    one cannot be drawn, its slide has failed, but its tiles are in the table all the same.

    Args:
        outcome: What was measured; pictures and failures are added.
        checkpoint: The slides' tiles.
        folder: Where to write; created if needed.
        progress: Is told of the progress.

    Raises:
        OSError: A picture cannot be written.
    """
    pairs = [pair for pair in outcome.pairing.pairs if pair in outcome.done]
    names = picture_names(pairs)
    progress.stage("Drawing", "pictures", len(pairs))
    for pair in pairs:
        path = folder / names[pair]
        if _is_older(path, checkpoint.path(pair)):
            try:
                figure = _slide_figure(pair, outcome.done[pair], checkpoint, outcome.settings)
            except (OverlayError, ValueError) as error:
                outcome.failed.append(SlideFailure(pair, error))
                progress.fails(outcome.failed[-1])
                continue
            _save(figure, path)
        outcome.pictures[pair] = path
        progress.step()
    # A sheet of one slide would repeat its picture.
    drawn = [pair for pair in pairs if pair in outcome.pictures]
    if len(drawn) > 1:
        outcome.sheets = list(_draw_sheets(drawn, outcome, checkpoint, folder))


def picture_names(pairs: Sequence[SlidePair]) -> dict[SlidePair, str]:
    """Return a file name for each slide, in subfolders if the slides are in several folders.

    Args:
        pairs: The slides.

    Returns:
        Names relative to the folder of pictures: the slides' stems, with their suffix where a stem
        is not unique.
    """
    paths = [Path(os.path.abspath(pair.slide)) for pair in pairs]  # noqa: PTH100 - symlinks stay
    common = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    inner = [path.relative_to(common) for path in paths]
    counts = Counter(path.with_suffix("") for path in inner)
    names = [
        stem if counts[stem := path.with_suffix("")] == 1 else path  # as slide.svs.png
        for path in inner
    ]
    return {pair: f"{name}.png" for pair, name in zip(pairs, names, strict=True)}


def part_columns(
    pair: SlidePair, record: SlideRecord, checkpoint: Checkpoint, keys: Sequence[str]
) -> dict[str, Any]:
    """Read a slide's tiles as the columns that `ratiopath.plots` takes."""
    with pq.ParquetFile(checkpoint.path(pair)) as part:
        table = part.read()
    position = {key: index for index, key in enumerate(keys)}
    spread = [fraction_columns(chunk, position, 0.0) for chunk in table["fractions"].chunks]
    shared = ("tile_extent_x", "tile_extent_y", "mpp_x", "mpp_y", "level")
    return {
        **{name: table[name].to_numpy() for name in ("tile_x", "tile_y", "kept")},
        **{name: np.full(table.num_rows, record.row[name]) for name in shared},
        **{f"{COVERAGE_PREFIX}{key}": _joined([one[key] for one in spread]) for key in keys},
    }


def _drawn_keys(records: Sequence[SlideRecord], settings: RunSettings) -> list[str]:
    """Return the keys that pictures show: those of the conditions, and those that cover most."""
    sums = Counter[str]()
    for record in records:
        sums.update(record.sums)
    shown = {*settings.conditions.keys, *(key for key, _ in sums.most_common(MOST_KEYS))}
    names = key_names(records, settings.options.selection.declared_keys)
    return [key for key in names if key in shown]


def _joined(chunks: Sequence[pa.Array]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *(chunk.to_numpy() for chunk in chunks)])


def _slide_figure(
    pair: SlidePair, record: SlideRecord, checkpoint: Checkpoint, settings: RunSettings
) -> Figure:
    return plot_slide(
        pair.slide,
        part_columns(pair, record, checkpoint, _drawn_keys([record], settings)),
        overlay=pair.overlay if record.overlay_found else None,
        keep=settings.conditions,
        channel=settings.channel,
        nodata=list(settings.nodata) or None,
        classes=None if settings.classes is None else dict(settings.classes),
        bins=settings.bins,
        overlay_mpp=settings.overlay_mpp,
        spans_slide=settings.spans_slide,
    )


def _draw_sheets(
    pairs: Sequence[SlidePair], outcome: Outcome, checkpoint: Checkpoint, folder: Path
) -> Iterator[Path]:
    settings = outcome.settings
    sheets = range(0, len(pairs), SLIDES_ON_A_SHEET)
    keys = _drawn_keys(list(outcome.done.values()), settings)
    wanted = [key for key in settings.conditions.keys if key in keys] or keys[-1:]

    # A generator: the sheet takes one slide's table at a time, however many slides it shows.
    def tables(some: Sequence[SlidePair]) -> Iterator[tuple[str, dict[str, Any]]]:
        for pair in some:
            yield pair.slide, part_columns(pair, outcome.done[pair], checkpoint, keys)

    for number, start in enumerate(sheets, 1):
        figure = plot_contact_sheet(
            tables(pairs[start : start + SLIDES_ON_A_SHEET]),
            keep=settings.conditions,
            color_by=wanted[0] if wanted else None,
        )
        path = folder / (f"{SHEET}.png" if len(sheets) == 1 else f"{SHEET}-{number}.png")
        _save(figure, path)
        yield path


def _is_older(picture: Path, part: Path) -> bool:
    try:
        return picture.stat().st_mtime_ns < part.stat().st_mtime_ns
    except FileNotFoundError:
        return True


def _save(figure: Figure, path: Path) -> None:
    # Put in place when complete: a picture cut short would pass for one that is done.
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial)
