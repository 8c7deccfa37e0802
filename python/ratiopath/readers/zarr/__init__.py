"""OME-Zarr of formats 2 and 3, sharded or not, through zarr."""
