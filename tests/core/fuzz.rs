//! Arbitrary bytes as calls of the core: whatever comes in, it answers or refuses.
//!
//! Bytes are read as numbers of a hostile choice (limits of types, NaN, infinities, sizes that do not
//! fit each other) and as an order of calls on what earlier calls gave. A panic, an overflow or an
//! abort fails the test. `PROPTEST_CASES` says how many inputs are tried, 4096 where it is not set:
//!
//! ```text
//! PROPTEST_CASES=1000000 cargo test --release --test core_fuzz
//! ```

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::sync::Arc;

use proptest::prelude::*;
use ratiopath_core::count::count_pixels;
use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::patches::gather::{OutputLayout, gather_segment, write_masks};
use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
use ratiopath_core::patches::stencil::Stencil;
use ratiopath_core::pixels::Pixels;
use ratiopath_core::raster::mask;
use ratiopath_core::raster::spans::Spans;
use ratiopath_core::raster::{Rule, rasterize};
use ratiopath_core::scale::{scale_coordinate, scale_coordinates};
use ratiopath_core::zonal::areas::AreaCollector;
use ratiopath_core::zonal::moments::SampleCollector;
use ratiopath_core::zonal::sample::SampleType;

/// Callers bound the memory of a region before they ask for its spans; so does this.
const LARGEST_SIDE: usize = 48;
const FLOATS: [f64; 14] = [
    0.0,
    -0.0,
    0.5,
    1.0,
    -1.0,
    3.25,
    1e-300,
    1e15,
    -1e15,
    2e15,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];
const INTEGERS: [i64; 10] =
    [0, 1, -1, 7, 1 << 31, -(1 << 31), 1 << 53, i64::MAX, i64::MIN, i64::MAX - 1];

/// Bytes read from the front; zeros when they are used up.
struct Feed<'a>(&'a [u8]);

impl Feed<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte()))
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    fn float(&mut self) -> f64 {
        match self.byte() {
            choice @ 0..100 => FLOATS[usize::from(choice) % FLOATS.len()],
            100..120 => f64::from_bits(self.word()),
            _ => f64::from(self.byte()) / 8.0 - 4.0,
        }
    }

    fn integer(&mut self) -> i64 {
        match self.byte() {
            choice @ 0..60 => INTEGERS[usize::from(choice) % INTEGERS.len()],
            60..80 => self.word() as i64,
            _ => i64::from(self.byte()) - 60,
        }
    }

    /// A length that mostly fits, sometimes not.
    fn near(&mut self, length: usize) -> usize {
        match self.byte() {
            0..16 => self.below(100),
            16..24 => length + 1,
            24..32 => length.saturating_sub(1),
            _ => length,
        }
    }

    /// A size that mostly is small, sometimes without bounds.
    fn size(&mut self) -> usize {
        match self.byte() {
            0..12 => self.integer() as usize,
            12..20 => 0,
            _ => 1 + self.below(40),
        }
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte() & 3).collect()
    }
}

fn scale(feed: &mut Feed<'_>) {
    let old: Vec<f64> = (0..feed.below(5)).map(|_| feed.float()).collect();
    let factor = feed.float();
    let mut out = vec![0; feed.near(old.len())];
    let found = scale_coordinates(&old, factor, &mut out);
    if let (Ok(()), Some(&first)) = (found, old.first()) {
        assert_eq!(scale_coordinate(first, factor), Some(out[0]));
    }
}

fn spans(feed: &mut Feed<'_>) -> Option<Spans> {
    let vertices: Vec<_> = (0..feed.below(12)).map(|_| [feed.float(), feed.float()]).collect();
    let mut ends: Vec<usize> = vec![feed.near(vertices.len())];
    if feed.byte() < 40 {
        ends.insert(0, feed.size());
    }
    let polygon = Polygon::new(vertices, ends).ok()?;
    let (height, width) = (feed.below(LARGEST_SIDE), feed.below(LARGEST_SIDE));
    let (x0, y0) = (feed.float(), feed.float());
    let bounds = match feed.byte() {
        0..100 => Bounds { x0, y0, x1: feed.float(), y1: feed.float() },
        _ => Bounds { x0: 0.0, y0: 0.0, x1: width as f64, y1: height as f64 },
    };
    let grid = Grid::new(height, width, bounds).ok()?;
    let rule = [Rule::Center, Rule::AllTouched, Rule::Exact][feed.below(3)];
    let rows = match feed.byte() {
        0..20 => feed.size()..feed.size(),
        _ => 0..height,
    };
    let spans = rasterize(&polygon, &grid, rule, rows);
    let mask = mask::mask(&spans).expect("memory for so few pixels");
    let weights = mask::weights(&spans).expect("memory for so few pixels");
    assert!(mask.iter().zip(&weights).all(|(outside, weight)| *outside == (*weight == 0.0)));
    let _ = spans.area_within(feed.size(), feed.size(), feed.size(), feed.size());
    assert!(spans.area() >= 0.0);
    Some(spans)
}

