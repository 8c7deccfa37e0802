//! Which segments a batch of patches touches, and which part of which patch lies in each.
//!
//! Patches come in as origins on one level and, for each, which stencil it has;
//! segments come out in file order, each with the windows of all patches over it. So every segment
//! is decoded once however many patches share it, and only what lies inside the level is touched.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
//! use ratiopath_core::patches::stencil::Stencil;
//! use ratiopath_core::raster::{Rule, rasterize};
//!
//! let tile = Polygon::new(vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]], vec![4])?;
//! let grid = Grid::new(4, 4, Bounds { x0: 0.0, y0: 0.0, x1: 4.0, y1: 4.0 })?;
//! let stencil = Arc::new(Stencil::from(rasterize(&tile, &grid, Rule::Center, 0..4)));
//!
//! // Three columns and two rows of segments; two patches, the second half beyond the level.
//! let level = LevelGrid { width: 20, height: 16, segment_width: 8, segment_height: 8 };
//! let patches = vec![Patch { x: 6, y: 0, stencil: 0 }, Patch { x: -2, y: 0, stencil: 0 }];
//! let plan = Plan::new(level, vec![stencil], patches)?;
//! assert_eq!(plan.segments(), [0, 1]);
//! let seen: Vec<_> = plan.windows(0)?.map(|window| (window.patch, window.width)).collect();
//! assert_eq!(seen, [(0, 2), (1, 2)]);
//! assert_eq!(plan.area_outside(1), 8.0);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::ops::Range;
use std::sync::Arc;

use crate::patches::stencil::Stencil;
use crate::patches::window::{Rectangle, Window};
use crate::{Error, Result};

/// Pairs of patch and segment in one plan, at 16 bytes each.
// Two gigabytes while they are sorted. A batch of tiles has thousands; what has more is a mistake, a
// tile in pixels of the wrong level say, and would end the process without a word.
const MOST_PAIRS: usize = 1 << 27;

/// Pixels of a window whose counts take less memory than the pixels.
// An entry of the memo takes some 200 bytes before its first count.
const SMALL_WINDOW: usize = 512;

/// A level of an overlay: its size and that of the segments it is stored in, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelGrid {
    /// Columns of the level.
    pub width: usize,
    /// Rows of the level.
    pub height: usize,
    /// Columns of a segment.
    pub segment_width: usize,
    /// Rows of a segment.
    pub segment_height: usize,
}

impl LevelGrid {
    fn columns(&self) -> usize {
        self.width.div_ceil(self.segment_width)
    }

    /// How many segments there are, where they have pixels and a signed 64-bit integer holds it.
    fn segments(&self) -> Option<usize> {
        if self.segment_width == 0 || self.segment_height == 0 {
            return None;
        }
        let count = self.columns().checked_mul(self.height.div_ceil(self.segment_height))?;
        i64::try_from(count).ok().map(|_| count)
    }
}

/// Where a patch lies on the level, and which of the plan's stencils it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patch {
    /// Column of its first pixel; may lie outside the level.
    pub x: i64,
    /// Row of its first pixel, likewise.
    pub y: i64,
    /// Index into the plan's stencils.
    pub stencil: u32,
}

/// A batch of patches on one level, by segment.
#[derive(Debug)]
pub struct Plan {
    level: LevelGrid,
    stencils: Vec<Arc<Stencil>>,
    patches: Vec<Patch>,
    segments: Vec<usize>,
    starts: Vec<usize>,
    // Patches of all segments, one list after the other. 32 bits are enough: more patches would take a
    // hundred gigabytes before they are laid.
    members: Vec<u32>,
}

impl Plan {
    /// Lays a batch of patches on a level; what is counted under a stencil may be remembered
    /// wherever it is used.
    ///
    /// # Errors
    ///
    /// [`Error::Segments`] for segments without pixels or a level of 2^63 of them, [`Error::Index`] for a
    /// patch whose stencil is not there, [`Error::Pairs`] for patches that touch too many segments to
    /// be listed.
    pub fn new(level: LevelGrid, stencils: Vec<Arc<Stencil>>, patches: Vec<Patch>) -> Result<Self> {
        if level.segments().is_none() {
            let LevelGrid { width, height, segment_width, segment_height } = level;
            return Err(Error::Segments { height, width, segment_height, segment_width });
        }
        let count = stencils.len();
        if let Some(patch) = patches.iter().find(|patch| patch.stencil as usize >= count) {
            return Err(Error::Index { what: "stencil", index: patch.stencil as usize, count });
        }
        let mut plan = Self {
            level,
            stencils,
            patches,
            segments: Vec::new(),
            starts: vec![0],
            members: Vec::new(),
        };
        // Added up before any is listed, so that too many are refused rather than allocated.
        let pairs = (0..plan.patches.len())
            .map(|patch| plan.segment_ranges(patch))
            .fold(0_usize, |sum, (rows, columns)| sum.saturating_add(rows.len() * columns.len()));
        if pairs > MOST_PAIRS {
            return Err(Error::Pairs { patches: plan.patches.len(), pairs, most: MOST_PAIRS });
        }
        plan.group_by_segment();
        Ok(plan)
    }

