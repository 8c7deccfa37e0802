"""Pictures of slides, their overlays and their tiles, as matplotlib figures.

Nothing here touches pyplot, so it works without a display and leaves no state behind: the figures
are saved with `Figure.savefig`, and shown by notebooks as they are. Needs the extra ``plots``.
"""

from __future__ import annotations

try:
    from ratiopath.plots.sheet import plot_contact_sheet
    from ratiopath.plots.slide import plot_slide
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "matplotlib":
        raise
    raise ModuleNotFoundError(
        "ratiopath.plots needs matplotlib: run pip install 'ratiopath[plots]'", name=error.name
    ) from error

__all__ = ["plot_contact_sheet", "plot_slide"]
