//! Spans: the pixels inside a region, as sorted runs of each row.
//!
//! Row by row, disjoint runs `start..end` in ascending order, each with the weight of its pixels.
//! Under the rules that decide pixel by pixel every weight is 1 and none is stored.

use std::ops::Range;

use crate::polygon::Grid;

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

/// Collects spans row by row, joining those of weight 1 that meet.
pub(crate) struct SpanBuilder {
    spans: Spans,
    weighted: bool,
}

impl SpanBuilder {
    pub(crate) fn new(grid: &Grid, rows: &Range<usize>, weighted: bool) -> Self {
        let mut row_starts = Vec::with_capacity(rows.len() + 1);
        row_starts.push(0);
        let spans = Spans {
            width: grid.width(),
            height: grid.height(),
            first_row: rows.start,
            row_starts,
            runs: Vec::new(),
            weights: Vec::new(),
        };
        Self { spans, weighted }
    }

    /// Adds a run; runs of a row come left to right and may meet or overlap only at weight 1.
    pub(crate) fn push(&mut self, start: usize, end: usize, weight: f64) {
        if start >= end {
            return;
        }
        let row_start = self.spans.row_starts[self.spans.row_starts.len() - 1];
        let last_is_whole = self.spans.weights.last().is_none_or(|&last| last == 1.0);
        let inner = &mut self.spans;
        match inner.runs[row_start..].last_mut() {
            Some(last) if weight == 1.0 && last_is_whole && start <= last.end as usize => {
                last.end = last.end.max(end as u32);
            }
            _ => {
                inner.runs.push(Span { start: start as u32, end: end as u32 });
                if self.weighted {
                    inner.weights.push(weight);
                }
            }
        }
    }

    pub(crate) fn end_row(&mut self) {
        self.spans.row_starts.push(self.spans.runs.len());
    }

    pub(crate) fn finish(self) -> Spans {
        self.spans
    }
}

/// Values grouped by row, filled in two passes so that no row allocates.
pub(crate) struct RowLists<T> {
    first_row: usize,
    starts: Vec<usize>,
    values: Vec<T>,
}

impl<T: Copy + Default> RowLists<T> {
    /// Runs `emit`, which keeps to `rows`, twice: to count what each row gets, then to place it.
    pub(crate) fn collect(rows: &Range<usize>, emit: impl Fn(&mut dyn FnMut(usize, T))) -> Self {
        let (first_row, height) = (rows.start, rows.len());
        let mut starts = vec![0; height + 1];
        emit(&mut |row, _| starts[row - first_row + 1] += 1);
        for row in 0..height {
            starts[row + 1] += starts[row];
        }
        let mut values = vec![T::default(); starts[height]];
        let mut free = starts.clone();
        emit(&mut |row, value| {
            let next = &mut free[row - first_row];
            values[*next] = value;
            *next += 1;
        });
        Self { first_row, starts, values }
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        let index = row - self.first_row;
        &mut self.values[self.starts[index]..self.starts[index + 1]]
    }
}
