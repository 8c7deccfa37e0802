"""A canvas of SVG shapes in the few colours that all drawings share."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

INK, GREY, FAINT = "#1f2430", "#7a8194", "#d5d9e3"
ROI, TILE, OVERLAY = "#c2410c", "#3949ab", "#00796b"
INSIDE, OUTSIDE, PAPER = "#fdba74", "#f1f3f8", "#ffffff"
LABELS = {0: "#f1f3f8", 1: "#b39ddb", 2: "#80cbc4", 3: "#ffe082", 255: "#f48fb1"}
TIP = f"""<defs>
<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"
 markerHeight="7" orient="auto">
<path d="M0 0L10 5L0 10z" fill="{INK}"/></marker>
</defs>"""
SANS, MONOSPACE = "Helvetica, Arial, sans-serif", "ui-monospace, Menlo, Consolas, monospace"


class Canvas:
    """Shapes in the order they are drawn, on a light card that also suits dark pages."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height = width, height
        self.parts = [
            f"<title>{escape(title)}</title>",
            TIP,
        ]
        self.rect(0, 0, width, height, fill=PAPER, stroke=FAINT, rounded=10)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        stroke: str = "none",
        line: float = 1,
        rounded: float = 0,
        dashed: bool = False,
        opacity: float = 1,
    ) -> None:
        """Add a rectangle; `line` is the stroke's width."""
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{rounded:g}" '
            f'fill="{fill}" fill-opacity="{opacity:g}" '
            f'stroke="{stroke}" stroke-width="{line:g}"{dash}/>'
        )

    def polygon(
        self,
        points: Iterable[tuple[float, float]],
        *,
        fill: str = "none",
        stroke: str = INK,
        line: float = 2,
        opacity: float = 0.25,
    ) -> None:
        """Add a closed outline."""
        text = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.parts.append(
            f'<polygon points="{text}" fill="{fill}" fill-opacity="{opacity:g}" stroke="{stroke}" '
            f'stroke-width="{line:g}" stroke-linejoin="round"/>'
        )

    def dot(self, x: float, y: float, radius: float = 2, fill: str = INK) -> None:
        """Add a filled circle."""
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{fill}"/>')

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        stroke: str = INK,
        arrow: bool = False,
        dashed: bool = False,
    ) -> None:
        """Add a line, with a tip at its end if it is an arrow."""
        (x1, y1), (x2, y2) = start, end
        tip = ' marker-end="url(#tip)"' if arrow else ""
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        self.parts.append(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{stroke}" '
            f'stroke-width="1.4"{tip}{dash}/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 13,
        fill: str = INK,
        anchor: str = "start",
        bold: bool = False,
        code: bool = False,
    ) -> None:
        """Add a line of text whose base line is at y."""
        family = MONOSPACE if code else SANS
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-family="{family}" font-size="{size:g}" fill="{fill}" '
            f'text-anchor="{anchor}"{weight}>{escape(words)}</text>'
        )

    def save(self, path: Path) -> None:
        """Write the drawing."""
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}"'
        svg = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', *self.parts, "</svg>"]
        path.write_text("\n".join(svg) + "\n", encoding="utf-8")
