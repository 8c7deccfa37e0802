//! Areas that are known already, for a whole process, within a number of bytes.
//!
//! What lies under a region in a segment depends on the segment's content and on where the region
//! lies over it, and on nothing else. A label map has many segments of one content, and a pipeline
//! comes back to a slide with the next batch, the next region or the next epoch; counts take a
//! hundredth of the pixels' memory, so that they stay when pixels are long gone.
//!
//! A [`Memo`] is filled and asked by the [`AreaCollector`](crate::zonal::areas::AreaCollector)s that
//! share it. What a segment holds is told by a number of the caller's; where all windows over it are
//! known, its pixels need not be decoded:
//!
//! ```
//! use std::sync::Arc;
//!
//! # use ratiopath_core::geometry::grid::{Bounds, Grid};
//! # use ratiopath_core::geometry::polygon::Polygon;
//! # use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
//! # use ratiopath_core::patches::stencil::Stencil;
//! # use ratiopath_core::raster::{Rule, rasterize};
//! use ratiopath_core::pixels::Pixels;
//! use ratiopath_core::zonal::areas::{AreaCollector, SharedMemo};
//! use ratiopath_core::zonal::memo::Memo;
//!
//! # let ring = vec![[0.0, 0.0], [64.0, 0.0], [64.0, 64.0], [0.0, 64.0]];
//! # let grid = Grid::new(64, 64, Bounds { x0: 0.0, y0: 0.0, x1: 64.0, y1: 64.0 })?;
//! # let spans = rasterize(&Polygon::new(ring, vec![4])?, &grid, Rule::Center, 0..64);
//! # let level = LevelGrid { width: 64, height: 64, segment_width: 64, segment_height: 64 };
//! # let patches = vec![Patch { x: 0, y: 0, stencil: 0 }];
//! # let plan = Plan::new(level, vec![Arc::new(Stencil::from(spans))], patches)?;
//! // A plan of one patch of 64 x 64 pixels over one segment, whose content is number 7.
//! let shared = SharedMemo { memo: Arc::new(Memo::default()), limit: 1 << 20, channel: None };
//! let mut first = AreaCollector::new(1)?.with_memo(shared.clone());
//! assert!(!first.add_from_memo(&plan, 0, 7)?);
//! let bytes = [5; 64 * 64];
//! first.add_segment(&plan, 0, &Pixels::new(&bytes, 64, 64, 1)?, Some(7))?;
//!
//! let mut second = AreaCollector::new(1)?.with_memo(shared);
//! assert!(second.add_from_memo(&plan, 0, 7)?);
//! assert_eq!(second.finish(&plan).areas, [4096.0]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::patches::stencil::Stencil;
use crate::patches::window::Window;

/// What an entry takes besides its counts: its key, its place in the table, its allocation.
// A key of 48 bytes and a pointer of 16, which are 149 in a table that has just doubled, and the header
// and the rounding of an allocation.
const ENTRY_BYTES: usize = 192;

/// The part of a region over a segment, by what decides its counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MemoKey {
    content_id: u64,
    stencil: u64,
    channel: Option<u32>,
    /// Where it lies in the segment and in the patch, and its size.
    // Halves of usize: with a thousand overlays, keys are much of what the memo takes.
    window: [u32; 6],
}

impl MemoKey {
    /// Names a window over a segment of known content; none of 2^32 pixels a side has a key.
    ///
    /// Where all of the window is inside, neither the stencil nor the place in it matters.
    pub(crate) fn new(
        content_id: u64,
        channel: Option<u32>,
        stencil: &Stencil,
        window: &Window,
        is_whole: bool,
    ) -> Option<Self> {
        let Window { patch: _, segment_x, segment_y, patch_x, patch_y, width, height } = *window;
        let (stencil, patch_x, patch_y) =
            if is_whole { (0, 0, 0) } else { (stencil.number(), patch_x, patch_y) };
        let mut window = [0; 6];
        let sides = [segment_x, segment_y, patch_x, patch_y, width, height];
        for (short, side) in window.iter_mut().zip(sides) {
            *short = u32::try_from(side).ok()?;
        }
        Some(Self { content_id, stencil, channel, window })
    }
}

/// The area of each distinct pixel of a window.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct WindowAreas {
    /// The pixels' bytes, one after the other.
    pub(crate) pixels: Vec<u8>,
    /// The area of each.
    pub(crate) areas: Vec<f64>,
}

impl WindowAreas {
    pub(crate) fn push(&mut self, pixel: &[u8], area: f64) {
        self.pixels.extend_from_slice(pixel);
        self.areas.push(area);
    }

    /// Each pixel of so many bytes and its area.
    pub(crate) fn each(&self, pixel_bytes: usize) -> impl Iterator<Item = (&[u8], f64)> {
        self.pixels.chunks_exact(pixel_bytes).zip(self.areas.iter().copied())
    }

