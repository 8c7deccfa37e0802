//! Throughput of the core by itself: each bench asserts its answer before it is timed.
//!
//! Bytes a second: of what is read where pixels and coordinates are, and of the mask that would be
//! written, one byte a pixel, where spans are made.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed bench")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ratiopath_core::count::{count_pixels, count_under};
use ratiopath_core::geometry::edge_index::EdgeIndex;
use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::geometry::intersection::PreparedPolygon;
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::geometry::validity::is_certainly_valid;
use ratiopath_core::pixels::Pixels;
use ratiopath_core::raster::mask::mask;
use ratiopath_core::raster::{Rule, rasterize};
use ratiopath_core::scale::scale_coordinates;

const SIDES: [usize; 4] = [64, 256, 512, 2_048];
const VERTICES: [usize; 5] = [4, 64, 2_000, 20_000, 100_000];
const RULES: [Rule; 3] = [Rule::Center, Rule::AllTouched, Rule::Exact];

fn group<'a>(c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(800));
    group
}

fn scale(c: &mut Criterion) {
    let mut group = group(c, "scale");
    for count in [1_000, 100_000, 1_000_000] {
        let old: Vec<f64> = (0..count).map(f64::from).collect();
        let mut new = vec![0; old.len()];
        scale_coordinates(&old, 0.125, &mut new).unwrap();
        assert!(new.iter().zip(0..).all(|(new, old)| *new == (old + 4) / 8));
        group.throughput(Throughput::Bytes(16 * old.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| scale_coordinates(black_box(&old), 0.125, &mut new));
        });
    }
    group.finish();
}

/// A wavy outline round the middle of a square, as a contour of tissue has it.
fn contour(vertices: usize, side: usize) -> Polygon {
    let middle = side as f64 / 2.0;
    let point = |k: usize| {
        let angle = k as f64 / vertices as f64 * std::f64::consts::TAU + 0.3;
        let waves = 0.1 * (3.0 * angle).sin() + 0.05 * (17.0 * angle).cos();
        let radius = middle * (0.8 + waves);
        [middle + radius * angle.cos(), middle + radius * angle.sin()]
    };
    Polygon::new((0..vertices).map(point).collect(), vec![vertices]).unwrap()
}

/// The shoelace formula.
fn area(polygon: &Polygon) -> f64 {
    let cross = |(a, b): ([f64; 2], [f64; 2])| a[0] * b[1] - a[1] * b[0];
    polygon.edges().map(cross).sum::<f64>().abs() / 2.0
}

fn grid(side: usize) -> Grid {
    let end = side as f64;
    Grid::new(side, side, Bounds { x0: 0.0, y0: 0.0, x1: end, y1: end }).unwrap()
}

fn spans(c: &mut Criterion) {
    for rule in RULES {
        let mut group = group(c, &format!("spans, {rule:?}"));
        for (side, vertices) in ladder() {
            let (grid, polygon) = (grid(side), contour(vertices, side));
            let found = rasterize(&polygon, &grid, rule, 0..side).area();
            // Pixels on the outline are whole or nothing under the other rules.
            let outline = 8.0 * side as f64;
            let allowed = if rule == Rule::Exact { 1e-6 } else { outline };
            assert!((found - area(&polygon)).abs() < allowed);
            group.throughput(Throughput::Bytes((side * side) as u64));
            let id = BenchmarkId::new(format!("{side} px"), vertices);
            group.bench_with_input(id, &polygon, |b, polygon| {
                b.iter(|| rasterize(black_box(polygon), &grid, rule, 0..side));
            });
        }
        group.finish();
    }
}

/// Every side with 64 vertices, every number of vertices on 512 px.
fn ladder() -> impl Iterator<Item = (usize, usize)> {
    let sides = SIDES.into_iter().filter(|&side| side != 512).map(|side| (side, 64));
    sides.chain(VERTICES.into_iter().map(|vertices| (512, vertices)))
}

fn masks(c: &mut Criterion) {
    let mut group = group(c, "mask of spans");
    for side in SIDES {
        let spans = rasterize(&contour(2_000, side), &grid(side), Rule::Center, 0..side);
        let out = mask(&spans).unwrap();
        let inside = out.iter().filter(|outside| !**outside).count();
        assert_eq!(inside as f64, spans.area());
        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(side), |b| {
            b.iter(|| mask(black_box(&spans)));
        });
    }
    group.finish();
}

