//! Counting single bytes: few values by comparing, runs by their ends, noise one by one.
//!
//! A mask or a class map holds few values: all bytes of a run are compared with each of them, and
//! where the numbers found add up to the run's length, nothing else was in it. Otherwise, in a
//! block of 64 bytes, equal neighbours are counted together. Noise, where every byte is another,
//! goes through four interleaved tables one byte at a time, so that equal neighbours do not wait
//! for each other's store. What has failed is not tried again for a while, the longer the oftener.

use crate::count::backoff::Backoff;
use crate::count::simd::block::{LANES, LONGEST_RUN};
use crate::count::simd::generic::{Tables, count_one_by_one};
use crate::count::simd::{count_equal, count_runs};

/// Values told apart by comparing.
// Each takes two of AVX2's sixteen registers, one for itself and one for its counts.
const MOST_VALUES: usize = 8;

/// What is compared before looking whether there were other values.
// It may be gone over several times, compared, learned, compared again and counted after all: it stays
// in the first-level cache meanwhile.
const PART: usize = 4096;

/// Bytes of a part that are looked at to learn its values.
// Not more than the shortest part has, or the step from one look to the next would be 0.
const LOOKS: usize = 32;

/// Counts of single bytes, and what was learned about them.
#[derive(Debug)]
pub(crate) struct ByteCounts {
    pub(crate) tables: Tables,
    /// The first `few` are those that are compared.
    values: [u8; MOST_VALUES],
    few: usize,
    comparing: Backoff,
    joining: Backoff,
}

impl Default for ByteCounts {
    fn default() -> Self {
        Self {
            tables: [[0; 256]; 4],
            values: [0; MOST_VALUES],
            few: 0,
            comparing: Backoff::default(),
            joining: Backoff::default(),
        }
    }
}

impl ByteCounts {
    /// Counts the bytes of a run.
    pub(crate) fn count(&mut self, run: &[u8]) {
        for part in run.chunks(PART) {
            if part.len() < LANES {
                count_one_by_one(part, &mut self.tables);
            } else if is_constant(part) {
                self.tables[0][usize::from(part[0])] += part.len() as u64;
            } else if !(self.comparing.is_over() && self.count_few(part)) {
                count_runs(part, &mut self.tables, &mut self.joining);
            }
        }
    }

    /// Counts a part if it has no other values than a few.
    fn count_few(&mut self, part: &[u8]) -> bool {
        let is_counted = self.compare(part) || (self.learn(part) && self.compare(part));
        self.comparing.record(is_counted);
        is_counted
    }

    fn compare(&mut self, part: &[u8]) -> bool {
        match self.few {
            0 => false,
            1 => self.compare_with::<1>(part),
            2 => self.compare_with::<2>(part),
            // Places past the few hold values of before, whose counts nobody looks at.
            3 | 4 => self.compare_with::<4>(part),
            _ => self.compare_with::<MOST_VALUES>(part),
        }
    }

    fn compare_with<const N: usize>(&mut self, part: &[u8]) -> bool {
        let Some(values) = self.values.first_chunk::<N>() else { return false };
        let counts = count_equal(part, values);
        let known = &counts[..self.few];
        // The values differ from each other, so that no byte is counted twice.
        let is_all = known.iter().sum::<u64>() == part.len() as u64;
        if is_all {
            for (value, count) in values.iter().zip(known) {
                self.tables[0][usize::from(*value)] += count;
            }
        }
        is_all
    }

    /// Adds a part's values to those that are compared, or keeps them alone, if they are few.
    ///
    /// A look here and there finds nearly all; what it misses is for [`Self::compare`] to say.
    fn learn(&mut self, part: &[u8]) -> bool {
        let is_learned = self.learn_more(part);
        if is_learned {
            return true;
        }
        // The image may have moved on from one handful of labels to another.
        self.few = 0;
        self.learn_more(part)
    }

    fn learn_more(&mut self, part: &[u8]) -> bool {
        for &value in part.iter().step_by(part.len() / LOOKS) {
            if !self.values[..self.few].contains(&value) {
                let Some(place) = self.values.get_mut(self.few) else { return false };
                *place = value;
                self.few += 1;
            }
        }
        true
    }
}

/// Whether all bytes of a part are the same.
fn is_constant(part: &[u8]) -> bool {
    // Shifted by a byte onto itself, if a look here and there does not tell already.
    part[0] == part[part.len() / 2] && part[1..] == part[..part.len() - 1]
}

const _: () = assert!(PART <= LONGEST_RUN && LOOKS <= LANES);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Runs of every length, of few and of many values, at every alignment.
        #[test]
        fn every_byte_is_counted_once(
            runs in prop::collection::vec((any::<u8>(), 1_usize..200, 0_u8..4), 0..200),
            lengths in prop::collection::vec(1_usize..5000, 1..20),
        ) {
            let mut bytes = Vec::new();
            for (value, length, noise) in runs {
                let byte = |k: usize| match noise {
                    0 => (k * 73) as u8 ^ value,
                    1 => value ^ (k % 5) as u8,
                    2 => value % 7,
                    _ => value % 11,
                };
                bytes.extend((0..length).map(byte));
            }
            let mut expected = [0; 256];
            for &value in &bytes {
                expected[usize::from(value)] += 1;
            }
            let (mut counts, mut left) = (ByteCounts::default(), bytes.as_slice());
            for length in lengths.into_iter().cycle() {
                if left.is_empty() {
                    break;
                }
                let (run, rest) = left.split_at(length.min(left.len()));
                counts.count(run);
                left = rest;
            }
            let found = |value| counts.tables.iter().map(|table| table[value]).sum::<u64>();
            prop_assert_eq!(std::array::from_fn(found), expected);
        }
    }
}
