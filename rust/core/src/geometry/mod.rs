//! Polygons in the plane, and the grid of pixels that they are laid on.
//!
//! Coordinates are `f64`, x to the right and y down, in whatever unit the caller has. A
//! [`polygon::Polygon`] is rings of [`point::Point`]s; a [`grid::Grid`] lays pixels on their space.
//! What is asked of polygons alone is here: whether one is valid ([`validity`]), how much two share
//! ([`intersection`], over the edges by height of an [`edge_index`]), and how much of a region each
//! class of many polygons covers ([`layer`]).

pub mod bounding_box;
pub(crate) mod edge;
pub mod edge_index;
pub mod grid;
pub mod intersection;
pub mod layer;
pub mod point;
pub mod polygon;
pub mod validity;