    /// What it takes to keep them.
    pub(crate) fn bytes(&self) -> usize {
        ENTRY_BYTES + self.pixels.len() + self.areas.len() * size_of::<f64>()
    }
}

/// Areas as they are kept, in one allocation: a pixel's bytes, then those of its area, and so on.
#[derive(Debug, Clone)]
pub(crate) struct PackedAreas(Arc<[u8]>);

impl PackedAreas {
    fn new(counts: &WindowAreas, pixel_bytes: usize) -> Self {
        let mut bytes = Vec::with_capacity(counts.bytes() - ENTRY_BYTES);
        for (pixel, area) in counts.each(pixel_bytes) {
            bytes.extend_from_slice(pixel);
            bytes.extend_from_slice(&area.to_ne_bytes());
        }
        Self(bytes.into())
    }

    /// Each pixel of so many bytes and its area.
    pub(crate) fn each(&self, pixel_bytes: usize) -> impl Iterator<Item = (&[u8], f64)> {
        let entries = self.0.chunks_exact(pixel_bytes + size_of::<f64>());
        let parts = entries.filter_map(<[u8]>::split_last_chunk);
        parts.map(|(pixel, area)| (pixel, f64::from_ne_bytes(*area)))
    }

    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.0.len()
    }
}

/// Known counts; safe to share between threads.
///
/// What was looked up or kept of late is in the young half. When that is full it becomes the old
/// half, and the old one, in which nobody was interested meanwhile, is forgotten.
// Nearly as good as forgetting what was used least recently, without a list to be changed under the
// lock at every look.
#[derive(Debug, Default)]
pub struct Memo {
    halves: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    young: FxHashMap<MemoKey, PackedAreas>,
    old: FxHashMap<MemoKey, PackedAreas>,
    young_bytes: usize,
}

impl Memo {
    /// Forgets everything.
    pub fn clear(&self) {
        *self.halves() = Halves::default();
    }

    pub(crate) fn find(&self, key: &MemoKey) -> Option<PackedAreas> {
        let mut halves = self.halves();
        if let Some(counts) = halves.young.get(key) {
            return Some(counts.clone());
        }
        let counts = halves.old.remove(key)?;
        halves.put(*key, counts.clone());
        Some(counts)
    }

    /// Keeps counts of pixels of so many bytes, so that all that is kept stays within `limit` bytes.
    pub(crate) fn keep(
        &self,
        key: MemoKey,
        counts: &WindowAreas,
        pixel_bytes: usize,
        limit: usize,
    ) {
        let bytes = counts.bytes();
        // Or a few heatmaps, whose windows have as many values as pixels, would drive out all others.
        if bytes > limit / 8 {
            return;
        }
        // Packed before the lock is taken: other threads look up all the while.
        let counts = PackedAreas::new(counts, pixel_bytes);
        let mut halves = self.halves();
        if halves.young_bytes + bytes > limit / 2 {
            halves.grow_old();
        }
        halves.put(key, counts);
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        // A panic elsewhere leaves whole entries behind: none is changed once it is in.
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn put(&mut self, key: MemoKey, counts: PackedAreas) {
        let bytes = counts.bytes();
        if self.young.insert(key, counts).is_none() {
            self.young_bytes += bytes;
        }
    }

    /// Starts a young half in the memory of the old one, which need not grow again.
    fn grow_old(&mut self) {
        std::mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
        self.young_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(content_id: u64) -> MemoKey {
        MemoKey { content_id, stencil: 0, channel: None, window: [0, 0, 0, 0, 1, 1] }
    }

    fn counts(value: u8) -> WindowAreas {
        WindowAreas { pixels: vec![value], areas: vec![1.0] }
    }

    const LIMIT: usize = 20 * (ENTRY_BYTES + 9);

    #[test]
    fn what_is_kept_is_found_until_it_was_long_out_of_use() {
        let memo = Memo::default();
        memo.keep(key(0), &counts(7), 1, LIMIT);
        for content_id in 1..1000 {
            memo.keep(key(content_id), &counts(1), 1, LIMIT);
            let found = memo.find(&key(0)).unwrap();
            assert_eq!(found.each(1).collect::<Vec<_>>(), [(&[7][..], 1.0)]);
        }
        assert!(memo.find(&key(1)).is_none());
        assert!(memo.find(&key(999)).is_some());
        let halves = memo.halves();
        assert!(halves.young.len() + halves.old.len() <= 20);
    }

    #[test]
    fn a_limit_of_nothing_keeps_nothing() {
        let memo = Memo::default();
        memo.keep(key(0), &counts(7), 1, 0);
        assert!(memo.find(&key(0)).is_none());
    }

    #[test]
    fn a_cleared_table_is_empty() {
        let memo = Memo::default();
        memo.keep(key(0), &counts(7), 1, LIMIT);
        memo.clear();
        assert!(memo.find(&key(0)).is_none());
    }
}
