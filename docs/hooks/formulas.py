"""Turns the formulas of a page into MathML, which browsers display without an external script."""

from __future__ import annotations

import re
from html import unescape

from latex2mathml.converter import convert

FORMULA = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.DOTALL)


def on_page_content(html: str, **_: object) -> str:
    """Replace the output of the arithmatex extension for each formula (called by MkDocs)."""
    return FORMULA.sub(lambda found: convert(unescape(found[1].strip()), display="block"), html)