fn plan(feed: &mut Feed<'_>) -> Option<Plan> {
    let stencils: Vec<_> = (0..=feed.below(2))
        .filter_map(|_| spans(feed))
        .map(|spans| Arc::new(Stencil::from(spans)))
        .collect();
    let level = LevelGrid {
        width: feed.size(),
        height: feed.size(),
        segment_width: feed.size(),
        segment_height: feed.size(),
    };
    let patches = (0..feed.below(6))
        .map(|_| Patch {
            x: feed.integer(),
            y: feed.integer(),
            stencil: if feed.byte() < 16 { feed.word() as u32 } else { 0 },
        })
        .collect();
    Plan::new(level, stencils, patches).ok()
}

fn areas(feed: &mut Feed<'_>) {
    let Some(plan) = plan(feed) else { return };
    let pixel_bytes = feed.below(10);
    let (Ok(mut first), Ok(mut second)) =
        (AreaCollector::new(pixel_bytes), AreaCollector::new(feed.near(pixel_bytes)))
    else {
        return;
    };
    for index in 0..feed.near(plan.segments().len()).min(64) {
        let (width, height) = (feed.below(42), feed.below(42));
        let bytes = feed.bytes(width * height * pixel_bytes);
        if let Ok(pixels) = Pixels::new(&bytes, width, height, pixel_bytes) {
            let _ = first.add_segment(&plan, index, &pixels, Some(1).filter(|_| index % 2 == 0));
            let _ = second.add_segment(&plan, index, &pixels, None);
        }
        let pixel = feed.bytes(feed.0.len() % 12);
        let _ = second.add_constant(&plan, index, &pixel);
        let _ = second.add_outside(&plan, &pixel);
    }
    let _ = first.merge(&second);
    let found = first.finish(&plan);
    assert_eq!(found.offsets.len(), plan.patches() + 1);
    assert_eq!(found.offsets.last(), Some(&found.areas.len()));
}

fn samples(feed: &mut Feed<'_>) {
    let (Some(one), Some(two)) = (plan(feed), plan(feed)) else { return };
    let sample = [SampleType::U8, SampleType::I16, SampleType::F32][feed.below(3)];
    let (left_out, quantiles) = (vec![feed.float()], feed.byte() < 128);
    let mut first = SampleCollector::new(sample, left_out.clone(), &one, quantiles);
    let other = if feed.byte() < 64 { &two } else { &one };
    let mut second = SampleCollector::new(sample, left_out, other, feed.byte() < 128);
    for index in 0..feed.near(one.segments().len()).min(64) {
        let (width, height) = (feed.below(42), feed.below(42));
        let pixel_bytes = feed.near(sample.bytes());
        let bytes = feed.bytes(width * height * pixel_bytes);
        if let Ok(pixels) = Pixels::new(&bytes, width, height, pixel_bytes) {
            let _ = first.add_segment(&one, index, &pixels);
            let _ = second.add_segment(&one, index, &pixels);
        }
        let _ = second.add_constant(other, index, feed.float());
    }
    if first.merge(second).is_ok() {
        let probabilities = [feed.float(), feed.float()];
        let (moments, found) = first.finish(&probabilities);
        assert_eq!(moments.len(), one.patches());
        assert_eq!(found.len(), 2 * one.patches());
    }
}

fn copies(feed: &mut Feed<'_>) {
    let Some(plan) = plan(feed) else { return };
    let layout = OutputLayout { stride: feed.size() % 100_000, offset: feed.size() };
    let mut out = vec![0; feed.near(layout.stride * plan.patches())];
    let (width, height, pixel_bytes) = (feed.below(42), feed.below(42), feed.below(10));
    let length = feed.near(width * height * pixel_bytes);
    let bytes = feed.bytes(length);
    if let Ok(pixels) = Pixels::new(&bytes, width, height, pixel_bytes) {
        for index in 0..feed.near(plan.segments().len()).min(64) {
            let _ = gather_segment(&plan, index, &pixels, &mut out, layout);
        }
    }
    let masked = feed.bytes(feed.0.len() % 12);
    let _ = write_masks(&plan, &masked, feed.byte() < 128, &mut out, layout);
}

fn counts(feed: &mut Feed<'_>) {
    let (width, height, pixel_bytes) = (feed.below(60), feed.below(60), feed.below(20));
    let length = feed.near(width * height * pixel_bytes);
    let bytes = feed.bytes(length);
    let Ok(pixels) = Pixels::new(&bytes, width, height, pixel_bytes) else { return };
    let mask = vec![feed.byte() < 128; feed.near(width * height)];
    let weights: Vec<f64> = (0..feed.near(width * height)).map(|_| feed.float()).collect();
    let _ = count_pixels(&pixels, Some(&mask), None);
    let _ = count_pixels(&pixels, Some(&mask), Some(&weights));
    let _ = Pixels::new(&bytes, feed.integer() as usize, feed.integer() as usize, pixel_bytes);
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(4096)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_in_is_answered_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut feed = Feed(&bytes);
        while !feed.0.is_empty() {
            match feed.byte() % 6 {
                0 => scale(&mut feed),
                1 => drop(spans(&mut feed)),
                2 => areas(&mut feed),
                3 => copies(&mut feed),
                4 => samples(&mut feed),
                _ => counts(&mut feed),
            }
        }
    }
}
