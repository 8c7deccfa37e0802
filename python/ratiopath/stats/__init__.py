"""Statistics of heatmaps under tiles: means, spreads, extremes and quantiles, by coverage.

`ratiopath.stats.functions` is the face for NumPy, `ratiopath.tiling.overlay_stats` that for Ray.
"""
