//! Whether a polygon is valid beyond doubt.
//!
//! GEOS finds out whether a polygon is valid in some 100 ns per vertex, and says what is wrong with
//! it. Nearly every polygon is valid for a simple reason: none of its edges meet but neighbours, at
//! their common vertex, every hole lies in its exterior and in nothing else, and every exterior in
//! nothing. That is proven here, some twenty times as fast; what is not proven (rings that touch,
//! say, which may or may not be valid) is left to GEOS. So the answer never decides that a polygon
//! is invalid, and a proof never rests on a rounded number.
//!
//! ```
//! use ratiopath_core::geometry::polygon::Polygon;
//! use ratiopath_core::geometry::validity::is_certainly_valid;
//!
//! let square = vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
//! let bow_tie = vec![[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]];
//! assert!(is_certainly_valid(&Polygon::new(square, vec![4])?, &[true]));
//! assert!(!is_certainly_valid(&Polygon::new(bow_tie, vec![4])?, &[true]));
//! # Ok::<(), ratiopath_core::Error>(())
//! ```
//!
//! Edges are grouped as they follow each other, eight to a leaf, eight leaves or groups to a group,
//! each with its bounding box, and groups whose boxes meet are looked into: no sorting, since a
//! ring's neighbours are near each other already. Leaves that follow each other always meet; but
//! edges that all go forward along one direction form a chain that cannot meet itself, and that is
//! what eight or sixteen edges in a row nearly always do.

use crate::geometry::bounding_box::BoundingBox;
use crate::geometry::point::{Point, side_of_line};
use crate::geometry::polygon::Polygon;

/// Edges of a leaf, and members of a group.
// Eight or sixteen edges in a row nearly always go forward along one direction, and are then a chain.
const FAN: usize = 8;

/// Below this a product may have lost digits to underflow.
// The predicate is exact only while no product underflows; 1e-280 is far above the smallest normal
// number, 2e-308, and far below any product of coordinates in pixels or µm.
const SMALLEST: f64 = 1e-280;

/// Looks at boxes and edges for each edge, after which GEOS is as fast.
// GEOS takes some 110 ns an edge. This also bounds what a hostile polygon costs, whose boxes all meet.
const LOOKS_PER_EDGE: usize = 64;

/// Whether a polygon or multipolygon is certainly valid: `false` says nothing.
///
/// `exteriors` says of each ring whether it begins a polygon; the rings after it are its holes.
#[must_use]
pub fn is_certainly_valid(polygon: &Polygon, exteriors: &[bool]) -> bool {
    let rings = ClosedRings::of(polygon);
    let rings_match =
        polygon.rings().count() == exteriors.len() && exteriors.first() == Some(&true);
    rings_match && rings.is_some_and(|rings| Proof::new(&rings).holds(exteriors))
}

/// Closed rings without repeated vertices, cut into leaves.
struct ClosedRings {
    /// All vertices, the first of each ring again at its end.
    points: Vec<Point>,
    /// First and last vertex of each ring in `points`.
    ends: Vec<(usize, usize)>,
    leaves: Vec<Leaf>,
}

/// Edges in a row: from each vertex of `first..end` to the next.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    ring: usize,
    first: usize,
    end: usize,
}

impl ClosedRings {
    /// None where a ring has fewer than three vertices.
    fn of(polygon: &Polygon) -> Option<Self> {
        let mut rings = Self { points: Vec::new(), ends: Vec::new(), leaves: Vec::new() };
        rings.points.reserve(polygon.vertices().len() + 1);
        polygon.rings().all(|ring| rings.push(ring)).then_some(rings)
    }

    fn push(&mut self, ring: &[Point]) -> bool {
        let first = self.points.len();
        for &point in ring {
            if self.points.len() == first || self.points.last() != Some(&point) {
                self.points.push(point);
            }
        }
        if self.points.len() > first && self.points[first..].last() != Some(&self.points[first]) {
            self.points.push(self.points[first]);
        }
        let last = self.points.len().saturating_sub(1);
        let number = self.ends.len();
        self.ends.push((first, last));
        let leaf = |start| Leaf { ring: number, first: start, end: (start + FAN).min(last) };
        self.leaves.extend((first..last).step_by(FAN).map(leaf));
        last >= first + 3
    }

    /// Whether the edges from these vertices follow each other in one ring.
    fn are_neighbours(&self, ring: usize, a: usize, b: usize) -> bool {
        let (first, last) = self.ends[ring];
        a + 1 == b || (a == first && b + 1 == last)
    }
}

