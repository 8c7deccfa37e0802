"""No label comes out of an overlay that is not in the file, at any level, by either backend."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import box

from overlays import write_overlay
from ratiopath import overlay_overlap, read_overlay
from ratiopath.placement import placement
from ratiopath.readers.openslide import OpenSlideReader

# Sizes whose halves and quarters are not whole, down by taking pixels, rounded up and down.
SIZES = [(1024, 768), (1025, 769), (1023, 771), (999, 701)]
LABELS = np.array([0, 7, 200], np.uint8)


def pyramid(size, *, up):
    """Levels of one label a pixel, each of its own labels, sizes rounded up or down."""
    rng = np.random.default_rng(size)
    width, height = size
    for k in (1, 2, 4):
        rows, columns = (-(-n // k) if up else n // k for n in (height, width))
        yield LABELS[rng.integers(0, 3, (rows, columns))]


@pytest.mark.parametrize("backend", ["tifffile", "openslide"])
@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_every_level_s_labels_are_those_stored(tmp_path, monkeypatch, size, up, backend):
    levels = list(pyramid(size, up=up))
    path = write_overlay(tmp_path / "a.tiff", levels, 0.5, tile=(256, 256))
    if backend == "openslide":
        monkeypatch.setattr(placement, "open_reader", lambda name, **_: OpenSlideReader(name))
    for k, level in enumerate(levels):
        mpp = 0.5 * 2**k
        roi, xs, ys = box(0, 0, 90, 70), [0, 61, 100, 149, -20], [0, 33, 100, 97, -20]
        found = overlay_overlap(roi, str(path), xs, ys, mpp, mpp, level=k)
        patches = read_overlay(roi, str(path), xs, ys, mpp, mpp, level=k)
        for row, (x, y) in enumerate(zip(xs, ys, strict=True)):
            stored = level[max(0, y) : y + 70, max(0, x) : x + 90]
            values, counts = np.unique(stored, return_counts=True)
            shares = counts / stored.size
            assert found[row] == dict(zip(values.tolist(), shares.tolist(), strict=True))
            inside = patches.data[row][~patches.mask[row]][:, 0]
            np.testing.assert_array_equal(inside, stored.ravel())
