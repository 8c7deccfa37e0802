"""Measuring: the pixels under the regions of a batch, counted, summarised or copied."""
