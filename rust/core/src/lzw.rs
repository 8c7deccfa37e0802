//! Unpacking of LZW streams as TIFF stores them, by the library weezl.
//!
//! The decoder that comes with the other codecs copies from table entries that a corrupt stream never
//! wrote, and ends the process; it also loses the last bits of a stream without an end code. This one
//! cannot do either, and is faster.

use weezl::{BitOrder, LzwStatus, decode::Configuration};

use crate::{Error, Result};

/// Bits of the samples that codes stand for.
const SAMPLE_BITS: u8 = 8;

/// Unpacks a stream into `out` until either ends; returns how many bytes were written.
///
/// TIFF packs codes from the highest bit down and widens them one entry early (TIFF 6.0, section
/// 13); what follows the bytes asked for is not read, since some writers leave out the end code. The
/// first libtiff packed codes from the lowest bit up, and widened them in time.
///
/// # Errors
///
/// [`Error::Lzw`] where the stream does not start with a clear code, or a code has no meaning.
pub fn decode_lzw(stream: &[u8], out: &mut [u8]) -> Result<usize> {
    let configuration = match stream {
        [] => return Ok(0),
        [0x80, second, ..] if *second < 0x80 => {
            Configuration::with_tiff_size_switch(BitOrder::Msb, SAMPLE_BITS)
        }
        [0, second, ..] if second & 1 == 1 => Configuration::new(BitOrder::Lsb, SAMPLE_BITS),
        _ => return Err(Error::Lzw { read: 0, written: 0 }),
    };
    let mut decoder = configuration.with_yield_on_full_buffer(true).build();
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let step = decoder.decode_bytes(&stream[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) => {}
            Ok(LzwStatus::NoProgress | LzwStatus::Done) => break,
            Err(_) => return Err(Error::Lzw { read, written }),
        }
    }
    Ok(written)
}
