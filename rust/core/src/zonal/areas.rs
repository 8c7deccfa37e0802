//! Areas per patch, added up segment by segment.
//!
//! In come a plan and the decoded segments that it touches; out goes, patch by patch, which pixels
//! occur and how much area each has, in one flat table ([`PatchAreas`]).
//!
//! Each touched segment is walked once per window along the spans of the patch's stencil; the counts
//! of a window join the patch's entries under small numbers that stand for distinct pixels
//! throughout the batch. Windows that overlap are counted once, and where a segment's content has a
//! number, what a [`Memo`] holds of it is not counted again. The entries, one for each patch, pixel
//! and segment, are sorted and added up at the end. Several collectors may work on parts of one plan,
//! each on a thread of its own, and be merged.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ratiopath_core::geometry::grid::{Bounds, Grid};
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
//! use ratiopath_core::patches::stencil::Stencil;
//! use ratiopath_core::pixels::Pixels;
//! use ratiopath_core::raster::{Rule, rasterize};
//! use ratiopath_core::zonal::areas::AreaCollector;
//!
//! // A level of one segment: label 1 on the left, label 2 on the right.
//! let level = LevelGrid { width: 4, height: 2, segment_width: 4, segment_height: 2 };
//! let labels = [1, 1, 2, 2,
//!               1, 1, 2, 2];
//! let pixels = Pixels::new(&labels, 4, 2, 1)?;
//!
//! // Two patches of 3 x 2 pixels, all inside; of the second, a column lies beyond the level.
//! let ring = vec![[0.0, 0.0], [3.0, 0.0], [3.0, 2.0], [0.0, 2.0]];
//! let grid = Grid::new(2, 3, Bounds { x0: 0.0, y0: 0.0, x1: 3.0, y1: 2.0 })?;
//! let spans = rasterize(&Polygon::new(ring, vec![4])?, &grid, Rule::Center, 0..2);
//! let patches = vec![Patch { x: 0, y: 0, stencil: 0 }, Patch { x: 2, y: 0, stencil: 0 }];
//! let plan = Plan::new(level, vec![Arc::new(Stencil::from(spans))], patches)?;
//!
//! let mut collector = AreaCollector::new(1)?;
//! for index in 0..plan.segments().len() {
//!     collector.add_segment(&plan, index, &pixels, None)?;
//! }
//! let found = collector.finish(&plan);
//! assert_eq!(found.keys, [1, 2]);
//! // Four pixels of label 1 and two of label 2; then four of label 2.
//! assert_eq!(found.offsets, [0, 2, 3]);
//! assert_eq!(found.key_indices, [0, 1, 1]);
//! assert_eq!(found.areas, [4.0, 2.0, 4.0]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::sync::Arc;

use crate::count::PixelCounter;
use crate::patches::plan::Plan;
use crate::patches::stencil::Stencil;
use crate::patches::window::Window;
use crate::pixels::Pixels;
use crate::raster::spans::WholeRuns;
use crate::zonal::interner::Interner;
use crate::zonal::memo::{Memo, MemoKey, PackedAreas, WindowAreas};
use crate::zonal::patch_areas::Entry;
pub use crate::zonal::patch_areas::PatchAreas;
use crate::zonal::summed_area::SummedArea;
use crate::{Error, Result};

/// Where a collector finds and keeps counts.
#[derive(Debug, Clone)]
pub struct SharedMemo {
    /// Shared by all collectors of the process.
    pub memo: Arc<Memo>,
    /// How many bytes may be kept.
    pub limit: usize,
    /// The channel that is counted, where not all are.
    pub channel: Option<u32>,
}

/// Collects the areas of a plan's patches.
#[derive(Debug)]
pub struct AreaCollector {
    pixel_bytes: usize,
    counter: PixelCounter,
    keys: Interner,
    entries: Vec<Entry>,
    shared: Option<SharedMemo>,
}

/// A window, and what its counts are known by.
struct View {
    window: Window,
    is_whole: bool,
    key: Option<MemoKey>,
}

impl AreaCollector {
    /// A collector of pixels of so many bytes.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyPixel`] where a pixel has no byte.
    pub fn new(pixel_bytes: usize) -> Result<Self> {
        if pixel_bytes == 0 {
            return Err(Error::EmptyPixel);
        }
        let counter = PixelCounter::new(pixel_bytes);
        Ok(Self {
            pixel_bytes,
            counter,
            keys: Interner::default(),
            entries: Vec::new(),
            shared: None,
        })
    }

    /// The same collector, which finds and keeps counts in a memo.
    #[must_use]
    pub fn with_memo(self, shared: SharedMemo) -> Self {
        Self { shared: Some(shared), ..self }
    }

    /// How many areas were collected, before those of one patch and pixel are added up.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Adds the `index`-th touched segment of the plan.
    ///
    /// Segments of one `content_id` hold the same pixels.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] for an index past the last segment, [`Error::Length`] for pixels of another
    /// width, [`Error::Segment`] where the segment is smaller than its part of the level.
    pub fn add_segment(
        &mut self,
        plan: &Plan,
        index: usize,
        pixels: &Pixels<'_>,
        content_id: Option<u64>,
    ) -> Result<()> {
        self.check_pixel(pixels.pixel_bytes())?;
        plan.check_segment(index, pixels.width(), pixels.height())?;
        // Those that are not in the memo wait for each other: windows that overlap are counted together.
        let mut missing = Vec::new();
        for window in plan.windows(index)? {
            let view = self.view(plan, window, content_id);
            match self.find(&view) {
                Some(counts) => self.add_areas(view.window.patch, counts.each(self.pixel_bytes)),
                None => missing.push(view),
            }
        }
        let whole: Vec<Window> =
            missing.iter().filter(|view| view.is_whole).map(|view| view.window).collect();
        let cells = SummedArea::count(&whole, pixels, &mut self.counter);
        for view in missing {
            let counts = match &cells {
                Some(cells) if view.is_whole => cells.counts(&view.window),
                _ => self.count(plan.stencil(view.window.patch), &view.window, pixels),
            };
            self.add_areas(view.window.patch, counts.each(self.pixel_bytes));
            self.keep(&view, &counts);
        }
        Ok(())
    }

