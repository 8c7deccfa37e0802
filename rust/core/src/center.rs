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

use crate::polygon::{Edge, Grid, Polygon};
use crate::spans::{RowLists, SpanBuilder, Spans};

pub(crate) fn spans(polygon: &Polygon, grid: &Grid, rows: &Range<usize>) -> Spans {
    let mut crossings = crossings(polygon, grid, rows);
    let mut builder = SpanBuilder::new(grid, rows, false);
    for row in rows.clone() {
        let columns = crossings.row_mut(row);
        columns.sort_unstable();
        for pair in columns.chunks_exact(2) {
            builder.push(pair[0] as usize, pair[1] as usize, 1.0);
        }
        builder.end_row();
    }
    builder.finish()
}

/// For each row, the first column right of each edge that crosses the row's centre line.
fn crossings(polygon: &Polygon, grid: &Grid, rows: &Range<usize>) -> RowLists<u32> {
    let tolerance = grid.x.tolerance(polygon.reach());
    RowLists::collect(rows, |emit| {
        for (a, b) in polygon.edges() {
            let edge = Edge::ordered(a, b);
            let (first, last) = (first_row(grid, edge.top[1]), first_row(grid, edge.bottom[1]));
            for row in first.max(rows.start)..last.min(rows.end) {
                emit(row, first_column(grid, &edge, row, tolerance) as u32);
            }
        }
    })
}

/// The first row whose centre is at or below `y`.
fn first_row(grid: &Grid, y: f64) -> usize {
    let guess = (grid.y.position(y) - 0.5).ceil();
    grid.y.first(guess, |row| grid.y.center(row) >= y)
}

/// The first column whose centre is strictly right of the edge, on a row that the edge crosses.
fn first_column(grid: &Grid, edge: &Edge, row: usize, tolerance: f64) -> usize {
    let y = grid.y.center(row);
    let position = grid.x.position(edge.x_at(y)) - 0.5;
    let below = position.floor();
    let fraction = position - below;
    if fraction > tolerance && fraction < 1.0 - tolerance {
        return (below + 1.0).clamp(0.0, grid.width() as f64) as usize;
    }
    grid.x.first(below + 1.0, |column| edge.is_left_of([grid.x.center(column), y]))
}
