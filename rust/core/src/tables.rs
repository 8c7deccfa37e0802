//! Counts of pixels of one and of two bytes, in a table with a place for each.

use crate::count::Tally;
use crate::runs::Bytes;
use crate::sums::Sums;

/// Counts and weights of single bytes.
#[derive(Debug)]
pub(crate) struct ByteTable {
    counts: Bytes,
    weights: [f64; 256],
    is_weighted: bool,
}

impl Default for ByteTable {
    fn default() -> Self {
        Self { counts: Bytes::default(), weights: [0.0; 256], is_weighted: false }
    }
}

impl ByteTable {
    pub(crate) fn add(&mut self, value: u8, pixels: u64, weight: f64) {
        if weight == 1.0 {
            self.counts.tables[0][usize::from(value)] += pixels;
        } else {
            self.weights[usize::from(value)] += pixels as f64 * weight;
            self.is_weighted = true;
        }
    }

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
    counts: Box<[u64]>,
    /// Which stretches of 256 numbers hold a count: labels are few and near each other.
    is_used: [bool; 256],
    weights: Sums<f64>,
}

impl Default for PairTable {
    fn default() -> Self {
        Self {
            counts: vec![0; 1 << 16].into_boxed_slice(),
            is_used: [false; 256],
            weights: Sums::default(),
        }
    }
}

impl PairTable {
    pub(crate) fn add(&mut self, value: u16, pixels: u64, weight: f64) {
        if weight == 1.0 {
            self.counts[usize::from(value)] += pixels;
            self.is_used[usize::from(value >> 8)] = true;
        } else {
            self.weights.add(u64::from(value), pixels as f64 * weight);
        }
    }

    pub(crate) fn drain(&mut self, take: impl FnMut(u64, Tally)) {
        let mut counted = Vec::new();
        for (stretch, is_used) in self.is_used.iter_mut().enumerate().filter(|(_, used)| **used) {
            *is_used = false;
            let first = stretch << 8;
            for (value, count) in (first..).zip(&mut self.counts[first..first + 256]) {
                if *count > 0 {
                    counted.push((value as u64, std::mem::take(count)));
                }
            }
        }
        join(&counted, &self.weights.drain(), take);
    }
}

/// Walks counts and weights, each ascending by value, together.
pub(crate) fn join(
    counts: &[(u64, u64)],
    weights: &[(u64, f64)],
    mut take: impl FnMut(u64, Tally),
) {
    let mut weights = weights.iter().copied().peekable();
    for &(value, count) in counts {
        while let Some((before, weight)) = weights.next_if(|next| next.0 < value) {
            take(before, Tally { count: 0, weight });
        }
        let weight = weights.next_if(|next| next.0 == value).map_or(0.0, |next| next.1);
        take(value, Tally { count, weight });
    }
    weights.for_each(|(value, weight)| take(value, Tally { count: 0, weight }));
}
