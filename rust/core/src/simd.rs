//! Counting bytes sixty-four at a time, where the processor can.
//!
//! The only file that may hold `unsafe`: what instructions there are is asked at run time, and the
//! answer must be that of the portable way, which stands beside it and is tested against it.
//!
//! A mask's block of 64 bytes holds one value, at an edge two, seldom more. Such a block is counted
//! value by value: compare all bytes with the first one that is left, add how many are equal, and
//! leave those out. Noise, where every byte is another, goes through four interleaved tables one
//! byte at a time, so that equal neighbours do not wait for each other's store; a block that had
//! too many values makes the next ones go there unasked, the more the longer it lasts.

/// Four counts for each byte, to be added up.
pub(crate) type Tables = [[u64; 256]; 4];

/// What is looked at together.
pub(crate) type Block = [u8; 64];

/// Different values in a block that are told apart by comparing.
const MOST_VALUES: usize = 4;

/// Blocks counted byte by byte after one of many values, when the ones before were so too.
const LONGEST_PAUSE: usize = 64;

/// Counts the bytes of a run.
pub(crate) fn count_bytes(run: &[u8], tables: &mut Tables) {
    if run.len() < size_of::<Block>() {
        return count_one_by_one(run, tables);
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
        #[allow(unsafe_code, reason = "the instructions were just found to exist")]
        return unsafe { avx2::count(run, tables) };
    }
    count_portable(run, tables);
}

/// The same without special instructions: blocks of one or two values at once.
pub(crate) fn count_portable(run: &[u8], tables: &mut Tables) {
    let (blocks, rest) = run.as_chunks();
    for_each_block(blocks, tables, |block, tables| {
        let (low, high) = block.iter().fold((u8::MAX, 0), |(l, h), &v| (v.min(l), v.max(h)));
        let occurs = |value| block.iter().map(|&byte| u8::from(byte == value)).sum::<u8>();
        let (lowest, highest) = (occurs(low), if low == high { 0 } else { occurs(high) });
        let is_counted = usize::from(lowest) + usize::from(highest) == block.len();
        if is_counted {
            tables[0][usize::from(low)] += u64::from(lowest);
            tables[1][usize::from(high)] += u64::from(highest);
        } else {
            count_one_by_one(block, tables);
        }
        is_counted
    });
    count_one_by_one(rest, tables);
}

/// Calls `count`, which says whether it found few values, on some blocks, and counts the others
/// byte by byte.
#[allow(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
fn for_each_block(
    blocks: &[Block],
    tables: &mut Tables,
    mut count: impl FnMut(&Block, &mut Tables) -> bool,
) {
    let mut pause = 0;
    let mut left = blocks.iter();
    while let Some(block) = left.next() {
        if count(block, tables) {
            pause = 0;
            continue;
        }
        pause = (2 * pause + 1).min(LONGEST_PAUSE);
        for block in left.by_ref().take(pause) {
            count_one_by_one(block, tables);
        }
    }
}

#[allow(clippy::inline_always, reason = "inherits the instructions of its caller")]
#[inline(always)]
fn count_one_by_one(run: &[u8], tables: &mut Tables) {
    let (quads, rest) = run.as_chunks::<4>();
    for quad in quads {
        for (table, &value) in tables.iter_mut().zip(quad) {
            table[usize::from(value)] += 1;
        }
    }
    for &value in rest {
        tables[0][usize::from(value)] += 1;
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    };

    use super::{Block, MOST_VALUES, Tables, count_one_by_one, for_each_block};

    /// Counts a run of at least one block.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn count(run: &[u8], tables: &mut Tables) {
        let (blocks, rest) = run.as_chunks::<64>();
        for_each_block(blocks, tables, |block, tables| count_block(block, !0, tables));
        if let Some(last) = run.last_chunk::<64>().filter(|_| !rest.is_empty()) {
            // The last block overlaps the one before; only its own bytes are left to count.
            count_block(last, !0 << (64 - rest.len()), tables);
        }
    }

    /// Counts those bytes of a block whose bit is set, and says whether they had few values.
    #[inline]
    #[target_feature(enable = "avx2,popcnt")]
    fn count_block(block: &Block, mut left: u64, tables: &mut Tables) -> bool {
        let halves = load(block);
        for table in 0..MOST_VALUES {
            let value = block[left.trailing_zeros() as usize & 63];
            let equal = equal_bytes(halves, value) & left;
            tables[table & 3][usize::from(value)] += u64::from(equal.count_ones());
            left &= !equal;
            if left == 0 {
                return true;
            }
        }
        while left != 0 {
            let place = left.trailing_zeros() as usize & 63;
            count_one_by_one(&block[place..=place], tables);
            left &= left - 1;
        }
        false
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(block: &Block) -> [__m256i; 2] {
        let (halves, _) = block.as_chunks::<32>();
        #[allow(unsafe_code, reason = "reads 32 bytes, which each half has, at any alignment")]
        [0, 1].map(|half: usize| unsafe { _mm256_loadu_si256(halves[half].as_ptr().cast()) })
    }

    /// One bit for each byte that equals `value`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn equal_bytes(halves: [__m256i; 2], value: u8) -> u64 {
        let value = _mm256_set1_epi8(value.cast_signed());
        let bits = |half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, value)).cast_unsigned();
        u64::from(bits(halves[0])) | u64::from(bits(halves[1])) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sums(count: impl Fn(&[u8], &mut Tables), run: &[u8]) -> [u64; 256] {
        let mut tables = [[0; 256]; 4];
        count(run, &mut tables);
        std::array::from_fn(|value| tables.iter().map(|table| table[value]).sum())
    }

    fn naive(run: &[u8]) -> [u64; 256] {
        let mut counts = [0; 256];
        for &value in run {
            counts[usize::from(value)] += 1;
        }
        counts
    }

    proptest! {
        /// Runs of every length, of few and of many values, at every alignment.
        #[test]
        fn both_ways_count_every_byte_once(
            runs in prop::collection::vec((any::<u8>(), 1_usize..200, 0_u8..4), 0..40),
            skip in 0_usize..70,
        ) {
            let mut bytes = Vec::new();
            for (value, length, noise) in runs {
                let byte = |k: usize| match noise {
                    0 => (k * 73) as u8 ^ value,
                    1 => value ^ (k % 5) as u8,
                    _ => value,
                };
                bytes.extend((0..length).map(byte));
            }
            let run = &bytes[skip.min(bytes.len())..];
            prop_assert_eq!(sums(count_bytes, run), naive(run));
            prop_assert_eq!(sums(count_portable, run), naive(run));
        }
    }
}
