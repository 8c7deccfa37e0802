"""What a run has done so far: a table per slide in a hidden folder, each whole or not there.

A run that was killed leaves the folder behind. The same run started again finds its parts, unless
the slide or its overlay has changed meanwhile, and does only the rest.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow.parquet as pq

from ratiopath.runs.measure_slide import PART_SCHEMA, measure_slide
from ratiopath.runs.pairing import absolute
from ratiopath.runs.settings import short_hash
from ratiopath.storage.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ratiopath.runs.pairing import SlidePair
    from ratiopath.runs.plan import SlidePlan
    from ratiopath.runs.settings import RunSettings

_METADATA = b"ratiopath"


class OtherSettingsError(ValueError):
    """An unfinished run with other settings has left its parts where this one's would go."""


@dataclass(frozen=True)
class SlideRecord:
    """What is known of a slide that is done; kept in its part.

    Attributes:
        files: What the slide's and the overlay's files looked like, to notice a change.
        row: The slide's row, see `ratiopath.ray.read_slides`.
        overlay_found: Whether there was an overlay.
        overlay_level: The overlay's level that was read.
        tiles: How many tiles.
        kept: How many of them are kept.
        coverage: The sum of all tiles' fractions by key; divided by ``tiles``, their mean.
        warnings: What the user should know.
    """

    files: list[list[int] | None]
    row: dict[str, Any]
    overlay_found: bool
    overlay_level: int | None
    tiles: int
    kept: int
    coverage: dict[str, float]
    warnings: list[str]

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `Checkpoint.write` wrote."""
        return cls(**json.loads(text))


class Checkpoint:
    """The parts of one run.

    Args:
        output: The table that the parts will make.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.parent / f".{output.name}.parts"
        self._settings = self.folder / "settings.json"

    def open(self, settings: RunSettings, *, restart: bool = False) -> None:
        """Make the folder, or take it over from a run with the same settings.

        Args:
            settings: What this run was asked to do.
            restart: Discard what another run left.

        Raises:
            OtherSettingsError: The run that left it had other settings; names them.
            OSError: The folder cannot be written.
        """
        wanted = settings.as_json()
        if restart:
            self.remove()
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
        """Return where a slide's part is, or would be."""
        # A null byte can be in no path.
        both = "\0".join(map(absolute, (pair.slide, pair.overlay)))
        return self.folder / f"{short_hash(both)}.parquet"

    def find(self, pair: SlidePair) -> SlideRecord | None:
        """Return what is known of a slide that is done, or None if it has still to be done."""
        try:
            text = pq.read_metadata(self.path(pair)).metadata[_METADATA]
            record = SlideRecord.from_json(text)
        except (OSError, KeyError, TypeError, ValueError):
            # Not there, or not what a part looks like: done again.
            return None
        return record if record.files == _files(pair) else None

    def write(
        self, plan: SlidePlan, settings: RunSettings, advance: Callable[[int], object]
    ) -> SlideRecord:
        """Measure a slide and keep the result.

        Args:
            plan: The slide, its overlay and its tiles.
            settings: What the run was asked to do.
            advance: Told the number of tiles done, chunk by chunk.

        Returns:
            What is known of the slide.

        Raises:
            OverlayError: The overlay cannot be read.
            OSError: The part cannot be written.
        """
        files = _files(plan.pair)
        kept, sums = 0, Counter[str]()
        with (
            replacing(self.path(plan.pair)) as path,
            pq.ParquetWriter(path, PART_SCHEMA, compression="zstd") as writer,
        ):
            for table, coverage in measure_slide(plan, settings):
                writer.write_table(table)
                kept += table["kept"].combine_chunks().true_count
                sums.update(coverage.sums())
                advance(table.num_rows)
            record = SlideRecord(
                files,
                plan.slide.as_row(settings.tiling),
                plan.overlay_found,
                plan.overlay_level,
                plan.tiles,
                kept,
                dict(sums),
                list(plan.warnings),
            )
            writer.add_key_value_metadata({_METADATA: json.dumps(asdict(record)).encode()})
        return record

    def remove(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Forget everything if no slide is done."""
        if not self._has_parts():
            self.remove()

    def _has_parts(self) -> bool:
        return any(not path.name.startswith(".") for path in self.folder.glob("*.parquet"))

    def _left_settings(self) -> dict[str, Any] | None:
        """Return the settings of a run that has done something, or None."""
        if not self._has_parts():
            return None
        try:
            left: dict[str, Any] = json.loads(self._settings.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return left


def _files(pair: SlidePair) -> list[list[int] | None]:
    """Return size and time of modification of the slide and the overlay, None where not there."""
    return [_file(path) for path in (pair.slide, pair.overlay)]


def _file(path: str) -> list[int] | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]
