"""A segment that is not what its file promises is a fault of the file, whatever asked for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ratiopath import OverlayFormatError, overlay_overlap, overlay_stats, read_overlay
from ratiopath.readers.npy import NpyReader

MPP: dict[str, Any] = {"overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}


def refused(tmp_path, monkeypatch, ask, promised, decoded):
    """What is said of an overlay whose segments are decoded to something else."""
    path = tmp_path / "overlay.npy"
    np.save(path, np.zeros(promised, np.uint8))
    for name in ("read_segment", "read_segment_into"):
        monkeypatch.setattr(NpyReader, name, lambda *_: decoded)
    with pytest.raises(OverlayFormatError) as caught:
        # The first row touches no segment.
        ask(None, [str(path)] * 2, [500, 0], 0, 1.0, 1.0, tile_extent_x=9, tile_extent_y=9, **MPP)
    assert (caught.value.path, caught.value.row) == (str(path), 1)
    return caught.value.reason


@pytest.mark.parametrize("ask", [overlay_overlap, overlay_stats, read_overlay])
def test_too_few_pixels_name_the_overlay_and_the_row(tmp_path, monkeypatch, ask):
    decoded = np.arange(15, dtype=np.uint8).reshape(3, 5, 1)
    reason = refused(tmp_path, monkeypatch, ask, (40, 40), decoded)
    assert reason == "segment has 5 x 3 pixels where at least 40 x 40 lie inside the level"


@pytest.mark.parametrize("ask", [overlay_overlap, read_overlay])
def test_half_a_pixel_names_the_overlay_and_the_row(tmp_path, monkeypatch, ask):
    decoded = np.arange(40 * 41).astype(np.uint8).reshape(40, 41, 1)
    reason = refused(tmp_path, monkeypatch, ask, (40, 40, 2), decoded)
    assert reason == "rows of 41 bytes are no whole pixels of 2 bytes"
