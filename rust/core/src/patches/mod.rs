//! Patches of a level, and the segments that they lie in.
//!
//! A level of an overlay is stored in segments (TIFF tiles, bands of strips, blocks), which are decoded
//! as a whole; patches lie across them anywhere, and beyond the level too. A [`plan::Plan`] turns
//! patches into segments, each with the [`window::Window`]s that patches have on it; the region of a
//! patch is a [`stencil::Stencil`], which many patches share. [`gather`] copies patches out.

pub mod gather;
pub mod plan;
pub mod stencil;
pub mod window;
