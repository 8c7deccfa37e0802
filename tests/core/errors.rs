//! What is refused is refused with a message that is true.

use std::sync::Arc;

use ratiopath_core::Error;
use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::geometry::intersection::PreparedPolygon;
use ratiopath_core::geometry::layer::{Layer, split};
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::patches::gather::{OutputLayout, fill_background, fill_segment, write_masks};
use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
use ratiopath_core::patches::stencil::Stencil;
use ratiopath_core::pixels::Pixels;
use ratiopath_core::raster::{Rule, mask, rasterize};
use ratiopath_core::zonal::areas::AreaCollector;
use ratiopath_core::zonal::sample::SampleType;

use crate::support::{HEIGHT, WIDTH, spans_of};

const SQUARE: [[f64; 2]; 4] = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];

fn message<T: std::fmt::Debug>(refused: Result<T, Error>) -> String {
    refused.expect_err("is refused").to_string()
}

/// One patch on a level, of the first of so many stencils.
fn plan(stencils: usize) -> Plan {
    let level = LevelGrid { width: 20, height: 20, segment_width: 20, segment_height: 20 };
    let stencil = || Arc::new(Stencil::from(spans_of(&SQUARE, Rule::Center)));
    let stencils = (0..stencils).map(|_| stencil()).collect();
    Plan::new(level, stencils, vec![Patch { x: 0, y: 0, stencil: 0 }]).unwrap()
}

#[test]
fn an_offset_that_does_not_fit_says_so() {
    let bytes = HEIGHT * WIDTH;
    let layout = OutputLayout { stride: bytes, offset: 1 };
    let mut out = vec![0; bytes];
    let expected = "99 bytes at offset 1 do not fit a stride of 99 bytes";
    assert_eq!(message(write_masks(&plan(1), &[1], true, &mut out, layout)), expected);
    assert_eq!(message(fill_segment(&plan(1), 0, &[1], &mut out, layout)), expected);
    let layout = OutputLayout { stride: bytes, offset: 0 };
    let found = message(fill_background(&plan(1), &[1], &mut out[1..], layout));
    assert_eq!(found, "bytes of all patches: expected a length of 99, got 98");
}

#[test]
fn several_stencils_are_counted() {
    let layout = OutputLayout { stride: HEIGHT * WIDTH, offset: 0 };
    let mut out = vec![0; HEIGHT * WIDTH];
    let found = message(fill_background(&plan(3), &[1], &mut out, layout));
    assert_eq!(found, "patches that are written side by side must share one stencil, got 3");
}

#[test]
fn an_empty_pixel_is_refused_wherever_pixels_come_in() {
    let expected = "a pixel must have at least one byte";
    let layout = OutputLayout { stride: HEIGHT * WIDTH, offset: 0 };
    let mut out = vec![0; HEIGHT * WIDTH];
    assert_eq!(message(fill_segment(&plan(1), 0, &[], &mut out, layout)), expected);
    assert_eq!(message(fill_background(&plan(1), &[], &mut out, layout)), expected);
    assert_eq!(message(write_masks(&plan(1), &[], true, &mut out, layout)), expected);
    assert_eq!(message(AreaCollector::new(0)), expected);
    assert_eq!(message(Pixels::new(&[1, 2], 1, 2, 0)), expected);
    assert_eq!(message(Pixels::of_rows(&[1, 2], 1, 2, 0)), expected);
}

#[test]
fn a_sample_of_no_type_says_which() {
    let found = message(SampleType::new('f', 2));
    assert_eq!(found, "samples of kind 'f' and 2 bytes are of no type that can be added up");
}

#[test]
fn a_segment_says_what_it_has_and_what_it_lacks() {
    let mut collector = AreaCollector::new(1).unwrap();
    let bytes = [0; 9];
    let small = Pixels::new(&bytes, 3, 3, 1).unwrap();
    let found = message(collector.add_segment(&plan(1), 0, &small, None));
    assert_eq!(found, "segment has 3 x 3 pixels where at least 20 x 20 lie inside the level");
    let found = message(Pixels::of_rows(&bytes, 3, 3, 2));
    assert_eq!(found, "rows of 3 bytes are no whole pixels of 2 bytes");
}

#[test]
fn a_mask_that_no_memory_holds_is_refused() {
    let side = i32::MAX as usize;
    let bounds = Bounds { x0: 0.0, y0: 0.0, x1: 1.0, y1: 1.0 };
    let grid = Grid::new(side, side, bounds).unwrap();
    let square = Polygon::new(SQUARE.to_vec(), vec![4]).unwrap();
    let spans = rasterize(&square, &grid, Rule::Center, 0..1);
    let found = message(mask::weights(&spans));
    assert_eq!(found, "no memory for 2147483647 x 2147483647 pixels of 8 bytes");
    assert!(matches!(mask::mask(&spans), Err(Error::Memory { pixel_bytes: 1, .. })));
}

#[test]
fn a_level_that_cannot_be_cut_says_into_what() {
    let level = LevelGrid { width: 20, height: 10, segment_width: 0, segment_height: 5 };
    let found = message(Plan::new(level, vec![], vec![]));
    assert_eq!(found, "a level of 10 x 20 pixels cannot be cut into segments of 5 x 0");
}

#[test]
fn ends_of_polygons_are_not_called_ends_of_rings() {
    let found = message(split(&SQUARE, &[4], &[2]));
    assert_eq!(found, "polygon ends must ascend and finish at the 1 rings given");
    let found = message(split(&SQUARE, &[3], &[1]));
    assert_eq!(found, "ring ends must ascend and finish at the 4 vertices given");
}

#[test]
fn an_origin_is_not_called_a_vertex() {
    let square = Polygon::new(SQUARE.to_vec(), vec![4]).unwrap();
    let layer = Layer::new(std::slice::from_ref(&square), vec![0], 1).unwrap();
    let found = message(layer.fractions(&PreparedPolygon::new(&square), &[f64::NAN], &[0.0]));
    assert_eq!(found, "origin 0 (NaN, 0) is not finite");
}
