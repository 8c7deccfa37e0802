//! Areas per patch do not depend on how the level is cut, on what is known, or on other patches.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
use ratiopath_core::patches::stencil::Stencil;
use ratiopath_core::pixels::Pixels;
use ratiopath_core::raster::spans::Spans;
use ratiopath_core::raster::{Rule, rasterize};
use ratiopath_core::zonal::areas::{AreaCollector, PatchAreas, SharedMemo};
use ratiopath_core::zonal::memo::Memo;

use crate::oracle::{areas, star};
use crate::support::{WIDTH, cut, runs, spans_of, weights};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

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
        let patches: Vec<Patch> = origins.iter().map(|&(x, y)| Patch { x, y, stencil: 0 }).collect();
        let plan = Plan::new(level, vec![Arc::new(Stencil::from(spans.clone()))], patches).unwrap();
        let mut contents = BTreeMap::new();
        let memo = Arc::new(Memo::default());
        let memory = SharedMemo { memo, limit: 1 << 20, channel: None };
        // The second time much is known, and the answer is the same.
        for memory in [None, Some(memory.clone()), Some(memory)] {
            let mut collectors = [memory.clone(), memory].map(collector);
            for index in 0..plan.segments().len() {
                let (bytes, width, height) = cut(&raster, level, plan.segments()[index]);
                let pixels = Pixels::new(&bytes, width, height, 1).unwrap();
                // Contents by their bytes, some left unknown.
                let content_id = contents.len() as u64;
                let content_id = *contents.entry((bytes.clone(), width)).or_insert(content_id);
                let named = Some(content_id).filter(|content_id| content_id % 3 > 0);
                let collector = &mut collectors[index % 2];
                let known = named.is_some_and(|content_id| collector.add_from_memo(&plan, index, content_id).unwrap());
                match pixels.constant().filter(|_| content_id % 2 == 0) {
                    _ if known => (),
                    Some(pixel) => collector.add_constant(&plan, index, pixel).unwrap(),
                    None => collector.add_segment(&plan, index, &pixels, named).unwrap(),
                }
            }
            let [mut first, second] = collectors;
            first.merge(&second).unwrap();
            let found = first.finish(&plan);
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
        let stencil = Arc::new(Stencil::from(full((side(size.0), side(size.1)))));
        let patches: Vec<Patch> = (0..64)
            .map(|k| Patch { x: start.0 + k % 8 * step, y: start.1 + k / 8 * step, stencil: 0 })
            .collect();
        let plan = Plan::new(level, vec![Arc::clone(&stencil)], patches.clone()).unwrap();
        let together = collect(&plan, &raster, wide, pixel_bytes);
        for (patch, &alone) in patches.iter().enumerate() {
            let plan = Plan::new(level, vec![Arc::clone(&stencil)], vec![alone]).unwrap();
            let expected = areas_of(&collect(&plan, &raster, wide, pixel_bytes), 0, pixel_bytes);
            prop_assert_eq!(areas_of(&together, patch, pixel_bytes), expected);
        }
    }
}

/// A collector of single bytes, with a memory or without.
fn collector(memory: Option<SharedMemo>) -> AreaCollector {
    let collector = AreaCollector::new(1).unwrap();
    match memory {
        Some(memory) => collector.with_memo(memory),
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
fn collect(plan: &Plan, raster: &[u8], wide: LevelGrid, pixel_bytes: usize) -> PatchAreas {
    let mut collector = AreaCollector::new(pixel_bytes).unwrap();
    for index in 0..plan.segments().len() {
        let (part, width, height) = cut(raster, wide, plan.segments()[index]);
        let pixels = Pixels::new(&part, width / pixel_bytes, height, pixel_bytes).unwrap();
        collector.add_segment(plan, index, &pixels, None).unwrap();
    }
    collector.finish(plan)
}

/// One patch's areas by distinct pixel.
fn areas_of(found: &PatchAreas, patch: usize, pixel_bytes: usize) -> BTreeMap<Vec<u8>, f64> {
    let entries = found.offsets[patch]..found.offsets[patch + 1];
    let key = |entry: usize| found.key_indices[entry] as usize * pixel_bytes;
    entries
        .map(|entry| {
            (found.keys[key(entry)..key(entry) + pixel_bytes].to_vec(), found.areas[entry])
        })
        .collect()
}
