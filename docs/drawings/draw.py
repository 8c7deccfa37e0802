"""Draws the documentation's figures; the package itself computes the numbers in them.

    python docs/drawings/draw.py [FOLDER]

The folder is docs/images unless another is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from shapely import Polygon, box

import ratiopath
from canvas import FAINT, GREY, INK, INSIDE, LABELS, OUTSIDE, OVERLAY, PAPER, ROI, TILE, Canvas

OUTLINE = Polygon([(0.3, 2.2), (2.4, 0.2), (5.7, 1.3), (5.1, 4.4), (3.1, 3.6), (1.6, 5.6)])


def coordinates() -> Canvas:
    """A tile and its ROI on the slide's pixels, and the patch on the overlay's."""
    canvas = Canvas(760, 330, "A tile, its region of interest, and the patch of the overlay")
    slide_x, overlay_x, top, size = 40, 430, 60, 240
    canvas.text(slide_x, 36, "slide, 0.5 µm per pixel", bold=True)
    canvas.text(overlay_x, 36, "overlay, 2 µm per pixel", bold=True)
    canvas.rect(slide_x, top, 290, size, fill=OUTSIDE, stroke=GREY)
    canvas.rect(overlay_x, top, 290, size, fill=PAPER, stroke=GREY)
    for step in range(1, 15):
        canvas.line((overlay_x + 20 * step, top), (overlay_x + 20 * step, top + size), stroke=FAINT)
    for step in range(1, 12):
        canvas.line((overlay_x, top + 20 * step), (overlay_x + 290, top + 20 * step), stroke=FAINT)
    ring = [(20, 28), (78, 14), (112, 62), (84, 108), (32, 96)]
    tile_x, tile_y = 90, 70
    canvas.rect(
        slide_x + tile_x, top + tile_y, 130, 130, fill=TILE, stroke=TILE, line=2, opacity=0.12
    )
    canvas.dot(slide_x + tile_x, top + tile_y, 4, TILE)
    canvas.text(slide_x + tile_x + 2, top + tile_y - 8, "(tile_x, tile_y)", fill=TILE, code=True)
    canvas.text(slide_x + tile_x + 126, top + tile_y + 124, "tile", fill=TILE, anchor="end")
    canvas.polygon(
        [(slide_x + tile_x + x, top + tile_y + y) for x, y in ring], fill=ROI, stroke=ROI
    )
    # The ROI's bounds are (20, 14) to (112, 108) in the tile; an overlay pixel is drawn 20 wide.
    left, up = overlay_x + 120, top + 80
    canvas.rect(left, up, 100, 100, fill=INSIDE, opacity=0.45)
    laid = [(left + (x - 20) * 100 / 92, up + (y - 14) * 100 / 94) for x, y in ring]
    canvas.polygon(laid, fill=ROI, stroke=ROI)
    canvas.rect(left, up, 100, 100, stroke=OVERLAY, line=3)
    canvas.text(
        slide_x + tile_x + 66, top + tile_y + 66, "ROI", fill=ROI, anchor="middle", bold=True
    )
    canvas.text(overlay_x + 170, top + 72, "patch", fill=OVERLAY, anchor="middle", bold=True)
    canvas.line((slide_x + 300, top + 120), (overlay_x - 10, top + 120), arrow=True)
    canvas.text(380, top + 108, "× 0.25", anchor="middle")
    canvas.text(380, top + 140, "rounded", anchor="middle", fill=GREY)
    for left in (slide_x, overlay_x):
        canvas.dot(left, top, 5)
        canvas.text(left + 8, top + 18, "(0, 0)", fill=GREY, code=True)
    return canvas


def grid(canvas: Canvas, left: float, top: float, cell: float, fills: list[list[str]]) -> None:
    """Squares of these colours, with thin lines between them."""
    for row, line in enumerate(fills):
        for column, fill in enumerate(line):
            canvas.rect(left + cell * column, top + cell * row, cell, cell, fill=fill, stroke=FAINT)


def rules() -> Canvas:
    """The same outline under the three values of `coverage`."""
    canvas = Canvas(760, 330, "Which pixels are inside, by the three rules of coverage")
    cell, top = 34, 66
    masks = [
        ~ratiopath.polygon_mask(OUTLINE, (6, 6)),
        ~ratiopath.polygon_mask(OUTLINE, (6, 6), all_touched=True),
        ratiopath.polygon_coverage(OUTLINE, (6, 6)),
    ]
    captions = ["{:.0f} pixels", "{:.0f} pixels", "{:.2f} pixels"]
    names = ['coverage="center"', 'coverage="all_touched"', 'coverage="exact"']
    for panel, (name, mask, caption) in enumerate(zip(names, masks, captions, strict=True)):
        left = 36 + 242 * panel
        canvas.text(left, 40, name, code=True, size=14)
        grid(canvas, left, top, cell, [[OUTSIDE] * 6] * 6)
        for (row, column), weight in np.ndenumerate(mask):
            x, y = left + cell * column, top + cell * row
            canvas.rect(x, y, cell, cell, fill=INSIDE, opacity=float(weight), stroke=FAINT)
            if panel == 0:
                canvas.dot(x + cell / 2, y + cell / 2)
            if panel == 2 and 0.005 < weight < 0.995:
                canvas.text(
                    x + cell / 2, y + cell / 2 + 4, f"{weight:.2f}"[1:], size=10, anchor="middle"
                )
        points = [(left + cell * x, top + cell * y) for x, y in OUTLINE.exterior.coords[:-1]]
        canvas.polygon(points, stroke=ROI)
        canvas.text(left, top + 6 * cell + 30, caption.format(mask.sum()), fill=GREY)
    return canvas


def levels() -> Canvas:
    """A pyramid, and the level that is read for tiles of 0.9 µm per pixel."""
    canvas = Canvas(760, 290, "The level whose resolution is nearest to the tile's is read")
    canvas.text(36, 40, "pyramid of an overlay", bold=True)
    for level, size in enumerate((160, 80, 40, 20)):
        left, chosen = (36, 216, 316, 376)[level], level == 1
        cell = 10
        for row in range(size // cell):
            for column in range(size // cell):
                fill = LABELS[(column * 160 // size + row * 160 // size) // 9 % 4]
                canvas.rect(
                    left + cell * column, 66 + cell * row, cell, cell, fill=fill, stroke=PAPER
                )
        stroke, line = (OVERLAY, 4) if chosen else (GREY, 1)
        canvas.rect(left, 66, size, size, stroke=stroke, line=line)
        canvas.text(left, 250, f"level {level}", fill=OVERLAY if chosen else INK, bold=chosen)
        canvas.text(left, 270, f"{0.5 * 2**level:g} µm/px", fill=GREY, size=12)
    canvas.text(470, 40, "tile", bold=True)
    canvas.rect(470, 66, 88, 88, fill=TILE, stroke=TILE, line=2, opacity=0.12)
    canvas.text(470, 176, "mpp = 0.9 µm/px", fill=TILE)
    canvas.text(470, 210, "|0.5 − 0.9| = 0.4", fill=GREY, code=True, size=12)
    canvas.text(470, 230, "|1.0 − 0.9| = 0.1   nearest: level 1", fill=OVERLAY, code=True, size=12)
    canvas.text(470, 250, "|2.0 − 0.9| = 1.1", fill=GREY, code=True, size=12)
    canvas.text(470, 270, "scale = 0.9 / 1.0 = 0.9", code=True, size=12)
    return canvas


def values() -> Canvas:
    """From pixels to fractions: labels, grey RGB and colours."""
    canvas = Canvas(760, 336, "How pixels are counted: labels, grey RGB and colours")
    labels = np.array([[0, 0, 1, 1], [0, 255, 255, 1], [0, 255, 255, 1], [0, 0, 0, 1]])
    counted = {
        value: share / 16 for value, share in zip(*ratiopath.count_values(labels), strict=True)
    }
    fractions = [f'"{value}": {share:g}' for value, share in counted.items()]
    samples = [
        ("one channel", labels, [str(value) for value in labels.ravel()], 12),
        ("three equal channels", labels, [f"{v},{v},{v}" for v in labels.ravel()], 7),
        (
            "colours",
            labels,
            [{0: "255,255,255", 1: "255,0,0", 255: "0,0,255"}[v] for v in labels.ravel()],
            7,
        ),
    ]
    colours = {0: "#ffffff", 1: "#ef9a9a", 255: "#90caf9"}
    for panel, (name, pixels, texts, size) in enumerate(samples):
        left, cell = 36 + 242 * panel, 50
        canvas.text(left, 40, name, bold=True)
        palette = colours if panel == 2 else LABELS
        grid(
            canvas, left, 56, cell, [[palette[value] for value in line] for line in pixels.tolist()]
        )
        for index, words in enumerate(texts):
            x, y = left + cell * (index % 4 + 0.5), 56 + cell * (index // 4 + 0.5)
            canvas.text(x, y + size / 3, words, size=size, anchor="middle")
        keys = fractions
        if panel == 2:
            keys = [
                f.replace('"0"', '"255,255,255"').replace('"255":', '"0,0,255":') for f in fractions
            ]
            keys = [f.replace('"1"', '"255,0,0"') for f in keys]
        for number, key in enumerate(keys):
            canvas.text(left, 280 + 17 * number, key, code=True, size=12)
    return canvas


def clipping() -> Canvas:
    """A region half beyond the overlay's edge, with `outside="clip"` and `outside=0`."""
    canvas = Canvas(760, 320, "Pixels beyond the overlay's edge are not in the denominator")
    cell, top = 30, 66
    overlay = np.full((6, 4), 1, np.uint8)
    overlay[3:, :] = 2
    region = box(0, 0, 6, 6)
    for panel, outside in enumerate(("clip", 0)):
        left = 60 + 370 * panel
        canvas.text(left, 40, f"outside={outside!r}".replace("'", '"'), code=True, size=14)
        fills = [
            [LABELS[int(v)] for v in line] + [PAPER if panel == 0 else LABELS[0]] * 2
            for line in overlay
        ]
        grid(canvas, left, top, cell, fills)
        for row in range(6):
            for column in range(6):
                beyond = column > 3
                words = ("–" if panel == 0 else "0") if beyond else str(overlay[row, column])
                canvas.text(
                    left + cell * (column + 0.5),
                    top + cell * (row + 0.5) + 4,
                    words,
                    size=12,
                    anchor="middle",
                    fill=GREY if beyond else INK,
                )
        canvas.line(
            (left + 4 * cell, top - 16), (left + 4 * cell, top + 6 * cell + 12), stroke=OVERLAY
        )
        canvas.text(left + 4 * cell - 4, top - 6, "overlay", fill=OVERLAY, anchor="end", size=11)
        canvas.rect(left, top, 6 * cell, 6 * cell, stroke=ROI, line=3)
        mpp = {"mpp_x": 1.0, "mpp_y": 1.0, "overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}
        (found,) = ratiopath.overlay_overlap(region, overlay, [0], [0], **mpp, outside=outside)
        shares = ", ".join(f"{value}: {share:.3g}" for value, share in sorted(found.items()))
        words = f"{{{shares}}}"
        canvas.text(left, top + 6 * cell + 34, words, code=True)
        pixels = "24 pixels counted, 12 masked" if panel == 0 else "36 pixels counted"
        canvas.text(left, top + 6 * cell + 54, pixels, fill=GREY, size=12)
    canvas.text(60 + 6 * cell + 14, top + 20, "region of", fill=ROI, size=12)
    canvas.text(60 + 6 * cell + 14, top + 36, "interest", fill=ROI, size=12)
    return canvas


# Folder, what it does, colour, indentation. What stands beside each other does not call another.
FLOW = [
    ("tiling", "Ray expressions: one call a block", TILE, 0),
    ("api", "the functions for NumPy", TILE, 0),
    ("runs", "the command line: one call a slide", TILE, 0),
    ("call", "rows, region and options, checked", INK, 1),
    ("measure", "groups of rows: areas, fractions, statistics, patches", INK, 1),
    ("placement", "which level, which scale, where on its segments", OVERLAY, 2),
    ("segments", "each segment decoded once; the cache of the process", OVERLAY, 2),
    ("readers", "one for each kind of file: levels, dtype, segments", OVERLAY, 2),
    ("storage", "bytes of files, folders, zip files and URLs", OVERLAY, 2),
    ("_core (Rust)", "scale, raster, count, gather: without the GIL", ROI, 2),
    ("values", "which pixels are one value, and the key it counts under", INK, 1),
    ("results", "entries of rows and keys; Arrow columns", INK, 1),
]


def architecture() -> Canvas:
    """Which folder calls which, from top to bottom."""
    canvas = Canvas(760, 670, "How a call flows through the package")
    canvas.text(46, 36, "What a call passes through", bold=True)
    middles = [71 + 50 * number for number in range(len(FLOW))]
    for (name, what, colour, depth), middle in zip(FLOW, middles, strict=True):
        left = 46 + 46 * depth
        canvas.rect(
            left, middle - 17, 150, 34, fill=colour, stroke=colour, line=1.5, rounded=6, opacity=0.1
        )
        canvas.text(left + 12, middle + 5, name, code=True, fill=colour, size=13)
        canvas.text(left + 166, middle + 5, what, size=12.5)
        if depth:
            canvas.line((left - 26, middle), (left - 2, middle), arrow=True)
    faces = [middle for (_, _, _, depth), middle in zip(FLOW, middles, strict=True) if not depth]
    steps = [middle for (_, _, _, depth), middle in zip(FLOW, middles, strict=True) if depth == 1]
    inner = [middle for (_, _, _, depth), middle in zip(FLOW, middles, strict=True) if depth == 2]
    for face in faces:
        canvas.line((46, face), (28, face))
    canvas.line((28, faces[0]), (28, steps[0]))
    canvas.line((28, steps[0]), (66, steps[0]))
    canvas.line((66, steps[0]), (66, steps[-1]))
    canvas.line((112, steps[1] + 17), (112, inner[-1]))
    return canvas


DRAWINGS = (coordinates, rules, levels, values, clipping, architecture)


def draw(folder: Path) -> None:
    """Write every drawing as an SVG file."""
    folder.mkdir(parents=True, exist_ok=True)
    for drawing in DRAWINGS:
        drawing().save(folder / f"{drawing.__name__}.svg")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "images")
