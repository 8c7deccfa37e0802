//! Spans written out: as a mask, or as the weight of each pixel.

use crate::raster::spans::Spans;
use crate::{Error, Result};

/// Writes `false` to the pixels inside and leaves the rest.
///
/// # Errors
///
/// [`Error::Length`] where `out` is not `height * width` long.
pub fn clear_inside(spans: &Spans, out: &mut [bool]) -> Result<()> {
    for_each_span(spans, out, |pixels, _| pixels.fill(false))
}

/// Writes the weights of the pixels inside and leaves the rest.
///
/// # Errors
///
/// [`Error::Length`] where `out` is not `height * width` long.
pub fn write_weights(spans: &Spans, out: &mut [f64]) -> Result<()> {
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
