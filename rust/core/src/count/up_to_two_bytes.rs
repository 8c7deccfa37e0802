//! Counts of pixels of one and of two bytes, in a table with a place for each.

use crate::count::bytes::ByteCounts;
use crate::count::radix::Key;
use crate::count::simd::for_each_run;
use crate::count::simd::runs::Sink;
use crate::count::sums::Sums;
use crate::count::tally::{Tally, join};
use crate::count::weighted::WeightedSums;

/// Counts and weights of single bytes.
#[derive(Debug)]
pub(crate) struct ByteTable {
    counts: ByteCounts,
    weights: [f64; 256],
    is_weighted: bool,
}

impl Default for ByteTable {
    fn default() -> Self {
        Self { counts: ByteCounts::default(), weights: [0.0; 256], is_weighted: false }
    }
}

impl ByteTable {
    pub(crate) fn add_run(&mut self, run: &[u8], weight: f64) {
        if weight == 1.0 {
            return self.counts.count(run);
        }
        for &value in run {
            self.weights[usize::from(value)] += weight;
        }
        self.is_weighted = true;
    }

    pub(crate) fn drain(&mut self, mut take: impl FnMut(&[u8], Tally)) {
        // A window has a few of the values: eight that did not occur are passed by at once.
        for group in 0..32 {
            let first = 8 * group;
            let counts = self.sums_from(first);
            if counts == [0; 8] && !self.is_weighted {
                continue;
            }
            for (value, count) in (first..).zip(counts) {
                let tally = Tally { count, weight: self.weights[value] };
                if !tally.is_zero() {
                    take(&[value as u8], tally);
                }
            }
        }
        self.counts.tables.as_flattened_mut().fill(0);
        // Emptied after every window, of which most have weights of 1 alone.
        if self.is_weighted {
            self.weights.fill(0.0);
            self.is_weighted = false;
        }
    }

    /// The counts of eight values, tables added up.
    fn sums_from(&self, first: usize) -> [u64; 8] {
        std::array::from_fn(|k| self.counts.tables.iter().map(|table| table[first + k]).sum())
    }
}

/// Counts and weights of pairs of bytes, as little-endian numbers.
#[derive(Debug)]
pub(crate) struct PairTable {
    /// Where the counts of each stretch of 256 numbers begin, of those that occur: labels are few
    /// and near each other.
    // One table of 65,536 counts would be half a mebibyte, to be read and cleared for every window.
    starts: [Option<u16>; 256],
    counts: Vec<[u64; 256]>,
    weights: Sums<f64>,
}

impl Default for PairTable {
    fn default() -> Self {
        Self { starts: [None; 256], counts: Vec::new(), weights: Sums::default() }
    }
}

impl PairTable {
    pub(crate) fn add_run(&mut self, run: &[u8], weight: f64) {
        if weight == 1.0 {
            for_each_run::<2>(run, self);
        } else {
            for_each_run::<2>(run, &mut WeightedSums { sums: &mut self.weights, weight });
        }
    }

    #[inline]
    fn count(&mut self, value: u16) -> &mut u64 {
        let stretch = usize::from(value >> 8);
        let index = match self.starts[stretch] {
            Some(index) => index,
            None => self.start(stretch),
        };
        &mut self.counts[usize::from(index)][usize::from(value & 0xFF)]
    }

    #[cold]
    fn start(&mut self, stretch: usize) -> u16 {
        let index = self.counts.len() as u16;
        self.counts.push([0; 256]);
        self.starts[stretch] = Some(index);
        index
    }

    pub(crate) fn drain(&mut self, take: impl FnMut(u64, Tally)) {
        let counts = &self.counts;
        let stretches = self.starts.iter().enumerate();
        let used = stretches.filter_map(|(stretch, index)| Some((stretch << 8, (*index)?)));
        let counted = used.flat_map(|(first, index)| {
            (first as u64..).zip(counts[usize::from(index)]).filter(|(_, count)| *count > 0)
        });
        join(counted, &self.weights.drain(), take);
        self.starts = [None; 256];
        self.counts.clear();
    }
}

impl Sink for PairTable {
    #[inline]
    fn add_pixel(&mut self, pixel: &[u8], pixels: u64) {
        *self.count(u64::of(pixel) as u16) += pixels;
    }
}
