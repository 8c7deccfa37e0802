//! Patches copied out of segments, and their masks.
//!
//! All patches of one call have one stencil and lie one after the other in the output, so that the
//! caller makes one allocation and everything is written in place.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::patches::gather::{OutputLayout, fill_background, gather_segment};
//! use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
//! use ratiopath_core::patches::stencil::Stencil;
//! use ratiopath_core::pixels::Pixels;
//! use ratiopath_core::raster::{Rule, rasterize};
//!
//! let tile = Polygon::new(vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]], vec![4])?;
//! let grid = Grid::new(2, 2, Bounds { x0: 0.0, y0: 0.0, x1: 2.0, y1: 2.0 })?;
//! let stencil = Arc::new(Stencil::from(rasterize(&tile, &grid, Rule::Center, 0..2)));
//! let level = LevelGrid { width: 3, height: 2, segment_width: 3, segment_height: 2 };
//! let patches = vec![Patch { x: 0, y: 0, stencil: 0 }, Patch { x: 2, y: 0, stencil: 0 }];
//! let plan = Plan::new(level, vec![stencil], patches)?;
//!
//! let decoded = [1, 2, 3, 4, 5, 6];
//! let mut out = [0; 8];
//! let layout = OutputLayout { stride: 4, offset: 0 };
//! fill_background(&plan, &[9], &mut out, layout)?;
//! gather_segment(&plan, 0, &Pixels::new(&decoded, 3, 2, 1)?, &mut out, layout)?;
//! assert_eq!(out, [1, 2, 4, 5, 3, 9, 6, 9]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use crate::patches::plan::Plan;
use crate::patches::stencil::Stencil;
use crate::patches::window::{Rectangle, Window};
use crate::pixels::Pixels;
use crate::{Error, Result};

/// Where the patches lie in an output buffer, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct OutputLayout {
    /// From one patch to the next.
    pub stride: usize,
    /// From a patch's start to what is written.
    pub offset: usize,
}

impl OutputLayout {
    /// Refuses an output that does not hold all patches; returns how many bytes each takes.
    fn check(self, plan: &Plan, out: &[u8], pixel_bytes: usize) -> Result<usize> {
        if pixel_bytes == 0 {
            return Err(Error::EmptyPixel);
        }
        let Self { stride, offset } = self;
        let stencil = common_stencil(plan)?;
        let bytes = stencil.height().saturating_mul(stencil.width()).saturating_mul(pixel_bytes);
        if offset.saturating_add(bytes) > stride {
            return Err(Error::Stride { bytes, offset, stride });
        }
        let expected = plan.patches().saturating_mul(stride);
        if out.len() != expected {
            return Err(Error::Length {
                what: "bytes of all patches",
                expected,
                actual: out.len(),
            });
        }
        Ok(bytes)
    }

    fn patch<'a>(&self, out: &'a mut [u8], patch: usize) -> &'a mut [u8] {
        &mut out[patch * self.stride + self.offset..(patch + 1) * self.stride]
    }
}

/// The stencil of all patches.
fn common_stencil(plan: &Plan) -> Result<&Stencil> {
    match plan.stencils() {
        [stencil] => Ok(stencil),
        stencils => Err(Error::Stencils { count: stencils.len() }),
    }
}

/// Copies what all patches see of the `index`-th touched segment.
///
/// # Errors
///
/// [`Error::Index`] for an index past the last segment, [`Error::Stencils`] for a plan of several,
/// [`Error::Stride`] or [`Error::Length`] for an output of another size, [`Error::Segment`] where the
/// segment is smaller than its part of the level.
pub fn gather_segment(
    plan: &Plan,
    index: usize,
    pixels: &Pixels<'_>,
    out: &mut [u8],
    layout: OutputLayout,
) -> Result<()> {
    plan.check_segment(index, pixels.width(), pixels.height())?;
    for_each_run(plan, index, pixels.pixel_bytes(), out, layout, |run, window, row| {
        let (start, end) = (window.segment_x, window.segment_x + window.width);
        run.copy_from_slice(pixels.run(window.segment_y + row, start, end));
    })
}

/// Writes one pixel to what all patches see of the `index`-th touched segment.
///
/// # Errors
///
/// As for [`gather_segment`], and [`Error::EmptyPixel`].
pub fn fill_segment(
    plan: &Plan,
    index: usize,
    pixel: &[u8],
    out: &mut [u8],
    layout: OutputLayout,
) -> Result<()> {
    for_each_run(plan, index, pixel.len(), out, layout, |run, _, _| fill(run, pixel))
}

