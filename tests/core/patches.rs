//! Patches copied out of segments are slices of the level.

use std::sync::Arc;

use proptest::prelude::*;
use ratiopath_core::patches::gather::{
    OutputLayout, fill_background, fill_segment, gather_segment, write_masks,
};
use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
use ratiopath_core::patches::stencil::Stencil;
use ratiopath_core::pixels::Pixels;
use ratiopath_core::raster::Rule;

use crate::oracle::star;
use crate::support::{HEIGHT, WIDTH, cut, mask, runs, spans_of};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

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
        let patches: Vec<Patch> = origins.iter().map(|&(x, y)| Patch { x, y, stencil: 0 }).collect();
        let plan = Plan::new(level, vec![Arc::new(Stencil::from(spans.clone()))], patches).unwrap();
        let bytes = HEIGHT * WIDTH * pixel_bytes;
        // What is never written would show.
        let mut out = vec![0xA5; origins.len() * 2 * bytes];
        let layout = OutputLayout { stride: 2 * bytes, offset: 0 };
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
        write_masks(&plan, &masked, true, &mut out, OutputLayout { stride: 2 * bytes, offset: bytes }).unwrap();
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
