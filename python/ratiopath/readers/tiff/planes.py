"""Samples of a TIFF level that are stored together, read a segment at a time.

A level is stored in one plane, or in one per channel where samples lie apart (planar configuration
2) or channels are pages of their own. A plane knows how to read one segment of its own samples. In
a `TilePlane` a tile is a segment; for planes of strips see `ratiopath.readers.tiff.strips`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from ratiopath.readers.codestreams import LERC, lerc_depth, stream_size
from ratiopath.readers.tiff.codecs import page_decoder, unpacker
from ratiopath.readers.tiff.slots import slot_decoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ratiopath.readers.base import Level
    from ratiopath.readers.tiff.pyramid import Page
    from ratiopath.storage.files import RandomAccessFile

# With chroma subsampling, a JPEG's blocks are 16 pixels high.
JPEG_BLOCK = 16


class Plane(ABC):
    """Samples of a level that are stored together.

    Args:
        file: The file, for positional reads.
        page: tifffile's page, whose keyframe holds the layout that a series shares.
        sample: Which of the page's separately stored samples, from 0.
        dtype: The file's sample type.
        fill: The value of a sample that the file leaves out.
    """

    def __init__(
        self, file: RandomAccessFile, page: Page, sample: int, dtype: np.dtype[Any], fill: float
    ) -> None:
        self.file, self.dtype, self.fill = file, dtype, fill
        self.offsets, self.counts = page.dataoffsets, page.databytecounts
        self._tables = {"jpegtables": page.jpegtables, "jpegheader": page.keyframe.jpegheader}
        layout = page.keyframe
        self._decode = page_decoder(layout)
        self._compression = int(layout.compression)
        self.width, self.height = int(layout.imagewidth), int(layout.imagelength)
        self.samples = int(layout.shaped[4])
        self._unpacked = unpacker(layout)
        depth = -(-int(layout.imagedepth) // int(layout.tiledepth))
        self.first = sample * depth * self.segments_of_plane(layout)
        needed = self.first + self.segments_of_plane(layout)
        if min(len(self.offsets), len(self.counts)) < needed:
            raise ValueError(f"{needed} segments make the image, {len(self.offsets)} are listed")
        # All values of a tag have one type.
        if not all(isinstance(values[0], Integral) for values in (self.offsets, self.counts)):
            raise ValueError("the segments' offsets or byte counts are no integers")

    @abstractmethod
    def segments_of_plane(self, layout: Page) -> int:
        """Return how many of the page's segments cover one plane."""

    @abstractmethod
    def extent(self, index: int) -> tuple[int, int, int, int]:
        """Return a tile's or strip's width and height within the image, and its largest ones."""

    @abstractmethod
    def read(
        self, level: Level, row: int, column: int, slot: NDArray[np.uint8] | None = None
    ) -> NDArray[Any] | None:
        """Decode one segment (h, w, samples), or None where the file leaves all of it out.

        It may be decoded into ``slot`` (n,) rather than into a fresh array.
        """

    @abstractmethod
    def ranges(self, level: Level, row: int, column: int) -> list[tuple[int, int]]:
        """Return the ranges of the file that `read` reads, as offsets and counts of bytes."""

    def stored(self, indices: Iterable[int]) -> list[tuple[int, int]]:
        """Return the ranges of the page's own tiles or strips, without those left out."""
        there = [index for index in indices if not self.is_sparse(index)]
        return [(int(self.offsets[index]), int(self.counts[index])) for index in there]

    def decoded(self, index: int) -> NDArray[Any] | None:
        """Decode one of the page's own tiles or strips (h, w, samples).

        Args:
            index: Its index in the page.

        Raises:
            EOFError: The file ends before.
            ValueError: The stream holds an image of another size, or of other samples.
            Exception: Whatever the codec raises.
        """
        return None if self.is_sparse(index) else self._decoded(self.encoded(index), index)

    def _decoded(self, stream: bytes, index: int) -> NDArray[Any]:
        """Decode the stored bytes of a tile or strip; see `decoded`."""
        if self._unpacked is not None:
            _, _, width, height = self.extent(index)
            stream = self._unpacked(stream, width * height * self.samples * self.dtype.itemsize)
        self._check_stream(stream, index)
        pixels, _, _ = self._decode(stream, index, **self._tables)
        if pixels.shape[-1] != self.samples:
            raise ValueError(
                f"its stream's samples per pixel are {pixels.shape[-1]}, where the file says"
                f" {self.samples}"
            )
        return _in_dtype(pixels[0], self.dtype)

    def _check_stream(self, stream: bytes, index: int) -> None:
        """Refuse a stream that would take other memory than its tile, or fill it otherwise."""
        size = stream_size(self._compression, stream)
        if size is None:
            return
        if self._compression == LERC and lerc_depth(stream) not in (1, self.samples):
            raise ValueError(
                f"its stream holds {lerc_depth(stream)} samples per pixel, the file {self.samples}"
            )
        width, height, most_width, most_height = self.extent(index)
        # An encoder may crop a segment at the image's edge, or fill up a JPEG's last blocks.
        rows = height <= size[1] <= most_height + JPEG_BLOCK
        if size[0] not in (width, most_width) or not rows:
            raise ValueError(
                f"its stream holds {size[0]} x {size[1]} pixels, where the file's tiles or strips"
                f" are {most_width} x {most_height}"
            )

    def encoded(self, index: int) -> bytes:
        """Return one of the page's own tiles or strips as it is stored.

        Raises:
            EOFError: The file ends before.
        """
        return self.file.read(self.offsets[index], self.counts[index])

    def is_sparse(self, index: int) -> bool:
        """Whether the file leaves a tile or strip out."""
        return not self.counts[index] or not self.offsets[index]


