"""Slides without Ray: which files they are, and their size, level and resolution as a row."""
