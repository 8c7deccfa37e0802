//! From a polygon to the pixels inside it, under one of three rules.
//!
//! A polygon and a grid come in, [`spans::Spans`] go out: for each row of the grid the runs of columns
//! that are inside, each with its weight. Pixels are decided by their centre (`center`), by whether
//! they are touched (`touched`), or weighed by the area that they share with the polygon (`exact`).
//! Every rule walks edges, not pixels, so that a region costs its outline and not its area.
//!
//! ```
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::raster::{Rule, rasterize};
//!
//! let triangle = Polygon::new(vec![[0.0, 0.0], [3.5, 0.0], [0.0, 3.5]], vec![3])?;
//! let grid = Grid::new(4, 4, Bounds { x0: 0.0, y0: 0.0, x1: 4.0, y1: 4.0 })?;
//! let area = |rule| rasterize(&triangle, &grid, rule, 0..4).area();
//! assert_eq!(area(Rule::Center), 6.0);
//! assert_eq!(area(Rule::AllTouched), 10.0);
//! assert_eq!(area(Rule::Exact), 6.125);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

mod center;
mod exact;
pub mod mask;
mod row_lists;
pub mod spans;
mod touched;

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
