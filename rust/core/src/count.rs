//! How often each distinct pixel occurs.
//!
//! Runs of whole pixels add to integer counts, pixels of partial weight to a sum of weights beside
//! them, so that whole areas stay exact. Masks are long runs of one value, and the counting is
//! built for that: a single byte is counted in blocks of 64 and then 16 equal ones at once, with
//! four interleaved tables for what is mixed (Turbo-Histogram's and zstd's `HIST_count`'s way);
//! wider pixels are compared with the one before and looked up once per run.

use rustc_hash::FxHashMap;

use crate::pixels::Pixels;
use crate::{Error, Result};

/// What one distinct pixel adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Pixels of weight 1.
    pub count: u64,
    /// The weights of all others.
    pub weight: f64,
}

impl Tally {
    /// Everything together. Exact up to 2^53 whole pixels.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.count as f64 + self.weight
    }

    /// Whether nothing was counted, or only pixels of weight 0.
    fn is_zero(&self) -> bool {
        self.total() == 0.0
    }
}

/// Tallies by distinct pixel; emptied and used again for every window.
#[derive(Debug)]
pub struct Counter {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Bytes(Box<ByteTable>),
    Words { pixel_bytes: usize, tallies: FxHashMap<u64, Tally> },
    Wide { pixel_bytes: usize, tallies: FxHashMap<Box<[u8]>, Tally> },
}

impl Counter {
    /// A counter of pixels of so many bytes.
    #[must_use]
    pub fn new(pixel_bytes: usize) -> Self {
        let kind = match pixel_bytes {
            1 => Kind::Bytes(Box::default()),
            2..=8 => Kind::Words { pixel_bytes, tallies: FxHashMap::default() },
            _ => Kind::Wide { pixel_bytes, tallies: FxHashMap::default() },
        };
        Self { kind }
    }

    /// Adds the pixels of a run, each with the same weight.
    pub fn add_run(&mut self, run: &[u8], weight: f64) {
        match &mut self.kind {
            Kind::Bytes(table) => table.add_run(run, weight),
            Kind::Words { pixel_bytes, tallies } => add_words(tallies, run, *pixel_bytes, weight),
            Kind::Wide { pixel_bytes, tallies } => add_wide(tallies, run, *pixel_bytes, weight),
        }
    }

    /// Adds one value `pixels` times, each time with the same weight.
    pub fn add_constant(&mut self, pixel: &[u8], pixels: u64, weight: f64) {
        let tally = match &mut self.kind {
            Kind::Bytes(table) => return table.add(pixel[0], pixels, weight),
            Kind::Words { tallies, .. } => tallies.entry(word(pixel)).or_default(),
            Kind::Wide { tallies, .. } => tallies.entry(pixel.into()).or_default(),
        };
        add(tally, pixels, weight);
    }

