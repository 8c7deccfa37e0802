//! What is looked at together.

/// What is looked at together.
pub(crate) type Block = [u8; 64];

/// The longest run whose bytes `count_equal` counts.
pub(crate) const LONGEST_RUN: usize = 255 * LANES;

/// The shortest.
pub(crate) const LANES: usize = 32;
