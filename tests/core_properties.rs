//! Properties of the core against slow, obvious truth: one pixel at a time, one rule at a time.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod core_oracle;

use std::collections::BTreeMap;
use std::sync::Arc;

use core_oracle::{areas, coverage, is_inside, is_simple, star};
use proptest::prelude::*;
use ratiopath_core::count::{count_pixels, count_under};
use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::geometry::validity::is_certainly_valid;
use ratiopath_core::patches::gather::{
    Layout, fill_background, fill_segment, gather_segment, write_masks,
};
use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
use ratiopath_core::patches::stencil::Shape;
use ratiopath_core::pixels::Pixels;
use ratiopath_core::raster::mask::{write_coverage, write_mask};
use ratiopath_core::raster::spans::Spans;
use ratiopath_core::raster::{Rule, rasterize};
use ratiopath_core::zonal::areas::{Areas, Collector, Memory};
use ratiopath_core::zonal::memo::KnownCounts;

const HEIGHT: usize = 9;
const WIDTH: usize = 11;

fn grid() -> Grid {
    let bounds = Bounds { x0: 0.0, y0: 0.0, x1: WIDTH as f64, y1: HEIGHT as f64 };
    Grid::new(HEIGHT, WIDTH, bounds).unwrap()
}

fn spans_of(ring: &[[f64; 2]], rule: Rule) -> Spans {
    let polygon = Polygon::new(ring.to_vec(), vec![ring.len()]).unwrap();
    rasterize(&polygon, &grid(), rule, 0..HEIGHT)
}

fn mask(spans: &Spans) -> Vec<bool> {
    let mut out = vec![false; HEIGHT * WIDTH];
    write_mask(spans, &mut out).unwrap();
    out
}