/// The search for a reason to doubt.
struct Proof<'a> {
    rings: &'a ClosedRings,
    /// The boxes of leaves, then those of groups of them, and so on up to one.
    levels: Vec<Vec<BoundingBox>>,
    /// Whether a leaf and the next form a chain that cannot meet itself.
    is_chain: Vec<bool>,
    looks_left: usize,
}

impl<'a> Proof<'a> {
    fn new(rings: &'a ClosedRings) -> Self {
        let points = &rings.points;
        let leaf = |leaf: &Leaf| BoundingBox::of(&points[leaf.first..=leaf.end]);
        // Level by level upwards, each a vector: no tree of pointers, and neighbours lie side by side.
        let mut levels: Vec<Vec<BoundingBox>> = vec![rings.leaves.iter().map(leaf).collect()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let group =
                |boxes: &[BoundingBox]| boxes.iter().fold(BoundingBox::EMPTY, BoundingBox::with);
            levels.push(below.chunks(FAN).map(group).collect());
        }
        let chain = |pair: &[Leaf]| {
            pair[0].ring == pair[1].ring && is_chain(&points[pair[0].first..=pair[1].end])
        };
        let mut is_chain: Vec<bool> = rings.leaves.windows(2).map(chain).collect();
        is_chain.push(false);
        let looks_left = LOOKS_PER_EDGE * (points.len() + FAN);
        Self { rings, levels, is_chain, looks_left }
    }

    fn holds(mut self, exteriors: &[bool]) -> bool {
        self.is_apart(self.levels.len() - 1, 0, 0) && self.is_nested(exteriors)
    }

    /// Whether no edges of two groups, or of one with itself, meet but neighbours.
    fn is_apart(&mut self, level: usize, a: usize, b: usize) -> bool {
        if level == 0 {
            return if a == b { self.leaf_is_simple(a) } else { self.leaves_are_apart(a, b) };
        }
        let count = self.levels[level - 1].len();
        let members = |group: usize| group * FAN..((group + 1) * FAN).min(count);
        for x in members(a) {
            for y in members(b).start.max(x)..members(b).end {
                let boxes = &self.levels[level - 1];
                if (x == y || boxes[x].meets(&boxes[y])) && !self.is_apart(level - 1, x, y) {
                    return false;
                }
            }
        }
        self.spend(FAN * FAN)
    }

    fn spend(&mut self, looks: usize) -> bool {
        self.looks_left = self.looks_left.saturating_sub(looks);
        self.looks_left > 0
    }

    fn leaf_is_simple(&mut self, leaf: usize) -> bool {
        let is_known = self.is_chain[leaf] || (leaf > 0 && self.is_chain[leaf - 1]);
        let Leaf { ring, first, end } = self.rings.leaves[leaf];
        is_known
            || is_chain(&self.rings.points[first..=end])
            || (self.spend(FAN * FAN / 2)
                && (first..end)
                    .all(|a| (a + 1..end).all(|b| self.edges_are_apart(ring, ring, a, b))))
    }

    fn leaves_are_apart(&mut self, a: usize, b: usize) -> bool {
        if a + 1 == b && self.is_chain[a] {
            return true;
        }
        let (one, other) = (self.rings.leaves[a], self.rings.leaves[b]);
        let (box_a, box_b) = (self.levels[0][a], self.levels[0][b]);
        let are_apart = self.touching(one, box_b).all(|x| {
            let mut touching = self.touching(other, box_a);
            touching.all(|y| self.edges_are_apart(one.ring, other.ring, x, y))
        });
        are_apart && self.spend(4 * FAN)
    }

