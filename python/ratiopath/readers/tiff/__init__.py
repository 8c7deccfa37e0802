"""TIFF, its dialects and its pyramids, through tifffile and imagecodecs."""
