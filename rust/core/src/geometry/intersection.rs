//! The area that two polygons share, without constructing what they share.
//!
//! At one height, a polygon is where the signs of the edges right of a point add up to one. So the
//! length that two polygons share at a height is the sum, over all pairs of an edge of one and an
//! edge of the other, of `sign * sign * min(x, x)`, and the shared area is the integral of that
//! over the heights: every pair adds the integral of the smaller of two linear functions, which has
//! a closed form. No crossing is ever constructed as a vertex, so nothing can go wrong where
//! outlines touch or coincide; what is left is the rounding of a sum.
//!
//! Where one of the two is a box, each edge of the other is cut to it by itself.
//!
//! ```
//! use ratiopath_core::geometry::edge_index::EdgeIndex;
//! use ratiopath_core::geometry::intersection::PreparedPolygon;
//! use ratiopath_core::geometry::polygon::Polygon;
//!
//! let tile = Polygon::new(vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]], vec![4])?;
//! let triangle = Polygon::new(vec![[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], vec![3])?;
//! let (tile, triangle) = (PreparedPolygon::new(&tile), EdgeIndex::new(&triangle));
//! assert_eq!(tile.intersection_area(&triangle, [0.0, 0.0]), 4.0);
//! assert_eq!(tile.intersection_area(&triangle, [1.0, 2.0]), 0.5);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::ops::Range;

use crate::geometry::bounding_box::BoundingBox;
use crate::geometry::edge::DirectedEdge;
use crate::geometry::edge_index::EdgeIndex;
use crate::geometry::point::Point;
use crate::geometry::polygon::Polygon;

/// A polygon that is asked for at many places.
///
/// It is prepared once, a tile's region say, and moved to each tile: never the other polygons, of
/// which there may be a million.
#[derive(Debug, Clone)]
pub struct PreparedPolygon {
    index: EdgeIndex,
    edges: Vec<DirectedEdge>,
}

/// A sum, and the sum of its terms' sizes, which bounds its rounding error.
#[derive(Debug, Clone, Copy, Default)]
struct BoundedSum {
    total: f64,
    size: f64,
}

impl BoundedSum {
    fn add(&mut self, sign: f64, term: f64) {
        self.total += sign * term;
        self.size += term.abs();
    }

    /// The sum, or a limit of it that it differs from by no more than `error` and its rounding.
    fn between(self, limits: (f64, f64), error: f64) -> f64 {
        let error = error + 4.0 * f64::EPSILON * self.size;
        if self.total <= limits.0 + error {
            limits.0
        } else if self.total >= limits.1 - error {
            limits.1
        } else {
            self.total
        }
    }
}

impl PreparedPolygon {
    /// Prepares a polygon; holes run against their exterior.
    #[must_use]
    pub fn new(polygon: &Polygon) -> Self {
        let index = EdgeIndex::new(polygon);
        let edges = index.edges().iter().map(|&[a, b]| DirectedEdge::new(a, b)).collect();
        Self { index, edges }
    }

    /// The region's own edges.
    #[must_use]
    pub fn index(&self) -> &EdgeIndex {
        &self.index
    }

    /// Returns the area of `other` that lies under the region moved by `origin`.
    ///
    /// It is 0, or all of the smaller one's area, where it differs from that by no more than what
    /// coordinates of this size can tell apart.
    #[must_use]
    pub fn intersection_area(&self, other: &EdgeIndex, origin: Point) -> f64 {
        let seen = self.index.bounding_box().moved(origin);
        let bounds = other.bounding_box();
        if self.index.is_box() && seen.contains(bounds) {
            return other.area();
        }
        let reach = bounds.reach().max(seen.reach());
        // Each coordinate may be off by half an epsilon of the largest, so an outline may be moved by
        // that much all along its perimeter.
        let error = 4.0 * f64::EPSILON * reach * seen.half_perimeter().min(bounds.half_perimeter());
        let whole = other.area().min(self.index.area());
        if self.index.is_box() {
            return area_within(other, &seen).between((0.0, whole), error);
        }
        // Most outlines lie wholly inside or outside, and then so does their bounding box.
        let around = bounds.moved([-origin[0], -origin[1]]);
        let in_box = area_within(&self.index, &around).between((0.0, around.area()), error);
        if in_box == 0.0 {
            0.0
        } else if in_box == around.area() {
            other.area()
        } else {
            self.integrate(other, origin).between((0.0, whole), error)
        }
    }

