"""The colours of the pictures, and how strong their lines are."""

from __future__ import annotations

# Reads alike with and without full colour vision, and in grey.
CMAP = "cividis"
# Tissue shows through either, through dropped tiles more.
KEPT_ALPHA, DROPPED_ALPHA = 0.85, 0.45
# A black line on a white one is seen on dark and on pale tissue.
HALO, LINE = 2.6, 1.2

# Okabe and Ito's colours, which can be told apart without full colour vision. Their yellow is left
# out: it is too pale on white glass.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
HATCHES = ("///", "\\\\\\", "xxx", "...", "|||", "---", "+++")

# The dark end of cividis, and a grey that does not compete with it.
KEPT_BAR, ALL_BAR = "#00204D", "#C9C9C9"
