//! The all-touched rule: a pixel is inside when it shares a positive area with the polygon.
//!
//! A pixel shares area with a valid polygon if its centre is inside, or if an edge passes through
//! its open cell: inside lies on one side of every edge. So the spans are those of the centre rule
//! joined with the columns that each edge passes through in each row. An edge along a cell's
//! border is in no open cell, so `box(1, 1, 3, 3)` touches four pixels and not sixteen.

use std::ops::Range;

use crate::geometry::edge::Edge;
use crate::geometry::grid::Grid;
use crate::geometry::polygon::Polygon;
use crate::raster::center;
use crate::raster::row_lists::{RowCounts, RowLists};
use crate::raster::spans::{Span, SpanBuilder, Spans};

pub(crate) fn spans(polygon: &Polygon, grid: &Grid, rows: &Range<usize>) -> Spans {
    // What no edge passes through is inside or outside as a whole, as its centre is.
    let inside = center::spans(polygon, grid, rows);
    let mut passed = passed(polygon, grid, rows);
    let mut builder = SpanBuilder::new(grid, rows, false);
    let mut row_spans = Vec::new();
    for row in rows.clone() {
        row_spans.clear();
        row_spans.extend(inside.row(row).map(|(span, _)| span));
        row_spans.extend_from_slice(passed.row_mut(row));
        row_spans.sort_unstable();
        for span in &row_spans {
            builder.push(span.start as usize, span.end as usize, 1.0);
        }
        builder.end_row();
    }
    builder.finish()
}

/// The columns whose open cells each edge passes through, row by row; empty spans are dropped by
/// the builder.
fn passed(polygon: &Polygon, grid: &Grid, visible: &Range<usize>) -> RowLists<Span> {
    let mut counts = RowCounts::new(visible);
    let mut passing = Vec::new();
    for (a, b) in polygon.edges() {
        let edge = Edge::ordered(a, b);
        let rows = rows(grid, &edge);
        let rows = rows.start.max(visible.start)..rows.end.min(visible.end);
        if !rows.is_empty() {
            counts.add(&rows);
            passing.push((edge, rows));
        }
    }
    let mut lists = counts.into_lists();
    for (edge, rows) in passing {
        for row in rows {
            lists.push(row, columns(grid, &edge, row));
        }
    }
    lists
}

/// The rows whose open band the edge passes through.
fn rows(grid: &Grid, edge: &Edge) -> Range<usize> {
    let (top, bottom) = (edge.top[1], edge.bottom[1]);
    let axis = &grid.y;
    let first = axis.first(axis.position(top).floor(), |row| axis.border(row + 1) > top);
    let end = axis.first(axis.position(bottom).ceil(), |row| axis.border(row) >= bottom);
    first..end
}

/// The columns whose open cells the edge passes through within the row's open band.
fn columns(grid: &Grid, edge: &Edge, row: usize) -> Span {
    let band = (grid.y.border(row), grid.y.border(row + 1));
    let (upper, lower) = (edge.top[1].max(band.0), edge.bottom[1].min(band.1));
    // An end at a vertex is exact and compared as it is; one that a row's border cuts is rounded, and
    // an exact predicate decides on which side of it a column's border lies.
    let falls_right = edge.top[0] <= edge.bottom[0];
    let (left, right) = if edge.top[1] >= edge.bottom[1] {
        (RowEnd::at(edge.top), RowEnd::at(edge.bottom))
    } else if falls_right {
        (RowEnd::of(edge, upper), RowEnd::of(edge, lower))
    } else {
        (RowEnd::of(edge, lower), RowEnd::of(edge, upper))
    };
    let axis = &grid.x;
    let start = axis.first(axis.position(left.x).floor(), |column| {
        right_of(edge, axis.border(column + 1), &left)
    });
    let end = axis
        .first(axis.position(right.x).ceil(), |column| !left_of(edge, axis.border(column), &right));
    Span { start: start as u32, end: end as u32 }
}

/// One end of the part of an edge within a row: at a vertex, or cut by the row's border.
struct RowEnd {
    x: f64,
    /// Where the border cuts the edge; None at a vertex, whose x is exact.
    cut: Option<f64>,
}

impl RowEnd {
    fn at(vertex: [f64; 2]) -> Self {
        Self { x: vertex[0], cut: None }
    }

    fn of(edge: &Edge, y: f64) -> Self {
        let at_vertex = y <= edge.top[1] || y >= edge.bottom[1];
        Self { x: edge.x_at(y), cut: (!at_vertex).then_some(y) }
    }
}

/// Whether a border lies strictly right of an end.
fn right_of(edge: &Edge, border: f64, end: &RowEnd) -> bool {
    end.cut.map_or(border > end.x, |y| edge.is_left_of([border, y]))
}

/// Whether a border lies strictly left of an end.
fn left_of(edge: &Edge, border: f64, end: &RowEnd) -> bool {
    end.cut.map_or(border < end.x, |y| edge.is_right_of([border, y]))
}
