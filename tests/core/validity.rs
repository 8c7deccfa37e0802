//! Simple rings are proven valid, and none that crosses itself is.

use proptest::prelude::*;
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::geometry::validity::is_certainly_valid;

use crate::oracle::{is_simple, star};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn simple_rings_are_proven_valid(ring in star(1)) {
        let polygon = Polygon::new(ring.clone(), vec![ring.len()]).unwrap();
        prop_assert!(is_certainly_valid(&polygon, &[true]));
    }

    /// Crossing itself is what the filter of `star` leaves out.
    #[test]
    fn rings_that_cross_themselves_are_not(ring in star(1), at in any::<prop::sample::Index>()) {
        prop_assume!(ring.len() > 3);
        let mut crossed = ring.clone();
        let k = at.index(ring.len());
        crossed.swap(k, (k + 1) % ring.len());
        let is_proven = Polygon::new(crossed.clone(), vec![crossed.len()])
            .is_ok_and(|polygon| is_certainly_valid(&polygon, &[true]));
        prop_assert!(!is_proven || is_simple(&crossed));
    }
}
