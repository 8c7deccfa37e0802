//! How often each distinct pixel occurs.
//!
//! In come pixels of any width ([`Pixels`]), with a mask, with a weight each, or under the [`Spans`]
//! of a region; out go the distinct pixels, each with its [`Tally`]. Pixels of up to eight bytes
//! ascend as little-endian numbers.
//!
//! Runs of whole pixels add to integer counts, pixels of partial weight to a sum of weights beside
//! them, so that whole areas stay exact. Masks are long runs of one value, and the counting is built
//! for that: what is equal is found a block at a time. What happens then depends on the width:
//!
//! | bytes | where a pixel is counted |
//! |---|---|
//! | 1 | by comparing with the few values that were seen, else in tables of 256 |
//! | 2 | in tables of 256 for those high bytes that occur |
//! | 3 to 8 | in a small hash table; where all differ, written down, sorted and counted at the end |
//! | more | in a hash map, once per run |
//!
//! ```
//! use ratiopath_core::count::count_pixels;
//! use ratiopath_core::pixels::Pixels;
//!
//! let mask = [0, 0, 0, 255,
//!             0, 0, 255, 255];
//! let pixels = Pixels::new(&mask, 4, 2, 1)?;
//! let mut found = Vec::new();
//! count_pixels(&pixels, None, None)?.drain(|pixel, tally| found.push((pixel[0], tally.count)));
//! assert_eq!(found, [(0, 5), (255, 3)]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

mod backoff;
mod bytes;
mod radix;
mod simd;
mod sums;
pub mod tally;
mod up_to_eight_bytes;
mod up_to_two_bytes;
mod weighted;

use rustc_hash::FxHashMap;

use crate::count::tally::Tally;
use crate::count::up_to_eight_bytes::SparseCounts;
use crate::count::up_to_two_bytes::{ByteTable, PairTable};
use crate::pixels::Pixels;
use crate::raster::spans::{Spans, WholeRuns};
use crate::{Error, Result};

/// Tallies by distinct pixel; emptied and used again for every window.
#[derive(Debug)]
pub struct PixelCounter {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Bytes(Box<ByteTable>),
    Pairs(Box<PairTable>),
    // Numbers of four bytes take half the memory of eight, and can be sorted digit by digit.
    Quads { pixel_bytes: usize, words: Box<SparseCounts<u32>> },
    Words { pixel_bytes: usize, words: Box<SparseCounts<u64>> },
    Wide { pixel_bytes: usize, tallies: FxHashMap<Box<[u8]>, Tally> },
}

impl PixelCounter {
    /// A counter of pixels of so many bytes.
    #[must_use]
    pub fn new(pixel_bytes: usize) -> Self {
        let kind = match pixel_bytes {
            1 => Kind::Bytes(Box::default()),
            2 => Kind::Pairs(Box::default()),
            3..=4 => Kind::Quads { pixel_bytes, words: Box::default() },
            5..=8 => Kind::Words { pixel_bytes, words: Box::default() },
            _ => Kind::Wide { pixel_bytes, tallies: FxHashMap::default() },
        };
        Self { kind }
    }

    /// Adds the pixels of a run, a whole number of them, each with the same weight.
    pub fn add_run(&mut self, run: &[u8], weight: f64) {
        match &mut self.kind {
            Kind::Bytes(table) => table.add_run(run, weight),
            Kind::Pairs(table) => table.add_run(run, weight),
            // A width that is known when compiling makes the look at a block a few instructions.
            Kind::Quads { pixel_bytes: 4, words } => words.add_run::<4>(run, weight),
            Kind::Quads { words, .. } => words.add_run::<3>(run, weight),
            Kind::Words { pixel_bytes: 5, words } => words.add_run::<5>(run, weight),
            Kind::Words { pixel_bytes: 6, words } => words.add_run::<6>(run, weight),
            Kind::Words { pixel_bytes: 7, words } => words.add_run::<7>(run, weight),
            Kind::Words { words, .. } => words.add_run::<8>(run, weight),
            Kind::Wide { pixel_bytes, tallies } => add_wide(tallies, run, *pixel_bytes, weight),
        }
    }

    /// Hands out every distinct pixel of any weight with its tally and empties the counter.
    ///
    /// Pixels of up to eight bytes ascend as little-endian numbers, wider ones are in no order.
    pub fn drain(&mut self, mut take: impl FnMut(&[u8], Tally)) {
        // Exact areas may round to 0: a pixel of no weight is not in the region.
        let mut take = |pixel: &[u8], tally: Tally| {
            if !tally.is_zero() {
                take(pixel, tally);
            }
        };
        match &mut self.kind {
            Kind::Bytes(table) => table.drain(take),
            Kind::Pairs(table) => {
                table.drain(|value, tally| take(&value.to_le_bytes()[..2], tally));
            }
            Kind::Quads { pixel_bytes, words } => {
                words.drain(|value, tally| take(&value.to_le_bytes()[..*pixel_bytes], tally));
            }
            Kind::Words { pixel_bytes, words } => {
                words.drain(|value, tally| take(&value.to_le_bytes()[..*pixel_bytes], tally));
            }
            Kind::Wide { tallies, .. } => {
                for (pixel, tally) in tallies.drain() {
                    take(&pixel, tally);
                }
            }
        }
    }
}

