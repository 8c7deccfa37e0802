//! Samples of a type as numbers, for what must add them up rather than tell them apart.
//!
//! In come bytes, out go numbers. All that the core has to know of types is here: counting compares
//! bytes, and copying moves them.
//!
//! ```
//! use ratiopath_core::zonal::sample::SampleType;
//!
//! let mut values = Vec::new();
//! SampleType::I16.read(&[-2_i16, 300].map(i16::to_ne_bytes).concat(), &mut values);
//! assert_eq!(values, [-2.0, 300.0]);
//! ```

use crate::{Error, Result};

/// The type of a sample, in native byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleType {
    /// Unsigned, 8 bits; booleans too.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 64 bits; beyond 2^53 the nearest `f64`.
    U64,
    /// Signed, 64 bits; likewise.
    I64,
    /// Floating point, 32 bits.
    F32,
    /// Floating point, 64 bits.
    F64,
}

impl SampleType {
    /// The type of a kind, unsigned (`u`, `b` for booleans), signed (`i`) or floating point (`f`), and
    /// a number of bytes.
    ///
    /// # Errors
    ///
    /// [`Error::SampleType`] where there is none.
    pub fn new(kind: char, bytes: usize) -> Result<Self> {
        match (kind, bytes) {
            ('u' | 'b', 1) => Ok(Self::U8),
            ('i', 1) => Ok(Self::I8),
            ('u', 2) => Ok(Self::U16),
            ('i', 2) => Ok(Self::I16),
            ('u', 4) => Ok(Self::U32),
            ('i', 4) => Ok(Self::I32),
            ('u', 8) => Ok(Self::U64),
            ('i', 8) => Ok(Self::I64),
            ('f', 4) => Ok(Self::F32),
            ('f', 8) => Ok(Self::F64),
            _ => Err(Error::SampleType { kind, bytes }),
        }
    }

    /// Bytes of one sample.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Appends the samples in `bytes` to `values`.
    pub fn read(self, bytes: &[u8], values: &mut Vec<f64>) {
        match self {
            Self::U8 => values.extend(bytes.iter().map(|&byte| f64::from(byte))),
            Self::I8 => each(bytes, values, |b| f64::from(i8::from_ne_bytes(b))),
            Self::U16 => each(bytes, values, |b| f64::from(u16::from_ne_bytes(b))),
            Self::I16 => each(bytes, values, |b| f64::from(i16::from_ne_bytes(b))),
            Self::U32 => each(bytes, values, |b| f64::from(u32::from_ne_bytes(b))),
            Self::I32 => each(bytes, values, |b| f64::from(i32::from_ne_bytes(b))),
            Self::U64 => each(bytes, values, |b| u64::from_ne_bytes(b) as f64),
            Self::I64 => each(bytes, values, |b| i64::from_ne_bytes(b) as f64),
            Self::F32 => each(bytes, values, |b| f64::from(f32::from_ne_bytes(b))),
            Self::F64 => each(bytes, values, f64::from_ne_bytes),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], values: &mut Vec<f64>, read: impl Fn([u8; N]) -> f64) {
    values.extend(bytes.as_chunks::<N>().0.iter().map(|&sample| read(sample)));
}
