//! What is looked at together.

/// What is looked at together.
// What is found in it are the bits of one 64-bit number, a bit for each byte.
pub(crate) type Block = [u8; 64];

/// The longest run whose bytes `count_equal` counts.
// Equal bytes are counted in lanes of one byte, each of which sees one byte of a vector.
pub(crate) const LONGEST_RUN: usize = 255 * LANES;

/// The shortest.
// A vector of AVX2. The last bytes of a run are read with those before them, which must exist.
pub(crate) const LANES: usize = 32;