/// Counts pixels, leaving out those that are masked, each with its own weight if there are any.
///
/// # Errors
///
/// [`Error::Length`] where the mask or the weights do not have one element a pixel,
/// [`Error::Weight`] for a weight that is negative or not finite.
pub fn count_pixels(
    pixels: &Pixels<'_>,
    mask: Option<&[bool]>,
    weights: Option<&[f64]>,
) -> Result<PixelCounter> {
    let expected = pixels.width() * pixels.height();
    check_length("mask", mask.map(<[bool]>::len), expected)?;
    check_length("weights", weights.map(<[f64]>::len), expected)?;
    let bad = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
    if let Some(index) = weights.and_then(|weights| weights.iter().position(bad)) {
        return Err(Error::Weight { value: weights.map_or(0.0, |weights| weights[index]), index });
    }
    let mut counter = PixelCounter::new(pixels.pixel_bytes());
    let runs = Runs { values: mask.unwrap_or(&[]), start: 0, all: expected };
    for (start, end) in runs.filter(|&(start, _)| mask.is_none_or(|mask| !mask[start])) {
        match weights {
            None => counter.add_run(pixels.between(start..end), 1.0),
            Some(weights) => add_weighted(&mut counter, pixels, &weights[..end], start),
        }
    }
    Ok(counter)
}

/// Adds the pixels from `start` to the end of the weights.
fn add_weighted(counter: &mut PixelCounter, pixels: &Pixels<'_>, weights: &[f64], start: usize) {
    let runs = Runs { values: weights, start, all: weights.len() };
    for (start, end) in runs.filter(|&(start, _)| weights[start] > 0.0) {
        counter.add_run(pixels.between(start..end), weights[start]);
    }
}

/// Counts the pixels under spans laid on all of them, each with its weight.
///
/// # Errors
///
/// [`Error::Length`] where the spans are of a grid of another size.
pub fn count_under(pixels: &Pixels<'_>, spans: &Spans) -> Result<PixelCounter> {
    check_length("rows of pixels", Some(pixels.height()), spans.height())?;
    check_length("columns of pixels", Some(pixels.width()), spans.width())?;
    let mut counter = PixelCounter::new(pixels.pixel_bytes());
    // The outline gives runs of single pixels: the table is chosen once and not for each of them.
    if let Kind::Bytes(table) = &mut counter.kind {
        for_each_run_under(pixels, spans, |run, weight| table.add_run(run, weight));
    } else {
        for_each_run_under(pixels, spans, |run, weight| counter.add_run(run, weight));
    }
    Ok(counter)
}

fn for_each_run_under(pixels: &Pixels<'_>, spans: &Spans, mut add: impl FnMut(&[u8], f64)) {
    let mut whole = WholeRuns::default();
    for row in 0..pixels.height() {
        let first = row * pixels.width();
        for (span, weight) in spans.row(row) {
            let run = first + span.start as usize..first + span.end as usize;
            whole.add(run, weight, |run, weight| add(pixels.between(run), weight));
        }
    }
    add(pixels.between(whole.open), 1.0);
}

fn check_length(what: &'static str, actual: Option<usize>, expected: usize) -> Result<()> {
    match actual {
        Some(actual) if actual != expected => Err(Error::Length { what, expected, actual }),
        _ => Ok(()),
    }
}

/// Maximal runs of equal values, up to `all`; one run where there are no values.
struct Runs<'a, T> {
    values: &'a [T],
    start: usize,
    all: usize,
}

impl<T: Copy + PartialEq> Iterator for Runs<'_, T> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.start;
        if start >= self.all {
            return None;
        }
        self.start = match self.values.get(start..self.all) {
            Some(values) => start + run_length(values),
            None => self.all,
        };
        Some((start, self.start))
    }
}

/// How many values at the front are the same, of at least one.
fn run_length<T: Copy + PartialEq>(values: &[T]) -> usize {
    let first = values[0];
    let mut length = 1;
    // Weights along an outline all differ: only what goes on is worth a look at blocks.
    if values.get(1) == Some(&first) {
        let is_first = |block: &&[T; 16]| {
            // A fold without an early end, which the compiler turns into vectors.
            block.iter().fold(0, |other, value| other | u8::from(*value != first)) == 0
        };
        length += 16 * values[1..].as_chunks().0.iter().take_while(is_first).count();
        length += values[length..].iter().take_while(|value| **value == first).count();
    }
    length
}

fn add(tally: &mut Tally, pixels: u64, weight: f64) {
    if weight == 1.0 {
        tally.count += pixels;
    } else {
        tally.weight += pixels as f64 * weight;
    }
}

/// Calls `emit` with each maximal run of one pixel and its length.
fn for_each_chunk_run<'a>(run: &'a [u8], pixel_bytes: usize, mut emit: impl FnMut(&'a [u8], u64)) {
    let mut pixels = run.chunks_exact(pixel_bytes);
    let Some(mut current) = pixels.next() else { return };
    let mut length = 1;
    for pixel in pixels {
        if pixel == current {
            length += 1;
        } else {
            emit(current, length);
            (current, length) = (pixel, 1);
        }
    }
    emit(current, length);
}

fn add_wide(
    tallies: &mut FxHashMap<Box<[u8]>, Tally>,
    run: &[u8],
    pixel_bytes: usize,
    weight: f64,
) {
    for_each_chunk_run(run, pixel_bytes, |pixel, length| {
        // Not `entry`, which would allocate a key for every run.
        if let Some(tally) = tallies.get_mut(pixel) {
            add(tally, length, weight);
        } else {
            add(tallies.entry(pixel.into()).or_default(), length, weight);
        }
    });
}
