//! Counting is a map of pixels, whatever their width.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ratiopath_core::count::{count_pixels, count_under};
use ratiopath_core::pixels::Pixels;
use ratiopath_core::raster::Rule;

use crate::oracle::star;
use crate::support::{HEIGHT, WIDTH, runs, spans_of, weights};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counting_is_a_map_of_pixels(
        pixel_bytes in 1_usize..11,
        width in 1_usize..200,
        height in 1_usize..4,
        seed in any::<u64>(),
        masked in any::<bool>(),
    ) {
        let bytes = runs(width * height * pixel_bytes, pixel_bytes, seed);
        let mask: Vec<bool> = (0..width * height).map(|k| masked && k % 3 == 0).collect();
        let pixels = Pixels::new(&bytes, width, height, pixel_bytes).unwrap();
        let mut expected = BTreeMap::new();
        for (pixel, _) in bytes.chunks(pixel_bytes).zip(&mask).filter(|(_, mask)| !**mask) {
            *expected.entry(pixel.to_vec()).or_insert(0) += 1;
        }
        let mut found = BTreeMap::new();
        count_pixels(&pixels, Some(&mask), None).unwrap().drain(|key, tally| {
            assert!(tally.weight == 0.0);
            found.insert(key.to_vec(), tally.count);
        });
        prop_assert_eq!(found, expected);
    }

    /// Runs of weight 1 go together and others alone; the areas are those of a loop.
    #[test]
    fn counting_under_spans_is_a_sum_of_weights(
        ring in star(1),
        rule in prop::sample::select(vec![Rule::Center, Rule::AllTouched, Rule::Exact]),
        pixel_bytes in 1_usize..10,
        seed in any::<u64>(),
    ) {
        let bytes = runs(HEIGHT * WIDTH * pixel_bytes, pixel_bytes, seed);
        let pixels = Pixels::new(&bytes, WIDTH, HEIGHT, pixel_bytes).unwrap();
        let spans = spans_of(&ring, rule);
        let mut expected = BTreeMap::new();
        for (pixel, weight) in bytes.chunks(pixel_bytes).zip(weights(&spans)) {
            *expected.entry(pixel.to_vec()).or_insert(0.0) += weight;
        }
        expected.retain(|_, weight| *weight > 0.0);
        let mut found = BTreeMap::new();
        count_under(&pixels, &spans).unwrap().drain(|key, tally| {
            found.insert(key.to_vec(), tally.total());
        });
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (pixel, weight) in expected {
            prop_assert!((found[&pixel] - weight).abs() < 1e-9);
        }
    }
}
