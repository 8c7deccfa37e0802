"""From slides to a table of the tiles worth keeping: what ``ratiopath overlap`` does.

`pairs` pairs slides with overlays, `plan` lays tiles on a slide, `cover` measures them, `parts`
keeps what is done, `merge` makes the table, and `run` puts them in order. No Ray, and no printing.
"""