fn validity(c: &mut Criterion) {
    let mut group = group(c, "validity");
    for vertices in VERTICES {
        let polygon = contour(vertices, 512);
        assert!(is_certainly_valid(&polygon, &[true]));
        group.throughput(Throughput::Bytes(16 * vertices as u64));
        group.bench_with_input(BenchmarkId::from_parameter(vertices), &polygon, |b, polygon| {
            b.iter(|| is_certainly_valid(black_box(polygon), &[true]));
        });
    }
    group.finish();
}

fn intersection(c: &mut Criterion) {
    let mut group = group(c, "intersection");
    for vertices in [4, 64, 2_000] {
        // A tile's region over a contour: half of it, which no shortcut answers.
        let (region, other) = (PreparedPolygon::new(&contour(64, 512)), contour(vertices, 512));
        let index = EdgeIndex::new(&other);
        let found = region.intersection_area(&index, [256.0, 0.0]);
        let back = PreparedPolygon::new(&other);
        let expected = back.intersection_area(region.index(), [-256.0, 0.0]);
        assert!(found > 0.0 && (found - expected).abs() < 1e-6);
        group.throughput(Throughput::Bytes(16 * vertices as u64));
        group.bench_with_input(BenchmarkId::from_parameter(vertices), &index, |b, index| {
            b.iter(|| region.intersection_area(black_box(index), [256.0, 0.0]));
        });
    }
    group.finish();
}

/// The value of a pixel: long runs of few values, small discs of many, or anything.
fn value(kind: &str, side: usize, k: usize) -> u64 {
    let (row, column) = (k / side, k % side);
    let noise = |k: usize| (k as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    match kind {
        "mask" => noise(row * side / 64 + column / 64) % 4,
        "label" => {
            let (dy, dx) = (row as i64 % 32 - 16, column as i64 % 32 - 16);
            let disc = 1 + row / 32 * (side / 32) + column / 32;
            if dy * dy + dx * dx < 144 { disc as u64 % 256 } else { 0 }
        }
        _ => noise(k) % 256,
    }
}

fn image(kind: &str, side: usize, pixel_bytes: usize) -> Vec<u8> {
    let pixel = |k| value(kind, side, k).to_le_bytes();
    (0..side * side).flat_map(|k| pixel(k).into_iter().take(pixel_bytes)).collect()
}

fn count(c: &mut Criterion) {
    for kind in ["mask", "label", "noise"] {
        let mut group = group(c, &format!("count, {kind}"));
        let widths = [1, 2, 3, 4, 8].map(|pixel_bytes| (512, pixel_bytes));
        for (side, pixel_bytes) in [64, 256, 2_048].map(|side| (side, 1)).into_iter().chain(widths)
        {
            let bytes = image(kind, side, pixel_bytes);
            let pixels = Pixels::new(&bytes, side, side, pixel_bytes).unwrap();
            let mut expected = BTreeMap::new();
            for pixel in bytes.chunks(pixel_bytes) {
                *expected.entry(pixel.to_vec()).or_insert(0) += 1;
            }
            let mut found = BTreeMap::new();
            count_pixels(&pixels, None, None).unwrap().drain(|pixel, tally| {
                found.insert(pixel.to_vec(), tally.count);
            });
            assert_eq!(found, expected);
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            let id = BenchmarkId::new(format!("{side} px"), format!("{pixel_bytes} bytes"));
            group.bench_with_input(id, &pixels, |b, pixels| {
                b.iter(|| count_pixels(black_box(pixels), None, None));
            });
        }
        group.finish();
    }
}

fn count_in_polygon(c: &mut Criterion) {
    let mut group = group(c, "count in a polygon");
    let bytes = image("mask", 512, 1);
    let pixels = Pixels::new(&bytes, 512, 512, 1).unwrap();
    for rule in RULES {
        let spans = rasterize(&contour(64, 512), &grid(512), rule, 0..512);
        let mut total = 0.0;
        count_under(&pixels, &spans).unwrap().drain(|_, tally| total += tally.total());
        assert!((total - spans.area()).abs() < 1e-6);
        group.throughput(Throughput::Bytes(spans.area() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(format!("{rule:?}")), &spans, |b, s| {
            b.iter(|| count_under(&pixels, black_box(s)));
        });
    }
    group.finish();
}

criterion_group!(benches, scale, spans, masks, validity, intersection, count, count_in_polygon);
criterion_main!(benches);
