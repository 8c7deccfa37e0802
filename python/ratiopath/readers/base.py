"""The interface of readers: a file opened once, a pyramid of levels, segments to be decoded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ratiopath.errors import OverlayError, OverlayFormatError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np
    from numpy.typing import NDArray


# NumPy's characters for bool, integers of 8 to 64 bits, and floats of 16, 32 and 64.
SAMPLE_TYPES = frozenset("?bBhHiIlLqQefd")


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a pyramid and the grid of segments it is stored in.

    Attributes:
        width: Pixels of this level along x.
        height: Pixels of this level along y.
        segment_width: Pixels of a segment along x; the last column of segments may reach past
            the level's edge.
        segment_height: Pixels of a segment along y, likewise.
    """

    width: int
    height: int
    segment_width: int
    segment_height: int

    @property
    def columns(self) -> int:
        """Segments in a row of the grid."""
        return -(-self.width // self.segment_width)

    @property
    def rows(self) -> int:
        """Segments in a column of the grid."""
        return -(-self.height // self.segment_height)

    def size_within(self, row: int, column: int) -> tuple[int, int]:
        """Return the width and height of the part of a segment that lies inside the level."""
        return (
            min(self.segment_width, self.width - column * self.segment_width),
            min(self.segment_height, self.height - row * self.segment_height),
        )


@dataclass(frozen=True, slots=True)
class ResolutionMetadata:
    """What a file says about the resolution of its level 0, source by source, not yet judged.

    Attributes:
        ome: µm per pixel along x and y from OME-XML, its unit already converted.
        vendor: µm per pixel along x and y from a vendor's property.
        tags: Pixels per unit along x and y from the TIFF resolution tags, and that unit's length
            in µm (25400 for an inch); None where the tags have no real unit.
    """

    ome: tuple[float, float] | None = None
    vendor: tuple[float, float] | None = None
    tags: tuple[float, float, float] | None = None


class RefusedError(ValueError):
    """What a reader will not decode, though the file may be sound.

    Readers catch whatever their codecs raise and take it for damage; this they know better.

    Args:
        reason: What is refused.
        code: ``"unsupported"`` or ``"too_large"``, see `ratiopath.errors.CODES`.
        remedy: What the user can do, where the code's own remedy does not say it well.
    """

    def __init__(self, reason: str, code: str = "unsupported", remedy: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.remedy = remedy


def cannot_read(what: str, error: Exception, path: str) -> OverlayFormatError:
    """Return the error for a file, or a part of one, that cannot be read.

    Args:
        what: The file or the part.
        error: Why.
        path: The file's path.

    Returns:
        The error to raise from ``error``.
    """
    code, remedy = "corrupt", None
    if isinstance(error, RefusedError):
        code, remedy = error.code, error.remedy
    reason = f"{what} cannot be read: {error}"
    return OverlayFormatError(reason, path, code=code, remedy=remedy)


@contextmanager
def closed_on_error(reader: Reader, what: str) -> Generator[None]:
    """Close a reader whose opening fails, and name its file in the error.

    Args:
        reader: The reader, whose ``path`` and file are set.
        what: The file, for the message.

    Raises:
        OverlayError: Whatever opening raised: as it was, or as "cannot be read".
    """
    try:
        yield
    except OverlayError:
        # It says more already. A remote file whose server fails, for one, is not corrupt.
        reader.close()
        raise
    except Exception as error:
        reader.close()
        raise cannot_read(what, error, reader.path) from error


def segment_name(level: int, row: int, column: int) -> str:
    """Return the name of a segment in messages."""
    return f"segment (row {row}, column {column}) of level {level}"


class Reader(ABC):
    """An overlay or slide opened for reading.

    A reader knows only how to decode one segment; which segments a batch touches, cropping,
    clipping, masking and counting are done elsewhere, once for all formats. Every method may be
    called from several threads at once.

    Attributes:
        path: Where the pixels come from, for messages.
        dtype: The file's own sample type, in native byte order.
        channels: Samples per pixel, at least 1.
        levels: The pyramid, level 0 first.
        resolution: What the file says about its µm per pixel.
        fill: The sample value of a segment that the file leaves out.
        encoding: How segments are stored, in the format's own words, for people to read.
        identity: What changes when the file is replaced, for caches of segments to key on; empty
            where segments are not worth caching, since they already lie in memory.
        reads_ahead: Whether segments come from so far away that `read_ahead` pays.
    """

    path: str
    dtype: np.dtype[Any]
    channels: int
    levels: tuple[Level, ...]
    resolution: ResolutionMetadata
    fill: float | int = 0
    encoding: str = ""
    identity: tuple[object, ...] = ()
    reads_ahead: bool = False

    @abstractmethod
    def read_segment(self, level: int, row: int, column: int) -> NDArray[Any] | None:
        """Decode one segment.

        Args:
            level: Index into ``levels``.
            row: Row of the segment in the level's grid.
            column: Column of the segment in the level's grid.

        Returns:
            A C-contiguous array ``(height, width, channels)`` of ``dtype``, whose first pixel is
            the segment's top-left one. It covers at least the part of the segment that lies inside
            the level, and may cover the whole segment. None for a segment that the file leaves
            out, which reads as ``fill`` everywhere.

        Raises:
            OverlayFormatError: The segment is corrupt, truncated or in an unsupported encoding.
        """

    def read_segment_into(
        self,
        slot: NDArray[np.uint8],  # noqa: ARG002 - for those that can
        level: int,
        row: int,
        column: int,
    ) -> NDArray[Any] | None:
        """Decode one segment that is used once and not kept.

        Args:
            slot: Memory (n,) that the pixels may be written to instead of a fresh array, which
                would cost page faults every time.
            level: Index into ``levels``.
            row: Row of the segment in the level's grid.
            column: Column of the segment.

        Returns:
            What `read_segment` returns, in the slot or elsewhere; good until the slot is used
            again.

        Raises:
            OverlayFormatError: As for `read_segment`.
        """
        return self.read_segment(level, row, column)

    def encoded_segment(self, level: int, row: int, column: int) -> bytes | None:  # noqa: ARG002 - for those that have it
        """Return a segment's stored bytes where comparing them may save decoding it.

        Label maps are mostly empty, and their empty segments are stored alike.

        Returns:
            Bytes that, when two whole segments of one level have the same, mean the same pixels;
            None where comparing them would not be much cheaper than decoding.
        """
        return None

    def decode_segment(
        self,
        stored: bytes,  # noqa: ARG002 - for those that have it
        slot: NDArray[np.uint8] | None,
        level: int,
        row: int,
        column: int,
    ) -> NDArray[Any] | None:
        """Decode one segment from its stored bytes, which are not read again.

        Args:
            stored: What `encoded_segment` returned for it.
            slot: Where it may be decoded; see `read_segment_into`.
            level: Index into ``levels``.
            row: Row of the segment in the level's grid.
            column: Column of the segment.

        Returns:
            What `read_segment` returns, or `read_segment_into` where there is a slot.

        Raises:
            OverlayFormatError: As for `read_segment`.
        """
        if slot is None:
            return self.read_segment(level, row, column)
        return self.read_segment_into(slot, level, row, column)

    def read_ahead(self, level: int, segments: Sequence[tuple[int, int]]) -> int:  # noqa: ARG002 - for those that do
        """Fetch the stored bytes of some segments in as few requests as possible.

        Args:
            level: Index into ``levels``.
            segments: Row and column of the segments that will be read next, in their order.

        Returns:
            How many of them, from the first, need no request of their own any more; at least one
            unless there is none.

        Raises:
            OverlayError: The overlay could not be read, or was replaced meanwhile.
        """
        return len(segments)

    @abstractmethod
    def close(self) -> None:
        """Close the file. Reading afterwards is an error."""