fn weights(spans: &Spans) -> Vec<f64> {
    let mut out = vec![0.0; HEIGHT * WIDTH];
    write_coverage(spans, &mut out).unwrap();
    out
}

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

    /// However the level is cut into segments and the work into collectors, each patch has the
    /// area that a loop over its pixels gives.
    #[test]
    fn areas_do_not_depend_on_segments(
        ring in star(1),
        rule in prop::sample::select(vec![Rule::Center, Rule::AllTouched, Rule::Exact]),
        segment in (1_usize..9, 1_usize..9),
        origins in prop::collection::vec((-14_i64..30, -14_i64..24), 1..5),
        seed in any::<u64>(),
    ) {
        let level = LevelGrid { width: 23, height: 17, segment_width: segment.0, segment_height: segment.1 };
        let raster = runs(level.width * level.height, 1, seed);
        let spans = spans_of(&ring, rule);
        let patches: Vec<Patch> = origins.iter().map(|&(x, y)| Patch { x, y, shape: 0 }).collect();
        let plan = Plan::new(level, vec![Arc::new(spans.clone())], patches).unwrap();
        let mut contents = BTreeMap::new();
        let counts = Arc::new(KnownCounts::default());
        let memory = Memory { counts, limit: 1 << 20, channel: None };
        // The second time much is known, and the answer is the same.
        for memory in [None, Some(memory.clone()), Some(memory)] {
            let mut collectors = [memory.clone(), memory].map(collector);
            for index in 0..plan.segments().len() {
                let (bytes, width, height) = cut(&raster, level, plan.segments()[index]);
                let pixels = Pixels::new(&bytes, width, height, 1).unwrap();
                // Contents by their bytes, some left unknown.
                let content = contents.len() as u64;
                let content = *contents.entry((bytes.clone(), width)).or_insert(content);
                let named = Some(content).filter(|content| content % 3 > 0);
                let collector = &mut collectors[index % 2];
                let known = named.is_some_and(|content| collector.add_known(&plan, index, content).unwrap());
                match pixels.constant().filter(|_| content % 2 == 0) {
                    _ if known => (),
                    Some(pixel) => collector.add_constant(&plan, index, pixel).unwrap(),
                    None => collector.add_segment(&plan, index, &pixels, named).unwrap(),
                }
            }
            let [mut first, second] = collectors;
            first.merge(&second);
            let found = first.finish(plan.patches());
            let weights = weights(&spans);
            for (patch, &origin) in origins.iter().enumerate() {
                let expected = areas(&raster, (level.width, level.height), &weights, WIDTH, origin);
                let actual = areas_of(&found, patch, 1);
                let expected: BTreeMap<_, _> = expected.into_iter().map(|(k, v)| (vec![k], v)).collect();
                prop_assert_eq!(actual.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
                for (value, area) in expected {
                    prop_assert!((actual[&value] - area).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn gathered_patches_are_slices_of_the_level(
        ring in star(1),
        segment in (1_usize..9, 1_usize..9),
        origins in prop::collection::vec((-14_i64..30, -14_i64..24), 1..5),
        pixel_bytes in 1_usize..5,
        seed in any::<u64>(),
    ) {
        let level = LevelGrid { width: 23, height: 17, segment_width: segment.0, segment_height: segment.1 };
        let raster = runs(level.width * level.height * pixel_bytes, pixel_bytes, seed);
        let wide = LevelGrid { width: level.width * pixel_bytes, segment_width: segment.0 * pixel_bytes, ..level };
        let spans = spans_of(&ring, Rule::Center);
        let patches: Vec<Patch> = origins.iter().map(|&(x, y)| Patch { x, y, shape: 0 }).collect();
        let plan = Plan::new(level, vec![Arc::new(spans.clone())], patches).unwrap();
        let bytes = HEIGHT * WIDTH * pixel_bytes;
        // What is never written would show.
        let mut out = vec![0xA5; origins.len() * 2 * bytes];
        let layout = Layout { stride: 2 * bytes, offset: 0 };
        fill_background(&plan, &vec![9; pixel_bytes], &mut out, layout).unwrap();
        for index in 0..plan.segments().len() {
            let (part, width, height) = cut(&raster, wide, plan.segments()[index]);
            let pixels = Pixels::new(&part, width / pixel_bytes, height, pixel_bytes).unwrap();
            match pixels.constant() {
                Some(pixel) => fill_segment(&plan, index, pixel, &mut out, layout).unwrap(),
                None => gather_segment(&plan, index, &pixels, &mut out, layout).unwrap(),
            }
        }
        let masked = vec![7; pixel_bytes];
        write_masks(&plan, &masked, true, &mut out, Layout { stride: 2 * bytes, offset: bytes }).unwrap();
        let outside_roi = mask(&spans);
        for (patch, &(x, y)) in origins.iter().enumerate() {
            for row in 0..HEIGHT {
                for column in 0..WIDTH {
                    let at = (y + row as i64, x + column as i64);
                    let inside = (0..level.height as i64).contains(&at.0) && (0..level.width as i64).contains(&at.1);
                    for byte in 0..pixel_bytes {
                        let k = patch * 2 * bytes + (row * WIDTH + column) * pixel_bytes + byte;
                        let source = (at.0 * level.width as i64 + at.1) * pixel_bytes as i64;
                        let expected = if inside { raster[source as usize + byte] } else { 9 };
                        prop_assert_eq!(out[k], expected);
                        let masked = outside_roi[row * WIDTH + column] || !inside;
                        prop_assert_eq!(out[k + bytes], if masked { 7 } else { 0 });
                    }
                }
            }
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Windows at the corners of a lattice are cut into cells and added up; the same windows one by
    /// one are counted by themselves.
    #[test]
    fn overlapping_windows_are_counted_as_if_alone(
        step in prop::sample::select(vec![16_i64, 24, 32]),
        start in (-40_i64..40, -40_i64..40),
        size in (2_usize..6, 2_usize..6),
        more in prop::sample::select(vec![0_usize, 0, 3]),
        segment in prop::sample::select(vec![64_usize, 100, 128]),
        pixel_bytes in 1_usize..5,
        seed in any::<u64>(),
    ) {
        let level = LevelGrid { width: 128, height: 100, segment_width: segment, segment_height: segment };
        let wide = LevelGrid { width: level.width * pixel_bytes, segment_width: segment * pixel_bytes, ..level };
        let raster = runs(level.width * level.height * pixel_bytes, pixel_bytes, seed);
        let side = |steps: usize| steps * step as usize + more;
        let shape = Arc::new(Shape::from(full((side(size.0), side(size.1)))));
        let patches: Vec<Patch> = (0..64)
            .map(|k| Patch { x: start.0 + k % 8 * step, y: start.1 + k / 8 * step, shape: 0 })
            .collect();
        let plan = Plan::of_shapes(level, vec![Arc::clone(&shape)], patches.clone()).unwrap();
        let together = collect(&plan, &raster, wide, pixel_bytes);
        for (patch, &alone) in patches.iter().enumerate() {
            let plan = Plan::of_shapes(level, vec![Arc::clone(&shape)], vec![alone]).unwrap();
            let expected = areas_of(&collect(&plan, &raster, wide, pixel_bytes), 0, pixel_bytes);
            prop_assert_eq!(areas_of(&together, patch, pixel_bytes), expected);
        }
    }
}

/// A collector of single bytes, with a memory or without.
fn collector(memory: Option<Memory>) -> Collector {
    let collector = Collector::new(1).unwrap();
    match memory {
        Some(memory) => collector.remembering(memory),
        None => collector,
    }
}

/// All pixels of a grid.
fn full(size: (usize, usize)) -> Spans {
    let (height, width) = size;
    let (x1, y1) = (width as f64, height as f64);
    let ring = vec![[0.0, 0.0], [x1, 0.0], [x1, y1], [0.0, y1]];
    let polygon = Polygon::new(ring, vec![4]).unwrap();
    let grid = Grid::new(height, width, Bounds { x0: 0.0, y0: 0.0, x1, y1 }).unwrap();
    rasterize(&polygon, &grid, Rule::Center, 0..height)
}

/// The areas of a plan's patches on a raster, whose bytes lie in the segments of `wide`.
fn collect(plan: &Plan, raster: &[u8], wide: LevelGrid, pixel_bytes: usize) -> Areas {
    let mut collector = Collector::new(pixel_bytes).unwrap();
    for index in 0..plan.segments().len() {
        let (part, width, height) = cut(raster, wide, plan.segments()[index]);
        let pixels = Pixels::new(&part, width / pixel_bytes, height, pixel_bytes).unwrap();
        collector.add_segment(plan, index, &pixels, None).unwrap();
    }
    collector.finish(plan.patches())
}

/// One patch's areas by distinct pixel.
fn areas_of(found: &Areas, patch: usize, pixel_bytes: usize) -> BTreeMap<Vec<u8>, f64> {
    let entries = found.offsets[patch] as usize..found.offsets[patch + 1] as usize;
    let key = |entry: usize| found.key_indices[entry] as usize * pixel_bytes;
    entries
        .map(|entry| {
            (found.keys[key(entry)..key(entry) + pixel_bytes].to_vec(), found.areas[entry])
        })
        .collect()
}

/// Bytes in runs of equal pixels, as masks have them, from few values.
fn runs(length: usize, pixel_bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 64 * pixel_bytes);
    while bytes.len() < length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pixel: Vec<u8> = (0..pixel_bytes).map(|k| (state >> (20 + 4 * k)) as u8 & 3).collect();
        (0..=(state >> 58) * (state >> 57 & 1)).for_each(|_| bytes.extend_from_slice(&pixel));
    }
    bytes.truncate(length);
    bytes
}

/// The part of a raster that a segment holds, cropped to the level.
fn cut(raster: &[u8], level: LevelGrid, segment: usize) -> (Vec<u8>, usize, usize) {
    let columns = level.width.div_ceil(level.segment_width);
    let (x0, y0) =
        (segment % columns * level.segment_width, segment / columns * level.segment_height);
    let (x1, y1) = (
        (x0 + level.segment_width).min(level.width),
        (y0 + level.segment_height).min(level.height),
    );
    let rows = (y0..y1).flat_map(|y| raster[y * level.width + x0..y * level.width + x1].to_vec());
    (rows.collect(), x1 - x0, y1 - y0)
}
