"""Small slides as the vendors' scanners lay them out, which OpenSlide reads as theirs.

Samples are stored without loss, so that what is read can be compared with what was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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


def ini(name: str, values: Mapping[str, Any]) -> str:
    """Write one section of an ini file."""
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


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
    path.write_text(ini("Virtual Microscope Specimen", section), encoding="utf-8")
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
