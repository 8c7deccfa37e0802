"""A Ray dataset with one row per slide: its size, resolution and tiling parameters."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import ray.data
from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

from ratiopath.slides.paths import SLIDE_EXTENSIONS, find_slides
from ratiopath.slides.rows import SLIDE_SCHEMA, Tiling, read_slide_row

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from ray.data import Dataset


def read_slides(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    tile_extent: int | tuple[int, int],
    stride: int | tuple[int, int],
    mpp: float | tuple[float, float] | None = None,
    level: int | None = None,
    slide_mpp: float
    | tuple[float, float]
    | Mapping[str, float | tuple[float, float]]
    | None = None,
    file_extensions: str | Iterable[str] | None = SLIDE_EXTENSIONS,
    ignore_missing_paths: bool = False,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
    ray_remote_args: dict[str, Any] | None = None,
) -> Dataset:
    """Read the metadata of slides into a Ray dataset, one row per slide.

    The columns are ``path`` (string); ``extent_x``, ``extent_y``, the size of the chosen level in
    its own pixels; ``tile_extent_x``, ``tile_extent_y``, ``stride_x``, ``stride_y`` as given;
    ``level`` (int64); ``mpp_x``, ``mpp_y``, µm per pixel of that level; and ``downsample``, level-0
    pixels per pixel of that level, the mean of both axes (float64). With ``level=``, a slide whose
    file does not say its µm per pixel has null ``mpp_x`` and ``mpp_y``.

    Several DICOM files of one series are each read as a slide: name one file of the series.

    Args:
        paths: Slides, folders (searched recursively), glob patterns (``**`` crosses folders) or
            URLs, one or a list. The files of a folder or pattern come sorted; between blocks Ray
            keeps this order only with its ``preserve_order`` option.
        tile_extent: Size of a tile in pixels of the chosen level, ``(width, height)`` or one number
            for both.
        stride: Distance between tiles in pixels of the chosen level, ``(x, y)`` or one number.
        mpp: Wanted µm per pixel, ``(x, y)`` or one number; the nearest level is chosen. Exactly one
            of ``mpp`` and ``level`` is given.
        level: Wanted level, 0 the finest.
        slide_mpp: µm per pixel of level 0 of every slide, ``(x, y)`` or one number, instead of what
            the files say; or a mapping with that of some slides, by path or file name.
        file_extensions: Endings of the files that are read, in any case; None reads all. A file
            named in ``paths`` itself that is left out is warned of.
        ignore_missing_paths: Leave out paths that do not exist, instead of raising.
        concurrency: The most Ray tasks that read at the same time.
        override_num_blocks: How many blocks to read, instead of Ray's own choice.
        ray_remote_args: Arguments of `ray.remote` for the tasks that read.

    Returns:
        The dataset. No slide is opened before it is consumed; its schema is known at once.

    Raises:
        OverlayNotFoundError: A path does not exist, or no slide is found at all.
        ValueError: Both or none of ``mpp`` and ``level`` are given, or a number is not positive.
        TypeError: A number of pixels or the level is not an integer.

    While the dataset is consumed, a slide can raise `OverlayFormatError` (it cannot be opened),
    `OverlayValueError` (it has no such level) or `OverlayResolutionError` (``mpp`` is given, but
    nothing says the slide's own); each names the slide. Workers warn where the nearest
    level's pixels are more than 1.2 times as large or as small as ``mpp`` asks for.

    Examples:
        >>> slides = read_slides("slides", mpp=0.5, tile_extent=512, stride=512)  # doctest: +SKIP
    """
    tiling = Tiling.checked(tile_extent, stride, mpp, level, slide_mpp)
    slides = find_slides(paths, file_extensions, ignore_missing=ignore_missing_paths)
    dataset: Dataset = ray.data.read_datasource(
        _SlidesDatasource(slides, tiling),
        concurrency=concurrency,
        override_num_blocks=override_num_blocks,
        **_remote_options(ray_remote_args or {}),
    )
    return dataset


def _remote_options(ray_remote_args: dict[str, Any]) -> dict[str, Any]:
    """Sort the arguments into those Ray takes by name, as of 2.60, and those it takes in a dict."""
    by_name = inspect.signature(ray.data.read_datasource).parameters
    named = {key: value for key, value in ray_remote_args.items() if key in by_name}
    others = {key: value for key, value in ray_remote_args.items() if key not in by_name}
    return {**named, "ray_remote_args": others} if others else named


class _SlidesDatasource(Datasource):
    def __init__(self, paths: list[str], tiling: Tiling) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Ray's is not annotated
        self._paths = paths
        self._tiling = tiling

    def get_name(self) -> str:
        return "Slides"

    def estimate_inmemory_data_size(self) -> int:
        return _estimated_bytes(self._paths)

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: object = None,  # noqa: ARG002 - newer versions of Ray pass it
    ) -> list[ReadTask]:
        groups = np.array_split(np.arange(len(self._paths)), min(parallelism, len(self._paths)))
        return [
            _read_task([self._paths[i] for i in group], self._tiling, per_task_row_limit)
            for group in groups
        ]


def _read_task(paths: list[str], tiling: Tiling, row_limit: int | None) -> ReadTask:
    metadata = BlockMetadata(
        num_rows=len(paths),
        size_bytes=_estimated_bytes(paths),
        input_files=tuple(paths),
        exec_stats=None,
    )
    return ReadTask(
        lambda: _read_rows(paths, tiling),
        metadata,
        schema=SLIDE_SCHEMA,
        per_task_row_limit=row_limit,
    )


def _estimated_bytes(paths: list[str]) -> int:
    numbers = 8 * (len(SLIDE_SCHEMA) - 1)
    return sum(len(path.encode(errors="surrogatepass")) + numbers for path in paths)


def _read_rows(paths: list[str], tiling: Tiling) -> Iterator[pa.Table]:
    """Yield a table per slide, so that a limit on the rows spares the slides after it."""
    for path in paths:
        row = read_slide_row(path, tiling)
        _warn_if_far(row, tiling)
        yield row


def _warn_if_far(row: pa.Table, tiling: Tiling) -> None:
    """Warn of a level far from the mpp asked for; Python shows each such text once a process."""
    mpp_x, mpp_y = row["mpp_x"][0].as_py(), row["mpp_y"][0].as_py()
    text = None if mpp_x is None else tiling.describe_far_level((mpp_x, mpp_y))
    if text is not None:
        warnings.warn(text, stacklevel=2)
