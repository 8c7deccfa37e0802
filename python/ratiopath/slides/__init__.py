"""Slides without Ray: the files a path stands for, their rows, grids of tiles and reports."""
