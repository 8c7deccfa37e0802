//! LZW streams: a check of the codes agrees with a slow decoder that keeps every string.

use proptest::prelude::*;
use ratiopath_core::Error;
use ratiopath_core::lzw::check_lzw;

const CLEAR: usize = 256;
const END: usize = 257;

/// Packs codes, each in the width of its place since the last clear code.
fn pack(codes: &[usize], lowest_first: bool) -> Vec<u8> {
    let mut bits = Vec::new();
    let mut since_clear = 0;
    for &code in codes {
        let width = width_after(since_clear, lowest_first);
        let places = (0..width).map(|place| if lowest_first { place } else { width - 1 - place });
        bits.extend(places.map(|place| code >> place & 1 == 1));
        since_clear = if code == CLEAR { 0 } else { since_clear + 1 };
    }
    let byte = |chunk: &[bool]| {
        let place = |index: usize| if lowest_first { index } else { 7 - index };
        chunk.iter().enumerate().fold(0, |byte, (index, &bit)| byte | u8::from(bit) << place(index))
    };
    bits.chunks(8).map(byte).collect()
}

/// The width of a code that this many codes, all but the first an entry, come before.
fn width_after(since_clear: usize, lowest_first: bool) -> usize {
    let entries = 258 + since_clear.saturating_sub(1);
    match entries + usize::from(!lowest_first) {
        ..512 => 9,
        512..1024 => 10,
        1024..2048 => 11,
        _ => 12,
    }
}

/// Decodes codes by a table of strings; None where one stands for nothing.
fn decode(codes: &[usize]) -> Option<Vec<u8>> {
    let single = || (0..=255).map(|byte| vec![byte]).chain([vec![], vec![]]).collect();
    let mut table: Vec<Vec<u8>> = single();
    let mut before: Option<Vec<u8>> = None;
    let mut decoded = Vec::new();
    for &code in codes {
        match code {
            END => break,
            CLEAR => (table, before) = (single(), None),
            _ => {
                let string = match &before {
                    None if code > 255 => return None,
                    None => table[code].clone(),
                    Some(last) => {
                        let first = table.get(code).map_or(last[0], |string| string[0]);
                        table.push([last.as_slice(), &[first]].concat());
                        table.get(code)?.clone()
                    }
                };
                decoded.extend(&string);
                before = Some(string);
            }
        }
    }
    Some(decoded)
}

/// Codes after a clear code, most of them near the ones that may stand there.
fn codes() -> impl Strategy<Value = Vec<usize>> {
    let step = prop_oneof![
        20 => (0.0..1.0f64).prop_map(|share| ("entry", share)),
        20 => (0.0..1.0f64).prop_map(|share| ("byte", share)),
        2 => Just(("next", 0.0)),
        1 => Just(("clear", 0.0)),
        1 => (0.0..1.0f64).prop_map(|share| ("any", share)),
    ];
    prop::collection::vec(step, 0..1500).prop_map(|steps| {
        let (mut codes, mut since_clear) = (vec![CLEAR], 0usize);
        for (kind, share) in steps {
            let next = 258 + since_clear.saturating_sub(1);
            let code = match kind {
                "entry" if since_clear > 1 => 258 + (share * (next - 258) as f64) as usize,
                "next" if since_clear > 0 => next,
                "clear" => CLEAR,
                // Rarely one that may not stand there; nine bits hold it.
                "any" if share < 0.02 => (share * 50.0 * 512.0) as usize,
                _ => (share * 256.0) as usize,
            };
            codes.push(code.min(4095));
            since_clear = if code == CLEAR { 0 } else { since_clear + 1 };
        }
        codes
    })
}

proptest! {
    #[test]
    fn codes_pass_where_a_slow_decoder_can_follow_them(
        codes in codes(),
        lowest_first in any::<bool>(),
    ) {
        let stream = pack(&codes, lowest_first);
        prop_assert_eq!(check_lzw(&stream).is_ok(), decode(&codes).is_some());
    }

    #[test]
    fn arbitrary_bytes_are_checked_without_panic(stream in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = check_lzw(&stream);
    }
}

#[test]
fn the_code_that_stands_for_nothing_is_named() {
    for lowest_first in [false, true] {
        let check = |codes: &[usize]| check_lzw(&pack(codes, lowest_first));
        let refused = |code, end, byte| Err(Error::Code { code, end, byte });
        assert_eq!(check(&[CLEAR, 7, 258, 259, END]), Ok(()));
        assert_eq!(check(&[CLEAR, 258, END]), refused(258, 256, 2));
        assert_eq!(check(&[CLEAR, CLEAR, 300]), refused(300, 256, 3));
        assert_eq!(check(&[CLEAR, 7, 259, END]), refused(259, 259, 3));
        assert_eq!(check(&[CLEAR, 7, 258, CLEAR, 258]), refused(258, 256, 5));
    }
}

#[test]
fn what_follows_the_end_is_not_read() {
    assert_eq!(check_lzw(&pack(&[CLEAR, 7, END, 400, 500], false)), Ok(()));
    assert_eq!(check_lzw(&[]), Ok(()));
    assert_eq!(check_lzw(&[128]), Ok(()));
}

#[test]
fn codes_stay_at_twelve_bits_when_the_table_is_full() {
    for lowest_first in [false, true] {
        let mut codes = vec![CLEAR];
        codes.extend((0..5000).map(|index| index % 256));
        assert_eq!(check_lzw(&pack(&codes, lowest_first)), Ok(()));
        codes.extend([4095, CLEAR, 4095]);
        assert!(check_lzw(&pack(&codes, lowest_first)).is_err());
    }
}
