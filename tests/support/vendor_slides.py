"""Small slides as the vendors' scanners lay them out, which OpenSlide reads as theirs.

Samples are stored without loss, so that what is read can be compared with what was written.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

LABELS = np.array([(200, 0, 0), (0, 7, 0), (0, 0, 90), (255, 255, 255)], np.uint8)
NANOMETRES = 500
MPP = NANOMETRES / 1000


def labels(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Pixels (height, width, 3), each one of LABELS at random; none of them is black."""
    return LABELS[np.random.default_rng(seed).integers(0, len(LABELS), (height, width))]


def pyramid(width: int, height: int, downsamples: Sequence[int] = (1, 2, 4)) -> list[np.ndarray]:
    """Levels, each of its own labels at random, their sizes rounded down."""
    return [labels(width // k, height // k, seed=k) for k in downsamples]


def _page(tiff: tifffile.TiffWriter, pixels: np.ndarray, **options: Any) -> None:
    """Write a page without what tifffile would add to it."""
    defaults: dict[str, Any] = {
        "photometric": "rgb",
        "compression": "deflate",
        "metadata": None,
        "software": False,
    }
    tiff.write(pixels, **(defaults | options))


# --- Leica SCN ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Area:
    """A scanned part of a Leica slide: its levels, and where it lies, in pixels of level 0."""

    levels: Sequence[np.ndarray]
    left: int
    top: int


def write_leica(
    path: Path,
    areas: Sequence[Area],
    size: tuple[int, int],
    *,
    has_resolution: bool = True,
    tile: int = 64,
) -> Path:
    """Write an SCN of areas on an empty slide of a size (width, height), and a macro image.

    The places of areas are stored in nm, those of a level's pixels follow from the sizes.
    """
    resolution = {"resolution": (1e7 / NANOMETRES,) * 2, "resolutionunit": "CENTIMETER"}
    pages = [level for area in areas for level in area.levels]
    xml = _leica_xml(areas, (size[0] * NANOMETRES, size[1] * NANOMETRES))
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        # The macro image's page carries the description, as the scanner writes it.
        _page(tiff, labels(tile, tile), tile=(tile, tile), description=xml)
        for page in pages:
            _page(tiff, page, tile=(tile, tile), **(resolution if has_resolution else {}))
    return path


def _leica_xml(areas: Sequence[Area], collection: tuple[int, int]) -> str:
    width, height = collection
    images = [_leica_image([(64, 64)], 0, (width, height, 0, 0))]
    first = 1
    for area in areas:
        sizes = [(level.shape[1], level.shape[0]) for level in area.levels]
        view = (*sizes[0], area.left, area.top)
        images.append(_leica_image(sizes, first, tuple(NANOMETRES * one for one in view)))
        first += len(sizes)
    return (
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
        f'<collection name="" sizeX="{width}" sizeY="{height}">{"".join(images)}</collection></scn>'
    )


def _leica_image(sizes: Sequence[tuple[int, int]], first: int, view: Sequence[int]) -> str:
    dimensions = "".join(
        f'<dimension sizeX="{width}" sizeY="{height}" r="{r}" ifd="{first + r}" />'
        for r, (width, height) in enumerate(sizes)
    )
    width, height, left, top = view
    return (
        f'<image name=""><pixels sizeX="{sizes[0][0]}" sizeY="{sizes[0][1]}">{dimensions}</pixels>'
        f'<view sizeX="{width}" sizeY="{height}" offsetX="{left}" offsetY="{top}" />'
        "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings>"
        "<illuminationSettings><illuminationSource>brightfield</illuminationSource>"
        "</illuminationSettings></scanSettings></image>"
    )


# --- MIRAX --------------------------------------------------------------------------------------

_SLIDE_ID = "0123456789ABCDEF0123456789ABCDEF"


def write_mirax(
    path: Path,
    levels: Sequence[np.ndarray],
    absent: Iterable[tuple[int, int]] = (),
    positions: Sequence[tuple[int, int]] = (),
    *,
    tile: int = 64,
    codec: str = "PNG",
) -> Path:
    """Write an MRXS and the folder beside it.

    Args:
        path: Where, with the suffix .mrxs.
        levels: The image, each level half the size of the one before, in whole tiles.
        absent: Columns and rows of level 0's tiles that were not scanned. A lower level's tile is
            left out where all that it covers is.
        positions: Where the camera took each tile of level 0, row by row, in pixels.
        tile: Pixels of a tile's side, at every level.
        codec: PNG, JPEG or BMP24.
    """
    folder = path.with_suffix("")
    folder.mkdir()
    # By content the file itself is a JPEG of the label.
    Image.new("RGB", (8, 8)).save(path, "JPEG")
    columns, rows = levels[0].shape[1] // tile, levels[0].shape[0] // tile
    data = bytearray(b"\0" * 8)
    entries: list[list[tuple[int, int, int, int]]] = []
    for exponent, level in enumerate(levels):
        k = 1 << exponent
        present = [
            (x, y)
            for y in range(0, rows, k)
            for x in range(0, columns, k)
            if any(
                (x + i, y + j) not in set(absent)
                for i in range(min(k, columns - x))
                for j in range(min(k, rows - y))
            )
        ]
        entries.append([])
        for x, y in present:
            top, left = y // k * tile, x // k * tile
            stream = _encoded(level[top : top + tile, left : left + tile], tile, codec)
            entries[-1].append((y * columns + x, len(data), len(stream), 0))
            data += stream
    places = b"".join(struct.pack("<Bii", 0, x, y) for x, y in positions)
    (folder / "Index.dat").write_bytes(_mirax_index(entries, (len(data), len(places), 0)))
    (folder / "Data0000.dat").write_bytes(bytes(data) + places)
    sections = _mirax_sections(
        (columns, rows), len(levels), tile, codec, has_positions=bool(positions)
    )
    text = "".join(_ini(name, section) for name, section in sections.items())
    (folder / "Slidedat.ini").write_text(text, encoding="utf-8")
    return path


def _encoded(pixels: np.ndarray, tile: int, codec: str) -> bytes:
    whole = np.zeros((tile, tile, 3), np.uint8)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    stream = io.BytesIO()
    Image.fromarray(whole).save(stream, codec.rstrip("24"))
    return stream.getvalue()


def _mirax_index(
    levels: Sequence[Sequence[tuple[int, ...]]], positions: tuple[int, int, int]
) -> bytes:
    """Lists of pages, one list a level, and one for the record of positions."""
    start = len("01.02" + _SLIDE_ID) + 8
    body = bytearray(4 * (len(levels) + 1))
    for number, entries in enumerate([*levels, [(0, 0, *positions)]]):
        struct.pack_into("<i", body, 4 * number, start + len(body))
        body += struct.pack("<ii", 0, start + len(body) + 8)
        count = len(entries) if number < len(levels) else 1
        body += struct.pack("<ii", count, 0)
        body += b"".join(struct.pack(f"<{len(entry)}i", *entry) for entry in entries)
    roots = struct.pack("<ii", start, start + 4 * len(levels))
    return f"01.02{_SLIDE_ID}".encode() + roots + bytes(body)


def _mirax_sections(
    grid: tuple[int, int], levels: int, tile: int, codec: str, *, has_positions: bool
) -> dict[str, dict[str, Any]]:
    hierarchy: dict[str, Any] = {
        "INDEXFILE": "Index.dat",
        "HIER_COUNT": 1,
        "HIER_0_NAME": "Slide zoom level",
        "HIER_0_COUNT": levels,
        **{f"HIER_0_VAL_{n}_SECTION": f"LEVEL_{n}" for n in range(levels)},
        "NONHIER_COUNT": int(has_positions),
        "NONHIER_0_NAME": "VIMSLIDE_POSITION_BUFFER",
        "NONHIER_0_COUNT": 1,
    }
    level = {
        "OVERLAP_X": 0,
        "OVERLAP_Y": 0,
        "MICROMETER_PER_PIXEL_X": MPP,
        "MICROMETER_PER_PIXEL_Y": MPP,
        "IMAGE_FORMAT": codec,
        "IMAGE_FILL_COLOR_BGR": 0xFFFFFF,
        "DIGITIZER_WIDTH": tile,
        "DIGITIZER_HEIGHT": tile,
    }
    return {
        "GENERAL": {
            "SLIDE_ID": _SLIDE_ID,
            "IMAGENUMBER_X": grid[0],
            "IMAGENUMBER_Y": grid[1],
        },
        "HIERARCHICAL": hierarchy,
        "DATAFILE": {"FILE_COUNT": 1, "FILE_0": "Data0000.dat"},
        **{f"LEVEL_{n}": {"IMAGE_CONCAT_FACTOR": int(n > 0), **level} for n in range(levels)},
    }


def _ini(name: str, values: Mapping[str, Any]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


# --- Philips TIFF -------------------------------------------------------------------------------


def write_philips(
    path: Path, levels: Sequence[np.ndarray], *, has_spacing: bool = True, tile: int = 64
) -> Path:
    """Write a Philips TIFF, whose pages are padded to whole tiles; level 0's size must be whole."""
    spacing = [
        f'<DataObject ObjectType="PixelDataRepresentation"><Attribute Name="DICOM_PIXEL_SPACING">'
        f'"{k * MPP / 1000}" "{k * MPP / 1000}"</Attribute></DataObject>'
        for k in (round(levels[0].shape[1] / level.shape[1]) for level in levels)
    ]
    own = f'"{MPP / 1000}" "{MPP / 1000}"' if has_spacing else ""
    xml = (
        '<?xml version="1.0" encoding="UTF-8" ?><DataObject ObjectType="DPUfsImport">'
        f'<Attribute Name="DICOM_PIXEL_SPACING">{own}</Attribute>'
        '<Attribute Name="PIM_DP_SCANNED_IMAGES"><Array>'
        '<DataObject ObjectType="DPScannedImage">'
        '<Attribute Name="PIM_DP_IMAGE_TYPE">WSI</Attribute>'
        '<Attribute Name="PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"><Array>'
        f"{''.join(spacing)}</Array></Attribute></DataObject></Array></Attribute></DataObject>"
    )
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for number, level in enumerate(levels):
            height, width = (-(-size // tile) * tile for size in level.shape[:2])
            padded = np.full((height, width, 3), 99, np.uint8)
            padded[: level.shape[0], : level.shape[1]] = level
            words = {"description": xml, "software": "Philips DP v1.0"} if number == 0 else {}
            _page(tiff, padded, tile=(tile, tile), subfiletype=int(number > 0), **words)
    return path


# --- Ventana BIF --------------------------------------------------------------------------------


def write_ventana(
    path: Path,
    levels: Sequence[np.ndarray],
    *,
    overlap: int = 0,
    scan_resolution: str = str(MPP),
    tile: int = 64,
    **words: Any,
) -> Path:
    """Write a BIF: a label, then levels whose tiles overlap where the camera's images did.

    Args:
        path: Where to write.
        levels: The pages, each half as large as the one before.
        overlap: By how many pixels of level 0 neighbouring tiles overlap.
        scan_resolution: µm per pixel as it stands in the file.
        tile: Pixels of a tile's side.
        **words: Of the first page, beside tag 700: ``description`` or ``software``.
    """
    columns, rows = levels[0].shape[1] // tile, levels[0].shape[0] // tile
    first = f'<?xml version="1.0"?><iScan Magnification="20" ScanRes="{scan_resolution}" />'
    joint = f'Confidence="100" OverlapX="{overlap}" OverlapY="{overlap}"'
    # The rows are numbered from the bottom, there and back.
    stitches = (
        f'<ImageInfo AOIScanned="1" Width="{tile}" Height="{tile}" NumRows="{rows}"'
        f' NumCols="{columns}" Pos-X="0" Pos-Y="0">'
        f'<TileJointInfo Direction="RIGHT" Tile1="1" Tile2="2" {joint} />'
        f'<TileJointInfo Direction="UP" Tile1="1" Tile2="{2 * columns}" {joint} /></ImageInfo>'
    )
    second = (
        f'<?xml version="1.0"?><EncodeInfo Ver="2"><SlideStitchInfo>{stitches}</SlideStitchInfo>'
        '<AoiOrigin><AOI0 OriginX="0" OriginY="0" /></AoiOrigin></EncodeInfo>'
    )
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        packet = [(700, 1, len(first), first.encode(), True)]
        _page(tiff, labels(48, 32), extratags=packet, **(words or {"description": "Label Image"}))
        for number, level in enumerate(levels):
            packet = [(700, 1, len(second), second.encode(), True)] if number == 0 else []
            text = f"level={number} mag={20 / 2**number:g} quality=90"
            _page(tiff, level, tile=(tile, tile), description=text, extratags=packet)
    return path


# --- Hamamatsu VMS ------------------------------------------------------------------------------


def write_hamamatsu(path: Path, columns: Sequence[np.ndarray], overview: np.ndarray) -> Path:
    """Write a VMS, images side by side and a smaller one of all, in JPEG with restart markers.

    Widths are one multiple of 64: OpenSlide takes for a tile what lies between two markers.
    """
    names = {f"ImageFile({x},0)": f"image{x}.jpg" for x in range(len(columns))}
    files = {**names, "MapFile": "map.jpg"}
    for name, pixels in zip(files.values(), [*columns, overview], strict=True):
        markers = {"restart_marker_blocks": 8, "subsampling": 0, "quality": 95}
        Image.fromarray(pixels).save(path.with_name(name), "JPEG", **markers)
    width, height = sum(one.shape[1] for one in columns), columns[0].shape[0]
    section = {
        "NoLayers": 1,
        "NoJpegColumns": len(columns),
        "NoJpegRows": 1,
        "PhysicalWidth": width * NANOMETRES,
        "PhysicalHeight": height * NANOMETRES,
        **{"ImageFile" if key == "ImageFile(0,0)" else key: name for key, name in files.items()},
    }
    path.write_text(_ini("Virtual Microscope Specimen", section), encoding="utf-8")
    return path


# --- Trestle, Aperio ----------------------------------------------------------------------------


def write_trestle(
    path: Path,
    levels: Sequence[np.ndarray],
    *,
    mpp: float = MPP,
    overlaps: str = "",
    tile: tuple[int, int] = (64, 64),
) -> Path:
    """Write a Trestle TIFF, whose tags of resolution hold µm per pixel."""
    text = f"Objective Power=20;OverlapsXY={overlaps}" if overlaps else "Objective Power=20"
    words = {"description": text, "software": "MedScan 1.0"}
    tags = {"resolution": (mpp, mpp), "resolutionunit": "NONE"}
    with tifffile.TiffWriter(path) as tiff:
        for number, level in enumerate(levels):
            _page(tiff, level, tile=tile, **tags, **(words if number == 0 else {}))
    return path


def write_aperio(path: Path, levels: Sequence[np.ndarray], *, mpp: float | None = MPP) -> Path:
    """Write an SVS in JPEG of YCbCr: level 0, a thumbnail, the other levels, a label, a macro."""
    text = "Aperio Image Library v10|AppMag = 20" + ("" if mpp is None else f"|MPP = {mpp}")
    jpeg = {"compression": "jpeg", "compressionargs": {"level": 95}}
    with tifffile.TiffWriter(path) as tiff:
        _page(tiff, levels[0], tile=(64, 64), description=text, **jpeg)
        _page(tiff, levels[0][::3, ::3], rowsperstrip=16, description="Aperio thumbnail", **jpeg)
        for level in levels[1:]:
            _page(tiff, level, tile=(64, 64), description=text, **jpeg)
        _page(tiff, labels(40, 30), rowsperstrip=16, subfiletype=1, compression="lzw")
        _page(tiff, labels(60, 30), rowsperstrip=16, subfiletype=9, **jpeg)
    return path
