//! Spans written out: as a mask in NumPy's polarity, or as coverage weights.

use crate::raster::spans::Spans;
use crate::{Error, Result};

/// Writes the mask: `true` outside, `false` inside, rows one after the other.
///
/// # Errors
///
/// [`Error::Length`] where `out` is not `height * width` long.
pub fn write_mask(spans: &Spans, out: &mut [bool]) -> Result<()> {
    out.fill(true);
    mark_inside(spans, out)
}

/// Writes `false` where the mask is inside and leaves the rest.
///
/// # Errors
///
/// [`Error::Length`] where `out` is not `height * width` long.
pub fn mark_inside(spans: &Spans, out: &mut [bool]) -> Result<()> {
    for_each_span(spans, out, |pixels, _| pixels.fill(false))
}

/// Writes each pixel's weight, 0 outside.
///
/// # Errors
///
/// [`Error::Length`] where `out` is not `height * width` long.
pub fn write_coverage(spans: &Spans, out: &mut [f64]) -> Result<()> {
    out.fill(0.0);
    mark_weights(spans, out)
}

/// Writes the weights of the pixels inside and leaves the rest.
///
/// # Errors
///
/// [`Error::Length`] where `out` is not `height * width` long.
pub fn mark_weights(spans: &Spans, out: &mut [f64]) -> Result<()> {
    for_each_span(spans, out, <[f64]>::fill)
}

fn for_each_span<T>(spans: &Spans, out: &mut [T], write: impl Fn(&mut [T], f64)) -> Result<()> {
    let expected = spans.height() * spans.width();
    if out.len() != expected {
        return Err(Error::Length { what: "mask", expected, actual: out.len() });
    }
    for (row, pixels) in out.chunks_exact_mut(spans.width()).enumerate() {
        for (span, weight) in spans.row(row) {
            write(&mut pixels[span.start as usize..span.end as usize], weight);
        }
    }
    Ok(())
}
