"""Segments, decoded as seldom as possible, and what the process keeps of them."""
