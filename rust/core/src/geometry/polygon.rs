//! Rings of vertices.
//!
//! All vertices lie in one buffer, ring after ring, beside the places where rings end. What is inside
//! is decided by the even-odd rule, so that the order of rings says nothing: a hole is a ring inside a
//! ring.
//!
//! ```
//! use ratiopath_core::geometry::polygon::Polygon;
//!
//! let exterior = [[0.0, 0.0], [6.0, 0.0], [6.0, 6.0], [0.0, 6.0]];
//! let hole = [[2.0, 2.0], [2.0, 4.0], [4.0, 4.0], [4.0, 2.0]];
//! let polygon = Polygon::new([exterior, hole].concat(), vec![4, 8])?;
//! assert_eq!(polygon.rings().count(), 2);
//! assert_eq!(polygon.edges().count(), 8);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::ops::Range;

use crate::geometry::point::{LARGEST, Point};
use crate::{Error, Result};

/// A polygon or multipolygon: closed rings, inside by the even-odd rule.
///
/// Holes run against their exterior (either way round), which only exact coverage relies on.
#[derive(Debug, Clone)]
pub struct Polygon {
    vertices: Vec<Point>,
    ring_ends: Vec<usize>,
    // Found while coordinates are checked: error bounds ask for it again and again.
    reach: f64,
}

impl Polygon {
    /// Builds a polygon from all rings' vertices, one after the other, and where each ring ends.
    ///
    /// A ring may or may not repeat its first vertex at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Vertex`] for a coordinate that is not finite or beyond 1e15, [`Error::RingEnds`]
    /// where the ends do not ascend to the number of vertices.
    pub fn new(vertices: Vec<Point>, ring_ends: Vec<usize>) -> Result<Self> {
        let Some(reach) = reach(&vertices) else { return Err(vertex_error(&vertices)) };
        let ascending = ring_ends.is_sorted();
        if !ascending || ring_ends.last().copied().unwrap_or(0) != vertices.len() {
            return Err(Error::RingEnds { vertices: vertices.len() });
        }
        Ok(Self { vertices, ring_ends, reach })
    }

    /// The vertices of each ring.
    pub fn rings(&self) -> impl Iterator<Item = &[Point]> + '_ {
        self.ring_ranges().map(|range| &self.vertices[range])
    }

    /// Where each ring lies in the vertices.
    pub(crate) fn ring_ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let starts = std::iter::once(0).chain(self.ring_ends.iter().copied());
        starts.zip(&self.ring_ends).map(|(start, &end)| start..end)
    }

    /// Every edge of every ring, in ring order, the closing ones included.
    pub fn edges(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        self.rings().flat_map(|ring| {
            let next = ring.iter().cycle().skip(1);
            ring.iter().copied().zip(next.copied())
        })
    }

    /// The same edges as indices of their vertices.
    pub(crate) fn edge_indices(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.ring_ranges().flat_map(|ring| {
            let closing = ring.clone().next_back().map(|last| (last, ring.start));
            (ring.start..ring.end.saturating_sub(1)).map(|k| (k, k + 1)).chain(closing)
        })
    }

    /// The vertices of all rings.
    #[must_use]
    pub fn vertices(&self) -> &[Point] {
        &self.vertices
    }

    /// The largest |x| and |y|, for error bounds.
    pub(crate) fn reach(&self) -> f64 {
        self.reach
    }
}

/// The largest |x| and |y|, None where a coordinate is not allowed.
fn reach(vertices: &[Point]) -> Option<f64> {
    // In lanes, so that no maximum waits for the one before.
    let (lanes, rest) = vertices.as_flattened().as_chunks::<8>();
    let mut most = [0.0; 8];
    let mut is_allowed = true;
    for lane in lanes {
        for (most, c) in most.iter_mut().zip(lane) {
            *most = if c.abs() > *most { c.abs() } else { *most };
            // NaN compares false, so the test is for what is allowed.
            is_allowed &= c.abs() <= LARGEST;
        }
    }
    is_allowed &= rest.iter().all(|c| c.abs() <= LARGEST);
    let all = most.into_iter().chain(rest.iter().map(|c| c.abs()));
    is_allowed.then(|| all.fold(0.0, f64::max))
}

/// Names the first vertex that is not allowed.
fn vertex_error(vertices: &[Point]) -> Error {
    let is_allowed = |vertex: &Point| vertex.iter().all(|c| c.abs() <= LARGEST);
    let index = vertices.iter().take_while(|vertex| is_allowed(vertex)).count();
    let [x, y] = vertices.get(index).copied().unwrap_or_default();
    Error::Vertex { index, x, y }
}
