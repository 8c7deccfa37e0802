"""Annotations of slides: polygons with a class, measured exactly.

`ratiopath.api.annotations` is the face for NumPy, `ratiopath.tiling.annotation_columns` the
face for Ray.
"""
