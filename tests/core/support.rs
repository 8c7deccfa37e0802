//! What several tests ask for: a small grid, a region on it, and rasters in runs.

use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::patches::plan::LevelGrid;
use ratiopath_core::raster::mask;
use ratiopath_core::raster::spans::Spans;
use ratiopath_core::raster::{Rule, rasterize};

pub(crate) const HEIGHT: usize = 9;
pub(crate) const WIDTH: usize = 11;

pub(crate) fn grid() -> Grid {
    let bounds = Bounds { x0: 0.0, y0: 0.0, x1: WIDTH as f64, y1: HEIGHT as f64 };
    Grid::new(HEIGHT, WIDTH, bounds).unwrap()
}

pub(crate) fn spans_of(ring: &[[f64; 2]], rule: Rule) -> Spans {
    let polygon = Polygon::new(ring.to_vec(), vec![ring.len()]).unwrap();
    rasterize(&polygon, &grid(), rule, 0..HEIGHT)
}

pub(crate) fn mask(spans: &Spans) -> Vec<bool> {
    mask::mask(spans).unwrap()
}

pub(crate) fn weights(spans: &Spans) -> Vec<f64> {
    mask::weights(spans).unwrap()
}

/// Bytes in runs of equal pixels, as masks have them, from few values.
pub(crate) fn runs(length: usize, pixel_bytes: usize, seed: u64) -> Vec<u8> {
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
pub(crate) fn cut(raster: &[u8], level: LevelGrid, segment: usize) -> (Vec<u8>, usize, usize) {
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
