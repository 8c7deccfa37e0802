//! Areas per patch, added up segment by segment.
//!
//! Each touched segment is walked once per window along the spans of the patch's stencil; the counts
//! of a window join the patch's entries under small numbers that stand for distinct pixels
//! throughout the batch. Windows that overlap are counted once, and where a segment's content has a
//! number, what is known of it is not counted again. What comes out at the end is, patch by patch,
//! which pixels occur and how much area each has, in one flat table. Several collectors may work on
//! parts of one plan, each on a thread of its own, and be merged.

use std::sync::Arc;

use crate::count::PixelCounter;
use crate::patches::plan::Plan;
use crate::patches::stencil::Stencil;
use crate::patches::window::Window;
use crate::pixels::Pixels;
use crate::raster::spans::WholeRuns;
use crate::zonal::interner::Interner;
use crate::zonal::memo::{Memo, MemoKey, PackedAreas, WindowAreas};
use crate::zonal::summed_area::SummedArea;
use crate::{Error, Result};

/// One patch's area of one distinct pixel in one segment.
#[derive(Debug, Clone, Copy)]
struct Entry {
    patch: u32,
    key: u32,
    area: f64,
}

/// Areas of distinct pixels, patch by patch.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchAreas {
    /// Bytes of all distinct pixels, one after the other, in order of first sight.
    pub keys: Vec<u8>,
    /// Where each patch's entries start, and at the end how many there are.
    pub offsets: Vec<usize>,
    /// Which distinct pixel each entry is of, ascending within a patch.
    pub key_indices: Vec<u32>,
    /// The area of each entry, in pixels.
    pub areas: Vec<f64>,
}

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
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by_key(|entry| (entry.patch, entry.key));
        let mut result = PatchAreas {
            keys: keys.into_bytes(),
            offsets: vec![0],
            key_indices: vec![],
            areas: vec![],
        };
        let same = |a: &Entry, b: &Entry| (a.patch, a.key) == (b.patch, b.key);
        for group in entries.chunk_by(same) {
            result.start_patches(group[0].patch as usize);
            result.key_indices.push(group[0].key);
            result.areas.push(group.iter().map(|entry| entry.area).sum());
        }
        result.start_patches(plan.patches());
        result
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
        if area > 0.0 {
            let (patch, key) = (patch as u32, self.keys.index(pixel));
            self.entries.push(Entry { patch, key, area });
        }
    }
}

impl PatchAreas {
    /// Closes all patches before `patch`.
    fn start_patches(&mut self, patch: usize) {
        self.offsets.resize((patch + 1).max(self.offsets.len()), self.areas.len());
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
