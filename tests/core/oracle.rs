//! The truth, slowly: point in polygon by its crossings, areas by clipping, sums by loops.

use std::collections::BTreeMap;

use proptest::prelude::*;

/// A simple polygon around the middle of the grid, its vertices on multiples of 1/16 with
/// `snap = 16` and anywhere with `snap = 1`; snapped ones that cross themselves are left out.
pub(crate) fn star(snap: u32) -> impl Strategy<Value = Vec<[f64; 2]>> {
    let spokes = prop::collection::vec((0.3_f64..1.0, 0.05_f64..9.0), 3..9);
    (spokes, -3.0_f64..14.0, -3.0_f64..12.0)
        .prop_map(move |(spokes, x, y)| {
            let total: f64 = spokes.iter().map(|spoke| spoke.0).sum();
            let mut angle = 0.0;
            let mut ring = Vec::new();
            for (step, radius) in spokes {
                angle += step / total * std::f64::consts::TAU;
                let point = [x + radius * angle.cos(), y + radius * angle.sin()];
                ring.push(
                    point.map(|c: f64| if snap == 16 { (c * 16.0).round() / 16.0 } else { c }),
                );
            }
            ring
        })
        .prop_filter("simple", |ring| is_simple(ring))
}

fn cross(o: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
}

fn edges(ring: &[[f64; 2]]) -> Vec<([f64; 2], [f64; 2])> {
    (0..ring.len()).map(|k| (ring[k], ring[(k + 1) % ring.len()])).collect()
}

/// Whether no two edges meet except neighbours at their common vertex.
pub(crate) fn is_simple(ring: &[[f64; 2]]) -> bool {
    let edges = edges(ring);
    let count = edges.len();
    for i in 0..count {
        if edges[i].0 == edges[i].1 {
            return false;
        }
        for j in i + 1..count {
            let ((a, b), (c, d)) = (edges[i], edges[j]);
            let neighbours = j == i + 1 || (i == 0 && j == count - 1);
            if neighbours {
                let (before, at, after) = if j == i + 1 { (a, b, d) } else { (c, a, b) };
                let back = (before[0] - at[0]) * (after[0] - at[0])
                    + (before[1] - at[1]) * (after[1] - at[1]);
                if cross(at, before, after) == 0.0 && back > 0.0 {
                    return false;
                }
                continue;
            }
            let apart = |p, q, r, s| {
                cross(p, q, r).signum() * cross(p, q, s).signum() > 0.0 && cross(p, q, r) != 0.0
            };
            if !apart(a, b, c, d) && !apart(c, d, a, b) {
                return false;
            }
        }
    }
    true
}

/// Even-odd, with centres on edges out on the left, in on the right, in at the top, out below.
pub(crate) fn is_inside(ring: &[[f64; 2]], point: [f64; 2]) -> bool {
    let crossed = edges(ring).into_iter().filter(|&(a, b)| {
        let (top, bottom) = if a[1] <= b[1] { (a, b) } else { (b, a) };
        top[1] <= point[1] && point[1] < bottom[1] && cross(top, bottom, point) < 0.0
    });
    crossed.count() % 2 == 1
}

/// The area of the ring within the unit pixel at (x, y): Sutherland-Hodgman, then the shoelace.
pub(crate) fn coverage(ring: &[[f64; 2]], x: f64, y: f64) -> f64 {
    let mut clipped = ring.to_vec();
    for (axis, limit, sign) in [(0, x, 1.0), (0, x + 1.0, -1.0), (1, y, 1.0), (1, y + 1.0, -1.0)] {
        let inside = |p: [f64; 2]| sign * (p[axis] - limit) >= 0.0;
        let mut next = Vec::new();
        for (a, b) in edges(&clipped) {
            if inside(a) {
                next.push(a);
            }
            if inside(a) != inside(b) {
                let t = (limit - a[axis]) / (b[axis] - a[axis]);
                let mut cut = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
                cut[axis] = limit;
                next.push(cut);
            }
        }
        clipped = next;
    }
    let local = |p: [f64; 2]| [p[0] - x, p[1] - y];
    let twice: f64 = edges(&clipped)
        .into_iter()
        .map(|(a, b)| (local(a), local(b)))
        .map(|(a, b)| a[0] * b[1] - a[1] * b[0])
        .sum();
    twice.abs() / 2.0
}

/// The weight of each value under a patch, pixel by pixel.
pub(crate) fn areas(
    raster: &[u8],
    (width, height): (usize, usize),
    weights: &[f64],
    patch_width: usize,
    (x, y): (i64, i64),
) -> BTreeMap<u8, f64> {
    let mut sums = BTreeMap::new();
    for (k, &weight) in weights.iter().enumerate() {
        let (row, column) = (y + (k / patch_width) as i64, x + (k % patch_width) as i64);
        let inside = (0..height as i64).contains(&row) && (0..width as i64).contains(&column);
        if inside && weight > 0.0 {
            *sums.entry(raster[row as usize * width + column as usize]).or_insert(0.0) += weight;
        }
    }
    sums
}
