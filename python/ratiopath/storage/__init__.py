"""Bytes, near or far: files, folders and zip files of this machine, and what fsspec reaches."""
