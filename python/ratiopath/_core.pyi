"""The native core: buffers in, buffers out, the interpreter left meanwhile.

Internal: the public functions around it check their arguments and name files and rows. Every
function raises ValueError for what it refuses, with the numbers in the message: SegmentError where
that is what was decoded. MemoryError says that an output does not fit.
"""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AreaCollector",
    "Layer",
    "Memo",
    "Plan",
    "SampleCollector",
    "SegmentError",
    "Stencil",
    "__version__",
    "constant_pixel",
    "count_pixels",
    "count_under",
    "decode_lzw",
    "fill_background",
    "fill_dictionaries",
    "fill_segment",
    "gather_segment",
    "is_certainly_valid",
    "scale_coordinates",
    "write_masks",
]

__version__: str

class SegmentError(ValueError):
    """A decoded segment is not what the plan expects: the fault of a file or of its reader."""

def scale_coordinates(coordinates: NDArray[np.float64], scale: float) -> NDArray[np.int64]:
    """Return ``floor(coordinates * scale + 0.5)``, evaluated as written in float64."""

def count_pixels(
    pixels: NDArray[np.uint8],
    pixel_bytes: int,
    mask: NDArray[np.bool_] | None,
    weights: NDArray[np.float64] | None,
) -> tuple[NDArray[np.uint8], NDArray[np.int64] | NDArray[np.float64]]:
    """Count distinct pixels.

    Args:
        pixels: Rows of pixels as bytes, (H, W * pixel_bytes), C-contiguous.
        pixel_bytes: Bytes of one pixel.
        mask: True for pixels to leave out, (H * W,), or None.
        weights: A weight per pixel, (H * W,), or None for 1 each.

    Returns:
        The distinct pixels' bytes one after the other (K * pixel_bytes,), and the number of each
        (K,) or with weights the sum of those of each (K,). Up to 8 bytes, they ascend as
        little-endian unsigned numbers.
    """

