//! Pixels as byte patterns: the core never learns a dtype.
//!
//! A pixel is its samples' bytes one after the other. Two pixels have one value exactly when their
//! bytes agree; the few values that have several patterns (NaN, -0.0) are joined by whoever knows
//! the dtype, once per distinct pattern.
//!
//! In comes a buffer with its width, height and bytes per pixel, which are checked against each other
//! once; out go slices of it.
//!
//! ```
//! use ratiopath_core::pixels::Pixels;
//!
//! // Two rows of three pixels, of two bytes each.
//! let bytes = [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 7, 0];
//! let pixels = Pixels::new(&bytes, 3, 2, 2)?;
//! assert_eq!(pixels.run(1, 1, 3), [1, 0, 7, 0]);
//! assert_eq!(pixels.constant(), None);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::ops::Range;

use crate::{Error, Result};

/// A rectangle of pixels, rows one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    bytes: &'a [u8],
    width: usize,
    height: usize,
    // A number and not a type: labels, colours and floats are told apart by one and the same code.
    pixel_bytes: usize,
}

impl<'a> Pixels<'a> {
    /// Takes `height * width` pixels of `pixel_bytes` bytes each.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyPixel`] where a pixel has no byte, [`Error::Length`] where the buffer's length
    /// is another.
    pub fn new(bytes: &'a [u8], width: usize, height: usize, pixel_bytes: usize) -> Result<Self> {
        if pixel_bytes == 0 {
            return Err(Error::EmptyPixel);
        }
        // No buffer is as long as the largest number, so what overflows is refused.
        let expected = width.saturating_mul(height).saturating_mul(pixel_bytes);
        if expected != bytes.len() {
            return Err(Error::Length { what: "bytes of pixels", expected, actual: bytes.len() });
        }
        Ok(Self { bytes, width, height, pixel_bytes })
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Bytes of one pixel.
    #[must_use]
    pub fn pixel_bytes(&self) -> usize {
        self.pixel_bytes
    }

    /// Takes `height` rows of `row_bytes` bytes, as decoders hand them out.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyPixel`] where a pixel has no byte, [`Error::RowBytes`] where a row is no
    /// whole number of pixels, [`Error::Length`] where the buffer's length is another.
    pub fn of_rows(
        bytes: &'a [u8],
        height: usize,
        row_bytes: usize,
        pixel_bytes: usize,
    ) -> Result<Self> {
        let width = row_bytes.checked_div(pixel_bytes).ok_or(Error::EmptyPixel)?;
        if width * pixel_bytes != row_bytes {
            return Err(Error::RowBytes { row_bytes, pixel_bytes });
        }
        Self::new(bytes, width, height, pixel_bytes)
    }

    /// The one pixel that all are equal to, if there is one.
    #[must_use]
    pub fn constant(&self) -> Option<&'a [u8]> {
        let (first, rest) = self.bytes.split_at_checked(self.pixel_bytes)?;
        // Shifted by a pixel onto itself: equal where every pixel equals the one before. That is one
        // comparison of memory, which stops at the first difference, and most masks have one early.
        (rest == &self.bytes[..rest.len()]).then_some(first)
    }

    /// The bytes of columns `start..end` of a row.
    #[must_use]
    pub fn run(&self, row: usize, start: usize, end: usize) -> &'a [u8] {
        let first = row * self.width;
        &self.bytes[(first + start) * self.pixel_bytes..(first + end) * self.pixel_bytes]
    }

    /// The bytes of some pixels, counted row by row.
    #[must_use]
    pub fn between(&self, pixels: Range<usize>) -> &'a [u8] {
        &self.bytes[pixels.start * self.pixel_bytes..pixels.end * self.pixel_bytes]
    }
}
