//! What one distinct pixel adds up to.
//!
//! A count of whole pixels and a sum of weights are kept apart: a count is exact, and rounding stays
//! with the pixels that are cut by the outline.
//!
//! ```
//! use ratiopath_core::count::tally::Tally;
//!
//! let tally = Tally { count: 3, weight: 0.25 };
//! assert_eq!(tally.total(), 3.25);
//! ```

/// What one distinct pixel adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Pixels of weight 1.
    pub count: u64,
    /// The weights of all others.
    pub weight: f64,
}

impl Tally {
    /// Everything together. Exact up to 2^53 whole pixels.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.count as f64 + self.weight
    }

    /// Whether nothing was counted, or only pixels of weight 0.
    pub(crate) fn is_zero(&self) -> bool {
        self.total() == 0.0
    }
}

/// Walks counts and weights, each ascending by value, together.
pub(crate) fn join(
    counts: impl Iterator<Item = (u64, u64)>,
    weights: &[(u64, f64)],
    mut take: impl FnMut(u64, Tally),
) {
    let mut weights = weights.iter().copied().peekable();
    for (value, count) in counts {
        while let Some((before, weight)) = weights.next_if(|next| next.0 < value) {
            take(before, Tally { count: 0, weight });
        }
        let weight = weights.next_if(|next| next.0 == value).map_or(0.0, |next| next.1);
        take(value, Tally { count, weight });
    }
    weights.for_each(|(value, weight)| take(value, Tally { count: 0, weight }));
}
