//! What the patches of a plan have in common: the pixels of a region, and whether that is all.
//!
//! Thousands of tiles ask for one region. Its spans are made once and laid on every patch, as a
//! stencil is, and have a number by which whatever was counted under them can be found again.
//!
//! ```
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::patches::stencil::Stencil;
//! use ratiopath_core::raster::{Rule, rasterize};
//!
//! let region = Polygon::new(vec![[0.0, 0.0], [3.0, 0.0], [3.0, 2.0], [0.0, 2.0]], vec![4])?;
//! let grid = Grid::new(2, 4, Bounds { x0: 0.0, y0: 0.0, x1: 4.0, y1: 2.0 })?;
//! let stencil = Stencil::from(rasterize(&region, &grid, Rule::Center, 0..2));
//! assert_eq!((stencil.width(), stencil.height()), (4, 2));
//! assert_eq!(stencil.spans().area(), 6.0);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::patches::window::Window;
use crate::raster::spans::Spans;

/// Zero stands for every rectangle that is inside as a whole.
// The one global of the core. A number is never given twice, and no order is asked of them, so that
// relaxed is enough.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// The pixels inside a region, under a number of its own in this process.
#[derive(Debug)]
pub struct Stencil {
    spans: Spans,
    number: u64,
    // Asked for each window; without a region, which is the usual case, the answer is always yes.
    is_full: bool,
}

impl Stencil {
    /// Columns of a patch.
    #[must_use]
    pub fn width(&self) -> usize {
        self.spans.width()
    }

    /// Rows of a patch.
    #[must_use]
    pub fn height(&self) -> usize {
        self.spans.height()
    }

    /// The pixels inside.
    #[must_use]
    pub fn spans(&self) -> &Spans {
        &self.spans
    }

    /// A number that no other stencil of this process has.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether every pixel of a window is inside, with its whole weight.
    pub(crate) fn holds_all_of(&self, window: &Window) -> bool {
        // Worth asking: such a window is counted whatever the stencil, and remembered for all of them.
        let (left, right) = (window.patch_x, window.patch_x + window.width);
        self.is_full
            || (window.patch_y..window.patch_y + window.height)
                .all(|row| is_inside(&self.spans, row, left, right))
    }

    /// Calls `each` with the runs of pixels inside that a window sees, as row of the window, columns
    /// of the segment and weight; top to bottom, left to right.
    #[inline]
    pub(crate) fn for_each_run(
        &self,
        window: &Window,
        mut each: impl FnMut(usize, Range<usize>, f64),
    ) {
        let (left, right) = (window.patch_x, window.patch_x + window.width);
        for row in 0..window.height {
            for (span, weight) in self.spans.row(window.patch_y + row) {
                let start = (span.start as usize).max(left);
                let end = (span.end as usize).min(right);
                if start < end {
                    let x = window.segment_x;
                    each(row, x + start - left..x + end - left, weight);
                }
            }
        }
    }

    /// The weight of the pixels in columns `x0..x1` of rows `y0..y1`.
    pub(crate) fn area_within(&self, x0: usize, y0: usize, x1: usize, y1: usize) -> f64 {
        if self.is_full {
            return (x1.saturating_sub(x0) * y1.saturating_sub(y0)) as f64;
        }
        self.spans.area_within(x0, y0, x1, y1)
    }
}

impl From<Spans> for Stencil {
    fn from(spans: Spans) -> Self {
        let width = spans.width();
        let is_full = (0..spans.height()).all(|row| is_inside(&spans, row, 0, width));
        Self { spans, number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed), is_full }
    }
}

/// Whether columns `left..right` of a row are inside, with their whole weight.
fn is_inside(spans: &Spans, row: usize, left: usize, right: usize) -> bool {
    let mut reached = left;
    for (span, weight) in spans.row(row) {
        if span.start as usize <= reached && weight == 1.0 {
            reached = reached.max(span.end as usize);
        }
    }
    reached >= right
}