    /// Adds the `index`-th touched segment from known counts, if those of all windows are known.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] for an index past the last segment.
    pub fn add_from_memo(&mut self, plan: &Plan, index: usize, content_id: u64) -> Result<bool> {
        let first = self.entries.len();
        for window in plan.windows(index)? {
            let view = self.view(plan, window, Some(content_id));
            let Some(counts) = self.find(&view) else {
                // All or nothing: what is missing needs the pixels, which then count for all windows.
                self.entries.truncate(first);
                return Ok(false);
            };
            self.add_areas(view.window.patch, counts.each(self.pixel_bytes));
        }
        Ok(true)
    }

    /// Adds the `index`-th touched segment, all of whose pixels are the same.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] and [`Error::Length`] as for [`Self::add_segment`].
    pub fn add_constant(&mut self, plan: &Plan, index: usize, pixel: &[u8]) -> Result<()> {
        self.check_pixel(pixel.len())?;
        for window in plan.windows(index)? {
            let (right, bottom) = (window.patch_x + window.width, window.patch_y + window.height);
            let stencil = plan.stencil(window.patch);
            let area = stencil.area_within(window.patch_x, window.patch_y, right, bottom);
            self.add_area(window.patch, pixel, area);
        }
        Ok(())
    }

    /// Gives one value to what lies outside the level.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a pixel of another width.
    pub fn add_outside(&mut self, plan: &Plan, pixel: &[u8]) -> Result<()> {
        self.check_pixel(pixel.len())?;
        for patch in 0..plan.patches() {
            self.add_area(patch, pixel, plan.area_outside(patch));
        }
        Ok(())
    }

    /// Takes over what another collector of the same plan has found.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a collector of pixels of another width.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.check_pixel(other.pixel_bytes)?;
        // Each has numbered the pixels as it met them.
        let renumbered: Vec<u32> = other
            .keys
            .bytes()
            .chunks_exact(other.pixel_bytes)
            .map(|key| self.keys.index(key))
            .collect();
        let moved = |entry: &Entry| Entry { key: renumbered[entry.key as usize], ..*entry };
        self.entries.extend(other.entries.iter().map(moved));
        Ok(())
    }

    /// Adds up what was collected for a plan's patches, and starts anew.
    #[must_use]
    pub fn finish(&mut self, plan: &Plan) -> PatchAreas {
        let keys = std::mem::take(&mut self.keys);
        let entries = std::mem::take(&mut self.entries);
        PatchAreas::sum(keys, entries, plan.patches())
    }

    fn check_pixel(&self, actual: usize) -> Result<()> {
        if actual == self.pixel_bytes {
            return Ok(());
        }
        Err(Error::Length { what: "bytes of a pixel", expected: self.pixel_bytes, actual })
    }

    fn view(&self, plan: &Plan, window: Window, content_id: Option<u64>) -> View {
        let stencil = plan.stencil(window.patch);
        let is_whole = stencil.holds_all_of(&window);
        let named = content_id.zip(self.shared.as_ref());
        let key = named.and_then(|(content_id, shared)| {
            MemoKey::new(content_id, shared.channel, stencil, &window, is_whole)
        });
        View { window, is_whole, key }
    }

    fn find(&self, view: &View) -> Option<PackedAreas> {
        self.shared.as_ref()?.memo.find(view.key.as_ref()?)
    }

    fn keep(&self, view: &View, counts: &WindowAreas) {
        let pixels = view.window.width * view.window.height * self.pixel_bytes;
        if let (Some(shared), Some(key)) = (&self.shared, view.key) {
            // What takes more memory than the pixels is not worth it.
            if counts.bytes() <= pixels {
                shared.memo.keep(key, counts, self.pixel_bytes, shared.limit);
            }
        }
    }

    /// Counts the pixels of one window that lie under the stencil.
    fn count(&mut self, stencil: &Stencil, window: &Window, pixels: &Pixels<'_>) -> WindowAreas {
        add_window(&mut self.counter, stencil, window, pixels);
        let mut counts = WindowAreas::default();
        self.counter.drain(|pixel, tally| counts.push(pixel, tally.total()));
        counts
    }

    fn add_areas<'a>(&mut self, patch: usize, areas: impl Iterator<Item = (&'a [u8], f64)>) {
        for (pixel, area) in areas {
            let (patch, key) = (patch as u32, self.keys.index(pixel));
            self.entries.push(Entry { patch, key, area });
        }
    }

    fn add_area(&mut self, patch: usize, pixel: &[u8], area: f64) {
        // A constant segment is not looked at: the region may have no pixel in this part of it.
        if area > 0.0 {
            let (patch, key) = (patch as u32, self.keys.index(pixel));
            self.entries.push(Entry { patch, key, area });
        }
    }
}

/// Counts the pixels of one window that lie under the stencil.
fn add_window(counter: &mut PixelCounter, stencil: &Stencil, window: &Window, pixels: &Pixels<'_>) {
    let mut whole = WholeRuns::default();
    stencil.for_each_run(window, |row, columns, weight| {
        let first = (window.segment_y + row) * pixels.width();
        let run = first + columns.start..first + columns.end;
        whole.add(run, weight, |run, weight| counter.add_run(pixels.between(run), weight));
    });
    counter.add_run(pixels.between(whole.open), 1.0);
}
