//! Polygons in the plane, and the grid of pixels that they are laid on.

pub mod bounding_box;
pub(crate) mod edge;
pub mod edge_index;
pub mod grid;
pub mod intersection;
pub mod layer;
pub mod point;
pub mod polygon;
pub mod validity;
