"""Ways of damaging a file: bytes, tags, sizes and pointers, most of them leaving it readable."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import tifffile

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

# Where something lies: offset and bytes.
Span: TypeAlias = tuple[int, int]

# Numbers that readers trip over: limits of types, what is one too many, and sizes of tiles.
INTERESTING = (
    *(0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257),
    *(1000, 4095, 4097, 32767, 32768, 40000, 65534, 65535, 65536, 1 << 20, (1 << 24) - 1),
    *((1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 63) - 1, (1 << 64) - 1),
)
# Subfile type, texts, resolution and no-data say nothing about how the pixels are stored.
HARMLESS = frozenset({254, 270, 271, 272, 282, 283, 296, 305, 306, 315, 33432, 42113})
# Codecs keep their sizes in the first bytes of a segment.
STREAM_HEADER = 48
FILE_HEADER = 64


@dataclass
class Anatomy:
    """Where a file's parts lie.

    Attributes:
        data: The stored segments, or what follows the header.
        entries: The tags' entries that decide how the pixels are read.
        harmless: The entries that do not.
        values: The values that lie apart from their entries.
        pointers: The pointers to the first directory and to the next ones.
        order: Byte order of numbers.
    """

    order: Literal["little", "big"]
    data: list[Span] = field(default_factory=list)
    entries: list[Span] = field(default_factory=list)
    harmless: list[Span] = field(default_factory=list)
    values: list[Span] = field(default_factory=list)
    pointers: list[Span] = field(default_factory=list)


def anatomy(content: bytes) -> Anatomy:
    """Find the parts of a valid file; one that is no TIFF is a header and data."""
    if content[:2] not in (b"II", b"MM"):
        header = min(FILE_HEADER, len(content) // 2)
        return Anatomy("big", [(header, len(content) - header)], [(0, header)])
    parts = Anatomy("little" if content[:2] == b"II" else "big")
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        parts.pointers.append((8, 8) if file.is_bigtiff else (4, 4))
        for page in _pages(file):
            _add_page(parts, page, is_bigtiff=file.is_bigtiff)
    return parts


def _pages(file: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    pages = [page.aspage() for page in file.pages]
    return pages + [sub.aspage() for page in pages if page.pages for sub in page.pages]


def _add_page(parts: Anatomy, page: tifffile.TiffPage, *, is_bigtiff: bool) -> None:
    entry, word = (20, 8) if is_bigtiff else (12, 4)
    segments = zip(page.dataoffsets, page.databytecounts, strict=True)
    parts.data.extend((offset, count) for offset, count in segments if count)
    for tag in page.tags:
        kind = parts.harmless if tag.code in HARMLESS else parts.entries
        kind.append((tag.offset, entry))
        if tag.valuebytecount > word:
            parts.values.append((tag.valueoffset, tag.valuebytecount))
    parts.pointers.append((max(tag.offset for tag in page.tags) + entry, word))


def mutate(content: bytes, parts: Anatomy, rng: random.Random) -> tuple[str, bytes]:
    """Damage a file in one or two ways; return their names and the bytes."""
    ways = rng.choices(list(WAYS), list(WAYS.values()), k=rng.choice((1, 1, 2)))
    mutant = bytearray(content)
    for way in ways:
        way(mutant, parts, rng)
    return ", ".join(way.__name__ for way in ways), bytes(mutant)


def _flip(mutant: bytearray, span: Span, rng: random.Random) -> None:
    offset, count = span
    place = min(offset + rng.randrange(max(count, 1)), len(mutant) - 1)
    if place >= 0:
        mutant[place] ^= rng.choice((1 << rng.randrange(8), rng.randrange(1, 256)))


def _write(mutant: bytearray, offset: int, size: int, value: int, order: str) -> None:
    room = max(0, min(size, len(mutant) - offset))
    number = (value % (1 << (8 * size))).to_bytes(size, "little")
    mutant[offset : offset + room] = (number if order == "little" else number[::-1])[:room]


def _interesting(mutant: bytearray, rng: random.Random) -> int:
    size = len(mutant)
    return rng.choice((*INTERESTING, size, size - 1, size + 1, -1, rng.randrange(size + 1)))


def data_flipped(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        _flip(mutant, rng.choice(parts.data), rng)


def stream_header(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:
    offset, count = rng.choice(parts.data)
    place = offset + rng.randrange(min(STREAM_HEADER, count))
    order = rng.choice(("little", "big"))
    _write(mutant, place, rng.choice((1, 2, 4)), _interesting(mutant, rng), order)


def tag_entry(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:
    """Replace a tag's number, type, count or value; the value most often."""
    offset, width = rng.choice(parts.entries)
    word = 8 if width == 20 else 4
    value = 4 + word
    start, size = rng.choice(((0, 2), (2, 2), (4, word), (value, 2), (value, word), (value, word)))
    _write(mutant, offset + start, size, _interesting(mutant, rng), parts.order)


def harmless_entry(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:
    offset, width = rng.choice(parts.harmless or parts.data)
    _write(mutant, offset + min(width // 2, 12), 2, _interesting(mutant, rng), parts.order)


def listed_value(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:
    """Replace an offset, a byte count or a number in any other list."""
    offset, count = rng.choice(parts.values or parts.data)
    size = rng.choice((2, 4, 8))
    place = offset + rng.randrange(max(1, count // size)) * size
    _write(mutant, place, size, _interesting(mutant, rng), parts.order)


def truncated(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:  # noqa: ARG001 - as all
    del mutant[rng.randrange(len(mutant) + 1) :]


def swapped(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:
    (first, room), (second, other) = rng.choice(parts.data), rng.choice(parts.data + parts.values)
    size = min(room, other, rng.choice((4, 16, 64, 1 << 20)))
    block = mutant[first : first + size]
    if first + size <= second or second + size <= first:
        mutant[first : first + size] = mutant[second : second + size]
        mutant[second : second + size] = block


def pointer(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:
    """Point a directory's successor at itself, at another one or anywhere."""
    offset, size = rng.choice(parts.pointers or parts.entries)
    # A directory starts with the number of its entries, 2 bytes or 8.
    starts = [place - rng.choice((2, 8)) for place, _ in parts.entries]
    _write(mutant, offset, size, rng.choice([*starts, _interesting(mutant, rng)]), parts.order)


def anywhere(mutant: bytearray, parts: Anatomy, rng: random.Random) -> None:  # noqa: ARG001 - as all
    for _ in range(rng.choice((1, 2, 16))):
        _flip(mutant, (0, len(mutant)), rng)


# How often each comes; most leave the structure whole, so that a codec sees the mutant.
WAYS: dict[Callable[[bytearray, Anatomy, random.Random], None], int] = {
    data_flipped: 30,
    stream_header: 15,
    tag_entry: 15,
    harmless_entry: 10,
    listed_value: 8,
    truncated: 4,
    swapped: 6,
    pointer: 4,
    anywhere: 8,
}
