"""Agreement with ratiopath 1.5.0, the reference, wherever it is right.

That is: at S = 1 with any region, or with a box at S <= 1; inside the slide; grey 8-bit masks; at
level 0 or a level of an exact power of two; integer bounds of the region; no coordinate halfway
between two pixels. Where it is wrong, `test_reference_faults.py` has the right answers.

It has this package's name, so it needs a Python of its own, which ``RATIOPATH_PEER_PYTHON`` names.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest
from shapely import MultiPolygon, Point, Polygon, box

from overlays import write_overlay
from ratiopath import overlay_overlap, read_overlay

WIDTH, HEIGHT = 2048, 1536
REGIONS = {
    "tile": box(0, 0, 256, 256),
    "middle": box(128, 64, 384, 192),
    "larger": box(-64, -32, 320, 288),
    "circle": Point(128, 128).buffer(100),
    "hole": box(0, 0, 256, 256) - box(30, 40, 100, 90),
    "polygon": Polygon([(0, 0), (256, 37), (200.5, 256), (51.25, 190.75)]),
    "parts": MultiPolygon([box(0, 0, 50, 70), Polygon([(90, 10), (256, 256), (60, 256)])]),
}
MPPS = {"S = 1": 0.5, "S = 1 at level 1": 1.0, "S = 1 at level 2": 2.0, "S = 1/2": 0.25}


@pytest.fixture(scope="module")
def peer():
    python = os.environ.get("RATIOPATH_PEER_PYTHON")
    if not python:
        pytest.skip("RATIOPATH_PEER_PYTHON names no Python that has ratiopath 1.5.0")
    return python


@pytest.fixture(scope="module")
def overlay(tmp_path_factory):
    """Labels in blobs, and a pyramid of exact halves that takes every second pixel."""
    few = np.random.default_rng(5).choice(np.array([0, 1, 255], np.uint8), (96, 128))
    pixels = few.repeat(16, axis=0).repeat(16, axis=1)
    pixels[::7, ::5] = 3
    folder = tmp_path_factory.mktemp("peer")
    levels = [pixels, pixels[::2, ::2], pixels[::4, ::4]]
    return write_overlay(folder / "labels.tiff", levels, 0.5, tile=(256, 256))


def requests(overlay):
    """Every region at every resolution where the reference is right, over the slide's inside."""
    for mpp_name, mpp in MPPS.items():
        extent = round(WIDTH * 0.5 / mpp), round(HEIGHT * 0.5 / mpp)
        xs, ys = np.meshgrid(
            np.arange(64, extent[0] - 384, 8 * 23), np.arange(64, extent[1] - 384, 8 * 31)
        )
        for name, roi in REGIONS.items():
            is_box = name in ("tile", "middle", "larger")
            if mpp >= 0.5 or is_box:
                tiles = {"tile_x": xs.ravel().tolist(), "tile_y": ys.ravel().tolist()}
                request = {"roi": roi.wkt, "overlay_path": str(overlay), "mpp": mpp, **tiles}
                yield f"{name}, {mpp_name}", roi, request


def test_fractions_patches_and_masks_are_the_reference_s_where_it_is_right(peer, overlay, tmp_path):
    asked = list(requests(overlay))
    question, reply = tmp_path / "requests.json", tmp_path / "answers.pickle"
    question.write_text(json.dumps([request for _, _, request in asked]), encoding="utf-8")
    script = Path(__file__).parents[1] / "support" / "peer_answers.py"
    subprocess.run([peer, str(script), str(question), str(reply)], check=True)  # noqa: S603 - the tester's own Python
    answers = pickle.loads(reply.read_bytes())  # noqa: S301 - written by our own script
    tiles = 0
    for (name, roi, request), (rows, patches) in zip(asked, answers, strict=True):
        arguments = (roi, overlay, request["tile_x"], request["tile_y"], *[request["mpp"]] * 2)
        for found, row in zip(overlay_overlap(*arguments), rows, strict=True):
            expected = {int(key): share for key, share in row.items() if share is not None}
            assert found == pytest.approx(expected, abs=1e-12), name
        ours = read_overlay(*arguments)
        for data, mask, (reference, reference_mask) in zip(
            ours.data, ours.mask, patches, strict=True
        ):
            np.testing.assert_array_equal(data[:, :, 0], reference[:, :, 0], name)
            np.testing.assert_array_equal(mask, reference_mask[:, :, 0] != 0, name)
        tiles += len(rows)
    assert (len(asked), tiles) == (24, 1031)
