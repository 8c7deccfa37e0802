//! Pixels of a weight other than 1, summed by key.

use crate::count::radix::Key;
use crate::count::simd::runs::Sink;
use crate::count::sums::Sums;

/// Sums of pixels that weigh the same.
pub(crate) struct WeightedSums<'a> {
    pub(crate) sums: &'a mut Sums<f64>,
    pub(crate) weight: f64,
}

impl Sink for WeightedSums<'_> {
    fn add_pixel(&mut self, pixel: &[u8], pixels: u64) {
        self.sums.add(u64::of(pixel), pixels as f64 * self.weight);
    }
}
