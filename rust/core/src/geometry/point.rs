//! Places in the plane.

/// Coordinates beyond this are no slide's, and their products would leave the exact range.
pub(crate) const LARGEST: f64 = 1e15;

/// A vertex `[x, y]`.
pub type Point = [f64; 2];
