"""Segments of overlays, decoded as seldom as possible, and what is kept of them."""
