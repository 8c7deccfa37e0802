"""What a run has done so far: a table per slide in a hidden folder, each whole or not there.

A run that was killed leaves the folder behind. The same run started again finds these tables, its
parts, unless the slide or its overlay has changed meanwhile, and measures only the rest.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from ratiopath.runs.pairing import absolute
from ratiopath.runs.settings import short_hash
from ratiopath.storage.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Generator

    from ratiopath.runs.measure_slide import MeasuredTiles
    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.plan import SlidePlan
    from ratiopath.runs.settings import RunSettings

# A map, for which keys a slide has is known only when its last tile is measured. A column for each
# key is made when the slides are merged.
PART_SCHEMA = pa.schema(
    [
        ("tile_x", pa.int64()),
        ("tile_y", pa.int64()),
        ("kept", pa.bool_()),
        ("fractions", pa.map_(pa.string(), pa.float64())),
    ]
)

_METADATA = b"ratiopath"


class OtherSettingsError(ValueError):
    """An unfinished run with other settings has left results where this one's would go."""


@dataclass(frozen=True)
class SlideRecord:
    """What is known of a slide that is done; kept in the metadata of its part.

    Attributes:
        files: Size and time of modification of the slide and its overlay, to notice a change.
        row: The slide as a row, see `ratiopath.ray.read_slides`.
        overlay_found: Whether there was an overlay.
        overlay_level: The overlay's level that was read.
        tiles: How many tiles the slide has.
        kept: How many of them are kept.
        sums: The sum of all tiles' fractions by key; divided by ``tiles``, their mean.
        warnings: What the user should know.
    """

    files: list[list[int] | None]
    row: dict[str, Any]
    overlay_found: bool
    overlay_level: int | None
    tiles: int
    kept: int
    sums: dict[str, float]
    warnings: list[str]

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what a part's metadata hold."""
        return cls(**json.loads(text))


class PartWriter:
    """A slide's part while it is written.

    Args:
        writer: The open file.
    """

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._kept = 0
        self._sums = Counter[str]()

    def add(self, tiles: MeasuredTiles) -> None:
        """Append tiles.

        Raises:
            OSError: The part cannot be written.
        """
        columns = [pa.array(column) for column in (tiles.x, tiles.y, tiles.kept)]
        table = pa.Table.from_arrays([*columns, tiles.fractions.as_map()], schema=PART_SCHEMA)
        self._writer.write_table(table)
        self._kept += int(tiles.kept.sum())
        self._sums.update(tiles.fractions.sums())

    def finish(self, plan: SlidePlan, row: dict[str, Any], files: list[list[int] | None]) -> None:
        """Append what is known of the slide, which makes the part one that `find` finds."""
        record = SlideRecord(
            files=files,
            row=row,
            overlay_found=plan.overlay_found,
            overlay_level=plan.overlay_level,
            tiles=plan.tiles,
            kept=self._kept,
            sums=dict(self._sums),
            warnings=list(plan.warnings),
        )
        self._writer.add_key_value_metadata({_METADATA: json.dumps(asdict(record)).encode()})
        self.record = record


class Checkpoint:
    """The parts of one run.

    Args:
        output: The table that the parts will make.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.parent / f".{output.name}.parts"
        self._settings = self.folder / "settings.json"

    def open(self, settings: RunSettings, *, restart: bool = False) -> None:
        """Make the folder, or take over that of an unfinished run with the same settings.

        Args:
            settings: What this run was asked to do.
            restart: Discard an unfinished run's results and start over.

        Raises:
            OtherSettingsError: The unfinished run had other settings; names them.
            OSError: The folder cannot be written.
        """
        wanted = settings.as_json()
        if restart:
            self.remove()
        # Parts of other settings must not get into this run's table.
        elif (left := self._left_settings()) is not None and left != wanted:
            names = [name for name in wanted if left.get(name) != wanted[name]]
            changes = "; ".join(f"{name}: {left.get(name)}, now {wanted[name]}" for name in names)
            raise OtherSettingsError(
                f"{self.folder} holds what an unfinished run with other options has done"
                f" ({changes})"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self._settings) as path:
            path.write_text(json.dumps(wanted, indent=1), encoding="utf-8")

    def path(self, pair: SlidePair) -> Path:
        """Return where a slide's part is, or will be."""
        # No path contains a null byte, so no two pairs join to the same text.
        both = "\0".join(map(absolute, (pair.slide, pair.overlay)))
        return self.folder / f"{short_hash(both)}.parquet"

    def find(self, pair: SlidePair) -> SlideRecord | None:
        """Return the record of a slide that is done, or None if it has yet to be measured."""
        try:
            text = pq.read_metadata(self.path(pair)).metadata[_METADATA]
            record = SlideRecord.from_json(text)
        except (OSError, KeyError, TypeError, ValueError):
            # Not there, or written by another version: the slide is measured again.
            return None
        return record if record.files == _files(pair) else None

    @contextmanager
    def part(self, plan: SlidePlan, settings: RunSettings) -> Generator[PartWriter]:
        """Write a slide's part, which is there once the block has succeeded, and not before.

        Args:
            plan: The slide, its overlay and its tiles.
            settings: What the run was asked to do.

        Yields:
            Where to add the slide's tiles; its ``record`` is set when the block has succeeded.

        Raises:
            OSError: The part cannot be written.
        """
        # Looked at before they are read: a file that changes meanwhile is measured again.
        files = _files(plan.pair)
        with (
            replacing(self.path(plan.pair)) as path,
            pq.ParquetWriter(path, PART_SCHEMA, compression="zstd") as writer,
        ):
            part = PartWriter(writer)
            yield part
            part.finish(plan, plan.slide.as_row(settings.tiling), files)

    def remove(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Forget everything if no slide is done: an empty folder would say that a run is left."""
        if not self._has_parts():
            self.remove()

    def _has_parts(self) -> bool:
        # What begins with a dot is a part that was cut short, see `replacing`.
        return any(not path.name.startswith(".") for path in self.folder.glob("*.parquet"))

    def _left_settings(self) -> dict[str, Any] | None:
        """Return the settings of an unfinished run that has measured a slide, or None."""
        if not self._has_parts():
            return None
        try:
            left: dict[str, Any] = json.loads(self._settings.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return left


def _files(pair: SlidePair) -> list[list[int] | None]:
    """Return size and time of modification of slide and overlay, None for one that is not there."""
    return [_file(path) for path in (pair.slide, pair.overlay)]


def _file(path: str) -> list[int] | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]
