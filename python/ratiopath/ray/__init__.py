"""Slides as Ray datasets."""

from __future__ import annotations

from ratiopath.ray.read_slides import read_slides

__all__ = ["read_slides"]
