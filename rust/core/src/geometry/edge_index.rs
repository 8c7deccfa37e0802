//! A polygon's edges, found by height.
//!
//! The area that two polygons share is an integral over heights, so what is asked of a polygon is
//! always: which edges cross this range of heights? A polygon of many edges answers from bands of
//! equal height, each with the edges that reach into it; one of few edges is a single band. A
//! range that spans several bands is answered band by band, each with its own part of the range,
//! so that an edge listed in several bands is never counted twice at any height.

use std::ops::Range;

use crate::geometry::point::Point;
use crate::geometry::polygon::Polygon;

/// Edges of a band, on average, below which bands would cost more than they save.
const EDGES_OF_A_BAND: usize = 8;

/// How often an edge may be listed, on average: a comb's long edges reach into every band.
const MOST_LISTINGS: usize = 4;

/// An edge that is not level, from its start to its end in the order of its ring.
pub(crate) type Edge = [Point; 2];

/// An edge as a function of height, and which way it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedEdge {
    pub(crate) top: Point,
    pub(crate) bottom: Point,
    /// 1 where the ring runs down it, -1 where up.
    pub(crate) sign: f64,
    slope: f64,
}

impl SignedEdge {
    /// The edge, seen from `origin`.
    pub(crate) fn new([a, b]: Edge, origin: Point) -> Self {
        let from = |p: Point| [p[0] - origin[0], p[1] - origin[1]];
        let (top, bottom, sign) = if a[1] < b[1] { (a, b, 1.0) } else { (b, a, -1.0) };
        let (top, bottom) = (from(top), from(bottom));
        let slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
        Self { top, bottom, sign, slope }
    }

    /// The x of the edge at height `y`; exact at both ends.
    pub(crate) fn x_at(&self, y: f64) -> f64 {
        if y >= self.bottom[1] {
            self.bottom[0]
        } else {
            self.top[0] + (y - self.top[1]) * self.slope
        }
    }
}

/// A rectangle along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Left and top.
    pub low: Point,
    /// Right and bottom.
    pub high: Point,
}

impl BoundingBox {
    fn of(vertices: &[Point]) -> Self {
        let mut extent = Self { low: [f64::INFINITY; 2], high: [f64::NEG_INFINITY; 2] };
        for &[x, y] in vertices {
            extent.low = [extent.low[0].min(x), extent.low[1].min(y)];
            extent.high = [extent.high[0].max(x), extent.high[1].max(y)];
        }
        extent
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

/// A polygon as its edges, in bands of equal height.
#[derive(Debug, Clone)]
pub struct EdgeIndex {
    edges: Vec<Edge>,
    /// Where each band's edges start, and at the end how many there are.
    starts: Vec<usize>,
    extent: BoundingBox,
    area: f64,
}

impl EdgeIndex {
    /// Sorts a polygon's edges; holes run against their exterior.
    #[must_use]
    pub fn new(polygon: &Polygon) -> Self {
        let extent = BoundingBox::of(polygon.vertices());
        // What is so nearly level that its slope is infinite bounds no area.
        let slanted = polygon.edges().filter(|(a, b)| ((b[0] - a[0]) / (b[1] - a[1])).is_finite());
        let mut edges: Vec<Edge> = slanted.map(|(a, b)| [a, b]).collect();
        let mut area = signed_area(&edges, extent.low[0]);
        if area < 0.0 {
            area = -area;
            for edge in &mut edges {
                edge.reverse();
            }
        }
        let (edges, starts) = into_bands(edges, &extent);
        Self { edges, starts, extent, area }
    }

    /// The polygon's area.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.area
    }

    /// The polygon's bounding box.
    #[must_use]
    pub fn extent(&self) -> &BoundingBox {
        &self.extent
    }

    /// Whether the polygon is its own bounding box.
    #[must_use]
    pub fn is_box(&self) -> bool {
        let upright = |[a, b]: &Edge| a[0] == b[0];
        self.edges.len() == 2 && self.edges.iter().all(upright)
    }

    /// All edges, those of several bands as often.
    pub(crate) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Which edges cross a range of heights, band by band, each with its part of the range.
    pub(crate) fn within(
        &self,
        heights: Range<f64>,
    ) -> impl Iterator<Item = (Range<usize>, Range<f64>)> {
        let first = self.band(heights.start);
        let last = self.band(heights.end);
        (first..=last).filter_map(move |band| {
            let start = if band == first { heights.start } else { self.border(band) };
            let end = if band == last { heights.end } else { self.border(band + 1) };
            (start < end).then(|| (self.starts[band]..self.starts[band + 1], start..end))
        })
    }

    fn bands(&self) -> usize {
        self.starts.len() - 1
    }

    fn band(&self, height: f64) -> usize {
        band_of(height, &self.extent, self.bands())
    }

    fn border(&self, band: usize) -> f64 {
        border(band, &self.extent, self.bands())
    }
}

/// The height at which a band begins.
fn border(band: usize, extent: &BoundingBox, bands: usize) -> f64 {
    let height = extent.high[1] - extent.low[1];
    extent.low[1] + height * (band as f64 / bands as f64)
}

/// The last band that begins at or above a height.
fn band_of(height: f64, extent: &BoundingBox, bands: usize) -> usize {
    if bands == 1 {
        return 0;
    }
    let share = (height - extent.low[1]) / (extent.high[1] - extent.low[1]);
    let mut band = ((share * bands as f64).max(0.0) as usize).min(bands - 1);
    // Rounding may be off by one, and both must agree where a band begins.
    while band > 0 && border(band, extent, bands) > height {
        band -= 1;
    }
    while band + 1 < bands && border(band + 1, extent, bands) <= height {
        band += 1;
    }
    band
}

/// Copies the edges into the bands that they reach into, as many bands as pay.
fn into_bands(edges: Vec<Edge>, extent: &BoundingBox) -> (Vec<Edge>, Vec<usize>) {
    let mut bands = edges.len() / EDGES_OF_A_BAND;
    let reached = |[a, b]: &Edge, bands: usize| {
        let (top, bottom) = (a[1].min(b[1]), a[1].max(b[1]));
        band_of(top, extent, bands)..=band_of(bottom, extent, bands)
    };
    let listings =
        |bands: usize| -> usize { edges.iter().map(|edge| reached(edge, bands).count()).sum() };
    while bands > 1 && listings(bands) > MOST_LISTINGS * edges.len() {
        bands /= 2;
    }
    if bands <= 1 {
        let starts = vec![0, edges.len()];
        return (edges, starts);
    }
    let mut listed = vec![Vec::new(); bands];
    for edge in &edges {
        for band in reached(edge, bands) {
            listed[band].push(*edge);
        }
    }
    let ends = listed.iter().scan(0, |end, band| {
        *end += band.len();
        Some(*end)
    });
    let starts = std::iter::once(0).chain(ends).collect();
    (listed.concat(), starts)
}

/// The area right of `left` and left of the edges, by the way they run.
fn signed_area(edges: &[Edge], left: f64) -> f64 {
    let under = |[a, b]: &Edge| (b[1] - a[1]) * (f64::midpoint(a[0], b[0]) - left);
    edges.iter().map(under).sum()
}
