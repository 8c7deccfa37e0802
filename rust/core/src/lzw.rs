//! Whether the codes of an LZW stream can be followed, found without decoding it.
//!
//! A decoder looks each code up in a table that it fills as it goes. One that takes the stream's word
//! for it reads entries that nobody has written, and ends the process. So the codes are read here
//! first: after a clear code comes a byte (or the end), and no code is beyond the next free entry.
//! Reading a code costs about a nanosecond, and a stream has at most one for each decoded byte.
//!
//! TIFF packs codes from the highest bit down and widens them one entry early (TIFF 6.0, section
//! 13). The first libtiff packed from the lowest bit up and widened them in time; such a stream is
//! known by its first code.

use crate::{Error, Result};

const CLEAR: u32 = 256;
const END: u32 = 257;
const FIRST_FREE: u32 = 258;
const NARROWEST: u32 = 9;
const WIDEST: u32 = 12;

/// Refuses a stream whose codes no decoder can follow.
///
/// # Errors
///
/// [`Error::Code`] for the first code that stands for nothing.
pub fn check_lzw(stream: &[u8]) -> Result<()> {
    let mut codes = Codes::new(stream);
    let mut cleared = true;
    while let Some(code) = codes.take() {
        match code {
            CLEAR => {
                codes.clear();
                cleared = true;
            }
            END => break,
            _ if cleared && code < CLEAR => cleared = false,
            _ if cleared => return Err(codes.refusal(code, CLEAR)),
            _ if code > codes.free => return Err(codes.refusal(code, codes.free + 1)),
            _ => codes.add_entry(),
        }
    }
    Ok(())
}

/// The codes of a stream, one after the other, and the size of the table that they fill.
struct Codes<'a> {
    stream: &'a [u8],
    bit: usize,
    lowest_first: bool,
    /// The next free entry.
    free: u32,
    width: u32,
    /// The free entry at which codes widen.
    widens: u32,
}

impl<'a> Codes<'a> {
    fn new(stream: &'a [u8]) -> Self {
        // A clear code of nine bits, packed from the lowest bit up.
        let lowest_first = matches!(stream, [0, second, ..] if second & 1 == 1);
        let (free, width, widens) = (FIRST_FREE, NARROWEST, u32::MAX);
        let mut codes = Self { stream, bit: 0, lowest_first, free, width, widens };
        codes.clear();
        codes
    }

    fn clear(&mut self) {
        self.free = FIRST_FREE;
        self.set_width(NARROWEST);
    }

    fn set_width(&mut self, width: u32) {
        self.width = width;
        self.widens = (1 << width) - u32::from(!self.lowest_first);
    }

    fn add_entry(&mut self) {
        // No code reaches the entries beyond, so how many there are does not matter.
        self.free = self.free.saturating_add(1);
        if self.free == self.widens && self.width < WIDEST {
            self.set_width(self.width + 1);
        }
    }

    fn take(&mut self) -> Option<u32> {
        let end = self.bit + self.width as usize;
        if end > 8 * self.stream.len() {
            return None;
        }
        let word = self.word(self.bit / 8);
        let skipped = (self.bit % 8) as u32;
        self.bit = end;
        let code = if self.lowest_first {
            word.swap_bytes() >> skipped
        } else {
            word >> (u32::BITS - self.width - skipped)
        };
        Some(code & ((1 << self.width) - 1))
    }

    fn refusal(&self, code: u32, end: u32) -> Error {
        Error::Code { code, end, byte: self.bit / 8 }
    }

    /// Four bytes, the first the highest; zeros follow the stream.
    fn word(&self, byte: usize) -> u32 {
        let rest = self.stream.get(byte..).unwrap_or_default();
        if let Some(bytes) = rest.first_chunk() {
            return u32::from_be_bytes(*bytes);
        }
        let mut bytes = [0; 4];
        bytes[..rest.len()].copy_from_slice(rest);
        u32::from_be_bytes(bytes)
    }
}
