//! Spans written out: as a mask, or as the weight of each pixel.
//!
//! Counting never writes them out; this is for those who want to see them.
//!
//! ```
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::raster::mask::{mask, weights};
//! use ratiopath_core::raster::{Rule, rasterize};
//!
//! let region = Polygon::new(vec![[0.0, 0.0], [2.5, 0.0], [2.5, 1.0], [0.0, 1.0]], vec![4])?;
//! let grid = Grid::new(1, 4, Bounds { x0: 0.0, y0: 0.0, x1: 4.0, y1: 1.0 })?;
//! let spans = rasterize(&region, &grid, Rule::Exact, 0..1);
//! assert_eq!(weights(&spans)?, [1.0, 1.0, 0.5, 0.0]);
//! assert_eq!(mask(&spans)?, [false, false, false, true]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use crate::raster::spans::Spans;
use crate::{Error, Result};

/// The mask, rows one after the other: `true` outside, `false` inside.
///
/// What is masked is what is left out, as in a masked array.
///
/// # Errors
///
/// [`Error::Memory`] where there is none for it.
pub fn mask(spans: &Spans) -> Result<Vec<bool>> {
    write(spans, true, |pixels, _| pixels.fill(false))
}

/// The weight of each pixel, rows one after the other, 0 outside.
///
/// # Errors
///
/// [`Error::Memory`] where there is none for them.
pub fn weights(spans: &Spans) -> Result<Vec<f64>> {
    write(spans, 0.0, <[f64]>::fill)
}

fn write<T: Copy>(spans: &Spans, outside: T, inside: impl Fn(&mut [T], f64)) -> Result<Vec<T>> {
    let (height, width) = (spans.height(), spans.width());
    let mut out = Vec::new();
    // An allocation that fails must not abort the process, as the infallible one would.
    if out.try_reserve_exact(height.saturating_mul(width)).is_err() {
        return Err(Error::Memory { height, width, pixel_bytes: size_of::<T>() });
    }
    out.resize(height * width, outside);
    for (row, pixels) in out.chunks_exact_mut(width).enumerate() {
        for (span, weight) in spans.row(row) {
            inside(&mut pixels[span.start as usize..span.end as usize], weight);
        }
    }
    Ok(out)
}
