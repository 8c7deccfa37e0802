//! When to try again what has failed.
//!
//! Counting guesses that pixels are as they were: few values, runs, labels at home. A wrong guess costs
//! a pass over the pixels, and images are noisy over whole stretches, so that each failure doubles how
//! often nothing is tried, and each success halves it.

/// How often, at most, something is left untried.
// Long enough that trying costs noise next to nothing, short enough that a mask which follows it is
// soon counted as one: 64 blocks of bytes are 4 KiB.
const LONGEST_BACKOFF: usize = 64;

/// How long not to try again what has failed.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    length: usize,
    left: usize,
}

impl Backoff {
    /// Whether to try; else one time less is left.
    pub(crate) fn is_over(&mut self) -> bool {
        let is_over = self.left == 0;
        self.left = self.left.saturating_sub(1);
        is_over
    }

    /// Takes note of how a try went.
    pub(crate) fn record(&mut self, well: bool) {
        self.length =
            if well { self.length / 2 } else { (2 * self.length + 1).min(LONGEST_BACKOFF) };
        self.left = if well { 0 } else { self.length };
    }
}