    /// The edges of a leaf whose boxes meet another.
    fn touching(&self, leaf: Leaf, other: BoundingBox) -> impl Iterator<Item = usize> + '_ {
        (leaf.first..leaf.end).filter(move |&edge| self.edge_box(edge).meets(&other))
    }

    fn edge_box(&self, edge: usize) -> BoundingBox {
        BoundingBox::of(&self.rings.points[edge..=edge + 1])
    }

    /// Whether two edges, the first before the second, meet nowhere but in a common vertex.
    fn edges_are_apart(&self, ring_a: usize, ring_b: usize, a: usize, b: usize) -> bool {
        let points = &self.rings.points;
        let (edge_a, edge_b) = ([points[a], points[a + 1]], [points[b], points[b + 1]]);
        if ring_a == ring_b && self.rings.are_neighbours(ring_a, a, b) {
            let (before, at) = if a + 1 == b { (edge_a, edge_b) } else { (edge_b, edge_a) };
            return side(before[0], before[1], at[1]) != 0 || is_chain(&[before[0], at[0], at[1]]);
        }
        !self.edge_box(a).meets(&self.edge_box(b))
            || is_beside(edge_a, edge_b)
            || is_beside(edge_b, edge_a)
    }

    /// Whether every exterior lies in no other ring, and every hole in its exterior alone, where no
    /// two rings meet.
    fn is_nested(&mut self, exteriors: &[bool]) -> bool {
        if exteriors.len() == 1 {
            return true;
        }
        // Edges do not meet, so where a ring lies is told by any one of its vertices.
        let mut exterior = 0;
        exteriors.iter().enumerate().all(|(ring, &is_exterior)| {
            if is_exterior {
                exterior = ring;
            }
            let expected = if is_exterior { vec![] } else { vec![exterior] };
            self.rings_around(ring) == Some(expected)
        })
    }

    /// The rings that a ring lies in: those that a ray from its first vertex crosses an odd number
    /// of times. None in doubt.
    fn rings_around(&mut self, ring: usize) -> Option<Vec<usize>> {
        let from = self.rings.points[self.rings.ends[ring].0];
        let mut crossed = Vec::new();
        let mut open = vec![(self.levels.len() - 1, 0)];
        while let Some((level, group)) = open.pop() {
            let here = self.levels[level][group];
            let is_level = here.low[1] <= from[1] && from[1] <= here.high[1];
            if !self.spend(1) {
                return None;
            }
            if !is_level || here.high[0] < from[0] {
                continue;
            }
            if level > 0 {
                let count = self.levels[level - 1].len();
                open.extend((group * FAN..count.min((group + 1) * FAN)).map(|k| (level - 1, k)));
                continue;
            }
            let leaf = self.rings.leaves[group];
            if leaf.ring != ring && self.is_crossed(&leaf, from)? {
                match crossed.iter().position(|&other| other == leaf.ring) {
                    Some(place) => drop(crossed.swap_remove(place)),
                    None => crossed.push(leaf.ring),
                }
            }
        }
        Some(crossed)
    }

    /// Whether the edges of a leaf cross the ray to the right an odd number of times.
    fn is_crossed(&self, leaf: &Leaf, from: Point) -> Option<bool> {
        let mut is_odd = false;
        for edge in self.rings.points[leaf.first..=leaf.end].windows(2) {
            let (a, b) = (edge[0], edge[1]);
            if (a[1] > from[1]) != (b[1] > from[1]) {
                let (top, bottom) = if a[1] < b[1] { (a, b) } else { (b, a) };
                match side(top, bottom, from) {
                    0 => return None,
                    // Right of the point is where it lies left of the edge, y pointing down.
                    turn => is_odd ^= turn > 0,
                }
            }
        }
        Some(is_odd)
    }
}

/// Whether both ends of an edge certainly lie strictly on one side of another's line.
fn is_beside(edge: [Point; 2], line: [Point; 2]) -> bool {
    side(line[0], line[1], edge[0]) * side(line[0], line[1], edge[1]) > 0
}

/// Which side of the line from `a` to `b` a point is on: 1, -1, or 0 on it or in doubt.
fn side(a: Point, b: Point, point: Point) -> i32 {
    let turn = side_of_line(a, b, point);
    i32::from(turn > SMALLEST) - i32::from(turn < -SMALLEST)
}

/// Whether all edges between these vertices certainly go forward along the way from the first to
/// the last, so that they meet only where they follow each other.
fn is_chain(points: &[Point]) -> bool {
    let (start, end) = (points[0], points[points.len() - 1]);
    let way = [end[0] - start[0], end[1] - start[1]];
    let goes_forward = |edge: &[Point]| {
        let along = (edge[1][0] - edge[0][0]) * way[0];
        let across = (edge[1][1] - edge[0][1]) * way[1];
        // Each product is off by less than 2 epsilon of itself, the sum by one of its own.
        along + across > 8.0 * f64::EPSILON * (along.abs() + across.abs()) + SMALLEST
    };
    // Without an end at the first that does not: nearly all do, and this way they go in lanes.
    points.windows(2).fold(true, |all, edge| all & goes_forward(edge))
}
