//! Throughput of the core by itself: each bench asserts its answer before it is timed.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed bench")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ratiopath_core::count::count_pixels;
use ratiopath_core::pixels::Pixels;
use ratiopath_core::polygon::{Bounds, Grid, Polygon};
use ratiopath_core::rasterize::{Rule, rasterize};
use ratiopath_core::scale::scale_coordinates;

const SIDE: usize = 512;

fn scale(c: &mut Criterion) {
    let mut group = c.benchmark_group("scale");
    for count in [1_000, 100_000] {
        let old: Vec<f64> = (0..count).map(f64::from).collect();
        let mut new = vec![0; old.len()];
        scale_coordinates(&old, 0.125, &mut new).unwrap();
        assert_eq!(new[12], 2);
        group.throughput(Throughput::Elements(old.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &old, |b, old| {
            b.iter(|| scale_coordinates(black_box(old), 0.125, &mut new));
        });
    }
    group.finish();
}

fn circle(vertices: usize) -> Polygon {
    let angle = |k: usize| k as f64 / vertices as f64 * std::f64::consts::TAU;
    let point = |k| [256.0 + 200.0 * angle(k).cos(), 256.0 + 200.0 * angle(k).sin()];
    Polygon::new((0..vertices).map(point).collect(), vec![vertices]).unwrap()
}

fn spans(c: &mut Criterion) {
    let side = SIDE as f64;
    let grid = Grid::new(SIDE, SIDE, Bounds { x0: 0.0, y0: 0.0, x1: side, y1: side }).unwrap();
    for rule in [Rule::Center, Rule::AllTouched, Rule::Exact] {
        let mut group = c.benchmark_group(format!("spans, {rule:?}"));
        for vertices in [64, 2_000, 100_000] {
            let polygon = circle(vertices);
            let area = rasterize(&polygon, &grid, rule, 0..SIDE).area();
            assert!((area / (std::f64::consts::PI * 200.0 * 200.0) - 1.0).abs() < 0.01);
            group.bench_with_input(
                BenchmarkId::from_parameter(vertices),
                &polygon,
                |b, polygon| {
                    b.iter(|| rasterize(black_box(polygon), &grid, rule, 0..SIDE));
                },
            );
        }
        group.finish();
    }
}

fn count(c: &mut Criterion) {
    for (name, run) in [("mask", 64), ("noise", 1)] {
        let mut group = c.benchmark_group(format!("count, {name}"));
        for pixel_bytes in [1, 2, 3, 4] {
            let value = |k: usize| (k / run).wrapping_mul(2_654_435_761) >> 7 & 31;
            let bytes: Vec<u8> =
                (0..SIDE * SIDE).flat_map(|k| vec![value(k) as u8; pixel_bytes]).collect();
            let pixels = Pixels::new(&bytes, SIDE, SIDE, pixel_bytes).unwrap();
            let mut total = 0;
            count_pixels(&pixels, None, None).unwrap().drain(|_, tally| total += tally.count);
            assert_eq!(total, (SIDE * SIDE) as u64);
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            group.bench_with_input(
                BenchmarkId::from_parameter(pixel_bytes),
                &pixels,
                |b, pixels| {
                    b.iter(|| count_pixels(black_box(pixels), None, None));
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, scale, spans, count);
criterion_main!(benches);
