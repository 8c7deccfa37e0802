"""What truncated and corrupt files come to: an error that names the file, never other pixels."""

from __future__ import annotations

import os

import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from overlays import labels, write_overlay
from ratiopath.errors import OverlayError, OverlayFormatError
from ratiopath.readers import open_reader
from ratiopath.readers.tiff import TiffReader
from readers_assembly import assemble

OPTIONS = {"photometric": "minisblack", "metadata": None}
LAYOUTS = [{"tile": (16, 16)}, {"rowsperstrip": 5}, {"rowsperstrip": 37}]


@given(
    compression=st.sampled_from([None, "deflate", "lzw", "packbits", "zstd"]),
    layout=st.sampled_from(LAYOUTS),
    kept=st.floats(0, 1, exclude_max=True),
)
def test_a_truncated_file_is_an_error_and_never_other_pixels(
    tmp_path_factory, compression, layout, kept
):
    path = tmp_path_factory.mktemp("truncated") / "labels.tif"
    tifffile.imwrite(path, labels(), compression=compression, **layout, **OPTIONS)
    os.truncate(path, int(path.stat().st_size * kept))
    with pytest.raises(OverlayError, match=r"labels\.tif"):
        assemble(open_reader(path))


@given(
    compression=st.sampled_from([None, "deflate", "lzw", "packbits", "zstd"]),
    layout=st.sampled_from(LAYOUTS),
    changes=st.lists(st.tuples(st.integers(8, 700), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_corrupt_file_is_an_error_or_keeps_the_reader_s_promises(
    tmp_path_factory, compression, layout, changes
):
    path = tmp_path_factory.mktemp("corrupt") / "labels.tif"
    tifffile.imwrite(path, labels(), compression=compression, **layout, **OPTIONS)
    data = bytearray(path.read_bytes())
    for position, value in changes:
        data[position % len(data)] = value
    path.write_bytes(data)
    try:
        reader = TiffReader(path)
        segment = reader.read_segment(0, 0, 0)
    except OverlayError:
        return
    assert segment is None or (segment.shape[2], segment.dtype) == (reader.channels, reader.dtype)


def test_a_file_that_shrinks_while_open_is_an_error(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [labels()], compression=None)
    reader = open_reader(path)
    os.truncate(path, path.stat().st_size - 300)
    with pytest.raises(OverlayFormatError, match="the file ends"):
        assemble(reader)


def test_a_byte_count_past_the_end_is_refused_before_anything_is_allocated(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [labels()])
    with tifffile.TiffFile(path, mode="r+") as tiff:
        counts = tiff.pages[0].tags[325]
        counts.overwrite([2**16 - 1] * len(counts.value))
    with pytest.raises(OverlayFormatError, match="past the end"):
        open_reader(path).read_segment(0, 0, 0)


def test_too_few_segments_are_refused(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [labels()])
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags[324].overwrite([8])
    with pytest.raises(OverlayFormatError, match="1 are listed"):
        open_reader(path)
