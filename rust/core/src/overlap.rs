//! Counts per patch, added up segment by segment.
//!
//! Each touched segment is walked once per window along the spans of the patch's shape; the counts
//! of a window join the patch's entries under small numbers that stand for distinct pixels
//! throughout the batch. Where segments are known to hold the same pixels, as the many empty ones
//! of a label map do, a window that was counted in one is not counted again in the next. What comes
//! out at the end is, patch by patch, which pixels occur and how much area each has, in one flat
//! table. Several collectors may work on parts of one plan, each on a thread of its own, and be
//! merged.

use rustc_hash::FxHashMap;

use crate::count::Counter;
use crate::pixels::Pixels;
use crate::plan::{Plan, Window};
use crate::spans::Spans;
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
pub struct Areas {
    /// Bytes of all distinct pixels, one after the other, in order of first sight.
    pub keys: Vec<u8>,
    /// Where each patch's entries start, and at the end how many there are.
    pub offsets: Vec<i64>,
    /// Which distinct pixel each entry is of, ascending within a patch.
    pub key_indices: Vec<u32>,
    /// The area of each entry, in pixels.
    pub areas: Vec<f64>,
}

/// Collects the areas of a plan's patches.
#[derive(Debug)]
pub struct Collector {
    pixel_bytes: usize,
    counter: Counter,
    keys: Keys,
    entries: Vec<Entry>,
    known: Known,
}

/// What was counted in windows of known content: a place in the entries, by content and window.
type Known = FxHashMap<(u64, usize, Window), std::ops::Range<usize>>;

/// Windows remembered at the most; a batch whose windows are all different would only pay for them.
const MOST_KNOWN: usize = 1 << 16;

impl Collector {
    /// A collector of pixels of so many bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] where a pixel has no byte.
    pub fn new(pixel_bytes: usize) -> Result<Self> {
        if pixel_bytes == 0 {
            return Err(Error::Length { what: "pixel", expected: 1, actual: 0 });
        }
        let counter = Counter::new(pixel_bytes);
        let (keys, known) = (Keys::default(), Known::default());
        Ok(Self { pixel_bytes, counter, keys, entries: Vec::new(), known })
    }

    /// Adds the `index`-th touched segment of the plan.
    ///
    /// Segments of one `content` hold the same pixels.
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
        content: Option<u64>,
    ) -> Result<()> {
        self.check_pixel(pixels.pixel_bytes())?;
        plan.check_segment(index, pixels.width(), pixels.height())?;
        for window in plan.windows(index)? {
            let anywhere = Window { patch: 0, ..window };
            let name = content.map(|content| (content, plan.shape_index(window.patch), anywhere));
            if let Some(entries) = name.and_then(|name| self.known.get(&name)) {
                self.repeat(window.patch, entries.clone());
                continue;
            }
            let first = self.entries.len();
            add_window(&mut self.counter, plan.shape(window.patch), &window, pixels);
            self.flush(window.patch);
            if let Some(name) = name.filter(|_| self.known.len() < MOST_KNOWN) {
                self.known.insert(name, first..self.entries.len());
            }
        }
        Ok(())
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
            let shape = plan.shape(window.patch);
            let area = shape.area_within(window.patch_x, window.patch_y, right, bottom);
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
    pub fn merge(&mut self, other: &Self) {
        let renumbered: Vec<u32> =
            other.keys.iter(other.pixel_bytes).map(|key| self.keys.index(key)).collect();
        let moved = |entry: &Entry| Entry { key: renumbered[entry.key as usize], ..*entry };
        self.entries.extend(other.entries.iter().map(moved));
    }

    /// Adds up what was collected, for a plan of so many patches, and starts anew.
    #[must_use]
    pub fn finish(&mut self, patches: usize) -> Areas {
        let keys = std::mem::take(&mut self.keys);
        let mut entries = std::mem::take(&mut self.entries);
        self.known.clear();
        entries.sort_unstable_by_key(|entry| (entry.patch, entry.key));
        let mut result =
            Areas { keys: keys.bytes, offsets: vec![0], key_indices: vec![], areas: vec![] };
        let same = |a: &Entry, b: &Entry| (a.patch, a.key) == (b.patch, b.key);
        for group in entries.chunk_by(same) {
            result.start_patches(group[0].patch as usize);
            result.key_indices.push(group[0].key);
            result.areas.push(group.iter().map(|entry| entry.area).sum());
        }
        result.start_patches(patches);
        result
    }

    fn check_pixel(&self, actual: usize) -> Result<()> {
        if actual == self.pixel_bytes {
            return Ok(());
        }
        Err(Error::Length { what: "pixel", expected: self.pixel_bytes, actual })
    }

    fn flush(&mut self, patch: usize) {
        let Self { counter, keys, entries, .. } = self;
        counter.drain(|pixel, tally| {
            let (patch, key) = (patch as u32, keys.index(pixel));
            entries.push(Entry { patch, key, area: tally.total() });
        });
    }

    /// Gives a patch the same areas as entries already there.
    fn repeat(&mut self, patch: usize, entries: std::ops::Range<usize>) {
        for index in entries {
            let entry = Entry { patch: patch as u32, ..self.entries[index] };
            self.entries.push(entry);
        }
    }

    fn add_area(&mut self, patch: usize, pixel: &[u8], area: f64) {
        if area > 0.0 {
            let (patch, key) = (patch as u32, self.keys.index(pixel));
            self.entries.push(Entry { patch, key, area });
        }
    }
}

impl Areas {
    /// Closes all patches before `patch`.
    fn start_patches(&mut self, patch: usize) {
        self.offsets.resize((patch + 1).max(self.offsets.len()), self.areas.len() as i64);
    }
}

/// Counts the pixels of one window that lie under the shape.
fn add_window(counter: &mut Counter, shape: &Spans, window: &Window, pixels: &Pixels<'_>) {
    let (left, right) = (window.patch_x, window.patch_x + window.width);
    for row in 0..window.height {
        for (span, weight) in shape.row(window.patch_y + row) {
            let start = (span.start as usize).max(left);
            let end = (span.end as usize).min(right);
            if start < end {
                let x = window.segment_x;
                let run = pixels.run(window.segment_y + row, x + start - left, x + end - left);
                counter.add_run(run, weight);
            }
        }
    }
}

/// Numbers for distinct pixels, in order of first sight.
#[derive(Debug, Default)]
struct Keys {
    indices: FxHashMap<Box<[u8]>, u32>,
    bytes: Vec<u8>,
}

impl Keys {
    fn index(&mut self, pixel: &[u8]) -> u32 {
        if let Some(&index) = self.indices.get(pixel) {
            return index;
        }
        let index = self.indices.len() as u32;
        self.indices.insert(pixel.into(), index);
        self.bytes.extend_from_slice(pixel);
        index
    }

    fn iter(&self, pixel_bytes: usize) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(pixel_bytes)
    }
}
