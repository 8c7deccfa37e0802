//! Areas that polygons share: the ways of measuring one agree, and parts add up to the whole.

use proptest::prelude::*;
use ratiopath_core::Error;
use ratiopath_core::geometry::edge_index::EdgeIndex;
use ratiopath_core::geometry::intersection::PreparedPolygon;
use ratiopath_core::geometry::layer::{Layer, split};
use ratiopath_core::geometry::point::Point;
use ratiopath_core::geometry::polygon::Polygon;

const TOLERANCE: f64 = 1e-9;

fn polygon(vertices: &[Point]) -> Polygon {
    Polygon::new(vertices.to_vec(), vec![vertices.len()]).expect("finite vertices")
}

fn rectangle(x0: f64, y0: f64, x1: f64, y1: f64) -> Polygon {
    polygon(&[[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
}

fn shared(region: &Polygon, outline: &Polygon, origin: Point) -> f64 {
    PreparedPolygon::new(region).intersection_area(&EdgeIndex::new(outline), origin)
}

/// A star-shaped polygon around (20, 20), so that it never crosses itself.
fn star() -> impl Strategy<Value = Vec<Point>> {
    prop::collection::vec(1.0..20.0f64, 3..60).prop_map(|radii| {
        let step = std::f64::consts::TAU / radii.len() as f64;
        let around = radii.iter().enumerate();
        around
            .map(|(index, radius)| {
                let angle = index as f64 * step;
                [20.0 + radius * angle.cos(), 20.0 + radius * angle.sin()]
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn a_grid_of_boxes_adds_up_to_the_polygon(vertices in star(), side in 1.0..15.0f64) {
        let outline = polygon(&vertices);
        let region = rectangle(0.0, 0.0, side, side);
        let cells = (40.0 / side).ceil() as usize;
        let total: f64 = (0..cells * cells)
            .map(|cell| [(cell % cells) as f64 * side, (cell / cells) as f64 * side])
            .map(|origin| shared(&region, &outline, origin))
            .sum();
        prop_assert!((total - EdgeIndex::new(&outline).area()).abs() < TOLERANCE);
    }

    #[test]
    fn a_box_measures_the_same_as_any_polygon_and_as_its_halves(
        vertices in star(),
        (x, y) in (-10.0..35.0f64, -10.0..35.0f64),
        (width, height) in (0.1..30.0f64, 0.1..30.0f64),
    ) {
        let outline = polygon(&vertices);
        let corners = [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]];
        let whole = shared(&polygon(&corners), &outline, [x, y]);
        // A vertex within a side makes it one of many edges, which takes the general way.
        let mut more = corners.to_vec();
        more.insert(2, [width, height / 3.0]);
        let general = shared(&polygon(&more), &outline, [x, y]);
        prop_assert!((whole - general).abs() < TOLERANCE);
        let upper = shared(&polygon(&corners[..3]), &outline, [x, y]);
        let lower = shared(&polygon(&[corners[0], corners[2], corners[3]]), &outline, [x, y]);
        prop_assert!((whole - upper - lower).abs() < TOLERANCE);
    }

    #[test]
    fn two_polygons_share_the_same_either_way(a in star(), b in star(), x in -30.0..30.0f64) {
        let (a, b) = (polygon(&a), polygon(&b));
        let there = shared(&a, &b, [x, 3.0]);
        let back = shared(&b, &a, [-x, -3.0]);
        prop_assert!((there - back).abs() < TOLERANCE);
        prop_assert!(there >= 0.0 && there <= EdgeIndex::new(&a).area());
    }

    #[test]
    fn the_way_round_does_not_matter(vertices in star(), (x, y) in (0.0..40.0f64, 0.0..40.0f64)) {
        let region = rectangle(0.0, 0.0, 7.0, 5.0);
        let backwards: Vec<Point> = vertices.iter().rev().copied().collect();
        let (one, other) = (polygon(&vertices), polygon(&backwards));
        let difference = shared(&region, &one, [x, y]) - shared(&region, &other, [x, y]);
        prop_assert!(difference.abs() < TOLERANCE);
    }
}

#[test]
fn a_polygon_with_a_hole_shares_what_is_not_hole() {
    let ring = vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
    let hole = [[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]];
    let holed = Polygon::new([ring, hole.to_vec()].concat(), vec![4, 8]).expect("two rings");
    assert_eq!(shared(&rectangle(0.0, 0.0, 5.0, 10.0), &holed, [0.0, 0.0]), 32.0);
    assert_eq!(shared(&rectangle(0.0, 0.0, 4.0, 4.0), &holed, [3.0, 3.0]), 0.0);
    assert_eq!(shared(&rectangle(0.0, 0.0, 40.0, 40.0), &holed, [-3.0, -3.0]), 64.0);
    let triangle = polygon(&[[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]);
    assert_eq!(shared(&triangle, &holed, [0.0, 0.0]), 32.0);
}

#[test]
fn outlines_that_only_touch_share_nothing() {
    let square = rectangle(0.0, 0.0, 10.0, 10.0);
    for origin in [[10.0, 0.0], [-10.0, 0.0], [0.0, 10.0], [10.0, 10.0], [1e6, 0.0]] {
        assert_eq!(shared(&square, &square, origin), 0.0);
    }
    assert_eq!(shared(&square, &square, [0.0, 0.0]), 100.0);
}

#[test]
fn a_layer_adds_up_its_classes_and_leaves_out_what_is_not_met() {
    let polygons = [
        rectangle(0.0, 0.0, 5.0, 10.0),
        rectangle(5.0, 0.0, 10.0, 5.0),
        rectangle(0.0, 0.0, 10.0, 2.5),
    ];
    let layer = Layer::new(&polygons, vec![2, 2, 0], 3).expect("classes below 3");
    let region = PreparedPolygon::new(&rectangle(0.0, 0.0, 10.0, 10.0));
    let found = layer.fractions(&region, &[0.0, 50.0, 0.0], &[0.0, 0.0, 5.0]).expect("finite");
    assert_eq!(found.regions, [0, 0, 2]);
    assert_eq!(found.classes, [0, 2, 2]);
    assert_eq!(found.fractions, [0.25, 0.75, 0.25]);
}

#[test]
fn a_layer_refuses_what_makes_no_sense() {
    let one = [rectangle(0.0, 0.0, 1.0, 1.0)];
    assert!(matches!(Layer::new(&one, vec![], 1), Err(Error::Length { .. })));
    assert!(matches!(Layer::new(&one, vec![1], 1), Err(Error::Index { .. })));
    let layer = Layer::new(&one, vec![0], 1).expect("one class");
    let region = PreparedPolygon::new(&one[0]);
    assert!(matches!(layer.fractions(&region, &[0.0], &[]), Err(Error::Length { .. })));
    assert!(matches!(layer.fractions(&region, &[f64::NAN], &[0.0]), Err(Error::Origin { .. })));
}

#[test]
fn flat_vertices_split_into_polygons_or_are_refused() {
    let vertices = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [5.0, 5.0], [6.0, 5.0], [6.0, 6.0]];
    let parts = split(&vertices, &[3, 6], &[1, 2]).expect("two triangles");
    let areas: Vec<f64> = parts.iter().map(|part| EdgeIndex::new(part).area()).collect();
    assert_eq!(areas, [0.5, 0.5]);
    for (ring_ends, polygon_ends) in [
        (&[3, 6][..], &[1][..]),
        (&[3, 6], &[1, 3]),
        (&[3, 7], &[2]),
        (&[4, 3, 6], &[1, 3]),
        (&[3], &[1]),
    ] {
        let found = split(&vertices, ring_ends, polygon_ends);
        assert!(matches!(found, Err(Error::RingEnds { .. } | Error::PolygonEnds { .. })));
    }
}
