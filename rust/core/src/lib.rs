//! The arithmetic of overlays, without Python, without NumPy and without I/O.
//!
//! A tile of a slide asks an aligned raster, the *overlay*, which of its pixels lie under a region.
//! Everything that answers is here, one rule to a module:
//!
//! | module | question |
//! |---|---|
//! | [`scale`] | where a slide coordinate falls on the overlay (the one rounding rule) |
//! | [`geometry::polygon`], [`geometry::grid`] | rings, and the pixel grid they are laid on |
//! | [`geometry::validity`] | whether a polygon is valid beyond doubt |
//! | [`raster::spans`] | which pixels are inside: sorted runs of each row |
//! | [`raster`] | from a polygon to its spans, under one of the three rules |
//! | [`raster::center`], [`raster::touched`], [`raster::coverage`] | these rules, each turning edges into spans |
//! | [`raster::mask`] | spans written out as a mask or as coverage weights |
//! | [`pixels`], [`count`] | pixels of any width as byte patterns, and how often each occurs |
//! | [`patches::stencil`] | what the patches of one region have in common |
//! | [`patches::plan`] | which segments a batch of patches touches, and where |
//! | [`zonal::areas`] | counts per patch, added up segment by segment |
//! | `zonal::summed_area` | windows that overlap, counted once |
//! | [`zonal::memo`] | counts that need not be made again |
//! | [`patches::gather`] | patches copied out of segments, and their masks |
//! | [`geometry::edge_index`] | a polygon's edges by height |
//! | [`geometry::intersection`] | the area that two polygons share |
//! | [`zonal::sample`], [`zonal::moments`], [`zonal::quantile`] | statistics per patch, of samples as numbers |
//! | [`geometry::layer`] | what fraction of a region each class of polygons covers |
//! | [`lzw`] | what a TIFF's LZW stream holds |
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
