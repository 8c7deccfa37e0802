"""One reader for each kind of file; it decodes segments and knows nothing of regions or rows."""
