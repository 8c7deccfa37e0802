"""Annotations of slides as vector overlays: polygons with a class, measured exactly.

`ratiopath.annotations.functions` is the face for NumPy, `ratiopath.tiling.annotation_overlap` the
face for Ray.
"""
