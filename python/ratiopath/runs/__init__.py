"""From slides to a table of the tiles worth keeping: what ``ratiopath overlap`` does.

`pairing` finds the slides and their overlays, `plan` lays tiles on a slide, `measure_slide`
measures them, `checkpoint` keeps what is done, `table` makes the table, and `run` calls these in
order. No Ray, and nothing is printed.
"""