    /// Hands out every distinct pixel of any weight with its tally, in no order, and empties the
    /// counter.
    pub fn drain(&mut self, mut take: impl FnMut(&[u8], Tally)) {
        match &mut self.kind {
            Kind::Bytes(table) => table.drain(take),
            Kind::Words { pixel_bytes, tallies } => {
                for (key, tally) in tallies.drain().filter(|(_, tally)| !tally.is_zero()) {
                    take(&key.to_le_bytes()[..*pixel_bytes], tally);
                }
            }
            Kind::Wide { tallies, .. } => {
                for (key, tally) in tallies.drain().filter(|(_, tally)| !tally.is_zero()) {
                    take(&key, tally);
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
) -> Result<Counter> {
    let expected = pixels.width() * pixels.height();
    check_length("mask", mask.map(<[bool]>::len), expected)?;
    check_length("weights", weights.map(<[f64]>::len), expected)?;
    let bad = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
    if let Some(index) = weights.and_then(|weights| weights.iter().position(bad)) {
        return Err(Error::Weight { value: weights.map_or(0.0, |weights| weights[index]), index });
    }
    let mut counter = Counter::new(pixels.pixel_bytes());
    for row in 0..pixels.height() {
        let here = row * pixels.width()..(row + 1) * pixels.width();
        let masked = mask.map(|mask| &mask[here.clone()]);
        for_each_unmasked(masked, pixels.width(), |start, end| match weights {
            None => counter.add_run(pixels.run(row, start, end), 1.0),
            Some(weights) => (start..end).for_each(|column| {
                let weight = weights[here.start + column];
                counter.add_run(pixels.run(row, column, column + 1), weight);
            }),
        });
    }
    Ok(counter)
}

fn check_length(what: &'static str, actual: Option<usize>, expected: usize) -> Result<()> {
    match actual {
        Some(actual) if actual != expected => Err(Error::Length { what, expected, actual }),
        _ => Ok(()),
    }
}

/// Calls `emit` with each maximal run of a row that is not masked.
fn for_each_unmasked(masked: Option<&[bool]>, width: usize, mut emit: impl FnMut(usize, usize)) {
    let Some(masked) = masked else { return emit(0, width) };
    let mut start = 0;
    for run in masked.chunk_by(|a, b| a == b) {
        let end = start + run.len();
        if !run[0] {
            emit(start, end);
        }
        start = end;
    }
}

fn add(tally: &mut Tally, pixels: u64, weight: f64) {
    if weight == 1.0 {
        tally.count += pixels;
    } else {
        tally.weight += pixels as f64 * weight;
    }
}

/// Up to eight bytes as a little-endian number.
fn word(pixel: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..pixel.len()].copy_from_slice(pixel);
    u64::from_le_bytes(bytes)
}

/// Calls `emit` with each maximal run of one pixel and its length.
fn for_each_run<'a>(run: &'a [u8], pixel_bytes: usize, mut emit: impl FnMut(&'a [u8], u64)) {
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

fn add_words(tallies: &mut FxHashMap<u64, Tally>, run: &[u8], pixel_bytes: usize, weight: f64) {
    match pixel_bytes {
        2 => add_words_of::<2>(tallies, run, weight),
        3 => add_words_of::<3>(tallies, run, weight),
        4 => add_words_of::<4>(tallies, run, weight),
        8 => add_words_of::<8>(tallies, run, weight),
        _ => for_each_run(run, pixel_bytes, |pixel, length| {
            add(tallies.entry(word(pixel)).or_default(), length, weight);
        }),
    }
}

/// The same with the width known to the compiler, which is several times faster.
fn add_words_of<const N: usize>(tallies: &mut FxHashMap<u64, Tally>, run: &[u8], weight: f64) {
    let (pixels, _) = run.as_chunks::<N>();
    let mut words = pixels.iter().map(|pixel| word(pixel));
    let Some(mut current) = words.next() else { return };
    let mut length = 1;
    for next in words {
        if next == current {
            length += 1;
        } else {
            add(tallies.entry(current).or_default(), length, weight);
            (current, length) = (next, 1);
        }
    }
    add(tallies.entry(current).or_default(), length, weight);
}

fn add_wide(
    tallies: &mut FxHashMap<Box<[u8]>, Tally>,
    run: &[u8],
    pixel_bytes: usize,
    weight: f64,
) {
    for_each_run(run, pixel_bytes, |pixel, length| {
        if let Some(tally) = tallies.get_mut(pixel) {
            add(tally, length, weight);
        } else {
            add(tallies.entry(pixel.into()).or_default(), length, weight);
        }
    });
}

/// Counts of single bytes in four tables, so that equal neighbours do not wait for each other.
#[derive(Debug)]
struct ByteTable {
    counts: [[u64; 256]; 4],
    weights: [f64; 256],
}

impl Default for ByteTable {
    fn default() -> Self {
        Self { counts: [[0; 256]; 4], weights: [0.0; 256] }
    }
}

impl ByteTable {
    fn add(&mut self, value: u8, pixels: u64, weight: f64) {
        if weight == 1.0 {
            self.counts[0][usize::from(value)] += pixels;
        } else {
            self.weights[usize::from(value)] += pixels as f64 * weight;
        }
    }

    fn add_run(&mut self, run: &[u8], weight: f64) {
        if weight != 1.0 {
            for &value in run {
                self.weights[usize::from(value)] += weight;
            }
            return;
        }
        let (blocks, rest) = run.as_chunks::<64>();
        for block in blocks {
            if is_constant(block) {
                self.counts[0][usize::from(block[0])] += 64;
            } else {
                block.as_chunks::<16>().0.iter().for_each(|part| self.add_part(part));
            }
        }
        self.add_mixed(rest);
    }

    fn add_part(&mut self, part: &[u8; 16]) {
        if is_constant(part) {
            self.counts[0][usize::from(part[0])] += 16;
        } else {
            self.add_mixed(part);
        }
    }

    fn add_mixed(&mut self, run: &[u8]) {
        let (quads, rest) = run.as_chunks::<4>();
        for quad in quads {
            for (table, &value) in self.counts.iter_mut().zip(quad) {
                table[usize::from(value)] += 1;
            }
        }
        for &value in rest {
            self.counts[0][usize::from(value)] += 1;
        }
    }

    fn drain(&mut self, mut take: impl FnMut(&[u8], Tally)) {
        for value in 0..=u8::MAX {
            let k = usize::from(value);
            let tally = Tally {
                count: self.counts.iter().map(|table| table[k]).sum(),
                weight: self.weights[k],
            };
            if !tally.is_zero() {
                take(&[value], tally);
            }
        }
        *self = Self::default();
    }
}

/// Whether all bytes are equal; written so that the compiler makes it a few vector compares.
fn is_constant<const N: usize>(block: &[u8; N]) -> bool {
    let first = block[0];
    block.iter().fold(0, |different, &byte| different | (byte ^ first)) == 0
}
