//! Windows that overlap, counted once.
//!
//! Tiles whose stride is a quarter of their extent see every pixel sixteen times. Where windows lie
//! whole over a segment, the segment is cut at all their edges into cells; each cell is counted
//! once, the counts become sums over all cells above and to the left, and a window is four look-ups
//! for each distinct pixel (Crow 1984, "Summed-area tables for texture mapping").

use crate::count::PixelCounter;
use crate::patches::window::Window;
use crate::pixels::Pixels;
use crate::zonal::interner::Interner;
use crate::zonal::memo::WindowAreas;

/// What emptying a counter costs, in pixels that are counted meanwhile.
// Emptying one of single bytes takes 0.4 µs, as long as counting 1,400 pixels of noise or 16,000 of a
// mask: its four tables are added up and cleared, whatever was in them.
const COUNTER_PIXELS: usize = 4096;

/// The largest table of sums; beyond it the windows are counted one by one.
// 16 MiB. A heatmap has as many distinct pixels as it has pixels, each with a sum at every corner.
const MOST_SUMS: usize = 1 << 21;

/// Sums of counts above and to the left of every corner of the cells.
pub(crate) struct SummedArea {
    columns: Vec<usize>,
    rows: Vec<usize>,
    pixel_bytes: usize,
    /// The distinct pixels, one after the other.
    pixels: Vec<u8>,
    /// A sum for each distinct pixel, corner by corner, row by row.
    sums: Vec<u64>,
}

impl SummedArea {
    /// Cuts a segment at the edges of windows and counts each cell, where that is less work than
    /// counting each window.
    pub(crate) fn count(
        windows: &[Window],
        pixels: &Pixels<'_>,
        counter: &mut PixelCounter,
    ) -> Option<Self> {
        let columns = edges(windows, |window| (window.segment_x, window.width));
        let rows = edges(windows, |window| (window.segment_y, window.height));
        if !is_less_work(windows, &columns, &rows) {
            return None;
        }
        let corners = columns.len() * rows.len();
        let mut found = CellCounts::default();
        for row in rows.windows(2) {
            for column in columns.windows(2) {
                for y in row[0]..row[1] {
                    counter.add_run(pixels.run(y, column[0], column[1]), 1.0);
                }
                found.next_cell(counter);
                // Known only by counting; a heatmap is given up within its first cells.
                if corners.saturating_mul(found.distinct.len()) > MOST_SUMS {
                    return None;
                }
            }
        }
        let sums = found.sums(columns.len(), rows.len());
        let (pixel_bytes, distinct) = (pixels.pixel_bytes(), found.distinct.into_bytes());
        Some(Self { columns, rows, pixel_bytes, pixels: distinct, sums })
    }

    /// The counts of one of the windows.
    pub(crate) fn counts(&self, window: &Window) -> WindowAreas {
        let column = |x: usize| self.columns.partition_point(|&edge| edge < x);
        let row = |y: usize| self.rows.partition_point(|&edge| edge < y);
        let (left, right) = (column(window.segment_x), column(window.segment_x + window.width));
        let (top, bottom) = (row(window.segment_y), row(window.segment_y + window.height));
        let whole = self.corner(right, bottom).iter().zip(self.corner(left, top));
        let beside = self.corner(left, bottom).iter().zip(self.corner(right, top));
        let mut counts = WindowAreas::default();
        let distinct = self.pixels.chunks_exact(self.pixel_bytes);
        for (pixel, ((a, d), (b, c))) in distinct.zip(whole.zip(beside)) {
            // In this order no step falls below 0.
            let count = a + d - b - c;
            if count > 0 {
                counts.push(pixel, count as f64);
            }
        }
        counts
    }

    fn corner(&self, column: usize, row: usize) -> &[u64] {
        let distinct = self.pixels.len() / self.pixel_bytes;
        let first = (row * self.columns.len() + column) * distinct;
        &self.sums[first..first + distinct]
    }
}

fn edges(windows: &[Window], along: impl Fn(&Window) -> (usize, usize)) -> Vec<usize> {
    let mut edges: Vec<usize> =
        windows.iter().map(along).flat_map(|(start, size)| [start, start + size]).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn is_less_work(windows: &[Window], columns: &[usize], rows: &[usize]) -> bool {
    let ([x0, .., x1], [y0, .., y1]) = (columns, rows) else { return false };
    let each: usize =
        windows.iter().map(|window| window.width * window.height + COUNTER_PIXELS).sum();
    let cells = (columns.len() - 1) * (rows.len() - 1);
    (x1 - x0) * (y1 - y0) + cells.saturating_mul(COUNTER_PIXELS) < each
}

/// What was found cell by cell: how many of which distinct pixel.
#[derive(Default)]
struct CellCounts {
    distinct: Interner,
    cells: Vec<Vec<(u32, u64)>>,
}

impl CellCounts {
    fn next_cell(&mut self, counter: &mut PixelCounter) {
        let mut cell = Vec::new();
        counter.drain(|pixel, tally| cell.push((self.distinct.index(pixel), tally.count)));
        self.cells.push(cell);
    }

    fn sums(&self, columns: usize, rows: usize) -> Vec<u64> {
        let distinct = self.distinct.len();
        let mut sums = vec![0; columns * rows * distinct];
        let mut cells = self.cells.iter();
        for row in 1..rows {
            // What this row of cells holds so far, left of the next corner.
            let mut here = vec![0; distinct];
            for column in 1..columns {
                for &(number, count) in cells.next().into_iter().flatten() {
                    here[number as usize] += count;
                }
                let corner = (row * columns + column) * distinct;
                let (above, below) = sums.split_at_mut(corner);
                let above = &above[corner - columns * distinct..][..distinct];
                for ((sum, above), here) in below.iter_mut().zip(above).zip(&here) {
                    *sum = above + here;
                }
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(x: usize, y: usize, width: usize, height: usize) -> Window {
        Window { patch: 0, segment_x: x, segment_y: y, patch_x: 0, patch_y: 0, width, height }
    }

    #[test]
    fn windows_that_overlap_are_cut_into_cells() {
        let bytes: Vec<u8> = (0..256_u32 * 256).map(|k| (k / 256 / 100) as u8).collect();
        let pixels = Pixels::new(&bytes, 256, 256, 1).unwrap();
        let windows = [window(0, 0, 256, 128), window(0, 64, 256, 192), window(0, 0, 256, 256)];
        let cells = SummedArea::count(&windows, &pixels, &mut PixelCounter::new(1)).unwrap();
        assert_eq!(cells.rows, [0, 64, 128, 256]);
        let counts = cells.counts(&windows[1]);
        assert_eq!(counts.pixels, [0, 1, 2]);
        assert_eq!(counts.areas, [256.0 * 36.0, 256.0 * 100.0, 256.0 * 56.0]);
    }

    #[test]
    fn windows_apart_are_not() {
        let bytes = vec![0; 256 * 256];
        let pixels = Pixels::new(&bytes, 256, 256, 1).unwrap();
        let windows = [window(0, 0, 128, 128), window(128, 128, 128, 128)];
        assert!(SummedArea::count(&windows, &pixels, &mut PixelCounter::new(1)).is_none());
        assert!(SummedArea::count(&[], &pixels, &mut PixelCounter::new(1)).is_none());
    }
}
