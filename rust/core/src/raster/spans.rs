//! Spans: the pixels inside a region, as sorted runs of each row.
//!
//! Row by row, disjoint runs `start..end` in ascending order, each with the weight of its pixels.
//! Under the rules that decide pixel by pixel every weight is 1 and none is stored. A region of a
//! thousand rows is some thousand spans, where a mask would be a million pixels; and a run of equal
//! weight is what counting is fast at.
//!
//! ```
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::raster::spans::Span;
//! use ratiopath_core::raster::{Rule, rasterize};
//!
//! let region = Polygon::new(vec![[1.0, 0.0], [3.0, 0.0], [3.0, 2.0], [1.0, 2.0]], vec![4])?;
//! let grid = Grid::new(2, 5, Bounds { x0: 0.0, y0: 0.0, x1: 5.0, y1: 2.0 })?;
//! let spans = rasterize(&region, &grid, Rule::Center, 0..2);
//! let row: Vec<_> = spans.row(1).collect();
//! assert_eq!(row, [(Span { start: 1, end: 3 }, 1.0)]);
//! assert_eq!(spans.area_within(0, 0, 2, 2), 2.0);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::ops::Range;

use crate::geometry::grid::Grid;

/// Rows whose usual number of spans is allocated at once.
// More rows than any patch has; of taller grids a vector that grows wastes less than a wrong guess.
const FEW_ROWS: usize = 4096;

/// Columns `start..end` of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First column inside.
    pub start: u32,
    /// First column past the end.
    pub end: u32,
}

/// The pixels inside a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Spans {
    width: usize,
    height: usize,
    /// The first row that was asked for; rows before it and after the last hold nothing.
    first_row: usize,
    row_starts: Vec<usize>,
    runs: Vec<Span>,
    /// A weight per span; empty where all are 1.
    // Beside the runs and not in them: two of three rules have no weights, and a span of two u32
    // stays at eight bytes, of which a cache line holds eight.
    weights: Vec<f64>,
}

impl Spans {
    /// Columns of the grid.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of the grid.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The spans of one row with their weights, left to right.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (Span, f64)> + '_ {
        // Rows before the first wrap far beyond the last: one test finds both.
        let index = row.wrapping_sub(self.first_row);
        let range = match self.row_starts.get(index..=index.saturating_add(1)) {
            Some(ends) => ends[0]..ends[1],
            None => 0..0,
        };
        range.map(|k| (self.runs[k], self.weights.get(k).copied().unwrap_or(1.0)))
    }

    /// The weight of all pixels of the rows asked for: their number, or their exact area.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.area_within(0, 0, self.width, self.height())
    }

    /// The weight of the pixels in columns `x0..x1` of rows `y0..y1`.
    #[must_use]
    pub fn area_within(&self, x0: usize, y0: usize, x1: usize, y1: usize) -> f64 {
        let weigh = |(span, weight): (Span, f64)| {
            let start = (span.start as usize).max(x0);
            let end = (span.end as usize).min(x1);
            end.saturating_sub(start) as f64 * weight
        };
        let rows = y0.max(self.first_row)..y1.min(self.first_row + self.row_starts.len() - 1);
        rows.flat_map(|row| self.row(row)).map(weigh).sum()
    }
}

/// Runs of pixels on their way to be counted, of which those of weight 1 that meet become one: rows
/// that are inside from end to end do.
#[derive(Default)]
pub(crate) struct WholeRuns {
    /// The last one, to which more may come.
    // A class map's rows are mostly inside from end to end: as one run they cost one call of a counter
    // and not one a row.
    pub(crate) open: Range<usize>,
}

impl WholeRuns {
    /// Hands on a run, or the one before that it does not meet.
    #[inline]
    pub(crate) fn add(
        &mut self,
        run: Range<usize>,
        weight: f64,
        add: impl FnOnce(Range<usize>, f64),
    ) {
        if weight != 1.0 {
            add(run, weight);
        } else if run.start == self.open.end {
            self.open.end = run.end;
        } else {
            add(std::mem::replace(&mut self.open, run), 1.0);
        }
    }
}

/// Collects spans row by row, joining those of weight 1 that meet.
pub(crate) struct SpanBuilder {
    spans: Spans,
    weighted: bool,
    /// Where the row's last run ends, if it is of weight 1, else 0.
    open_end: u32,
}

impl SpanBuilder {
    pub(crate) fn new(grid: &Grid, rows: &Range<usize>, weighted: bool) -> Self {
        let mut row_starts = Vec::with_capacity(rows.len() + 1);
        row_starts.push(0);
        // Of a convex region, beyond which a few more allocations do not matter.
        let usual = rows.len().min(FEW_ROWS) * if weighted { 4 } else { 1 };
        let spans = Spans {
            width: grid.width(),
            height: grid.height(),
            first_row: rows.start,
            row_starts,
            runs: Vec::with_capacity(usual),
            weights: Vec::with_capacity(if weighted { usual } else { 0 }),
        };
        Self { spans, weighted, open_end: 0 }
    }

    /// Adds a run of weight 1 that meets no other.
    pub(crate) fn push_apart(&mut self, start: usize, end: usize) {
        self.spans.runs.push(Span { start: start as u32, end: end as u32 });
    }

    /// Adds a run; runs of a row come left to right and may meet or overlap only at weight 1.
    #[inline]
    pub(crate) fn push(&mut self, start: usize, end: usize, weight: f64) {
        if weight == 1.0 {
            self.push_whole(start, end);
        } else if start < end {
            self.spans.runs.push(Span { start: start as u32, end: end as u32 });
            self.spans.weights.push(weight);
            self.open_end = 0;
        }
    }

    fn push_whole(&mut self, start: usize, end: usize) {
        if start >= end {
            return;
        }
        let span = Span { start: start as u32, end: end as u32 };
        match self.spans.runs.last_mut() {
            Some(last) if span.start <= self.open_end && self.open_end > 0 => {
                last.end = last.end.max(span.end);
                self.open_end = last.end;
            }
            _ => {
                self.spans.runs.push(span);
                if self.weighted {
                    self.spans.weights.push(1.0);
                }
                self.open_end = span.end;
            }
        }
    }

    pub(crate) fn end_row(&mut self) {
        self.spans.row_starts.push(self.spans.runs.len());
        self.open_end = 0;
    }

    pub(crate) fn finish(self) -> Spans {
        self.spans
    }
}