class TilePlane(Plane):
    """A plane stored in tiles."""

    def __init__(
        self, file: RandomAccessFile, page: Page, sample: int, dtype: np.dtype[Any], fill: float
    ) -> None:
        super().__init__(file, page, sample, dtype, fill)
        self._decode_into = slot_decoder(page.keyframe, dtype)

    def segments_of_plane(self, layout: Page) -> int:  # noqa: D102 - see Plane
        self.tile_width, self.tile_height = int(layout.tilewidth), int(layout.tilelength)
        self.columns = -(-int(layout.imagewidth) // self.tile_width)
        return self.columns * -(-int(layout.imagelength) // self.tile_height)

    def extent(self, index: int) -> tuple[int, int, int, int]:  # noqa: D102 - see Plane
        row, column = divmod(index - self.first, self.columns)
        width = min(self.tile_width, self.width - column * self.tile_width)
        height = min(self.tile_height, self.height - row * self.tile_height)
        return width, height, self.tile_width, self.tile_height

    def read(  # noqa: D102 - see Plane
        self,
        level: Level,  # noqa: ARG002 - tiles have their own size
        row: int,
        column: int,
        slot: NDArray[np.uint8] | None = None,
        stored: bytes | None = None,
    ) -> NDArray[Any] | None:
        index = self.index(row, column)
        if self.is_sparse(index):
            return None
        # Read once, also where the slot's decoder gives up and tifffile's takes over.
        stream = self.encoded(index) if stored is None else stored
        if slot is not None and self._decode_into is not None:
            pixels = self._decode_into(stream, slot)
            if pixels is not None:
                return pixels
        pixels = self._decoded(stream, index)
        width, height, _, _ = self.extent(index)
        if pixels.shape[0] < height or pixels.shape[1] < width:
            raise EOFError(f"a tile holds {pixels.shape} pixels of {(height, width)}")
        return pixels

    def ranges(self, level: Level, row: int, column: int) -> list[tuple[int, int]]:  # noqa: D102, ARG002 - see Plane
        return self.stored([self.index(row, column)])

    def index(self, row: int, column: int) -> int:
        """Return the page's own index of a segment."""
        return self.first + row * self.columns + column


def _in_dtype(pixels: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if pixels.dtype == dtype:
        return pixels
    if dtype.kind == "b" and pixels.dtype == np.uint8:
        return pixels.astype(bool)
    raise ValueError(f"a segment holds {pixels.dtype} samples, its tags say {dtype}")
