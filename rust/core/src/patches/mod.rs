//! Patches of a level, and the segments that they lie in.

pub mod gather;
pub mod plan;
pub mod stencil;
pub mod window;
