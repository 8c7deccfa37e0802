//! The grid of pixels that a polygon is laid on.
//!
//! A grid divides [`Bounds`] of the polygon's space into columns and rows. Pixels need not be square,
//! and the bounds may lie anywhere: a tile's region on an overlay of another resolution is a polygon
//! in the tile's pixels under a grid of the overlay's.
//!
//! ```
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//!
//! let bounds = Bounds { x0: 0.0, y0: 0.0, x1: 512.0, y1: 512.0 };
//! let grid = Grid::new(64, 64, bounds)?;
//! assert_eq!((grid.height(), grid.width()), (64, 64));
//! assert!(Grid::new(0, 64, bounds).is_err());
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use crate::geometry::point::LARGEST;
use crate::{Error, Result};

/// Where a grid of pixels lies in the polygon's space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Left border of the first column.
    pub x0: f64,
    /// Top border of the first row.
    pub y0: f64,
    /// Right border of the last column.
    pub x1: f64,
    /// Bottom border of the last row.
    pub y1: f64,
}

/// One axis of a grid: `count` pixels between `low` and `low + length`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) length: f64,
    pub(crate) count: usize,
    /// Pixels per unit of the polygon's space.
    density: f64,
}

impl Axis {
    /// The centre of pixel `index`, evaluated left to right as written.
    pub(crate) fn center(&self, index: usize) -> f64 {
        self.low + (index as f64 + 0.5) * self.length / self.count as f64
    }

    /// The border before pixel `index`.
    pub(crate) fn border(&self, index: usize) -> f64 {
        self.low + index as f64 * self.length / self.count as f64
    }

    /// Where a coordinate falls, in pixels from the first border.
    pub(crate) fn position(&self, coordinate: f64) -> f64 {
        (coordinate - self.low) * self.density
    }

    /// A bound on the rounding error of [`Self::position`], with room for a crossing's own.
    pub(crate) fn tolerance(&self, reach: f64) -> f64 {
        // Generous: too wide a tolerance costs an exact predicate now and then, too narrow a one a wrong
        // pixel.
        let count = self.count as f64;
        64.0 * f64::EPSILON * ((reach + self.low.abs()) * self.density + count)
    }

    /// The first index whose centre lies beyond a place, given in pixels from the first centre.
    ///
    /// None where the finite place is nearer to a centre than `tolerance`, so that rounding may
    /// have moved it across. Written without `floor`, which is a call where the target has no instruction.
    pub(crate) fn first_center_beyond(&self, place: f64, tolerance: f64) -> Option<usize> {
        // Clamped to the grid's borders, which lie half a pixel from the nearest centre: what is outside
        // is never in doubt.
        let (first, last) = (-0.5, self.count as f64 - 0.5);
        let place = if place > first { place } else { first };
        let shifted = 1.0 + if place < last { place } else { last };
        let index = shifted as i32;
        let fraction = shifted - f64::from(index);
        (fraction > tolerance && fraction < 1.0 - tolerance).then_some(index as usize)
    }

    /// The first index in `0..=count` from which on `beyond` holds, tried at a guess first.
    ///
    /// `beyond` is false up to some index and true from there on. A guess off by rounding is off
    /// by one; anything worse is far outside any slide and found by bisection.
    pub(crate) fn first(&self, guess: f64, beyond: impl Fn(usize) -> bool) -> usize {
        let guess = guess.clamp(0.0, self.count as f64) as usize;
        let is_first = |index: usize| {
            (index == 0 || !beyond(index - 1)) && (index == self.count || beyond(index))
        };
        // Three looks are nearly always enough, and far fewer than a search of the whole axis.
        let near = [guess, guess.saturating_sub(1), (guess + 1).min(self.count)];
        near.into_iter().find(|&index| is_first(index)).unwrap_or_else(|| self.bisect(beyond))
    }

    fn bisect(&self, beyond: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if beyond(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

/// A grid of pixels laid on the polygon's space.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

impl Grid {
    /// Lays `height` x `width` pixels on `bounds`.
    ///
    /// # Errors
    ///
    /// [`Error::Grid`] for a grid without pixels or beyond 31 bits a side, [`Error::Bounds`] for
    /// bounds without extent.
    pub fn new(height: usize, width: usize, bounds: Bounds) -> Result<Self> {
        // Columns are looked up as i32, which converts from f64 by one instruction, and stored as u32.
        let side = 1..=i32::MAX as usize;
        if !side.contains(&height) || !side.contains(&width) {
            return Err(Error::Grid { height, width });
        }
        let Bounds { x0, y0, x1, y1 } = bounds;
        let corners = [x0, y0, x1, y1];
        let sane = corners.iter().all(|c| c.abs() <= LARGEST);
        if !sane || x1.partial_cmp(&x0) != Some(std::cmp::Ordering::Greater) || y1 <= y0 {
            return Err(Error::Bounds { x0, y0, x1, y1 });
        }
        let axis = |low, high: f64, count| {
            let length = high - low;
            Axis { low, length, count, density: count as f64 / length }
        };
        Ok(Self { x: axis(x0, x1, width), y: axis(y0, y1, height) })
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.x.count
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.y.count
    }
}
