"""MIRAX slides, as the scanner lays them out: an index, data files, and an ini that names them."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from vendor_slides import MPP, ini

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


_SLIDE_ID = "0123456789ABCDEF0123456789ABCDEF"


def write_mirax(
    path: Path,
    levels: Sequence[np.ndarray],
    absent: Iterable[tuple[int, int]] = (),
    positions: Sequence[tuple[int, int]] = (),
    *,
    tile: int = 64,
    codec: str = "PNG",
) -> Path:
    """Write an MRXS and the folder beside it.

    Args:
        path: Where, with the suffix .mrxs.
        levels: The image, each level half the size of the one before, in whole tiles.
        absent: Columns and rows of level 0's tiles that were not scanned. A lower level's tile is
            left out where all that it covers is.
        positions: Where the camera took each tile of level 0, row by row, in pixels.
        tile: Pixels of a tile's side, at every level.
        codec: PNG, JPEG or BMP24.
    """
    folder = path.with_suffix("")
    folder.mkdir()
    # By content the file itself is a JPEG of the label.
    Image.new("RGB", (8, 8)).save(path, "JPEG")
    columns, rows = levels[0].shape[1] // tile, levels[0].shape[0] // tile
    data = bytearray(b"\0" * 8)
    entries: list[list[tuple[int, int, int, int]]] = []
    for exponent, level in enumerate(levels):
        k = 1 << exponent
        present = [
            (x, y)
            for y in range(0, rows, k)
            for x in range(0, columns, k)
            if any(
                (x + i, y + j) not in set(absent)
                for i in range(min(k, columns - x))
                for j in range(min(k, rows - y))
            )
        ]
        entries.append([])
        for x, y in present:
            top, left = y // k * tile, x // k * tile
            stream = _encoded(level[top : top + tile, left : left + tile], tile, codec)
            entries[-1].append((y * columns + x, len(data), len(stream), 0))
            data += stream
    places = b"".join(struct.pack("<Bii", 0, x, y) for x, y in positions)
    (folder / "Index.dat").write_bytes(_mirax_index(entries, (len(data), len(places), 0)))
    (folder / "Data0000.dat").write_bytes(bytes(data) + places)
    sections = _mirax_sections(
        (columns, rows), len(levels), tile, codec, has_positions=bool(positions)
    )
    text = "".join(ini(name, section) for name, section in sections.items())
    (folder / "Slidedat.ini").write_text(text, encoding="utf-8")
    return path


def _encoded(pixels: np.ndarray, tile: int, codec: str) -> bytes:
    whole = np.zeros((tile, tile, 3), np.uint8)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    stream = io.BytesIO()
    Image.fromarray(whole).save(stream, codec.rstrip("24"))
    return stream.getvalue()


def _mirax_index(
    levels: Sequence[Sequence[tuple[int, ...]]], positions: tuple[int, int, int]
) -> bytes:
    """Lists of pages, one list a level, and one for the record of positions."""
    start = len("01.02" + _SLIDE_ID) + 8
    body = bytearray(4 * (len(levels) + 1))
    for number, entries in enumerate([*levels, [(0, 0, *positions)]]):
        struct.pack_into("<i", body, 4 * number, start + len(body))
        body += struct.pack("<ii", 0, start + len(body) + 8)
        count = len(entries) if number < len(levels) else 1
        body += struct.pack("<ii", count, 0)
        body += b"".join(struct.pack(f"<{len(entry)}i", *entry) for entry in entries)
    roots = struct.pack("<ii", start, start + 4 * len(levels))
    return f"01.02{_SLIDE_ID}".encode() + roots + bytes(body)


def _mirax_sections(
    grid: tuple[int, int], levels: int, tile: int, codec: str, *, has_positions: bool
) -> dict[str, dict[str, Any]]:
    hierarchy: dict[str, Any] = {
        "INDEXFILE": "Index.dat",
        "HIER_COUNT": 1,
        "HIER_0_NAME": "Slide zoom level",
        "HIER_0_COUNT": levels,
        **{f"HIER_0_VAL_{n}_SECTION": f"LEVEL_{n}" for n in range(levels)},
        "NONHIER_COUNT": int(has_positions),
        "NONHIER_0_NAME": "VIMSLIDE_POSITION_BUFFER",
        "NONHIER_0_COUNT": 1,
    }
    level = {
        "OVERLAP_X": 0,
        "OVERLAP_Y": 0,
        "MICROMETER_PER_PIXEL_X": MPP,
        "MICROMETER_PER_PIXEL_Y": MPP,
        "IMAGE_FORMAT": codec,
        "IMAGE_FILL_COLOR_BGR": 0xFFFFFF,
        "DIGITIZER_WIDTH": tile,
        "DIGITIZER_HEIGHT": tile,
    }
    return {
        "GENERAL": {
            "SLIDE_ID": _SLIDE_ID,
            "IMAGENUMBER_X": grid[0],
            "IMAGENUMBER_Y": grid[1],
        },
        "HIERARCHICAL": hierarchy,
        "DATAFILE": {"FILE_COUNT": 1, "FILE_0": "Data0000.dat"},
        **{f"LEVEL_{n}": {"IMAGE_CONCAT_FACTOR": int(n > 0), **level} for n in range(levels)},
    }
