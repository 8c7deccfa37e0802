"""What docs/formats.md says is refused, and in which words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from formats_page import HEIGHT, WIDTH, ramps, rows_of
from ratiopath.errors import OverlayError
from ratiopath.readers import image
from ratiopath.readers.opening import open_reader
from ratiopath.readers.tiff import level as tiff_level
from readers_assembly import assemble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# --- What is refused ----------------------------------------------------------------------------


def tiff(path: Path, pixels: np.ndarray | None = None, **options: Any) -> Path:
    defaults: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    tifffile.imwrite(path, ramps() if pixels is None else pixels, **(defaults | options))
    return path


def retag(path: Path, code: int, value: object) -> Path:
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags[code].overwrite(value)
    return path


def streams(path: Path, stream: bytes | bytearray) -> Path:
    options: dict[str, Any] = {"tile": (32, 32), "compression": "jpeg", "photometric": "minisblack"}
    tifffile.imwrite(
        path, iter([bytes(stream)]), shape=(32, 32), dtype="u1", metadata=None, **options
    )
    return path


def content(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def saved(path: Path, **options: Any) -> Path:
    Image.fromarray(ramps()).save(path, **options)
    return path


def turned(path: Path) -> Path:
    exif = Image.Exif()
    exif[274] = 6
    return saved(path, format="JPEG", exif=exif)


def npy(path: Path, pixels: np.ndarray, end: int | None = None) -> Path:
    with path.open("wb") as file:
        np.save(file, pixels)
    return content(path, path.read_bytes()[:end])


def folder(path: Path) -> Path:
    path.mkdir()
    return path


REFUSED: dict[str, Callable[[Path], Path]] = {
    "a file of no known kind": lambda path: content(path, b"text" * 99),
    "a directory": folder,
    "a missing file": lambda path: path,
    "a TIFF of complex samples": lambda path: tiff(path, np.zeros((4, 4), np.complex64)),
    "a TIFF compression without tests": lambda path: retag(
        tiff(path, compression="lzw"), 259, 32809
    ),
    "a TIFF without pixels": lambda path: retag(tiff(path), 256, 0),
    "a truncated TIFF": lambda path: content(path, tiff(path).read_bytes()[:-99]),
    "a compressed strip above 256 MiB": lambda path: tiff(path, compression="lzw", rowsperstrip=75),
    "a stream of another size than its tile": lambda path: streams(
        path, bytes(imagecodecs.jpeg8_encode(np.zeros((64, 64), np.uint8)))
    ),
    "a JPEG without its end": lambda path: streams(
        path, bytes(imagecodecs.jpeg8_encode(np.zeros((32, 32), np.uint8))[:-9])
    ),
    "a PNG, JPEG or BMP above 256 MiB": lambda path: saved(path, format="PNG"),
    "a JPEG that EXIF turns": turned,
    "a .npy of objects": lambda path: npy(path, np.array([[None]])),
    "a .npy cut off": lambda path: npy(path, ramps(), -9),
}
WHY = {what: why.strip("`") for what, why in rows_of("What is refused")}


def test_every_row_of_the_refused_has_a_test():
    assert list(WHY) == list(REFUSED)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_says_why(tmp_path, what, monkeypatch):
    path = REFUSED[what](tmp_path / "overlay.bin")
    if "256 MiB" in what:
        monkeypatch.setattr(tiff_level, "LARGEST_SEGMENT", HEIGHT * WIDTH - 1)
        monkeypatch.setattr(image, "LARGEST_SEGMENT", HEIGHT * WIDTH - 1)
    with pytest.raises(OverlayError, match=re.escape(WHY[what])) as caught:
        assemble(open_reader(path))
    assert caught.value.path == str(path)