    /// Adds up all pairs of edges.
    fn integrate(&self, other: &EdgeIndex, origin: Point) -> BoundedSum {
        let seen = self.index.bounding_box().moved(origin);
        let mut sum = BoundedSum::default();
        each_edge(other, &seen, |[a, b], heights| {
            // Left of the region the minimum is always this edge's, and the signs cancel.
            if a[0].max(b[0]) > seen.low[0] {
                let from = |p: Point| [p[0] - origin[0], p[1] - origin[1]];
                let edge = DirectedEdge::new(from(a), from(b));
                self.add_edge(&edge, heights.start - origin[1]..heights.end - origin[1], &mut sum);
            }
        });
        sum
    }

    /// Adds all pairs of one edge within a range of heights with the edges of the region.
    fn add_edge(&self, edge: &DirectedEdge, heights: Range<f64>, sum: &mut BoundedSum) {
        for (others, heights) in self.index.within(heights) {
            for own in &self.edges[others] {
                let start = own.edge.top[1].max(heights.start);
                let end = own.edge.bottom[1].min(heights.end);
                if start < end {
                    let area = integral_of_smaller(edge, own, start, end);
                    sum.add(edge.sign * own.sign, area);
                }
            }
        }
    }
}

/// Calls back with every edge within the heights of a box, and that part of its heights.
fn each_edge(
    other: &EdgeIndex,
    within: &BoundingBox,
    mut call: impl FnMut([Point; 2], Range<f64>),
) {
    let top = other.bounding_box().low[1].max(within.low[1]);
    let bottom = other.bounding_box().high[1].min(within.high[1]);
    for (edges, heights) in other.within(top..bottom) {
        for &[a, b] in &other.edges()[edges] {
            let start = a[1].min(b[1]).max(heights.start);
            let end = a[1].max(b[1]).min(heights.end);
            if start < end {
                call([a, b], start..end);
            }
        }
    }
}

/// The area of a polygon within a box.
fn area_within(other: &EdgeIndex, within: &BoundingBox) -> BoundedSum {
    let (left, right) = (within.low[0], within.high[0]);
    let mut sum = BoundedSum::default();
    each_edge(other, within, |[a, b], heights| {
        if a[0].max(b[0]) > left {
            let edge = DirectedEdge::new(a, b);
            let ends = (edge.x_at(heights.start) - left, edge.x_at(heights.end) - left);
            let mean = mean_within(ends.0.min(ends.1), ends.0.max(ends.1), right - left);
            sum.add(edge.sign, (heights.end - heights.start) * mean);
        }
    });
    sum
}

/// The mean of what grows evenly from `low` to `high`, cut to between 0 and `most`.
fn mean_within(low: f64, high: f64, most: f64) -> f64 {
    if high <= 0.0 || low >= most {
        return if high <= 0.0 { 0.0 } else { most };
    }
    let (from, to) = (low.max(0.0), high.min(most));
    if from == low && to == high {
        return f64::midpoint(low, high);
    }
    let (between, above) = (to - from, high - to);
    (between * f64::midpoint(from, to) + above * most) / (high - low)
}

/// The integral of the smaller x of two edges between two heights.
fn integral_of_smaller(a: &DirectedEdge, b: &DirectedEdge, top: f64, bottom: f64) -> f64 {
    let (a0, a1) = (a.x_at(top), a.x_at(bottom));
    let (b0, b1) = (b.x_at(top), b.x_at(bottom));
    let height = bottom - top;
    let (gap0, gap1) = (a0 - b0, a1 - b1);
    let of_a = height * f64::midpoint(a0, a1);
    if gap0 <= 0.0 && gap1 <= 0.0 {
        return of_a;
    }
    if gap0 >= 0.0 && gap1 >= 0.0 {
        return height * f64::midpoint(b0, b1);
    }
    // The crossing itself is never computed: the triangle beyond it is similar to the gap at that end.
    // They cross: a triangle of a's integral lies beyond b.
    let beyond = gap0.max(gap1);
    of_a - 0.5 * height * beyond * (beyond / (gap0 - gap1).abs())
}
