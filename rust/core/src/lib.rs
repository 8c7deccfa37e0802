//! The arithmetic of overlays, without Python, without NumPy and without I/O.
//!
//! A tile of a slide asks an aligned raster, the *overlay*, which of its pixels lie under a region.
//! Everything that answers is here, in folders of which each uses only those above it:
//!
//! | module | question |
//! |---|---|
//! | [`error`] | what is refused, and why |
//! | [`scale`] | where a slide coordinate falls on the overlay (the one rounding rule) |
//! | [`pixels`] | pixels of any width as byte patterns |
//! | [`lzw`] | what a TIFF's LZW stream holds |
//! | [`geometry`] | polygons: whether they are valid, what they share, and the grid they lie on |
//! | [`raster`] | which pixels of a grid are inside a polygon |
//! | [`count`] | how often each distinct pixel occurs |
//! | [`patches`] | which segments a batch of patches touches, and patches copied out of them |
//! | [`zonal`] | areas of distinct pixels, or statistics of numbers, under each patch's region |
//!
//! A *segment* is what an overlay file decodes at once: a TIFF tile, a band of strips, a block of a
//! level. Counting never assembles a patch: it walks the spans of a region over one segment at a
//! time, for every patch that the segment touches.

pub mod count;
pub mod error;
pub mod geometry;
pub mod lzw;
pub mod patches;
pub mod pixels;
pub mod raster;
pub mod scale;
pub mod zonal;

pub use error::{Error, Result};
