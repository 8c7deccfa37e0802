//! Edges of a polygon by height: which x they have where, and which side of them a point is on.

use crate::geometry::point::{Point, side_of_line};

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
        side_of_line(self.top, self.bottom, point) < 0.0
    }

    /// Whether the point lies strictly left of the edge's line.
    pub(crate) fn is_right_of(&self, point: Point) -> bool {
        side_of_line(self.top, self.bottom, point) > 0.0
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
    // An edge is crossed many times, and a division takes as long as all the rest of this.
    #[inline]
    pub(crate) fn x_along(&self, slope: f64, y: f64) -> f64 {
        let ([x0, y0], [x1, y1]) = (self.top, self.bottom);
        // Exact at both ends, so that edges that share a vertex meet there whatever their slopes; an
        // edge so flat that its slope is infinite has no other x that could be trusted.
        if y <= y0 {
            x0
        } else if y >= y1 {
            x1
        } else {
            x0 + (y - y0) * slope
        }
    }
}

/// An edge that is not level, and which way its ring walks it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DirectedEdge {
    pub(crate) edge: Edge,
    /// 1 where the ring walks down it, -1 where up.
    pub(crate) sign: f64,
    pub(crate) slope: f64,
}

impl DirectedEdge {
    pub(crate) fn new(a: Point, b: Point) -> Self {
        let (edge, sign) = if a[1] < b[1] {
            (Edge { top: a, bottom: b }, 1.0)
        } else {
            (Edge { top: b, bottom: a }, -1.0)
        };
        Self { edge, sign, slope: edge.slope() }
    }

    /// The x of the edge at height `y`, rounded; exact at the ends.
    #[inline]
    pub(crate) fn x_at(&self, y: f64) -> f64 {
        self.edge.x_along(self.slope, y)
    }
}

/// The area inside edges that are walked in ring order, positive where that is clockwise with y
/// pointing down; holes run against their exterior and subtract.
pub(crate) fn signed_area(edges: impl IntoIterator<Item = (Point, Point)>, origin: Point) -> f64 {
    // Seen from a point nearby: far from 0, the products would lose what the differences keep.
    let left_of =
        |(a, b): (Point, Point)| (b[1] - a[1]) * f64::midpoint(a[0] - origin[0], b[0] - origin[0]);
    edges.into_iter().map(left_of).sum()
}
