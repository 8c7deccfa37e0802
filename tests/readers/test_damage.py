"""What truncated and corrupt files come to: an error that names the file, never other pixels."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from overlays import labels, write_overlay
from ratiopath.errors import OverlayAccessError, OverlayError, OverlayFormatError
from ratiopath.readers.image import ImageReader
from ratiopath.readers.npy import NpyReader
from ratiopath.readers.opening import open_reader
from ratiopath.readers.tiff.reader import TiffReader
from ratiopath.storage.files import PositionalFile
from readers_assembly import assemble

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_cut_at_every_hundredth_of_its_bytes_is_an_error(tmp_path, layout):
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, labels(), compression="deflate", **layout, **OPTIONS)
    content = path.read_bytes()
    for part in range(100):
        path.write_bytes(content[: len(content) * part // 100])
        with pytest.raises(OverlayError, match=r"labels\.tif"):
            assemble(open_reader(path))


def test_pages_that_follow_each_other_for_ever_are_read_once(tmp_path):
    path = tmp_path / "loop.tif"
    with tifffile.TiffWriter(path) as tiff:
        for _ in range(3):
            tiff.write(labels(), **OPTIONS)
    with tifffile.TiffFile(path) as tiff:
        places = [page.offset for page in tiff.pages]
        entries = len(tiff.pages[2].aspage().tags)
    content = bytearray(path.read_bytes())
    after = places[2] + 2 + 12 * entries
    assert content[after : after + 4] == bytes(4)
    content[after : after + 4] = places[1].to_bytes(4, "little")
    path.write_bytes(content)
    np.testing.assert_array_equal(assemble(open_reader(path))[:, :, 0], labels())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_a_file_without_permission_is_refused(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [labels()])
    path.chmod(0)
    with pytest.raises(OverlayFormatError, match="Permission denied"):
        open_reader(path)


@pytest.mark.parametrize("size", [40_000, 2**31 - 1])
def test_a_strip_of_an_enormous_image_is_refused_unread(tmp_path, size):
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, labels(), compression="deflate", **OPTIONS)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for code in (256, 257, 278):
            tiff.pages.first.tags[code].overwrite(size, dtype=4)
    with pytest.raises(OverlayFormatError, match="more than 256 MiB"):
        open_reader(path).read_segment(0, 0, 0)


@pytest.mark.parametrize("code", [256, 257])
def test_an_image_of_a_negative_size_is_refused(tmp_path, code):
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, labels(), tile=(16, 16), bigtiff=True, **OPTIONS)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags[code].overwrite(-3, dtype=9)
    with pytest.raises(OverlayFormatError, match=r"labels\.tif"):
        open_reader(path)


def test_an_uncompressed_strip_of_any_height_is_read_in_rows(tmp_path):
    path = tmp_path / "heatmap.tif"
    tifffile.imwrite(path, shape=(40_000, 40_000), dtype="u1", rowsperstrip=40_000, **OPTIONS)
    with path.open("r+b") as file, tifffile.TiffFile(path) as tiff:
        file.seek(tiff.pages.first.dataoffsets[0] + 30_000 * 40_000 + 20_000)
        file.write(b"\7")
    reader = open_reader(path)
    row, column = divmod(30_000, reader.levels[0].segment_height)
    band = reader.read_segment(0, row, 0)
    assert band is not None
    assert band[column, 20_000, 0] == 7


def test_a_file_that_shrinks_while_open_is_an_error(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [labels()], compression=None)
    reader = open_reader(path)
    os.truncate(path, path.stat().st_size - 300)
    with pytest.raises(OverlayFormatError, match="the file ends"):
        assemble(reader)


def test_a_byte_count_past_the_end_is_refused_before_anything_is_allocated(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [labels()])
    with tifffile.TiffFile(path, mode="r+") as tiff:
        counts = tiff.pages.first.tags[325]
        counts.overwrite([2**16 - 1] * len(counts.value))
    with pytest.raises(OverlayFormatError, match="past the end"):
        open_reader(path).read_segment(0, 0, 0)


@pytest.mark.parametrize("code", [324, 325])
def test_places_that_are_no_integers_are_refused(tmp_path, code):
    path = write_overlay(tmp_path / "labels.tiff", [labels()])
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tag = tiff.pages.first.tags[code]
        tag.overwrite([float(value) for value in tag.value], dtype=11)
    with pytest.raises(OverlayFormatError, match="no integers"):
        open_reader(path)


def test_tiles_that_openslide_has_no_memory_for_never_reach_it(tmp_path):
    path = tmp_path / "slide.svs"
    options: dict[str, Any] = {
        "compression": 33003,
        "tile": (32, 32),
        "photometric": "rgb",
        "metadata": None,
    }
    pixels = np.zeros((48, 64, 3), np.uint8)
    tifffile.imwrite(path, pixels, description="Aperio x |MPP = 0.5", **options)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags[322].overwrite(2**31 - 1, dtype=4)
    with pytest.raises(OverlayFormatError, match="its tiles are 2147483647 x 32"):
        open_reader(path)


def test_a_slide_whose_pages_go_in_a_circle_is_refused(tmp_path):
    path = tmp_path / "slide.svs"
    options: dict[str, Any] = {
        "compression": 33003,
        "tile": (32, 32),
        "photometric": "rgb",
        "metadata": None,
    }
    pixels = np.zeros((48, 64, 3), np.uint8)
    tifffile.imwrite(path, pixels, description="Aperio x |MPP = 0.5", **options)
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        after = page.offset + 2 + 12 * len(page.tags)
    content = bytearray(path.read_bytes())
    content[after : after + 4] = page.offset.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(OverlayFormatError, match="OpenSlide"):
        open_reader(path)


@pytest.mark.parametrize("samples", [3, 65534])
def test_a_jpeg_of_other_samples_than_its_page_is_refused(tmp_path, samples):
    path = tmp_path / "samples.tif"
    tifffile.imwrite(path, labels(), compression="jpeg", tile=(16, 16), **OPTIONS)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["SamplesPerPixel"].overwrite(samples)
    with pytest.raises(OverlayFormatError, match=f"pixel are 1, where .* says {samples}"):
        open_reader(path).read_segment(0, 0, 0)


def test_too_few_segments_are_refused(tmp_path):
    path = write_overlay(tmp_path / "labels.tiff", [labels()])
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags[324].overwrite([8])
    with pytest.raises(OverlayFormatError, match="1 are listed"):
        open_reader(path)


@pytest.mark.parametrize("start", [b"II*\0", b"MM\0*"])
def test_a_tiff_s_first_bytes_alone_are_said_to_hold_no_image(tmp_path, start):
    path = tmp_path / "junk.tif"
    path.write_bytes(start + b"junkjunk")
    with pytest.raises(OverlayFormatError, match="holds no image that can be read"):
        open_reader(path)


class KeptFile(PositionalFile):
    """Gives the same bytes again, as a file behind a URL does."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._kept: dict[tuple[int, int], bytes] = {}

    def read(self, offset: int, count: int) -> bytes:
        if (offset, count) not in self._kept:
            self._kept[offset, count] = super().read(offset, count)
        return self._kept[offset, count]