def count_under(
    pixels: NDArray[np.uint8], pixel_bytes: int, spans: Stencil
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Count distinct pixels under spans of the same shape, each with its weight.

    Args:
        pixels: Rows of pixels as bytes, (H, W * pixel_bytes), C-contiguous.
        pixel_bytes: Bytes of one pixel.
        spans: What lies inside (H, W).

    Returns:
        The distinct pixels' bytes one after the other (K * pixel_bytes,), and the area of each in
        pixels (K,). Up to 8 bytes, they ascend as little-endian unsigned numbers.
    """

def is_certainly_valid(
    vertices: NDArray[np.float64], ring_ends: NDArray[np.int64], exteriors: NDArray[np.bool_]
) -> bool:
    """Whether a polygon or multipolygon is valid beyond doubt; False says nothing.

    Args:
        vertices: All rings' vertices (n, 2), x and y.
        ring_ends: Where each ring ends in ``vertices``, ascending (R,).
        exteriors: Which rings begin a polygon, whose holes are the rings after it (R,).
    """

def constant_pixel(pixels: NDArray[np.uint8], pixel_bytes: int) -> bytes | None:
    """Return the one pixel that all of (H, W * pixel_bytes) are equal to, or None."""

def decode_lzw(stream: bytes, out: NDArray[np.uint8]) -> int:
    """Unpack an LZW stream, as TIFF stores it, until it or ``out`` (n,) ends.

    Returns:
        How many bytes were written.

    Raises:
        ValueError: A code has no meaning; the message says where.
    """

def fill_background(
    plan: Plan, pixel: bytes, out: NDArray[np.uint8], stride: int, offset: int
) -> None:
    """Write one pixel all over each patch that reaches beyond the level; see `gather_segment`."""

def fill_dictionaries(
    dictionaries: list[dict[Any, float]],
    rows: NDArray[np.intp],
    keys: list[Any],
    columns: NDArray[np.intp],
    values: NDArray[np.float64],
) -> None:
    """Put values into dictionaries, one entry after the other.

    Args:
        dictionaries: What is filled (N).
        rows: Which dictionary each entry belongs to (E,).
        keys: What entries are called (K).
        columns: Which of the keys each entry has (E,).
        values: What is put there (E,).

    Raises:
        ValueError: ``rows``, ``columns`` and ``values`` differ in length, or a column has no key.
        IndexError: A row has no dictionary.
    """

def fill_segment(
    plan: Plan, index: int, pixel: bytes, out: NDArray[np.uint8], stride: int, offset: int
) -> None:
    """Do as `gather_segment` for a segment all of whose pixels are ``pixel``."""

def gather_segment(
    plan: Plan,
    index: int,
    pixels: NDArray[np.uint8],
    pixel_bytes: int,
    out: NDArray[np.uint8],
    stride: int,
    offset: int,
) -> None:
    """Copy what each patch of a plan sees of its ``index``-th touched segment into ``out``.

    Args:
        plan: The plan; its patches have one stencil.
        index: Index into ``plan.segments``.
        pixels: The decoded segment, (h, w * pixel_bytes), C-contiguous.
        pixel_bytes: Bytes of one pixel.
        out: The output as bytes, one patch every ``stride`` bytes.
        stride: Bytes from one patch to the next.
        offset: Bytes from a patch's start to its first pixel.
    """

def write_masks(
    plan: Plan, masked: bytes, clip: bool, out: NDArray[np.uint8], stride: int, offset: int
) -> None:
    """Write the masks of all patches: ``masked`` outside the region, zero bytes inside.

    Args:
        plan: The plan; its patches have one stencil.
        masked: The bytes of a masked pixel.
        clip: Whether pixels outside the level are masked as well.
        out: The output as bytes, one patch every ``stride`` bytes.
        stride: Bytes from one patch to the next.
        offset: Bytes from a patch's start to its mask.
    """

@final
class Stencil:
    """The pixels inside a polygon, as sorted runs of each row; immutable."""

    def __new__(
        cls,
        vertices: NDArray[np.float64],
        ring_ends: NDArray[np.int64],
        shape: tuple[int, int],
        bounds: tuple[float, float, float, float],
        rule: str,
        rows: tuple[int, int],
    ) -> Stencil:
        """Rasterise rings.

        Args:
            vertices: All rings' vertices (n, 2), x and y; holes run against their exterior.
            ring_ends: Where each ring ends in ``vertices``, ascending.
            shape: Rows and columns of the grid.
            bounds: x0, y0, x1, y1 of the polygon's space that the grid is laid on.
            rule: ``"center"``, ``"all_touched"`` or ``"exact"``.
            rows: First and end row of those that matter; others are taken to hold nothing.
        """

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""

    def mask(self) -> NDArray[np.bool_]:
        """Return the mask (H, W), True outside."""

    def weights(self) -> NDArray[np.float64]:
        """Return each pixel's weight (H, W), in [0, 1]."""

@final
class Plan:
    """Which segments a batch of patches on one level touches; immutable."""

    def __new__(
        cls,
        level_shape: tuple[int, int],
        segment_shape: tuple[int, int],
        stencils: list[Stencil],
        x: NDArray[np.int64],
        y: NDArray[np.int64],
        stencil_indices: NDArray[np.uint32],
    ) -> Plan:
        """Lay patches on a level.

        Args:
            level_shape: Rows and columns of the level.
            segment_shape: Rows and columns of its segments.
            stencils: The distinct stencils of the patches.
            x: First column of each patch, in the level's pixels (N,).
            y: First row of each patch, likewise (N,).
            stencil_indices: Which of the stencils each patch has (N,).
        """

    @property
    def segments(self) -> NDArray[np.int64]:
        """The touched segments as ``row * columns + column``, ascending."""

    def first_patch(self, index: int) -> int | None:
        """Return the first patch that touches the ``index``-th touched segment."""

    def can_drop_pixels(self, index: int) -> bool:
        """Whether no batch is likely to need the ``index``-th touched segment again; a guess."""

    def __len__(self) -> int: ...

@final
class Memo:
    """Counts of windows over segments of known content; safe to share between threads."""

    def __new__(cls) -> Memo:
        """Know nothing yet."""

    def clear(self) -> None:
        """Forget everything."""

@final
class AreaCollector:
    """Collects the areas of distinct pixels, patch by patch; for one thread at a time."""

    def __new__(
        cls,
        pixel_bytes: int,
        memo: Memo | None = None,
        limit: int = 0,
        channel: int | None = None,
    ) -> AreaCollector:
        """Collect pixels of so many bytes.

        Args:
            pixel_bytes: Bytes of one pixel.
            memo: Where counts are found and kept.
            limit: How many bytes of counts may be kept.
            channel: The channel that is counted, where not all are.
        """

    @property
    def entries(self) -> int:
        """How many areas were collected, before those of one patch and pixel are added up."""

    def add_from_memo(self, plan: Plan, index: int, content_id: int) -> bool:
        """Add the ``index``-th touched segment if all counts are known, and say whether."""

    def add_segment(
        self, plan: Plan, index: int, pixels: NDArray[np.uint8], content_id: int | None
    ) -> None:
        """Add the ``index``-th touched segment, (h, w * pixel_bytes), C-contiguous.

        Segments of one ``content_id`` have equal pixels: what was counted in one is known in all.
        """

    def add_constant(self, plan: Plan, index: int, pixel: bytes) -> None:
        """Add the ``index``-th touched segment, all of whose pixels are the same."""

    def add_outside(self, plan: Plan, pixel: bytes) -> None:
        """Give one value to all that lies outside the level."""

    def merge(self, other: AreaCollector) -> None:
        """Take over what another collector of the same plan has found."""

    def finish(
        self, plan: Plan
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint32], NDArray[np.float64]]:
        """Return what was collected for the plan's patches and start anew.

        Returns:
            The distinct pixels' bytes one after the other (K * pixel_bytes,), where each patch's
            entries start (patches + 1,), the distinct pixel of each entry (E,), and the area of
            each entry in pixels (E,).
        """

