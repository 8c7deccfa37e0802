//! Keys of pixels, and sorting them.
//!
//! Heatmaps have as many values as pixels, and sorting is then most of counting. Keys of four bytes
//! are sorted digit by digit, from the lowest to the highest: one pass counts all digits, each digit
//! that is not the same everywhere takes one more (Knuth, "The Art of Computer Programming", vol. 3,
//! 5.2.5). Keys of eight bytes have too many digits for that to pay.

/// Digits of a key, and values of a digit.
const DIGITS: usize = 4;
const VALUES: usize = 256;

/// Keys that are not worth the tables.
// The tables of all digits are 1024 numbers, to be set to 0 and added up.
const FEW_KEYS: usize = 1024;

/// A pixel of up to four or eight bytes as a little-endian number.
pub(crate) trait Key: Copy + Default + Ord + Into<u64> {
    fn of(pixel: &[u8]) -> Self;
    fn sort(keys: &mut Vec<Self>);
}

impl Key for u32 {
    #[inline]
    fn of(pixel: &[u8]) -> Self {
        Self::from_le_bytes(padded(pixel))
    }

    fn sort(keys: &mut Vec<Self>) {
        // Starts are of 32 bits.
        if keys.len() < FEW_KEYS || keys.len() > Self::MAX as usize {
            keys.sort_unstable();
        } else {
            sort_by_digits(keys);
        }
    }
}

impl Key for u64 {
    #[inline]
    fn of(pixel: &[u8]) -> Self {
        Self::from_le_bytes(padded(pixel))
    }

    fn sort(keys: &mut Vec<Self>) {
        keys.sort_unstable();
    }
}

/// A pixel's bytes, and zeros after them: of widths between, the digits above count as equal.
#[inline]
fn padded<const N: usize>(pixel: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..pixel.len()].copy_from_slice(pixel);
    bytes
}

fn sort_by_digits(keys: &mut Vec<u32>) {
    let mut starts = [[0_u32; VALUES]; DIGITS];
    for key in keys.iter() {
        for (table, digit) in starts.iter_mut().zip(key.to_le_bytes()) {
            table[usize::from(digit)] += 1;
        }
    }
    let mut sorted = vec![0; keys.len()];
    for (place, table) in starts.iter_mut().enumerate() {
        let digit = |key: u32| usize::from(key.to_le_bytes()[place]);
        // Heatmaps of a narrow range share their highest digits, labels all but the lowest.
        if table[digit(keys[0])] as usize == keys.len() {
            continue;
        }
        let mut start = 0;
        for count in table.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for &key in keys.iter() {
            let next = &mut table[digit(key)];
            sorted[*next as usize] = key;
            *next += 1;
        }
        std::mem::swap(keys, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Few keys and many, of which some digits are the same.
        #[test]
        fn keys_are_sorted(
            keys in prop::collection::vec(any::<u32>(), 0..3000),
            mask in prop::sample::select(vec![u32::MAX, 0xFF00_FF00, 0xFF << 24, 0xFFFF, 3, 0]),
        ) {
            let mut keys: Vec<u32> = keys.iter().map(|key| key & mask).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            Key::sort(&mut keys);
            prop_assert_eq!(keys, expected);
        }
    }
}
