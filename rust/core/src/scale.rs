//! The one rounding rule: `new = floor(old * scale + 0.5)` in `f64`.
//!
//! Coordinates of one pixel grid come in, the nearest whole pixels of another go out. Halves go up, so
//! that tiles side by side stay side by side: whatever moves by whole pixels is rounded alike, which
//! rounding halves to even would not do.
//!
//! ```
//! use ratiopath_core::scale::scale_coordinates;
//!
//! let mut new = [0; 4];
//! scale_coordinates(&[0.0, 3.0, 4.0, -3.0], 0.5, &mut new)?;
//! assert_eq!(new, [0, 2, 2, -1]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use crate::{Error, Result};

/// Scales one coordinate and rounds it to the nearest integer, halves upwards.
///
/// The product and the sum are rounded separately, as written; Rust never contracts them into a
/// fused multiply-add. Returns `None` where the result is not a 64-bit integer.
#[must_use]
pub fn scale_coordinate(old: f64, scale: f64) -> Option<i64> {
    let moved = old * scale + 0.5;
    // -2^63 is an i64 and 2^63 is not; both are exact in f64. NaN compares false, and is refused too.
    let limit = 9_223_372_036_854_775_808.0;
    if !(moved >= -limit && moved < limit) {
        return None;
    }
    // The floor, without a call where the target has no instruction for it: x86-64 has none before
    // SSE4.1, which a wheel for every processor may not ask for, and with the call all this took twice
    // as long.
    let towards_zero = moved as i64;
    Some(towards_zero - i64::from(towards_zero as f64 > moved))
}

/// Scales coordinates into `out`.
///
/// # Errors
///
/// [`Error::Scale`] for a scale that is not positive and finite, [`Error::Length`] where the slices
/// differ in length, [`Error::Coordinate`] for a value that is not finite or leaves 64 bits.
pub fn scale_coordinates(old: &[f64], scale: f64, out: &mut [i64]) -> Result<()> {
    if !(scale.is_finite() && scale > 0.0) {
        return Err(Error::Scale(scale));
    }
    if old.len() != out.len() {
        return Err(Error::Length {
            what: "scaled coordinates",
            expected: old.len(),
            actual: out.len(),
        });
    }
    for (index, (&value, new)) in old.iter().zip(out).enumerate() {
        *new = scale_coordinate(value, scale).ok_or(Error::Coordinate { value, index, scale })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up_on_both_sides_of_zero() {
        let mut new = [0; 6];
        scale_coordinates(&[1.0, 3.0, -1.0, -3.0, 0.0, 5.0], 0.5, &mut new).unwrap();
        assert_eq!(new, [1, 2, 0, -1, 0, 3]);
    }

    #[test]
    fn evaluates_as_written_far_from_zero() {
        let old = 2_147_483_647.0;
        assert_eq!(scale_coordinate(old, 1.0 / 3.0), Some(715_827_882));
        assert_eq!(scale_coordinate(-old, 1.0), Some(-2_147_483_647));
    }

    #[test]
    fn is_the_floor_of_every_number() {
        let numbers = [0.0, 0.4, 0.5, 1.0, 1e3, 2f64.powi(51), 2f64.powi(52), 2f64.powi(53), 9e18];
        for number in numbers.into_iter().flat_map(|n: f64| [n, n.next_up(), n.next_down()]) {
            for old in [number, -number] {
                assert_eq!(scale_coordinate(old, 1.0), Some((old + 0.5).floor() as i64), "{old}");
            }
        }
        assert_eq!(scale_coordinate(-(2f64.powi(63)), 1.0), Some(i64::MIN));
        assert_eq!(scale_coordinate(2f64.powi(63), 1.0), None);
    }

    #[test]
    fn refuses_what_is_no_integer() {
        let mut new = [0];
        assert_eq!(scale_coordinates(&[1.0], 0.0, &mut new), Err(Error::Scale(0.0)));
        let far = scale_coordinates(&[1e300], 1.0, &mut new);
        assert_eq!(far, Err(Error::Coordinate { value: 1e300, index: 0, scale: 1.0 }));
        assert!(scale_coordinates(&[f64::NAN], 1.0, &mut new).is_err());
    }
}