@pytest.mark.parametrize("predictor", [2, 3])
@pytest.mark.parametrize("layout", [{"tile": (16, 16)}, {"rowsperstrip": 5}])
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_a_predictor_is_not_undone_in_bytes_that_are_read_again(
    tmp_path, predictor, layout, compression
):
    pixels = labels().astype("f4" if predictor == 3 else "u2")
    path = tmp_path / "labels.tif"
    options = OPTIONS | layout | {"predictor": predictor}
    tifffile.imwrite(path, pixels, compression=compression or "deflate", **options)
    if compression is None:
        store_uncompressed(path)
    reader = TiffReader(KeptFile(str(path)))
    for _ in range(2):
        np.testing.assert_array_equal(assemble(reader)[:, :, 0], pixels)


def store_uncompressed(path: Path) -> None:
    """Put a deflated file's segments in its end as they are unpacked, predictor and all."""
    with tifffile.TiffFile(path, mode="r+") as tiff:
        page = tiff.pages.first
        offset_tag, count_tag = (324, 325) if page.is_tiled else (273, 279)
        segments = []
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            tiff.filehandle.seek(offset)
            segments.append(zlib.decompress(tiff.filehandle.read(count)))
        end = path.stat().st_size
        tiff.filehandle.seek(end)
        tiff.filehandle.write(b"".join(segments))
        starts = np.cumsum([end, *map(len, segments[:-1])])
        page.tags[259].overwrite(1)
        page.tags[offset_tag].overwrite([int(start) for start in starts])
        page.tags[count_tag].overwrite(list(map(len, segments)))


class _Unreachable(PositionalFile):
    """A file whose storage fails once it has been opened."""

    fails = False

    def read(self, offset: int, count: int) -> bytes:
        if self.fails:
            raise OverlayAccessError("no answer", self.path, code="unreachable")
        return super().read(offset, count)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.tif", TiffReader), ("a.png", ImageReader), ("a.npy", NpyReader)]
)
def test_a_storage_that_fails_within_a_segment_is_not_a_corrupt_file(tmp_path, name, kind):
    path = tmp_path / name
    if name.endswith("tif"):
        tifffile.imwrite(path, labels(), compression="deflate", **OPTIONS)
    elif name.endswith("png"):
        path.write_bytes(imagecodecs.png_encode(labels()))
    else:
        np.save(path, labels())
    file = _Unreachable(str(path))
    reader = kind(file)
    file.fails = True
    with pytest.raises(OverlayAccessError) as caught:
        reader.read_segment(0, 0, 0)
    assert caught.value.code == "unreachable"
