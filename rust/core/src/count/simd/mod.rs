//! Looking at many bytes at once, where the processor can.
//!
//! The only file that may hold `unsafe`: what instructions there are is asked at run time, and the
//! answer must be that of the portable way, which stands beside it and is tested against it.

pub(crate) mod block;
pub(crate) mod generic;
pub(crate) mod runs;

use crate::count::backoff::Backoff;
use crate::count::simd::generic::Tables;
use crate::count::simd::runs::Sink;

/// Calls the function of this name in `avx2` where the processor has the instructions for it, else
/// in `portable`.
// Asked at each call, which is a load and a branch, since the standard library keeps the answer: a
// pointer to the function that was found could not be generic over the sink.
macro_rules! detected {
    ($name:ident $(::<$width:ident>)? ($($argument:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            #[expect(unsafe_code, reason = "the instructions were just found to exist")]
            return unsafe { avx2::$name$(::<$width>)?($($argument),*) };
        }
        portable::$name$(::<$width>)?($($argument),*)
    }};
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    // Walking the bits of a block takes the other two, which came with it in every processor but which
    // a virtual machine may hide.
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("popcnt")
}

/// How many bytes of a run equal each of some values; of `LANES` to `LONGEST_RUN` bytes.
pub(crate) fn count_equal<const N: usize>(run: &[u8], values: &[u8; N]) -> [u64; N] {
    detected!(count_equal::<N>(run, values))
}

/// Counts the bytes of a run, equal neighbours together.
pub(crate) fn count_runs(run: &[u8], tables: &mut Tables, backoff: &mut Backoff) {
    detected!(count_runs(run, tables, backoff));
}

/// Hands runs of equal pixels of N bytes to `sink`.
pub(crate) fn for_each_run<const N: usize>(run: &[u8], sink: &mut impl Sink) {
    detected!(for_each_run::<N>(run, sink));
}

mod portable {
    use crate::count::backoff::Backoff;
    use crate::count::simd::block::Block;
    use crate::count::simd::generic::{Tables, count_with};
    use crate::count::simd::runs::{Sink, for_each_with};

    pub(super) fn for_each_run<const N: usize>(run: &[u8], sink: &mut impl Sink) {
        for_each_with::<N>(run, sink, differing);
    }

    pub(super) fn count_equal<const N: usize>(run: &[u8], values: &[u8; N]) -> [u64; N] {
        values.map(|value| {
            // Sums of bytes, which the compiler adds up in lanes.
            let equal = |part: &[u8]| part.iter().map(|&byte| u8::from(byte == value)).sum::<u8>();
            run.chunks(255).map(|part| u64::from(equal(part))).sum()
        })
    }

    pub(super) fn count_runs(run: &[u8], tables: &mut Tables, backoff: &mut Backoff) {
        count_with(run, tables, backoff, changes);
    }

    /// A bit for each byte but the first that differs from the one before.
    pub(super) fn changes(block: &Block) -> u64 {
        let mut before = *block;
        before[1..].copy_from_slice(&block[..63]);
        differing(&before, block)
    }

