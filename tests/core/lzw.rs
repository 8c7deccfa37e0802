//! LZW streams against a slow decoder that keeps every string.

use proptest::prelude::*;
use ratiopath_core::Error;
use ratiopath_core::lzw::decode_lzw;

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

fn decoded(stream: &[u8], bytes: usize) -> Result<Vec<u8>, Error> {
    let mut out = vec![0; bytes];
    let written = decode_lzw(stream, &mut out)?;
    out.truncate(written);
    Ok(out)
}

proptest! {
    #[test]
    fn codes_are_decoded_as_by_a_table_of_strings(codes in codes(), lowest_first in any::<bool>()) {
        let stream = pack(&codes, lowest_first);
        let expected = decode(&codes);
        let found = decoded(&stream, expected.as_ref().map_or(1 << 20, Vec::len));
        prop_assert_eq!(found.ok(), expected);
    }

    #[test]
    fn no_bytes_are_read_after_the_ones_asked_for(
        codes in codes(),
        part in 0.0..1.0f64,
        after in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        if let Some(mut expected) = decode(&codes) {
            expected.truncate((part * expected.len() as f64) as usize);
            let stream = [pack(&codes, false), after].concat();
            prop_assert_eq!(decoded(&stream, expected.len()), Ok(expected));
        }
    }

    #[test]
    fn arbitrary_bytes_end(
        start in prop_oneof![Just([0x80, 0]), Just([0, 1]), any::<[u8; 2]>()],
        rest in prop::collection::vec(any::<u8>(), 0..3000),
        bytes in 0..100_000usize,
    ) {
        let _ = decoded(&[start.as_slice(), &rest].concat(), bytes);
    }
}

#[test]
fn a_code_that_has_no_meaning_is_refused() {
    for lowest_first in [false, true] {
        let found = |codes: &[usize]| decoded(&pack(codes, lowest_first), 100);
        assert_eq!(found(&[CLEAR, 7, 258, 259, END]), Ok(vec![7; 6]));
        for corrupt in [
            [CLEAR, 258, END, END].as_slice(),
            &[CLEAR, CLEAR, 300],
            &[CLEAR, 7, 259, END],
            &[CLEAR, 7, 258, CLEAR, 258],
            &[7, 7, 7, END],
        ] {
            assert!(matches!(found(corrupt), Err(Error::Lzw { .. })), "{corrupt:?}");
        }
    }
}

#[test]
fn a_stream_may_lack_its_end_or_all_of_itself() {
    assert_eq!(decoded(&pack(&[CLEAR, 7, 255, 8], false), 100), Ok(vec![7, 255, 8]));
    assert_eq!(decoded(&[], 100), Ok(vec![]));
    assert_eq!(decoded(&[0x80], 100), Err(Error::Lzw { read: 0, written: 0 }));
}

#[test]
fn codes_stay_at_twelve_bits_when_the_table_is_full() {
    for lowest_first in [false, true] {
        let bytes: Vec<usize> = (0..5000).map(|index| index % 256).collect();
        let codes = [&[CLEAR], bytes.as_slice()].concat();
        let expected: Vec<u8> = bytes.iter().map(|&byte| byte as u8).collect();
        assert_eq!(decoded(&pack(&codes, lowest_first), 5000), Ok(expected));
    }
}
