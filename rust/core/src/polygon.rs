//! Rings of vertices, and the grid of pixels that they are laid on.

use std::ops::Range;

use robust::{Coord, orient2d};

use crate::{Error, Result};

/// Coordinates beyond this are no slide's, and their products would leave the exact range.
const LARGEST: f64 = 1e15;

/// A vertex `[x, y]`.
pub type Point = [f64; 2];

/// A polygon or multipolygon: closed rings, inside by the even-odd rule.
///
/// Holes run against their exterior (either way round), which only exact coverage relies on.
#[derive(Debug, Clone)]
pub struct Polygon {
    vertices: Vec<Point>,
    ring_ends: Vec<usize>,
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

    /// Moves every vertex to `vertex * scale + offset`, axis by axis.
    ///
    /// # Errors
    ///
    /// [`Error::Vertex`] where a vertex leaves the allowed range.
    pub fn transformed(&self, scale: Point, offset: Point) -> Result<Self> {
        let moved = |p: &Point| [p[0] * scale[0] + offset[0], p[1] * scale[1] + offset[1]];
        Self::new(self.vertices.iter().map(moved).collect(), self.ring_ends.clone())
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

/// Where a grid of pixels lies in the polygon's space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Left border of the first column.
    pub x0: f64,
    /// Top border of the first row.
    pub y0: f64,
    /// Right border of the last column.
    pub x1: f64,
    /// Bottom border of the last row.
    pub y1: f64,
}

/// One axis of a grid: `count` pixels between `low` and `low + length`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) length: f64,
    pub(crate) count: usize,
    /// Pixels per unit of the polygon's space.
    density: f64,
}

impl Axis {
    /// The centre of pixel `index`, evaluated left to right as written.
    pub(crate) fn center(&self, index: usize) -> f64 {
        self.low + (index as f64 + 0.5) * self.length / self.count as f64
    }

    /// The border before pixel `index`.
    pub(crate) fn border(&self, index: usize) -> f64 {
        self.low + index as f64 * self.length / self.count as f64
    }

    /// Where a coordinate falls, in pixels from the first border.
    pub(crate) fn position(&self, coordinate: f64) -> f64 {
        (coordinate - self.low) * self.density
    }

    /// A bound on the rounding error of [`Self::position`], with room for a crossing's own.
    pub(crate) fn tolerance(&self, reach: f64) -> f64 {
        let count = self.count as f64;
        64.0 * f64::EPSILON * ((reach + self.low.abs()) * self.density + count)
    }

    /// The first index whose centre lies beyond a place, given in pixels from the first centre.
    ///
    /// None where the finite place is nearer to a centre than `tolerance`, so that rounding may
    /// have moved it across. Written without `floor`, which is a call where the target has no instruction.
    pub(crate) fn first_center_beyond(&self, place: f64, tolerance: f64) -> Option<usize> {
        let (first, last) = (-0.5, self.count as f64 - 0.5);
        let place = if place > first { place } else { first };
        let shifted = 1.0 + if place < last { place } else { last };
        let index = shifted as i32;
        let fraction = shifted - f64::from(index);
        (fraction > tolerance && fraction < 1.0 - tolerance).then_some(index as usize)
    }

    /// The first index in `0..=count` from which on `beyond` holds, tried at a guess first.
    ///
    /// `beyond` is false up to some index and true from there on. A guess off by rounding is off
    /// by one; anything worse is far outside any slide and found by bisection.
    pub(crate) fn first(&self, guess: f64, beyond: impl Fn(usize) -> bool) -> usize {
        let guess = guess.clamp(0.0, self.count as f64) as usize;
        let is_first = |index: usize| {
            (index == 0 || !beyond(index - 1)) && (index == self.count || beyond(index))
        };
        let near = [guess, guess.saturating_sub(1), (guess + 1).min(self.count)];
        near.into_iter().find(|&index| is_first(index)).unwrap_or_else(|| self.bisect(beyond))
    }

    fn bisect(&self, beyond: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if beyond(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

/// A grid of pixels laid on the polygon's space.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

impl Grid {
    /// Lays `height` x `width` pixels on `bounds`.
    ///
    /// # Errors
    ///
    /// [`Error::Grid`] for a grid without pixels or beyond 31 bits a side, [`Error::Bounds`] for
    /// bounds without extent.
    pub fn new(height: usize, width: usize, bounds: Bounds) -> Result<Self> {
        let side = 1..=i32::MAX as usize;
        if !side.contains(&height) || !side.contains(&width) {
            return Err(Error::Grid { height, width });
        }
        let Bounds { x0, y0, x1, y1 } = bounds;
        let corners = [x0, y0, x1, y1];
        let sane = corners.iter().all(|c| c.abs() <= LARGEST);
        if !sane || x1.partial_cmp(&x0) != Some(std::cmp::Ordering::Greater) || y1 <= y0 {
            return Err(Error::Bounds { x0, y0, x1, y1 });
        }
        let axis = |low, high: f64, count| {
            let length = high - low;
            Axis { low, length, count, density: count as f64 / length }
        };
        Ok(Self { x: axis(x0, x1, width), y: axis(y0, y1, height) })
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.x.count
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.y.count
    }
}
