//! Small numbers for distinct pixels.

use rustc_hash::FxHashMap;

/// Numbers for distinct pixels, in order of first sight.
///
/// One hash of the pixel's bytes when it comes in; from then on entries are sorted, joined and summed
/// by a number of four bytes, whatever the pixel's width.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    indices: FxHashMap<Box<[u8]>, u32>,
    bytes: Vec<u8>,
}

impl Interner {
    /// The number of a pixel, a new one where it has none.
    pub(crate) fn index(&mut self, pixel: &[u8]) -> u32 {
        // Not `entry`, which would allocate a key for pixels that are there: nearly all are.
        if let Some(&index) = self.indices.get(pixel) {
            return index;
        }
        let index = self.indices.len() as u32;
        self.indices.insert(pixel.into(), index);
        self.bytes.extend_from_slice(pixel);
        index
    }

    /// How many distinct pixels there are.
    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    /// The pixels' bytes, one after the other, in the order of their numbers.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, without a copy.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