    /// A bit for each byte that differs from the one in the same place.
    pub(super) fn differing(one: &Block, other: &Block) -> u64 {
        const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        let pairs = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
        pairs.enumerate().fold(0, |all, (index, (a, b))| {
            let unlike = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
            // The high bit of each byte that is not 0, then all of them side by side.
            let high = (((unlike & LOW) + LOW) | unlike) & !LOW;
            all | ((high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index)
        })
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_and_si256, _mm256_cmpeq_epi8,
        _mm256_extract_epi64, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_sad_epu8,
        _mm256_set1_epi8, _mm256_setzero_si256, _mm256_sub_epi8,
    };

    use crate::count::backoff::Backoff;
    use crate::count::simd::block::{Block, LANES};
    use crate::count::simd::generic::{Tables, count_with};
    use crate::count::simd::runs::{Sink, for_each_with};

    /// How far ahead memory is asked for.
    // A mask of 512 x 512 that is not in the cache: 36 µs without, 28.5 with; in the cache the same.
    const AHEAD: usize = 1024;

    /// The mask of the last `n` lanes begins at `n`.
    const LAST_LANES: [u8; 2 * LANES] = {
        let mut lanes = [0; 2 * LANES];
        let mut lane = LANES;
        while lane < 2 * LANES {
            lanes[lane] = u8::MAX;
            lane += 1;
        }
        lanes
    };

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn count_equal<const N: usize>(run: &[u8], values: &[u8; N]) -> [u64; N] {
        let values = values.map(|value| _mm256_set1_epi8(value.cast_signed()));
        let mut sums = [_mm256_setzero_si256(); N];
        let (vectors, rest) = run.as_chunks::<LANES>();
        for vector in vectors {
            prefetch(vector);
            let bytes = load(vector);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = _mm256_sub_epi8(*sum, _mm256_cmpeq_epi8(bytes, value));
            }
        }
        if let Some(last) = run.last_chunk().filter(|_| !rest.is_empty()) {
            // It overlaps the one before; only its own bytes are left to count.
            let (bytes, own) = (load(last), load_at(&LAST_LANES, rest.len()));
            for (sum, value) in sums.iter_mut().zip(values) {
                let equal = _mm256_and_si256(_mm256_cmpeq_epi8(bytes, value), own);
                *sum = _mm256_sub_epi8(*sum, equal);
            }
        }
        sums.map(|sum| add_lanes(sum))
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn count_runs(run: &[u8], tables: &mut Tables, backoff: &mut Backoff) {
        count_with(run, tables, backoff, |block| changes(block));
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn for_each_run<const N: usize>(run: &[u8], sink: &mut impl Sink) {
        for_each_with::<N>(run, sink, |one, other| differing(one, other));
    }

    /// A bit for each byte that differs from the one in the same place.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn differing(one: &Block, other: &Block) -> u64 {
        let equal = |start| {
            let equal = _mm256_cmpeq_epi8(load_at(one, start), load_at(other, start));
            u64::from(_mm256_movemask_epi8(equal).cast_unsigned())
        };
        !(equal(0) | equal(32) << 32)
    }

    /// A bit for each byte but the first that differs from the one before.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn changes(block: &Block) -> u64 {
        let equal = |a, b| {
            let equal = _mm256_cmpeq_epi8(load_at(block, a), load_at(block, b));
            u64::from(!_mm256_movemask_epi8(equal).cast_unsigned())
        };
        equal(0, 1) << 1 | equal(31, 32) << 32
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add_lanes(sums: __m256i) -> u64 {
        let sums = _mm256_sad_epu8(sums, _mm256_setzero_si256());
        (_mm256_extract_epi64::<0>(sums)
            + _mm256_extract_epi64::<1>(sums)
            + _mm256_extract_epi64::<2>(sums)
            + _mm256_extract_epi64::<3>(sums))
        .cast_unsigned()
    }

    /// Asks for what will be read a while later: comparing is faster than memory, and the processor
    /// by itself does not look beyond a page.
    #[inline]
    fn prefetch(vector: &[u8; LANES]) {
        // Past the end of the run it points at nothing, which is why the addition wraps.
        let ahead = vector.as_ptr().wrapping_add(AHEAD);
        #[expect(unsafe_code, reason = "a hint, which reads nothing at any address")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_at(bytes: &[u8; 2 * LANES], start: usize) -> __m256i {
        // No start is beyond; said so that nothing is left that could panic.
        let (vector, _) =
            bytes[start.min(LANES)..].split_first_chunk().unwrap_or((&[0; LANES], &[]));
        load(vector)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(vector: &[u8; LANES]) -> __m256i {
        #[expect(unsafe_code, reason = "reads 32 bytes, which there are, at any alignment")]
        unsafe {
            _mm256_loadu_si256(vector.as_ptr().cast())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::simd::block::{Block, LANES, LONGEST_RUN};
    use proptest::prelude::*;

    fn changes(block: &Block) -> u64 {
        detected!(changes(block))
    }

    fn differing(one: &Block, other: &Block) -> u64 {
        detected!(differing(one, other))
    }

    proptest! {
        #[test]
        fn both_ways_count_what_is_equal(
            run in prop::collection::vec(0_u8..7, LANES..400), values in any::<[u8; 4]>(),
        ) {
            let values = values.map(|value| value % 9);
            let equal = |value| run.iter().map(move |&byte| u64::from(byte == value));
            let expected = values.map(|value| equal(value).sum());
            prop_assert_eq!(count_equal(&run, &values), expected);
            prop_assert_eq!(portable::count_equal(&run, &values), expected);
        }

        #[test]
        fn both_ways_see_every_change(
            bytes in prop::collection::vec(prop::sample::select(vec![0, 1, 127, 128, 255]), 64),
        ) {
            let block: Block = bytes.try_into().unwrap_or([0; 64]);
            let turned = std::array::from_fn(|k| block[(k + 1) % 64]);
            let unlike = (0..64).filter(|&k| block[k] != turned[k]).map(|k| 1 << k).sum();
            prop_assert_eq!(portable::differing(&block, &turned), unlike);
            prop_assert_eq!(differing(&block, &turned), unlike);
            let expected = (1..64).filter(|&k| block[k] != block[k - 1]).map(|k| 1 << k).sum();
            prop_assert_eq!(portable::changes(&block), expected);
            prop_assert_eq!(changes(&block), expected);
        }
    }

    #[test]
    fn the_longest_run_does_not_overflow_a_lane() {
        let run = vec![3; LONGEST_RUN];
        assert_eq!(count_equal(&run, &[3, 4]), [LONGEST_RUN as u64, 0]);
        assert_eq!(portable::count_equal(&run, &[3, 4]), [LONGEST_RUN as u64, 0]);
    }
}
