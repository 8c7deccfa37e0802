//! The table of areas, patch by patch, and the entries that it is the sum of.

use crate::zonal::interner::Interner;

/// One patch's area of one distinct pixel in one segment.
// Not summed when it comes: a map from patch and pixel would be looked up for each, a sort at the end
// sees 16 bytes an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) patch: u32,
    pub(crate) key: u32,
    pub(crate) area: f64,
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

impl PatchAreas {
    /// Adds up the entries of each patch and pixel, for so many patches.
    pub(crate) fn sum(keys: Interner, mut entries: Vec<Entry>, patches: usize) -> Self {
        // Segments came in the order of the file: those of one patch lie far from each other.
        entries.sort_unstable_by_key(|entry| (entry.patch, entry.key));
        let keys = keys.into_bytes();
        let mut result = Self { keys, offsets: vec![0], key_indices: vec![], areas: vec![] };
        let same = |a: &Entry, b: &Entry| (a.patch, a.key) == (b.patch, b.key);
        for group in entries.chunk_by(same) {
            result.start_patches(group[0].patch as usize);
            result.key_indices.push(group[0].key);
            result.areas.push(group.iter().map(|entry| entry.area).sum());
        }
        result.start_patches(patches);
        result
    }

    /// Closes all patches before `patch`.
    fn start_patches(&mut self, patch: usize) {
        self.offsets.resize((patch + 1).max(self.offsets.len()), self.areas.len());
    }
}
