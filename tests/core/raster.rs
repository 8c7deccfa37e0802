//! The rules that decide which pixels are inside, pixel by pixel.

use proptest::prelude::*;
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::geometry::validity::is_certainly_valid;
use ratiopath_core::raster::{Rule, rasterize};

use crate::oracle::{coverage, is_inside, star};
use crate::support::{HEIGHT, WIDTH, grid, mask, spans_of, weights};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Vertices on sixteenths make every product exact, so the oracle's sign is the true one, and
    /// centres fall on edges and vertices all the time.
    #[test]
    fn centers_inside_are_inside(ring in star(16)) {
        let mask = mask(&spans_of(&ring, Rule::Center));
        for row in 0..HEIGHT {
            for column in 0..WIDTH {
                let center = [column as f64 + 0.5, row as f64 + 0.5];
                prop_assert_eq!(!mask[row * WIDTH + column], is_inside(&ring, center));
            }
        }
    }

    #[test]
    fn exact_coverage_is_the_clipped_area(ring in star(1)) {
        let found = weights(&spans_of(&ring, Rule::Exact));
        for row in 0..HEIGHT {
            for column in 0..WIDTH {
                let expected = coverage(&ring, column as f64, row as f64);
                let actual = found[row * WIDTH + column];
                prop_assert!((actual - expected).abs() < 1e-12, "{row}, {column}: {actual} != {expected}");
            }
        }
    }

    /// Sixteenths again: an area is a multiple of 2^-9 or an exact 0, never noise.
    #[test]
    fn touched_is_where_the_area_is_positive(ring in star(16)) {
        let touched = mask(&spans_of(&ring, Rule::AllTouched));
        for row in 0..HEIGHT {
            for column in 0..WIDTH {
                let expected = coverage(&ring, column as f64, row as f64) > 1e-9;
                prop_assert_eq!(!touched[row * WIDTH + column], expected, "{}, {}", row, column);
            }
        }
    }

    #[test]
    fn some_rows_are_those_rows_of_all(
        ring in star(1),
        rule in prop::sample::select(vec![Rule::Center, Rule::AllTouched, Rule::Exact]),
        rows in (0..HEIGHT, 0..HEIGHT),
    ) {
        let polygon = Polygon::new(ring.clone(), vec![ring.len()]).unwrap();
        let rows = rows.0.min(rows.1)..rows.0.max(rows.1);
        let some = rasterize(&polygon, &grid(), rule, rows.clone());
        let all = spans_of(&ring, rule);
        for row in 0..HEIGHT {
            let expected: Vec<_> = all.row(row).filter(|_| rows.contains(&row)).collect();
            prop_assert_eq!(some.row(row).collect::<Vec<_>>(), expected);
        }
        let area = all.area_within(0, rows.start, WIDTH, rows.end);
        prop_assert!((some.area() - area).abs() < 1e-9);
    }

    /// Whatever numbers come: no panic, spans inside the grid, weights that are numbers.
    #[test]
    fn extreme_coordinates_give_spans_in_the_grid(
        ring in prop::collection::vec((extreme(), extreme()), 0..9),
        rule in prop::sample::select(vec![Rule::Center, Rule::AllTouched, Rule::Exact]),
    ) {
        let vertices: Vec<_> = ring.iter().map(|&(x, y)| [x, y]).collect();
        let Ok(polygon) = Polygon::new(vertices, vec![ring.len()]) else { return Ok(()) };
        let _ = is_certainly_valid(&polygon, &[true]);
        let spans = rasterize(&polygon, &grid(), rule, 0..HEIGHT);
        for (span, weight) in (0..HEIGHT).flat_map(|row| spans.row(row).collect::<Vec<_>>()) {
            prop_assert!(span.start < span.end && span.end as usize <= WIDTH);
            // Rings that cross themselves may wind twice round a pixel.
            prop_assert!(weight > 0.0 && weight.is_finite());
        }
    }
}

/// Numbers where rounding, underflow and overflow begin, beside ordinary ones.
fn extreme() -> impl Strategy<Value = f64> {
    let large = 9_007_199_254_740_992.0;
    let edges =
        [0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-160, 1e15, -1e15, 1e300, large, large - 1.0];
    prop_oneof![
        prop::sample::select(edges.to_vec()),
        any::<f64>(),
        -20.0..20.0,
        (-40_i32..40).prop_map(|n| f64::from(n) / 2.0),
    ]
}
