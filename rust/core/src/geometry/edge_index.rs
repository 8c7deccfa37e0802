//! A polygon's edges, found by height.
//!
//! The area that two polygons share is an integral over heights, so what is asked of a polygon is
//! always: which edges cross this range of heights? A polygon of many edges answers from bands of
//! equal height, each with the edges that reach into it; one of few edges is a single band. A
//! range that spans several bands is answered band by band, each with its own part of the range,
//! so that an edge listed in several bands is never counted twice at any height.
//!
//! ```
//! use ratiopath_core::geometry::edge_index::EdgeIndex;
//! use ratiopath_core::geometry::polygon::Polygon;
//!
//! let triangle = Polygon::new(vec![[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]], vec![3])?;
//! let index = EdgeIndex::new(&triangle);
//! assert_eq!(index.area(), 6.0);
//! assert_eq!(index.bounding_box().high, [4.0, 3.0]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::ops::Range;

use crate::geometry::bounding_box::BoundingBox;
use crate::geometry::edge::signed_area;
use crate::geometry::point::Point;
use crate::geometry::polygon::Polygon;

/// Edges of a band, on average, below which bands would cost more than they save.
const EDGES_OF_A_BAND: usize = 8;

/// How often an edge may be listed, on average: a comb's long edges reach into every band.
const MOST_LISTINGS: usize = 4;

/// A polygon as its edges, in bands of equal height.
#[derive(Debug, Clone)]
pub struct EdgeIndex {
    /// From start to end in the order of the ring; none is level.
    // Without slopes: a layer has millions of edges, and few are looked at.
    edges: Vec<[Point; 2]>,
    /// Where each band's edges start, and at the end how many there are.
    starts: Vec<usize>,
    bounds: BoundingBox,
    area: f64,
}

impl EdgeIndex {
    /// Sorts a polygon's edges; holes run against their exterior.
    #[must_use]
    pub fn new(polygon: &Polygon) -> Self {
        let bounds = BoundingBox::of(polygon.vertices());
        // What is so nearly level that its slope is infinite bounds no area.
        let slanted = polygon.edges().filter(|(a, b)| ((b[0] - a[0]) / (b[1] - a[1])).is_finite());
        let mut edges: Vec<[Point; 2]> = slanted.map(|(a, b)| [a, b]).collect();
        // Either way round is taken: signs are what is added up, and they must be those of one way.
        let mut area = signed_area(edges.iter().map(|&[a, b]| (a, b)), bounds.low);
        if area < 0.0 {
            area = -area;
            for edge in &mut edges {
                edge.reverse();
            }
        }
        let (edges, starts) = into_bands(edges, &bounds);
        Self { edges, starts, bounds, area }
    }

    /// The polygon's area.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.area
    }

    /// The polygon's bounding box.
    #[must_use]
    pub fn bounding_box(&self) -> &BoundingBox {
        &self.bounds
    }

    /// Whether the polygon is its own bounding box.
    #[must_use]
    pub fn is_box(&self) -> bool {
        let upright = |[a, b]: &[Point; 2]| a[0] == b[0];
        self.edges.len() == 2 && self.edges.iter().all(upright)
    }

    /// All edges, those of several bands as often.
    pub(crate) fn edges(&self) -> &[[Point; 2]] {
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
        band_of(height, &self.bounds, self.bands())
    }

    fn border(&self, band: usize) -> f64 {
        border(band, &self.bounds, self.bands())
    }
}

/// The height at which a band begins.
fn border(band: usize, bounds: &BoundingBox, bands: usize) -> f64 {
    let height = bounds.high[1] - bounds.low[1];
    bounds.low[1] + height * (band as f64 / bands as f64)
}

/// The last band that begins at or above a height.
fn band_of(height: f64, bounds: &BoundingBox, bands: usize) -> usize {
    if bands == 1 {
        return 0;
    }
    let share = (height - bounds.low[1]) / (bounds.high[1] - bounds.low[1]);
    let mut band = ((share * bands as f64).max(0.0) as usize).min(bands - 1);
    // Rounding may be off by one, and both must agree where a band begins.
    while band > 0 && border(band, bounds, bands) > height {
        band -= 1;
    }
    while band + 1 < bands && border(band + 1, bounds, bands) <= height {
        band += 1;
    }
    band
}

/// Copies the edges into the bands that they reach into, as many bands as pay.
fn into_bands(edges: Vec<[Point; 2]>, bounds: &BoundingBox) -> (Vec<[Point; 2]>, Vec<usize>) {
    let mut bands = edges.len() / EDGES_OF_A_BAND;
    let reached = |[a, b]: &[Point; 2], bands: usize| {
        let (top, bottom) = (a[1].min(b[1]), a[1].max(b[1]));
        band_of(top, bounds, bands)..=band_of(bottom, bounds, bands)
    };
    let listings =
        |bands: usize| -> usize { edges.iter().map(|edge| reached(edge, bands).count()).sum() };
    // Halved until long edges are listed few times: memory stays linear in edges whatever comes.
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