@final
class Layer:
    """Polygons of a few classes, found by place; immutable."""

    def __new__(
        cls,
        vertices: NDArray[np.float64],
        ring_ends: NDArray[np.int64],
        polygon_ends: NDArray[np.int64],
        classes: NDArray[np.uint32],
        count: int,
    ) -> Layer:
        """Take polygons that do not overlap others of their class.

        Args:
            vertices: All rings' vertices (n, 2), x and y; holes run against their exterior.
            ring_ends: Where each ring ends in ``vertices``, ascending.
            polygon_ends: Where each polygon's rings end in ``ring_ends``, ascending.
            classes: The class of each polygon, below ``count``.
            count: How many classes there are.
        """

    def fractions(
        self,
        vertices: NDArray[np.float64],
        ring_ends: NDArray[np.int64],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Measure which fraction of a region, moved to each origin, each class covers.

        Args:
            vertices: The region's rings' vertices (m, 2), relative to its origin.
            ring_ends: Where each of its rings ends.
            x: The x of each origin, in the layer's units (N,).
            y: The y of each origin (N,).

        Returns:
            For each class that a region meets, which origin it is (E,), ascending, which class
            (E,), and the fraction of the region's area, in (0, 1] (E,).
        """

@final
class SampleCollector:
    """Collects statistics of samples, patch by patch; for one thread at a time."""

    def __new__(
        cls,
        kind: str,
        pixel_bytes: int,
        left_out: list[float],
        plan: Plan,
        quantiles: bool,
    ) -> SampleCollector:
        """Collect single-channel pixels.

        Args:
            kind: NumPy's kind of the samples: ``"b"``, ``"u"``, ``"i"`` or ``"f"``.
            pixel_bytes: Bytes of a sample.
            left_out: Values that do not count; NaN never does.
            plan: The plan whose patches are summarised.
            quantiles: Whether to keep every value, 24 bytes a pixel, for quantiles.
        """

    def add_segment(self, plan: Plan, index: int, pixels: NDArray[np.uint8]) -> None:
        """Add the ``index``-th touched segment, (h, w * pixel_bytes), C-contiguous."""

    def add_constant(self, plan: Plan, index: int, value: float) -> None:
        """Add the ``index``-th touched segment, all of whose pixels have one value."""

    def merge(self, other: SampleCollector) -> None:
        """Take over what another collector of the same plan has found; it is spent then."""

    def finish(
        self, probabilities: list[float]
    ) -> tuple[
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
    ]:
        """Return what was collected; the collector is spent then.

        Args:
            probabilities: Which quantiles, 0 to 1 (Q,).

        Returns:
            Of each patch the weight, mean, weighted sum of squared deviations, least and largest
            value, all (patches,), and its quantiles one after the other (patches * Q,), NaN where
            it has no value.
        """
