//! Counts of pixels of three to eight bytes.
//!
//! Labels are few and find their place in a small table. Of a heatmap, whose values are all
//! different, nearly every pixel would take another's place there: where that shows, the pixels are
//! written down, sorted in the end, and equal neighbours counted.

use crate::count::backoff::Backoff;
use crate::count::radix::Key;
use crate::count::simd::for_each_run;
use crate::count::simd::runs::Sink;
use crate::count::sums::Sums;
use crate::count::tally::{Tally, join};
use crate::count::weighted::WeightedSums;

/// Single pixels that are written down before they are added up.
// Those of a segment of 512 x 512 are sorted at once; of more, memory is bounded by what is distinct.
const MOST_SINGLES: usize = 1 << 18;

/// One in so many pixels that take another's place are too many.
// Such a pixel is noted with its sum, in up to four times the memory of a single, and sorted all the same:
// a heatmap of 512 x 512 that was counted by notes alone took 47 ms and takes 3.
const FEW_LOST: usize = 4;

/// Counts and weights by pixel.
#[derive(Debug, Default)]
pub(crate) struct SparseCounts<K> {
    counts: Sums<u64>,
    weights: Sums<f64>,
    /// Pixels to be counted once more each.
    singles: Vec<K>,
    looking_up: Backoff,
}

impl<K: Key> SparseCounts<K> {
    pub(crate) fn add_run<const N: usize>(&mut self, run: &[u8], weight: f64) {
        if weight == 1.0 {
            for_each_run::<N>(run, self);
        } else {
            for_each_run::<N>(run, &mut WeightedSums { sums: &mut self.weights, weight });
        }
    }

    /// Hands out every pixel, ascending, and empties the counts.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(u64, Tally)) {
        let (counts, weights) = (self.counts.drain(), self.weights.drain());
        K::sort(&mut self.singles);
        // Whole pixels alone need no list between: most drains are of this kind.
        if weights.is_empty() {
            merge(&self.singles, &counts, |key, count| take(key, Tally { count, weight: 0.0 }));
        } else {
            let mut merged = Vec::new();
            merge(&self.singles, &counts, |key, count| merged.push((key, count)));
            join(merged.into_iter(), &weights, take);
        }
        self.singles.clear();
    }

    fn add_up_singles(&mut self) {
        K::sort(&mut self.singles);
        merge(&self.singles, &[], |key, count| self.counts.note((key, count)));
        self.singles.clear();
    }
}

impl<K: Key> Sink for SparseCounts<K> {
    #[inline]
    fn add_pixel(&mut self, pixel: &[u8], pixels: u64) {
        self.counts.add(K::of(pixel).into(), pixels);
    }

    #[inline]
    fn add_pixels<const N: usize>(&mut self, pixels: &[[u8; N]]) {
        // Noise of few values finds its place in the table, a heatmap does not: the table itself tells.
        if self.looking_up.is_over() {
            let found = pixels.iter().map(|pixel| self.counts.add(K::of(pixel).into(), 1));
            let lost = found.filter(|is_found| !is_found).count();
            self.looking_up.record(lost * FEW_LOST <= pixels.len());
            return;
        }
        self.singles.extend(pixels.iter().map(|pixel| K::of(pixel)));
        if self.singles.len() > MOST_SINGLES {
            self.add_up_singles();
        }
    }
}

/// Hands out the sum of each key, ascending, of sorted keys and of counts that ascend.
fn merge<K: Key>(mut singles: &[K], counts: &[(u64, u64)], mut take: impl FnMut(u64, u64)) {
    for &(key, count) in counts {
        let before = singles.partition_point(|&single| single.into() < key);
        take_each(&singles[..before], &mut take);
        let after = singles[before..].iter().take_while(|&&single| single.into() == key).count();
        take(key, count + after as u64);
        singles = &singles[before + after..];
    }
    take_each(singles, &mut take);
}

fn take_each<K: Key>(singles: &[K], take: &mut impl FnMut(u64, u64)) {
    let mut first = 0;
    for next in 1..=singles.len() {
        if singles.get(next) != Some(&singles[first]) {
            take(singles[first].into(), (next - first) as u64);
            first = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Labels, noise of few values, and pixels that are all different, by turns.
        #[test]
        fn every_pixel_is_counted_once(
            parts in prop::collection::vec((0_u8..3, 1_usize..900, any::<u32>()), 0..40),
            weight in prop::sample::select(vec![1.0, 0.5]),
        ) {
            let pixel = |kind, k: usize, seed: u32| match kind {
                0 => seed % 7,
                1 => (k as u32).wrapping_mul(0x9E37_79B9) >> 24,
                _ => seed ^ (k as u32).wrapping_mul(0x9E37_79B9),
            };
            let part = |&(kind, length, seed)| (0..length).map(move |k| pixel(kind, k, seed));
            let pixels: Vec<u32> = parts.iter().flat_map(part).collect();
            let mut expected = BTreeMap::new();
            for &pixel in &pixels {
                *expected.entry(u64::from(pixel)).or_insert(0.0) += weight;
            }
            let (mut quads, mut words) = (SparseCounts::<u32>::default(), SparseCounts::<u64>::default());
            for run in pixels.chunks(517) {
                let bytes = |wide: fn(&u32) -> Vec<u8>| run.iter().flat_map(wide).collect::<Vec<_>>();
                quads.add_run::<4>(&bytes(|pixel| pixel.to_le_bytes().to_vec()), weight);
                let wide = bytes(|pixel| u64::from(*pixel).to_le_bytes().to_vec());
                words.add_run::<8>(&wide, weight);
            }
            let mut found = [BTreeMap::new(), BTreeMap::new()];
            quads.drain(|key, tally| found[0].extend([(key, tally.total())]));
            words.drain(|key, tally| found[1].extend([(key, tally.total())]));
            prop_assert_eq!(&found[0], &expected);
            prop_assert_eq!(&found[1], &expected);
        }

        #[test]
        fn counts_and_singles_are_merged(
            mut singles in prop::collection::vec(0_u32..20, 0..40),
            counts in prop::collection::btree_map(0_u64..20, 1_u64..4, 0..9),
        ) {
            singles.sort_unstable();
            let mut expected = counts.clone();
            for &single in &singles {
                *expected.entry(u64::from(single)).or_insert(0) += 1;
            }
            let mut found = Vec::new();
            let counts: Vec<_> = counts.into_iter().collect();
            merge(&singles, &counts, |key, count| found.push((key, count)));
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
