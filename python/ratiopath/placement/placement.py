"""From a group of rows to its patches on an open overlay: which file, which level, which scale."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

import numpy as np

from ratiopath._core import SegmentError
from ratiopath.call.columns import EXTENT
from ratiopath.call.options import Options
from ratiopath.call.region import Region
from ratiopath.errors import OverlayError, OverlayFormatError, OverlayNotFoundError
from ratiopath.placement.layout import CoordinateError, lay_exact, lay_rounded
from ratiopath.placement.levels import existing_level, fit_level
from ratiopath.placement.resolution import scale_between
from ratiopath.readers.array import ArrayReader
from ratiopath.readers.empty import EmptyReader
from ratiopath.readers.opening import open_reader
from ratiopath.segments.cache import cache
from ratiopath.values.pixels import sample_holding

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from numpy.typing import NDArray

    from ratiopath._core import Plan
    from ratiopath.call.batch import Batch, Group
    from ratiopath.call.query import Call
    from ratiopath.readers.base import Level, Reader
    from ratiopath.segments.cache import Segment, SegmentSource, SegmentStatus

P = ParamSpec("P")

# Segments that are looked at together. Where they are remote, the reader bounds their bytes.
_RUN = 256


OverlayOptionsT_co = TypeVar("OverlayOptionsT_co", bound=Options, covariant=True)


@dataclass(frozen=True)
class Placement(Generic[OverlayOptionsT_co]):
    """The patches of one group on one level of their overlay.

    Attributes:
        group: The rows that the patches belong to.
        reader: The overlay, open.
        level: The level that is read.
        shape: Rows and columns of a patch; of the first patch under exact coverage.
        plan: Which segments the patches touch.
        options: The options of the call.
    """

    group: Group
    reader: Reader
    level: int
    shape: tuple[int, int]
    plan: Plan
    options: OverlayOptionsT_co

    @property
    def grid(self) -> Level:
        """The level's size and segments."""
        return self.reader.levels[self.level]

    @cached_property
    def segments(self) -> NDArray[np.int64]:
        """The touched segments as ``row * columns + column``, ascending."""
        return self.plan.segments

    @property
    def channels(self) -> int:
        """How many samples a pixel has that are read."""
        return self.reader.channels if self.options.channel is None else 1

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel, of the channels that are read."""
        return self.channels * self.reader.dtype.itemsize

    @cached_property
    def store(self) -> SegmentSource:
        """The level's segments, through the process's cache."""
        return cache.source(self.reader, self.level)

    def lookup(self, part: range) -> Iterator[tuple[int, SegmentStatus]]:
        """Yield what is known of touched segments, those of remote overlays fetched many at once.

        Args:
            part: Indices into ``segments``.

        Raises:
            OverlayError: They cannot be fetched; names the first row that touches one.
        """
        while part:
            run = part[:_RUN]
            if self.reader.reads_ahead:
                run = run[: self._read_ahead(run)]
            indices = self.segments[run.start : run.stop].tolist()
            yield from zip(run, self.store.lookup(indices), strict=True)
            part = part[len(run) :]

    def read(
        self, index: int, status: SegmentStatus, slot: NDArray[np.uint8] | None = None
    ) -> Segment:
        """Decode the ``index``-th touched segment.

        Args:
            index: Index into ``segments``.
            status: What `lookup` yielded.
            slot: See `SegmentSource.read`.

        Raises:
            OverlayFormatError: It cannot be decoded; names the first row that touches it.
        """
        try:
            return self.store.read(status, slot)
        except OverlayError as error:
            # The new error takes the old one's place: its cause is what the reader met, not the old
            # one.
            raise error.at_row(self._first_row(index)) from error.__cause__

    def hand_over(
        self,
        index: int,
        take: Callable[Concatenate[Plan, int, P], None],
        *arguments: P.args,
        **options: P.kwargs,
    ) -> None:
        """Hand the ``index``-th touched segment to the core.

        Args:
            index: Index into ``segments``.
            take: A function of the core that takes the plan, the index and pixels.
            arguments: The pixels, and what else it takes.
            options: Likewise, by name.

        Raises:
            OverlayFormatError: The segment does not have the pixels that the plan expects; names
                the first row that touches it.
        """
        try:
            take(self.plan, index, *arguments, **options)
        except SegmentError as error:
            path, row = self.group.path, self._first_row(index)
            raise OverlayFormatError(str(error), path, row, code="corrupt") from error

    def _read_ahead(self, part: range) -> int:
        """Fetch what the first of some segments are stored in; return how many they are."""
        wanted = [index for index in part if not self.store.holds(int(self.segments[index]))]
        try:
            columns = self.grid.columns
            places = [divmod(int(self.segments[index]), columns) for index in wanted]
            count = self.reader.read_ahead(self.level, places)
        except OverlayError as error:
            raise error.at_row(self._first_row(wanted[0])) from error.__cause__
        return len(part) if count == len(wanted) else wanted[count] - part.start

    def _first_row(self, index: int) -> int:
        return int(self.group.rows[self.plan.first_patch(index) or 0])


def place(call: Call[OverlayOptionsT_co], group: Group) -> Placement[OverlayOptionsT_co]:
    """Open a group's overlay and lay its patches on the level that fits.

    Args:
        call: The call.
        group: Those of its rows that share the overlay.

    Returns:
        The placement.

    Raises:
        OverlayError: The overlay cannot be opened, has no resolution, or lacks the level asked for;
            names the overlay and the row.
    """
    options = call.options
    with _errors_of(group):
        reader = _open(group, options)
        level, scale = _level_and_scale(group, reader)
        region = _tile(group) if call.region is None else call.region
        # Weights are of the region where it truly lies; the other rules look at whole pixels, and
        # one rounded origin serves all tiles.
        lay = lay_exact if options.coverage == "exact" else lay_rounded
        tiles, grid = group.tiles(call.batch), reader.levels[level]
        shape, plan = lay(*tiles, region, scale, grid, options)
    # Nor channels.
    channels = None if isinstance(reader, EmptyReader) else reader.channels
    if channels is not None and options.channel is not None and options.channel >= channels:
        raise group.error(
            f"there is no channel {options.channel}: the overlay has {channels}",
            code="no_such_channel",
        )
    return Placement(group, reader, level, shape, plan, options)


def place_slide(batch: Batch, group: Group, background: float) -> Placement[Options]:
    """Open a group's slide and lay its tiles on their own level, pixel by pixel.

    Args:
        batch: The rows of the call.
        group: Those that share slide, level and extent.
        background: The sample value beyond the slide's edge and where the slide is transparent.

    Returns:
        The placement.

    Raises:
        OverlayError: The slide cannot be opened or lacks the level; names the slide and the row.
    """
    with _errors_of(group):
        if not isinstance(group.source, str):
            raise group.error("path is null", code="null_path")
        reader = open_reader(group.source, transparent=background)
        if sample_holding(background, reader.dtype) is None:
            reason = f"background={background} is no value of {reader.dtype}"
            raise group.error(reason, code="not_in_dtype", remedy="choose one that is")
        # Tiles of slides are never resampled: level and pixels are those of the grid.
        level = existing_level(group.numbers["level"], len(reader.levels), reader.path)
        options = Options(outside=background)
        tiles, grid = group.tiles(batch), reader.levels[level]
        shape, plan = lay_rounded(*tiles, _tile(group), (1.0, 1.0), grid, options)
    return Placement(group, reader, level, shape, plan, options)


def _tile(group: Group) -> Region:
    """Return the whole tile as a region."""
    return Region.rectangle(*(group.numbers[name] for name in EXTENT))


@contextmanager
def _errors_of(group: Group) -> Generator[None]:
    """Let what goes wrong with a group name its overlay and its row."""
    try:
        yield
    except OverlayError as error:
        raise error.at_row(int(group.rows[0])) from error.__cause__
    except CoordinateError as error:
        raise group.error(str(error), error.index, code="invalid_number") from error
    except ValueError as error:
        raise group.error(str(error), code="unplaceable") from error


def _open(group: Group, options: Options) -> Reader:
    if isinstance(group.source, np.ndarray):
        return ArrayReader(group.source)
    try:
        return _open_path(group.source, options)
    except OverlayNotFoundError as error:
        if options.on_missing == "empty":
            return EmptyReader(options.dtype or _dtype_outside(options))
        raise error.with_remedy("on_missing='empty' allows it") from error.__cause__


def _dtype_outside(options: Options) -> np.dtype[Any]:
    """Return the sample type of an overlay that is not there: one that holds ``outside``."""
    # As in most label maps, so that patches of files that are there and of those that are not fit
    # into one array.
    if isinstance(options.outside, str):
        return np.dtype(np.uint8)
    return np.promote_types(np.uint8, np.min_scalar_type(options.outside))


def _open_path(path: str | None, options: Options) -> Reader:
    if path is None:
        raise OverlayNotFoundError("overlay_path is null", code="null_path")
    return open_reader(path, storage_options=options.storage_options)


def _level_and_scale(group: Group, reader: Reader) -> tuple[int, tuple[float, float]]:
    tile_mpp = (group.numbers["mpp_x"], group.numbers["mpp_y"])
    override = group.pair("overlay_mpp")
    # What is missing has no levels to lack one, whatever level= says.
    if isinstance(reader, EmptyReader):
        return 0, scale_between(tile_mpp, override or tile_mpp)
    return fit_level(
        reader.resolution,
        reader.levels,
        path=reader.path,
        tile_mpp=tile_mpp,
        level=group.number("level"),
        override=override,
        slide_extent=group.pair("slide_extent"),
    )