    fn group_by_segment(&mut self) {
        let mut pairs: Vec<(usize, u32)> = Vec::with_capacity(self.patches.len());
        for patch in 0..self.patches.len() {
            pairs.extend(self.segments_of(patch).map(|segment| (segment, patch as u32)));
        }
        // In file order, so that reading goes forward, and patches of a segment lie side by side.
        pairs.sort_unstable();
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            self.segments.push(group[0].0);
            self.members.extend(group.iter().map(|&(_, patch)| patch));
            self.starts.push(self.members.len());
        }
    }

    fn segments_of(&self, patch: usize) -> impl Iterator<Item = usize> + use<> {
        let (rows, columns) = self.segment_ranges(patch);
        let width = self.level.columns();
        rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
    }

    /// The rows and columns of the segments that a patch touches.
    fn segment_ranges(&self, patch: usize) -> (Range<usize>, Range<usize>) {
        let inside = self.inside(patch);
        if inside.is_empty() {
            return (0..0, 0..0);
        }
        let LevelGrid { segment_width, segment_height, .. } = self.level;
        let rows = inside.y0 / segment_height..inside.y1.div_ceil(segment_height);
        (rows, inside.x0 / segment_width..inside.x1.div_ceil(segment_width))
    }

    /// The part of a patch that lies inside the level, in the level's pixels.
    pub(crate) fn inside(&self, patch: usize) -> Rectangle {
        let Patch { x, y, .. } = self.patches[patch];
        let stencil = self.stencil(patch);
        // Saturating, and in u64 before usize: origins may be anywhere in 64 bits, and a patch whose
        // end would overflow lies outside.
        let clip = |origin: i64, size: usize, limit: usize| {
            let end = origin.saturating_add_unsigned(size as u64);
            let clamp = |value: i64| (value.max(0) as u64).min(limit as u64) as usize;
            (clamp(origin), clamp(end))
        };
        let (x0, x1) = clip(x, stencil.width(), self.level.width);
        let (y0, y1) = clip(y, stencil.height(), self.level.height);
        Rectangle { x0, y0, x1, y1 }
    }

    /// The same part in the patch's own pixels.
    pub(crate) fn inside_of_patch(&self, patch: usize) -> Rectangle {
        let Patch { x, y, .. } = self.patches[patch];
        let inside = self.inside(patch);
        if inside.is_empty() {
            return Rectangle { x0: 0, y0: 0, x1: 0, y1: 0 };
        }
        let local = |value: usize, origin: i64| (value as i64 - origin) as usize;
        Rectangle {
            x0: local(inside.x0, x),
            y0: local(inside.y0, y),
            x1: local(inside.x1, x),
            y1: local(inside.y1, y),
        }
    }

    /// How many patches there are.
    #[must_use]
    pub fn patches(&self) -> usize {
        self.patches.len()
    }

    /// The stencils that patches refer to.
    #[must_use]
    pub fn stencils(&self) -> &[Arc<Stencil>] {
        &self.stencils
    }

    /// The stencil of one patch.
    #[must_use]
    pub fn stencil(&self, patch: usize) -> &Stencil {
        &self.stencils[self.patches[patch].stencil as usize]
    }

    /// The touched segments, as `row * columns + column`, ascending.
    #[must_use]
    pub fn segments(&self) -> &[usize] {
        &self.segments
    }

    /// How much of a patch's region lies outside the level, in pixels.
    #[must_use]
    pub fn area_outside(&self, patch: usize) -> f64 {
        let (stencil, inside) = (self.stencil(patch), self.inside_of_patch(patch));
        let (width, height) = (stencil.width(), stencil.height());
        // Added up and not subtracted: where nothing lies outside, that is 0 and no rounding error.
        stencil.area_within(0, 0, width, inside.y0)
            + stencil.area_within(0, inside.y1, width, height)
            + stencil.area_within(0, inside.y0, inside.x0, inside.y1)
            + stencil.area_within(inside.x1, inside.y0, width, inside.y1)
    }

    /// The windows of all patches over the `index`-th touched segment.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] for an index past the last segment.
    pub fn windows(&self, index: usize) -> Result<impl Iterator<Item = Window> + '_> {
        let frame = self.frame(index)?;
        let members = &self.members[self.starts[index]..self.starts[index + 1]];
        Ok(members.iter().map(move |&patch| self.window(patch as usize, &frame)))
    }

    /// Whether nobody is likely to ask for the pixels of the `index`-th touched segment again.
    ///
    /// A guess, made quickly, for windows of some size. Either the patches see all of the segment:
    /// the windows have its area at least, and lie between all of its edges. Or they touch all the
    /// segments around it too, and what they leave unseen lies between the tiles' regions. A segment
    /// at the batch's edge that is seen in part has the rest of its patches in another batch.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] for an index past the last segment.
    pub fn can_drop_pixels(&self, index: usize) -> Result<bool> {
        let frame = self.frame(index)?;
        let (width, height) = (frame.x1 - frame.x0, frame.y1 - frame.y0);
        let mut seen = Rectangle { x0: width, y0: height, x1: 0, y1: 0 };
        let (mut area, mut count) = (0, 0);
        for window in self.windows(index)? {
            seen = seen.union(&window);
            area += window.width * window.height;
            count += 1;
        }
        let all = Rectangle { x0: 0, y0: 0, x1: width, y1: height };
        let sees_all = seen == all && area >= width * height;
        Ok(area >= count * SMALL_WINDOW && (sees_all || self.touches_around(index)))
    }

    /// Whether the segments left, right, above and below a touched one are touched, as far as the
    /// level has them.
    fn touches_around(&self, index: usize) -> bool {
        let columns = self.level.columns();
        let rows = self.level.height.div_ceil(self.level.segment_height);
        let segment = self.segments[index];
        let (row, column) = (segment / columns, segment % columns);
        let touches = |segment: usize| self.segments.binary_search(&segment).is_ok();
        (column == 0 || touches(segment - 1))
            && (column + 1 == columns || touches(segment + 1))
            && (row == 0 || touches(segment - columns))
            && (row + 1 == rows || touches(segment + columns))
    }

    /// Refuses a decoded segment that is smaller than its part of the level.
    pub(crate) fn check_segment(&self, index: usize, width: usize, height: usize) -> Result<()> {
        let frame = self.frame(index)?;
        let (needed_width, needed_height) = (frame.x1 - frame.x0, frame.y1 - frame.y0);
        if width < needed_width || height < needed_height {
            return Err(Error::Segment { width, height, needed_width, needed_height });
        }
        Ok(())
    }

    /// The part of the level that the `index`-th touched segment covers.
    fn frame(&self, index: usize) -> Result<Rectangle> {
        let count = self.segments.len();
        let segment =
            *self.segments.get(index).ok_or(Error::Index { what: "segment", index, count })?;
        let LevelGrid { width, height, segment_width, segment_height } = self.level;
        let (row, column) = (segment / self.level.columns(), segment % self.level.columns());
        let (x0, y0) = (column * segment_width, row * segment_height);
        // Saturating: a file may declare segments of nearly 2^64 pixels. Their edge once overflowed, and
        // a loop over their width did not end.
        let x1 = x0.saturating_add(segment_width).min(width);
        let y1 = y0.saturating_add(segment_height).min(height);
        Ok(Rectangle { x0, y0, x1, y1 })
    }

    fn window(&self, patch: usize, frame: &Rectangle) -> Window {
        // Not empty: a patch is a member of the segments that it touches. So what is subtracted here is
        // never larger than what it is subtracted from.
        let part = self.inside(patch).intersection(frame);
        let Patch { x, y, .. } = self.patches[patch];
        Window {
            patch,
            segment_x: part.x0 - frame.x0,
            segment_y: part.y0 - frame.y0,
            patch_x: (part.x0 as i64 - x) as usize,
            patch_y: (part.y0 as i64 - y) as usize,
            width: part.x1 - part.x0,
            height: part.y1 - part.y0,
        }
    }
}
