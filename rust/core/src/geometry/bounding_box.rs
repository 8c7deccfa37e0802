//! Rectangles along the axes, around what is looked for.
//!
//! Most questions about two polygons end here: boxes that do not meet share nothing.
//!
//! ```
//! use ratiopath_core::geometry::bounding_box::BoundingBox;
//!
//! let tile = BoundingBox { low: [0.0, 0.0], high: [4.0, 3.0] };
//! assert_eq!((tile.area(), tile.half_perimeter()), (12.0, 7.0));
//! assert!(!tile.contains(&tile.moved([1.0, 0.0])));
//! ```

use crate::geometry::point::Point;

/// A rectangle along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Left and top.
    pub low: Point,
    /// Right and bottom.
    pub high: Point,
}

impl BoundingBox {
    /// The box around nothing, which meets none.
    pub(crate) const EMPTY: Self = Self { low: [f64::INFINITY; 2], high: [f64::NEG_INFINITY; 2] };

    /// The smallest box around points.
    pub(crate) fn of(points: &[Point]) -> Self {
        points.iter().fold(Self::EMPTY, |all, &point| all.with(&Self { low: point, high: point }))
    }

    /// The smallest box around this one and another.
    pub(crate) fn with(self, other: &Self) -> Self {
        // Not f64::min, which also looks for NaN; no vertex is one, and boxes are most of the proof
        // that a polygon is valid.
        let lower = |a: f64, b: f64| if a < b { a } else { b };
        let higher = |a: f64, b: f64| if a > b { a } else { b };
        let ([x0, y0], [x1, y1]) = (self.low, self.high);
        Self {
            low: [lower(x0, other.low[0]), lower(y0, other.low[1])],
            high: [higher(x1, other.high[0]), higher(y1, other.high[1])],
        }
    }

    /// Whether the two share a point.
    #[expect(clippy::needless_bitwise_bool, reason = "one branch on four comparisons, not four")]
    pub(crate) fn meets(&self, other: &Self) -> bool {
        (self.low[0] <= other.high[0])
            & (other.low[0] <= self.high[0])
            & (self.low[1] <= other.high[1])
            & (other.low[1] <= self.high[1])
    }

    /// The same rectangle moved by `offset`.
    #[must_use]
    pub fn moved(&self, offset: Point) -> Self {
        let moved = |p: Point| [p[0] + offset[0], p[1] + offset[1]];
        Self { low: moved(self.low), high: moved(self.high) }
    }

    /// Whether the other lies in this one.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.low[axis] <= other.low[axis] && other.high[axis] <= self.high[axis])
    }

    /// Its area.
    #[must_use]
    pub fn area(&self) -> f64 {
        (self.high[0] - self.low[0]) * (self.high[1] - self.low[1])
    }

    /// Half of its perimeter.
    #[must_use]
    pub fn half_perimeter(&self) -> f64 {
        self.high[0] - self.low[0] + self.high[1] - self.low[1]
    }

    /// The largest |x| and |y|.
    #[must_use]
    pub fn reach(&self) -> f64 {
        self.low.iter().chain(&self.high).fold(0.0, |most, c| c.abs().max(most))
    }
}
