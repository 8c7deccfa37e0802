//! Quantiles of weighted values.
//!
//! In come values with their weights and probabilities, out goes a quantile for each of these.
//!
//! With weights that are all equal, the quantile `q` of `n` ascending values lies at `q * (n - 1)`,
//! between two values in proportion: type 7 of Hyndman and Fan ("Sample quantiles in statistical
//! packages", 1996), the default of most of them. With weights `w`, value `k` lies at
//! `k * w[k] + (n - 1) * (w[0] + ... + w[k - 1])` and the quantile at `q * (n - 1)` times the sum
//! of all weights, which is the same where they are equal; exactextract defines it so, too.
//!
//! ```
//! use ratiopath_core::zonal::quantile::{WeightedValue, quantiles};
//!
//! let mut values = [4.0, 1.0, 2.0].map(|value| WeightedValue { value, weight: 1.0 });
//! let mut found = [0.0; 2];
//! quantiles(&mut values, &[0.5, 0.75], &mut found);
//! assert_eq!(found, [2.0, 3.0]);
//! ```

use std::cmp::Ordering;

/// A value and its weight, above 0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WeightedValue {
    /// The value, not NaN.
    pub value: f64,
    /// The weight.
    pub weight: f64,
}

/// Writes the quantile of each probability of at least one value; `values` end in another order.
///
/// A probability below 0 is taken as 0, one above 1 as 1.
pub fn quantiles(values: &mut [WeightedValue], probabilities: &[f64], out: &mut [f64]) {
    let Some(&first) = values.first() else { return };
    let is_equal = values.iter().all(|value| value.weight == first.weight);
    if !is_equal {
        values.sort_unstable_by(by_value);
    }
    for (probability, out) in probabilities.iter().zip(out) {
        let probability = probability.clamp(0.0, 1.0);
        // Few are asked for: to select each costs less than to sort all.
        *out = if is_equal {
            among_equals(values, probability)
        } else {
            among_sorted(values, probability)
        };
    }
}

fn by_value(a: &WeightedValue, b: &WeightedValue) -> Ordering {
    a.value.total_cmp(&b.value).then(a.weight.total_cmp(&b.weight))
}

/// The quantile of values of one weight, which need not be sorted for it.
fn among_equals(values: &mut [WeightedValue], probability: f64) -> f64 {
    let place = probability * (values.len() - 1) as f64;
    let below = place.floor() as usize;
    let (_, &mut low, above) = values.select_nth_unstable_by(below, by_value);
    let high = above.iter().copied().min_by(by_value).unwrap_or(low);
    between(low.value, high.value, place - below as f64)
}

fn among_sorted(values: &[WeightedValue], probability: f64) -> f64 {
    let last = (values.len() - 1) as f64;
    let target = probability * last * values.iter().map(|value| value.weight).sum::<f64>();
    let mut before = 0.0;
    let mut previous = (values[0].value, 0.0);
    for (index, value) in values.iter().enumerate() {
        let place = index as f64 * value.weight + last * before;
        // Places ascend, since weights are above 0: there is something to divide by.
        if place >= target && index > 0 {
            let part = (target - previous.1) / (place - previous.1);
            return between(previous.0, value.value, part);
        }
        previous = (value.value, place);
        before += value.weight;
    }
    previous.0
}

fn between(low: f64, high: f64, part: f64) -> f64 {
    if part <= 0.0 || low == high { low } else { low + (high - low) * part.min(1.0) }
}
