//! Patches copied out of segments, and their masks.
//!
//! All patches of one call have one shape and lie one after the other in the output, so that the
//! caller makes one allocation and everything is written in place.

use crate::pixels::Pixels;
use crate::plan::{Plan, Rectangle};
use crate::spans::Spans;
use crate::{Error, Result};

/// Where the patches lie in an output buffer, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// From one patch to the next.
    pub stride: usize,
    /// From a patch's start to what is written.
    pub offset: usize,
}

impl Layout {
    fn check(self, plan: &Plan, out: &[u8], patch_bytes: usize) -> Result<()> {
        let patches = plan.patches();
        let expected = patches.saturating_mul(self.stride);
        let fits = self.offset.saturating_add(patch_bytes) <= self.stride;
        if out.len() != expected || (!fits && patches > 0) {
            return Err(Error::Length { what: "patches", expected, actual: out.len() });
        }
        Ok(())
    }

    fn patch<'a>(&self, out: &'a mut [u8], patch: usize) -> &'a mut [u8] {
        &mut out[patch * self.stride + self.offset..(patch + 1) * self.stride]
    }
}

fn common_shape(plan: &Plan) -> Result<&Spans> {
    let count = plan.shapes().len();
    match plan.shapes() {
        [shape] => Ok(shape),
        _ => Err(Error::Index { what: "shape of the patches to gather", index: 0, count }),
    }
}

/// Copies what all patches see of the `index`-th touched segment.
///
/// # Errors
///
/// [`Error::Index`] for an index past the last segment or a plan of several shapes,
/// [`Error::Length`] for an output of another size, [`Error::Segment`] where the segment is smaller
/// than its part of the level.
pub fn gather_segment(
    plan: &Plan,
    index: usize,
    pixels: &Pixels<'_>,
    out: &mut [u8],
    layout: Layout,
) -> Result<()> {
    let shape = common_shape(plan)?;
    let (patch_width, pixel_bytes) = (shape.width(), pixels.pixel_bytes());
    layout.check(plan, out, shape.height() * patch_width * pixel_bytes)?;
    plan.check_segment(index, pixels.width(), pixels.height())?;
    for window in plan.windows(index)? {
        let patch = layout.patch(out, window.patch);
        for row in 0..window.height {
            let (start, end) = (window.segment_x, window.segment_x + window.width);
            let run = pixels.run(window.segment_y + row, start, end);
            let first = (window.patch_y + row) * patch_width + window.patch_x;
            patch[first * pixel_bytes..first * pixel_bytes + run.len()].copy_from_slice(run);
        }
    }
    Ok(())
}

/// Writes the masks of all patches: `masked` for every pixel outside the region and, with `clip`,
/// outside the level; zero bytes inside.
///
/// # Errors
///
/// [`Error::Index`] for a plan of several shapes, [`Error::Length`] for an output of another size
/// or a pixel of no bytes.
pub fn write_masks(
    plan: &Plan,
    masked: &[u8],
    clip: bool,
    out: &mut [u8],
    layout: Layout,
) -> Result<()> {
    let shape = common_shape(plan)?;
    if masked.is_empty() {
        return Err(Error::Length { what: "masked pixel", expected: 1, actual: 0 });
    }
    let template = template(shape, masked);
    layout.check(plan, out, template.len())?;
    for patch in 0..plan.patches() {
        let mask = &mut layout.patch(out, patch)[..template.len()];
        mask.copy_from_slice(&template);
        if clip {
            let inside = plan.inside_of_patch(patch);
            mask_outside(mask, shape, &inside, masked);
        }
    }
    Ok(())
}

/// One mask of the shape, as bytes.
fn template(shape: &Spans, masked: &[u8]) -> Vec<u8> {
    let mut mask = masked.repeat(shape.height() * shape.width());
    for (row, pixels) in mask.chunks_exact_mut(shape.width() * masked.len()).enumerate() {
        for (span, _) in shape.row(row) {
            let (start, end) = (span.start as usize, span.end as usize);
            pixels[start * masked.len()..end * masked.len()].fill(0);
        }
    }
    mask
}

/// Masks what lies outside a rectangle of the patch.
fn mask_outside(mask: &mut [u8], shape: &Spans, inside: &Rectangle, masked: &[u8]) {
    let whole = Rectangle { x0: 0, y0: 0, x1: shape.width(), y1: shape.height() };
    if *inside == whole {
        return;
    }
    let all = masked.repeat(shape.width());
    for (row, pixels) in mask.chunks_exact_mut(all.len()).enumerate() {
        if row < inside.y0 || row >= inside.y1 {
            pixels.copy_from_slice(&all);
        } else {
            let (left, right) = (inside.x0 * masked.len(), inside.x1 * masked.len());
            pixels[..left].copy_from_slice(&all[..left]);
            pixels[right..].copy_from_slice(&all[right..]);
        }
    }
}
