//! Counts that are known already, for a whole process, within a number of bytes.
//!
//! What lies under a region in a segment depends on the segment's content and on where the region
//! lies over it, and on nothing else. A label map has many segments of one content, and a pipeline
//! comes back to a slide with the next batch, the next region or the next epoch; counts take a
//! hundredth of the pixels' memory, so that they stay when pixels are long gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::plan::Window;
use crate::shape::Shape;

/// What an entry takes besides its counts: its name, its place in the table, its allocation.
const ENTRY_BYTES: usize = 256;

/// The part of a region over a segment, by what decides its counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    content: u64,
    channel: Option<u32>,
    shape: u64,
    window: Window,
}

impl Name {
    /// Names a window over a segment of known content.
    ///
    /// Where all of the window is inside, neither the shape nor the place in it matters.
    pub(crate) fn new(
        content: u64,
        channel: Option<u32>,
        shape: &Shape,
        window: &Window,
        is_whole: bool,
    ) -> Self {
        let window = Window { patch: 0, ..*window };
        if is_whole {
            let window = Window { patch_x: 0, patch_y: 0, ..window };
            return Self { content, channel, shape: 0, window };
        }
        Self { content, channel, shape: shape.number(), window }
    }
}

/// The area of each distinct pixel of a window.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Counts {
    /// The pixels' bytes, one after the other.
    pub(crate) pixels: Vec<u8>,
    /// The area of each.
    pub(crate) areas: Vec<f64>,
}

impl Counts {
    pub(crate) fn push(&mut self, pixel: &[u8], area: f64) {
        self.pixels.extend_from_slice(pixel);
        self.areas.push(area);
    }

    /// What it takes to keep them.
    pub(crate) fn bytes(&self) -> usize {
        ENTRY_BYTES + self.pixels.len() + self.areas.len() * size_of::<f64>()
    }
}

/// Known counts; safe to share between threads.
///
/// What was looked up or kept of late is in the young half. When that is full it becomes the old
/// half, and the old one, in which nobody was interested meanwhile, is forgotten.
#[derive(Debug, Default)]
pub struct KnownCounts {
    halves: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    young: FxHashMap<Name, Arc<Counts>>,
    old: FxHashMap<Name, Arc<Counts>>,
    young_bytes: usize,
}

impl KnownCounts {
    /// Forgets everything.
    pub fn clear(&self) {
        *self.halves() = Halves::default();
    }

    pub(crate) fn find(&self, name: &Name) -> Option<Arc<Counts>> {
        let mut halves = self.halves();
        if let Some(counts) = halves.young.get(name) {
            return Some(Arc::clone(counts));
        }
        let counts = halves.old.remove(name)?;
        halves.put(*name, Arc::clone(&counts));
        Some(counts)
    }

    /// Keeps counts, so that all that is kept stays within `limit` bytes.
    pub(crate) fn keep(&self, name: Name, counts: Counts, limit: usize) {
        let bytes = counts.bytes();
        if bytes > limit / 8 {
            return;
        }
        let mut halves = self.halves();
        if halves.young_bytes + bytes > limit / 2 {
            halves.old = std::mem::take(&mut halves.young);
            halves.young_bytes = 0;
        }
        halves.put(name, Arc::new(counts));
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        // A panic elsewhere leaves whole entries behind: none is changed once it is in.
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn put(&mut self, name: Name, counts: Arc<Counts>) {
        let bytes = counts.bytes();
        if self.young.insert(name, counts).is_none() {
            self.young_bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(content: u64) -> Name {
        let window = Window {
            patch: 0,
            segment_x: 0,
            segment_y: 0,
            patch_x: 0,
            patch_y: 0,
            width: 1,
            height: 1,
        };
        Name { content, channel: None, shape: 0, window }
    }

    fn counts(value: u8) -> Counts {
        Counts { pixels: vec![value], areas: vec![1.0] }
    }

    const LIMIT: usize = 20 * (ENTRY_BYTES + 9);

    #[test]
    fn what_is_kept_is_found_until_it_was_long_out_of_use() {
        let known = KnownCounts::default();
        known.keep(name(0), counts(7), LIMIT);
        for content in 1..1000 {
            known.keep(name(content), counts(1), LIMIT);
            assert_eq!(known.find(&name(0)).as_deref(), Some(&counts(7)));
        }
        assert!(known.find(&name(1)).is_none());
        assert!(known.find(&name(999)).is_some());
        let halves = known.halves();
        assert!(halves.young.len() + halves.old.len() <= 20);
    }

    #[test]
    fn a_limit_of_nothing_keeps_nothing() {
        let known = KnownCounts::default();
        known.keep(name(0), counts(7), 0);
        assert!(known.find(&name(0)).is_none());
    }

    #[test]
    fn a_cleared_table_is_empty() {
        let known = KnownCounts::default();
        known.keep(name(0), counts(7), LIMIT);
        known.clear();
        assert!(known.find(&name(0)).is_none());
    }
}
