//! Edges of a polygon, ordered by height.

use robust::{Coord, orient2d};

use crate::geometry::point::Point;

/// An edge with its upper end first: `top[1] <= bottom[1]`, and left before right when level.
///
/// Two polygons that share an edge walk it in opposite directions; ordered, both do the same
/// arithmetic, so that no pixel falls between them or into both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) top: Point,
    pub(crate) bottom: Point,
}

impl Edge {
    pub(crate) fn ordered(a: Point, b: Point) -> Self {
        if (a[1], a[0]) <= (b[1], b[0]) {
            Self { top: a, bottom: b }
        } else {
            Self { top: b, bottom: a }
        }
    }

    /// Whether the point lies strictly right of the edge's line.
    pub(crate) fn is_left_of(&self, point: Point) -> bool {
        self.side(point) < 0.0
    }

    /// Whether the point lies strictly left of the edge's line.
    pub(crate) fn is_right_of(&self, point: Point) -> bool {
        self.side(point) > 0.0
    }

    /// Which side the point is on, its sign decided without rounding error.
    ///
    /// Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric
    /// predicates" (1997).
    fn side(&self, point: Point) -> f64 {
        let coord = |[x, y]: Point| Coord { x, y };
        orient2d(coord(self.top), coord(self.bottom), coord(point))
    }

    /// The x of the edge at height `y`, rounded; exact at the ends.
    pub(crate) fn x_at(&self, y: f64) -> f64 {
        self.x_along(self.slope(), y)
    }

    /// How far the edge goes right with each step down; only of use where it goes down.
    pub(crate) fn slope(&self) -> f64 {
        (self.bottom[0] - self.top[0]) / (self.bottom[1] - self.top[1])
    }

    /// The same as [`Self::x_at`], given the slope.
    pub(crate) fn x_along(&self, slope: f64, y: f64) -> f64 {
        let ([x0, y0], [x1, y1]) = (self.top, self.bottom);
        if y <= y0 {
            x0
        } else if y >= y1 {
            x1
        } else {
            x0 + (y - y0) * slope
        }
    }
}
