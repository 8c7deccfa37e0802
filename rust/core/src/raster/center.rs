//! The centre rule: a pixel is inside when its centre is.
//!
//! Every edge crosses the centre lines of some rows; a row's pixels change sides at the first
//! centre right of each crossing, and the even-odd rule pairs these columns into spans. An edge
//! crosses the centre lines with `top.y <= y < bottom.y` (top in, bottom out) and lies left of the
//! centres with `crossing < x` (left edge out, right edge in), which is how GDAL's polygon filler
//! treats ties on all but level edges, so that polygons that share an edge never share a pixel.
//!
//! A crossing is first computed in plain `f64`. Where it falls too near a centre to trust the
//! rounding, an exact predicate decides, so the answer is that of exact arithmetic on the
//! coordinates given.

use std::ops::Range;

use crate::geometry::edge::Edge;
use crate::geometry::grid::{Axis, Grid};
use crate::geometry::polygon::Polygon;
use crate::raster::row_lists::RowCounts;
use crate::raster::spans::{SpanBuilder, Spans};

/// Pixels of a grid that are worth a bit each.
// A megabyte of bits. Beyond it, clearing and reading them costs more than sorting the few columns at
// which edges cross a row.
const FEW_PIXELS: usize = 1 << 23;

pub(crate) fn spans(polygon: &Polygon, grid: &Grid, rows: &Range<usize>) -> Spans {
    if rows.len().saturating_mul(grid.width()) <= FEW_PIXELS {
        spans_by_bits(polygon, grid, rows)
    } else {
        spans_by_lists(polygon, grid, rows)
    }
}

/// A bit for each pixel where an odd number of edges begins: no list is kept and nothing sorted.
fn spans_by_bits(polygon: &Polygon, grid: &Grid, rows: &Range<usize>) -> Spans {
    // One column more than the grid has: an edge right of all centres begins nowhere.
    let words = grid.width() / 64 + 1;
    let mut bits = vec![0_u64; rows.len() * words];
    for_each_crossing(polygon, grid, rows, |row, column| {
        bits[(row - rows.start) * words + column / 64] ^= 1 << (column % 64);
    });
    let mut builder = SpanBuilder::new(grid, rows, false);
    for row in bits.chunks_exact(words) {
        let mut start = None;
        for_each_bit(row, |column| match start.take() {
            None => start = Some(column),
            Some(start) => builder.push_apart(start, column),
        });
        builder.end_row();
    }
    builder.finish()
}

fn for_each_bit(words: &[u64], mut found: impl FnMut(usize)) {
    for (index, &word) in words.iter().enumerate() {
        let mut left = word;
        while left != 0 {
            found(64 * index + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

/// For grids too large for a bit a pixel: the columns of each row, sorted.
fn spans_by_lists(polygon: &Polygon, grid: &Grid, rows: &Range<usize>) -> Spans {
    // Crossings are found twice, once to count them: that is cheaper than a vector a row.
    let mut counts = RowCounts::new(rows);
    for_each_crossing(polygon, grid, rows, |row, _| counts.add_one(row));
    let mut lists = counts.into_lists();
    for_each_crossing(polygon, grid, rows, |row, column| lists.push(row, column));
    let mut builder = SpanBuilder::new(grid, rows, false);
    for row in rows.clone() {
        let columns = lists.row_mut(row);
        columns.sort_unstable();
        for pair in columns.chunks_exact(2) {
            builder.push(pair[0], pair[1], 1.0);
        }
        builder.end_row();
    }
    builder.finish()
}

/// Calls `cross` with each row whose centre line an edge crosses and the first column right of it.
fn for_each_crossing(
    polygon: &Polygon,
    grid: &Grid,
    rows: &Range<usize>,
    mut cross: impl FnMut(usize, usize),
) {
    // Of vertices, not of edges: each vertex ends two, and both must agree whether a row is theirs, or
    // a pair of columns would lack its other half.
    let first_rows = first_rows(polygon, &grid.y, rows);
    let tolerance = grid.x.tolerance(polygon.reach());
    for ring in polygon.ring_ranges() {
        let mut before = ring.end.wrapping_sub(1);
        for vertex in ring {
            let (one, other) = (first_rows[before], first_rows[vertex]);
            if one != other {
                let edge = Edge::ordered(polygon.vertices()[before], polygon.vertices()[vertex]);
                let crossing = Crossing::new(&edge, &grid.x, tolerance);
                for row in one.min(other)..one.max(other) {
                    cross(row as usize, crossing.first_column(grid.y.center(row as usize)));
                }
            }
            before = vertex;
        }
    }
}

/// For each vertex, the first of the rows whose centre is at or below it.
fn first_rows(polygon: &Polygon, axis: &Axis, rows: &Range<usize>) -> Vec<u32> {
    let tolerance = axis.tolerance(polygon.reach());
    let first = |vertex: &[f64; 2]| {
        let place = axis.position(vertex[1]) - 0.5;
        let row = axis
            .first_center_beyond(place, tolerance)
            .unwrap_or_else(|| axis.first(place.ceil(), |row| axis.center(row) >= vertex[1]));
        row.clamp(rows.start, rows.end) as u32
    };
    polygon.vertices().iter().map(first).collect()
}

/// An edge about to be crossed.
struct Crossing<'a> {
    edge: &'a Edge,
    slope: f64,
    axis: &'a Axis,
    tolerance: f64,
}

impl<'a> Crossing<'a> {
    fn new(edge: &'a Edge, axis: &'a Axis, tolerance: f64) -> Self {
        let slope = edge.slope();
        // No crossing of an edge so flat can be trusted.
        let tolerance = if slope.is_finite() { tolerance } else { 1.0 };
        Self { edge, slope, axis, tolerance }
    }

    /// The first column whose centre is strictly right of the edge, at a height that it crosses.
    fn first_column(&self, y: f64) -> usize {
        let place = self.axis.position(self.edge.x_along(self.slope, y)) - 0.5;
        self.axis.first_center_beyond(place, self.tolerance).unwrap_or_else(|| {
            let is_right = |column| self.edge.is_left_of([self.axis.center(column), y]);
            self.axis.first(place.floor() + 1.0, is_right)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::grid::Bounds;
    use proptest::prelude::*;

    proptest! {
        /// Any ring, self-crossing ones too, with vertices on centres and far outside.
        #[test]
        fn bits_and_lists_give_the_same_spans(
            ring in prop::collection::vec((-9_i32..160, -9_i32..50), 0..12),
            factor in prop::sample::select(vec![0.5, 1.0, 1.0 / 3.0, 1e6, 1e12]),
            rows in (0_usize..20, 0_usize..20),
        ) {
            let bounds = Bounds { x0: -0.5, y0: 0.25, x1: 130.25, y1: 20.0 };
            let grid = Grid::new(20, 131, bounds).unwrap();
            let vertices: Vec<_> =
                ring.iter().map(|&(x, y)| [f64::from(x) * factor, f64::from(y) * factor]).collect();
            let polygon = Polygon::new(vertices, vec![ring.len()]).unwrap();
            let rows = rows.0.min(rows.1)..rows.0.max(rows.1);
            let by_bits = spans_by_bits(&polygon, &grid, &rows);
            let by_lists = spans_by_lists(&polygon, &grid, &rows);
            for row in 0..20 {
                // Lists keep spans that meet apart where an odd number of edges begins at a pixel.
                let (bits, lists) = (by_bits.row(row), by_lists.row(row));
                prop_assert_eq!(bits.collect::<Vec<_>>(), lists.collect::<Vec<_>>());
            }
        }
    }
}
