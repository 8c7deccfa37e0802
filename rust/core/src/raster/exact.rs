//! Exact coverage: a pixel weighs the area that it shares with the polygon.
//!
//! Walking the boundary, each piece of an edge that lies within one pixel adds two numbers to it:
//! the height that the piece spans, signed by its direction, and the area between the piece and
//! the pixel's right border. A pixel's coverage is then the sum of the heights of all pieces left
//! of it in its row plus the areas of its own pieces: Green's theorem, pixel by pixel, with no
//! sampling. It is the accumulation that font rasterisers use (Levien, "Inside the fastest font
//! renderer in the world", 2016; the cells of FreeType's `ftgrays.c`), here in `f64`, one
//! row at a time for the edges that pass through it: between two touched pixels coverage stays what
//! the heights so far add up to.

use std::ops::Range;

use crate::geometry::edge::{DirectedEdge, signed_area};
use crate::geometry::grid::Grid;
use crate::geometry::point::Point;
use crate::geometry::polygon::Polygon;
use crate::raster::row_lists::{RowCounts, RowLists};
use crate::raster::spans::{SpanBuilder, Spans};

pub(crate) fn spans(polygon: &Polygon, grid: &Grid, rows: &Range<usize>) -> Spans {
    let origin = polygon.vertices().first().copied().unwrap_or_default();
    // Heights are added up as if the inside lay right of what goes down.
    let orientation = if signed_area(polygon.edges(), origin) > 0.0 { -1.0 } else { 1.0 };
    // In pixels from the grid's corner, once: columns and rows are then whole numbers.
    let vertices: Vec<Point> = polygon
        .vertices()
        .iter()
        .map(|vertex| [grid.x.position(vertex[0]), grid.y.position(vertex[1])])
        .collect();
    let mut sides = sides(polygon, &vertices, rows);
    let mut starting = starting(&sides, rows);
    let mut accumulator = RowAccumulator::new(&vertices, grid.width());
    let mut passing: Vec<u32> = Vec::new();
    let mut builder = SpanBuilder::new(grid, rows, true);
    for row in rows.clone() {
        let new = starting.row_mut(row);
        if !new.is_empty() {
            passing.extend_from_slice(new);
            // In ring order, so that sums do not depend on which rows are asked for.
            passing.sort_unstable();
        }
        pass_row(&mut passing, &mut sides, row, &mut accumulator);
        accumulator.sweep(orientation, &mut builder);
        builder.end_row();
    }
    builder.finish()
}

/// Adds the pieces of all sides that pass a row, and forgets those that end in it.
fn pass_row(
    passing: &mut Vec<u32>,
    sides: &mut [Side],
    row: usize,
    accumulator: &mut RowAccumulator,
) {
    let bottom = row as f64 + 1.0;
    let mut kept = 0;
    for index in 0..passing.len() {
        let side = passing[index];
        if sides[side as usize].pass(bottom, accumulator) {
            passing[kept] = side;
            kept += 1;
        }
    }
    passing.truncate(kept);
}

/// All edges that go down or up through the rows.
fn sides(polygon: &Polygon, vertices: &[Point], rows: &Range<usize>) -> Vec<Side> {
    let side = |(a, b): (usize, usize)| Side::new(vertices[a], vertices[b], rows);
    polygon.edge_indices().filter_map(side).collect()
}

/// For each row the sides that begin in it.
fn starting(sides: &[Side], rows: &Range<usize>) -> RowLists<u32> {
    let mut counts = RowCounts::new(rows);
    for side in sides {
        counts.add_one(side.y as usize);
    }
    let mut lists = counts.into_lists();
    for (index, side) in sides.iter().enumerate() {
        lists.push(side.y as usize, index as u32);
    }
    lists
}

/// An edge on its way down, in pixels.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// How far it has come.
    x: f64,
    y: f64,
    directed: DirectedEdge,
    /// Where it ends or leaves the rows.
    end: f64,
    /// How far it goes down with each step to a side.
    steepness: f64,
}

impl Side {
    /// None for an edge without height in the rows.
    fn new(a: Point, b: Point, rows: &Range<usize>) -> Option<Self> {
        let (y, end) = (a[1].min(b[1]).max(rows.start as f64), a[1].max(b[1]).min(rows.end as f64));
        if y >= end {
            return None;
        }
        let directed = DirectedEdge::new(a, b);
        let (top, bottom) = (directed.edge.top, directed.edge.bottom);
        let steepness = (bottom[1] - top[1]) / (bottom[0] - top[0]).abs();
        let mut side = Self { x: 0.0, y, directed, end, steepness };
        side.x = side.x_at(y);
        Some(side)
    }

    /// The x at a height, which rounding does not move past either end: columns are found by it.
    #[inline]
    fn x_at(&self, y: f64) -> f64 {
        let (x0, x1) = (self.directed.edge.top[0], self.directed.edge.bottom[0]);
        let (low, high) = if x0 < x1 { (x0, x1) } else { (x1, x0) };
        let x = self.directed.x_at(y);
        let x = if x > low { x } else { low };
        if x < high { x } else { high }
    }

    /// Adds the piece within a row that ends at `bottom`, and says whether the next has one too.
    #[inline]
    fn pass(&mut self, bottom: f64, accumulator: &mut RowAccumulator) -> bool {
        let y = if bottom < self.end { bottom } else { self.end };
        let x = self.x_at(y);
        let (left, right) = if self.x <= x { (self.x, x) } else { (x, self.x) };
        accumulator.add(left, right, y - self.y, self.steepness, self.directed.sign);
        (self.x, self.y) = (x, y);
        y < self.end
    }
}

