//! Places in the plane.
//!
//! A point is an array, so that a slice of points is a slice of numbers, and neither has to be copied
//! to be seen as the other.
//!
//! ```
//! use ratiopath_core::geometry::point::Point;
//!
//! let ring: [Point; 3] = [[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]];
//! assert_eq!(ring.as_flattened(), [0.0, 0.0, 4.0, 0.0, 0.0, 3.0]);
//! ```

use robust::{Coord, orient2d};

/// Coordinates beyond this are no slide's, and their products would leave the exact range.
pub(crate) const LARGEST: f64 = 1e15;

/// A vertex `[x, y]`.
pub type Point = [f64; 2];

/// Which side of the line from `a` to `b` a point is on: negative right of it and positive left of
/// it, going down with y, else 0.
///
/// The sign is that of exact arithmetic, unless products underflow: Shewchuk, "Adaptive precision
/// floating-point arithmetic and fast robust geometric predicates" (1997).
pub(crate) fn side_of_line(a: Point, b: Point, point: Point) -> f64 {
    let coord = |[x, y]: Point| Coord { x, y };
    orient2d(coord(a), coord(b), coord(point))
}