/// Writes one pixel to every patch that reaches beyond the level, all over.
///
/// Together with all touched segments, gathered afterwards, that leaves nothing unwritten.
///
/// # Errors
///
/// [`Error::Stencils`] for a plan of several, [`Error::EmptyPixel`], and [`Error::Stride`] or
/// [`Error::Length`] for an output of another size.
pub fn fill_background(
    plan: &Plan,
    pixel: &[u8],
    out: &mut [u8],
    layout: OutputLayout,
) -> Result<()> {
    let stencil = common_stencil(plan)?;
    let bytes = layout.check(plan, out, pixel.len())?;
    // Patches within the level are written by their segments alone, and once: most are.
    let whole = whole(stencil);
    for patch in (0..plan.patches()).filter(|&patch| plan.inside_of_patch(patch) != whole) {
        fill(&mut layout.patch(out, patch)[..bytes], pixel);
    }
    Ok(())
}

/// Calls `write` with each row of each window over a segment, where it lies in the output.
fn for_each_run(
    plan: &Plan,
    index: usize,
    pixel_bytes: usize,
    out: &mut [u8],
    layout: OutputLayout,
    write: impl Fn(&mut [u8], &Window, usize),
) -> Result<()> {
    layout.check(plan, out, pixel_bytes)?;
    let patch_width = common_stencil(plan)?.width();
    for window in plan.windows(index)? {
        let patch = layout.patch(out, window.patch);
        for row in 0..window.height {
            let first = ((window.patch_y + row) * patch_width + window.patch_x) * pixel_bytes;
            write(&mut patch[first..first + window.width * pixel_bytes], &window, row);
        }
    }
    Ok(())
}

/// Repeats a pixel all over a run of whole pixels.
fn fill(run: &mut [u8], pixel: &[u8]) {
    match pixel {
        // One byte a pixel is most masks, and a fill of bytes one call of the system's own.
        &[byte] => run.fill(byte),
        _ => run.chunks_exact_mut(pixel.len()).for_each(|place| place.copy_from_slice(pixel)),
    }
}

fn whole(stencil: &Stencil) -> Rectangle {
    Rectangle { x0: 0, y0: 0, x1: stencil.width(), y1: stencil.height() }
}

/// Writes the masks of all patches: `masked` for every pixel outside the region and, with `clip`,
/// outside the level; zero bytes inside.
///
/// # Errors
///
/// [`Error::Stencils`] for a plan of several, [`Error::EmptyPixel`], and [`Error::Stride`] or
/// [`Error::Length`] for an output of another size.
pub fn write_masks(
    plan: &Plan,
    masked: &[u8],
    clip: bool,
    out: &mut [u8],
    layout: OutputLayout,
) -> Result<()> {
    let stencil = common_stencil(plan)?;
    layout.check(plan, out, masked.len())?;
    if plan.patches() == 0 {
        return Ok(());
    }
    // Made once and copied to each patch. No larger than the output, now that this was checked: it
    // was once made before, of whatever size was asked for.
    let template = template(stencil, masked);
    for patch in 0..plan.patches() {
        let mask = &mut layout.patch(out, patch)[..template.len()];
        mask.copy_from_slice(&template);
        if clip {
            let inside = plan.inside_of_patch(patch);
            mask_outside(mask, stencil, &inside, masked);
        }
    }
    Ok(())
}

/// One mask of the stencil, as bytes.
fn template(stencil: &Stencil, masked: &[u8]) -> Vec<u8> {
    let mut mask = masked.repeat(stencil.height() * stencil.width());
    for (row, pixels) in mask.chunks_exact_mut(stencil.width() * masked.len()).enumerate() {
        for (span, _) in stencil.spans().row(row) {
            let (start, end) = (span.start as usize, span.end as usize);
            pixels[start * masked.len()..end * masked.len()].fill(0);
        }
    }
    mask
}

/// Masks what lies outside a rectangle of the patch.
fn mask_outside(mask: &mut [u8], stencil: &Stencil, inside: &Rectangle, masked: &[u8]) {
    if *inside == whole(stencil) {
        return;
    }
    let all = masked.repeat(stencil.width());
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
