//! From a polygon to the pixels inside it, under one of three rules.

pub mod center;
pub mod exact;
pub mod mask;
pub(crate) mod row_lists;
pub mod spans;
pub mod touched;

use std::ops::Range;

use crate::geometry::grid::Grid;
use crate::geometry::polygon::Polygon;
use crate::raster::spans::Spans;

/// When a pixel counts as inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Its centre is inside; a centre on an edge is out on the left, in on the right, in at the
    /// top and out at the bottom.
    Center,
    /// It shares a positive area with the polygon.
    AllTouched,
    /// It weighs the area that it shares with the polygon.
    Exact,
}

/// Rasterises a polygon on some rows of a grid.
///
/// A region may be far larger than the overlay it is laid on; `rows` are those that any patch sees,
/// and only they cost anything.
#[must_use]
pub fn rasterize(polygon: &Polygon, grid: &Grid, rule: Rule, rows: Range<usize>) -> Spans {
    let end = rows.end.min(grid.height());
    let rows = rows.start.min(end)..end;
    match rule {
        Rule::Center => center::spans(polygon, grid, &rows),
        Rule::AllTouched => touched::spans(polygon, grid, &rows),
        Rule::Exact => exact::spans(polygon, grid, &rows),
    }
}
