//! When to try again what has failed.

/// How often, at most, something is left untried.
const LONGEST_BACKOFF: usize = 64;

/// How long not to try again what has failed.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    length: usize,
    left: usize,
}

impl Backoff {
    pub(crate) fn is_over(&mut self) -> bool {
        let is_over = self.left == 0;
        self.left = self.left.saturating_sub(1);
        is_over
    }

    pub(crate) fn record(&mut self, well: bool) {
        self.length =
            if well { self.length / 2 } else { (2 * self.length + 1).min(LONGEST_BACKOFF) };
        self.left = if well { 0 } else { self.length };
    }
}
