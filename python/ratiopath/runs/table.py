"""Merge the parts of all slides into one table, batch by batch, and put it in place at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ratiopath.errors import OverlayValueError
from ratiopath.storage.atomic import replacing
from ratiopath.values.conditions import COVERAGE_PREFIX
from ratiopath.values.keys import key_order
from ratiopath.values.pixels import MOST_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ratiopath.runs.checkpoint import Checkpoint, SlideRecord
    from ratiopath.runs.pairing import SlidePair

# Rows of a Parquet row group: many enough to compress well and to scan fast, few enough to hold.
ROW_GROUP = 1 << 17

# Fractions held at once, 64 MB: with thousands of values a batch has fewer rows.
MOST_CELLS = 1 << 23

_SLIDE_FIELDS = [
    ("tile_extent_x", pa.int64()),
    ("tile_extent_y", pa.int64()),
    ("mpp_x", pa.float64()),
    ("mpp_y", pa.float64()),
    ("level", pa.int64()),
    ("downsample", pa.float64()),
]


def key_names(records: Iterable[SlideRecord], declared: Sequence[str] | None) -> list[str]:
    """Return the keys of a table: the declared ones in their order, then those found, ascending.

    Args:
        records: The records of the slides.
        declared: Names of the classes or bins, or None.
    """
    # Found keys beside declared ones: NaN is in no bin.
    found = {key for record in records for key in record.sums}
    first = list(declared or ())
    return [*first, *sorted(found.difference(first), key=key_order)]


def table_schema(keys: Sequence[str], *, keep_all: bool) -> pa.Schema:
    """Return the columns of the table; the documentation of the command line explains them.

    Args:
        keys: The keys, one column each.
        keep_all: Whether it also holds dropped tiles; the column ``kept`` then tells them apart.
    """
    return pa.schema(
        [
            ("path", pa.string()),
            ("tile_x", pa.int64()),
            ("tile_y", pa.int64()),
            *_SLIDE_FIELDS,
            ("overlay_path", pa.string()),
            *([("kept", pa.bool_())] if keep_all else []),
            *((f"{COVERAGE_PREFIX}{key}", pa.float64()) for key in keys),
        ]
    )


def merge(
    done: Sequence[tuple[SlidePair, SlideRecord]],
    checkpoint: Checkpoint,
    output: Path,
    *,
    declared: Sequence[str] | None,
    keep_all: bool,
    absent: float | None,
) -> int:
    """Write the table of all slides that are done.

    Args:
        done: The slides, in the table's order.
        checkpoint: Where their parts are.
        output: The table; an older one stays until the new one is complete.
        declared: Names of the classes or bins, or None.
        keep_all: Whether to write dropped tiles too.
        absent: What to write if a value does not occur in a tile: a number, or None for null.

    Returns:
        How many rows were written.

    Raises:
        OverlayValueError: All slides together have more values than a table has columns.
        OSError: The table cannot be written.
    """
    keys = key_names((record for _, record in done), declared)
    if len(keys) > MOST_LABELS:
        raise OverlayValueError(
            f"the slides hold {len(keys):,} different values, too many for a column each",
            code="too_many_values",
        )
    # All keys are known before the first row is written: Parquet cannot add a column later.
    schema = table_schema(keys, keep_all=keep_all)
    rows = 0
    # Written into the checkpoint's folder: what a killed run leaves of it is removed with the rest.
    with (
        replacing(output, checkpoint.folder) as path,
        pq.ParquetWriter(path, schema, compression="zstd") as writer,
    ):
        for table in _gathered(_tables(done, checkpoint, schema, keys, absent)):
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join small tables, so that a thousand slides are not a thousand row groups."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        rows = sum(one.num_rows for one in waiting)
        if rows >= ROW_GROUP or rows * table.num_columns >= MOST_CELLS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _tables(
    done: Sequence[tuple[SlidePair, SlideRecord]],
    checkpoint: Checkpoint,
    schema: pa.Schema,
    keys: Sequence[str],
    absent: float | None,
) -> Iterator[pa.Table]:
    position = {key: index for index, key in enumerate(keys)}
    # Rows and columns of a batch multiply.
    rows_at_once = max(1, min(ROW_GROUP, MOST_CELLS // max(len(keys), 1)))
    keep_all = "kept" in schema.names
    for pair, record in done:
        with pq.ParquetFile(checkpoint.path(pair)) as part:
            for batch in part.iter_batches(batch_size=rows_at_once):
                rows = batch if keep_all else batch.filter(batch["kept"])
                yield _table(rows, pair, record, schema, position, absent)


def _table(
    batch: pa.RecordBatch,
    pair: SlidePair,
    record: SlideRecord,
    schema: pa.Schema,
    position: dict[str, int],
    absent: float | None,
) -> pa.Table:
    size = batch.num_rows
    overlay = pair.overlay if record.overlay_found else None
    columns: dict[str, pa.Array] = {
        "path": pa.repeat(pair.slide, size),
        "overlay_path": pa.repeat(pa.scalar(overlay, pa.string()), size),
        **{
            name: pa.repeat(pa.scalar(record.row[name], kind), size) for name, kind in _SLIDE_FIELDS
        },
        **{name: batch[name] for name in ("tile_x", "tile_y", "kept")},
    }
    fractions = fraction_columns(batch["fractions"], position, absent)
    columns |= {f"{COVERAGE_PREFIX}{key}": column for key, column in fractions.items()}
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def fraction_columns(
    maps: pa.MapArray, position: dict[str, int], absent: float | None
) -> dict[str, pa.Array]:
    """Turn a column of maps into one column for each key.

    Args:
        maps: A map from key to fraction for each tile.
        position: The keys wanted, numbered from 0.
        absent: What to write where a key does not occur; None for null.

    Returns:
        A float64 column for each key.
    """
    # A sliced array keeps the entries of rows outside it, so its offsets need not begin at 0, and
    # keys and items are cut to what the offsets span.
    counts = np.diff(maps.offsets.to_numpy())
    tiles = np.repeat(np.arange(len(maps)), counts)
    start, end = maps.offsets[0].as_py(), maps.offsets[-1].as_py()
    texts = maps.keys.slice(start, end - start).dictionary_encode()
    numbers = np.array([position.get(text, -1) for text in texts.dictionary.to_pylist()], np.intp)
    columns = numbers[texts.indices.to_numpy()]
    values = maps.items.slice(start, end - start).to_numpy()
    dense = np.full((len(position), len(maps)), np.nan if absent is None else absent)
    wanted = columns >= 0
    dense[columns[wanted], tiles[wanted]] = values[wanted]
    # No fraction is NaN, so NaN marks what has no entry.
    mask = np.isnan(dense) if absent is None else None
    return {
        key: pa.array(dense[index], mask=None if mask is None else mask[index])
        for key, index in position.items()
    }