/// What the pieces of one row add up to, for the columns that the polygon reaches.
struct RowAccumulator {
    width: usize,
    first_column: usize,
    /// Signed height and signed area of each column's pieces.
    // Only of the columns that the polygon reaches: a grid may be as wide as a slide.
    cells: Vec<[f64; 2]>,
    /// A bit for each column that has a piece.
    // So that a sweep looks at the outline's pixels alone, and clears them alone.
    is_touched: Vec<u64>,
    /// Words before these hold none, nor do those from `end_word`.
    first_word: usize,
    end_word: usize,
    pieces: usize,
    total_height: f64,
}

impl RowAccumulator {
    fn new(vertices: &[Point], width: usize) -> Self {
        let extreme = |pick: fn(f64, f64) -> f64, start: f64| {
            let x = vertices.iter().fold(start, |most, vertex| pick(most, vertex[0]));
            x.clamp(0.0, width as f64 - 1.0) as usize
        };
        let first_column = extreme(f64::min, f64::INFINITY);
        let columns = extreme(f64::max, f64::NEG_INFINITY).saturating_sub(first_column) + 1;
        Self {
            width,
            first_column,
            cells: vec![[0.0; 2]; columns],
            is_touched: vec![0; columns.div_ceil(64)],
            first_word: usize::MAX,
            end_word: 0,
            pieces: 0,
            total_height: 0.0,
        }
    }

    /// Adds a piece, cut at the columns' borders; what lies left of the grid counts at its left
    /// border, what lies right of it covers nothing.
    #[inline]
    fn add(&mut self, left: f64, right: f64, height: f64, steepness: f64, sign: f64) {
        // Nearly every piece of a fine outline lies within one column and takes the short way here.
        self.total_height += height;
        let column = left as u32;
        let border = f64::from(column) + 1.0;
        if left >= 0.0 && right <= border && column < self.width as u32 {
            let covered = border - 0.5 * (left + right);
            self.add_cell(column as usize, height, height * covered, sign);
        } else {
            self.add_cut(left, right, height, steepness, sign);
        }
    }

    /// The same for a piece that does not lie within one column.
    fn add_cut(&mut self, left: f64, right: f64, height: f64, steepness: f64, sign: f64) {
        // The grid's left border stands for what lies left of it, so that every row's heights are
        // whole; what lies right of the grid has no pixel to its right that could miss it.
        if right <= 0.0 {
            return self.add_cell(0, height, height, sign);
        }
        let limit = self.width as f64;
        let (mut x, mut height_left) = (left, height);
        if x < 0.0 {
            let outside = (-x * steepness).min(height);
            self.add_cell(0, outside, outside, sign);
            (x, height_left) = (0.0, height - outside);
        }
        while x < limit {
            let column = x as u32;
            let border = f64::from(column) + 1.0;
            let is_last = right <= border;
            let next = if is_last { right } else { border };
            let here =
                if is_last { height_left } else { ((next - x) * steepness).min(height_left) };
            let covered = border - 0.5 * (x + next);
            self.add_cell(column as usize, here, here * covered, sign);
            if is_last {
                return;
            }
            height_left -= here;
            x = next;
        }
    }

    #[inline]
    fn add_cell(&mut self, column: usize, height: f64, area: f64, sign: f64) {
        let index = column.saturating_sub(self.first_column).min(self.cells.len() - 1);
        let cell = &mut self.cells[index];
        cell[0] += sign * height;
        cell[1] += sign * area;
        let word = index / 64;
        self.is_touched[word] |= 1 << (index % 64);
        self.first_word = self.first_word.min(word);
        self.end_word = self.end_word.max(word + 1);
        self.pieces += 1;
    }

    /// Turns what was added into the spans of a row, and starts anew.
    #[inline(never)]
    fn sweep(&mut self, orientation: f64, builder: &mut SpanBuilder) {
        // What is below the rounding error of the sums is no area. It is relative to the heights
        // summed, so that a region far smaller than a pixel keeps its own.
        let noise = f64::EPSILON * self.pieces as f64 * self.total_height;
        let (mut height, mut done) = (0.0, 0);
        for index in self.first_word..self.end_word {
            let mut left = std::mem::take(&mut self.is_touched[index]);
            while left != 0 {
                let cell = 64 * index + left.trailing_zeros() as usize;
                left &= left - 1;
                let [cell_height, area] = std::mem::take(&mut self.cells[cell]);
                let column = self.first_column + cell;
                if done < column && height > noise {
                    builder.push(done, column, rounded(height, noise));
                }
                let covered = height + orientation * area;
                if covered > noise {
                    builder.push(column, column + 1, rounded(covered, noise));
                }
                height += orientation * cell_height;
                done = column + 1;
            }
        }
        if height > noise {
            builder.push(done, self.width, rounded(height, noise));
        }
        (self.pieces, self.total_height) = (0, 0.0);
        (self.first_word, self.end_word) = (usize::MAX, 0);
    }
}

/// Coverage that lacks no more than noise to be whole is.
#[inline]
fn rounded(coverage: f64, noise: f64) -> f64 {
    if coverage > 1.0 - noise { 1.0 } else { coverage }
}
