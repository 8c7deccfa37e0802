//! Many polygons of a few classes, asked what fraction of a region each class covers.
//!
//! The polygons of one class are taken not to overlap each other: what several of them share would
//! count several times. A tree of bounding boxes finds the polygons near a region, and the area
//! that each shares with it is exact.
//!
//! ```
//! use ratiopath_core::geometry::intersection::PreparedPolygon;
//! use ratiopath_core::geometry::layer::{Layer, split};
//!
//! let vertices = [
//!     [0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0], // a tumour
//!     [4.0, 0.0], [8.0, 0.0], [8.0, 2.0], [4.0, 2.0], // and stroma beside it
//! ];
//! let polygons = split(&vertices, &[4, 8], &[1, 2])?;
//! let layer = Layer::new(&polygons, vec![0, 1], 2)?;
//! let tile = PreparedPolygon::new(&polygons[0]);
//! let found = layer.fractions(&tile, &[0.0, 2.0], &[0.0, 0.0])?;
//! assert_eq!(found.regions, [0, 1, 1]);
//! assert_eq!(found.classes, [0, 0, 1]);
//! assert_eq!(found.fractions, [1.0, 0.5, 0.25]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use crate::geometry::bounding_box::BoundingBox;
use crate::geometry::edge_index::EdgeIndex;
use crate::geometry::intersection::PreparedPolygon;
use crate::geometry::point::Point;
use crate::geometry::polygon::Polygon;
use crate::{Error, Result};

type TreeEntry = GeomWithData<Rectangle<Point>, u32>;

/// Polygons with their classes, found by place.
#[derive(Debug)]
pub struct Layer {
    polygons: Vec<EdgeIndex>,
    classes: Vec<u32>,
    count: usize,
    tree: RTree<TreeEntry>,
}

/// What classes cover of regions, as entries.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct LayerFractions {
    /// Which region each entry is of, ascending.
    pub regions: Vec<usize>,
    /// Which class.
    pub classes: Vec<usize>,
    /// Which fraction of the region's area, above 0, at most 1.
    pub fractions: Vec<f64>,
}

impl Layer {
    /// Builds a layer of polygons, each of one of `count` classes.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] where there is not one class a polygon, [`Error::Index`] for a class that
    /// is not among the `count`.
    pub fn new(polygons: &[Polygon], classes: Vec<u32>, count: usize) -> Result<Self> {
        let (expected, actual) = (polygons.len(), classes.len());
        if expected != actual {
            return Err(Error::Length { what: "classes", expected, actual });
        }
        if let Some(&class) = classes.iter().find(|&&class| class as usize >= count) {
            return Err(Error::Index { what: "class", index: class as usize, count });
        }
        let polygons: Vec<EdgeIndex> = polygons.iter().map(EdgeIndex::new).collect();
        let entry = |(index, polygon): (usize, &EdgeIndex)| {
            let BoundingBox { low, high } = *polygon.bounding_box();
            TreeEntry::new(Rectangle::from_corners(low, high), index as u32)
        };
        let found = polygons.iter().enumerate().filter(|(_, polygon)| polygon.area() > 0.0);
        // What has no area shares none, and its box might have no extent.
        let tree = RTree::bulk_load(found.map(entry).collect());
        Ok(Self { polygons, classes, count, tree })
    }

    /// Measures which fraction of `region`, moved to each origin, each class covers.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] where `x` and `y` differ in length, [`Error::Origin`] for an origin that
    /// is not finite.
    pub fn fractions(
        &self,
        region: &PreparedPolygon,
        x: &[f64],
        y: &[f64],
    ) -> Result<LayerFractions> {
        let (expected, actual) = (x.len(), y.len());
        if expected != actual {
            return Err(Error::Length { what: "origins", expected, actual });
        }
        let mut found = LayerFractions::default();
        // One place a class, emptied as they are read: a region meets few of them.
        let mut sums = vec![0.0; self.count];
        let mut met = Vec::new();
        let whole = region.index().area();
        for (index, (&x, &y)) in x.iter().zip(y).enumerate() {
            if !x.is_finite() || !y.is_finite() {
                return Err(Error::Origin { index, x, y });
            }
            self.add_region(region, [x, y], &mut sums, &mut met);
            met.sort_unstable();
            for class in met.drain(..) {
                found.regions.push(index);
                found.classes.push(class);
                // The parts of a class add up to the whole region but for rounding.
                found.fractions.push((std::mem::take(&mut sums[class]) / whole).min(1.0));
            }
        }
        Ok(found)
    }

    /// Adds what each polygon shares with one region to its class, and lists the classes met.
    fn add_region(
        &self,
        region: &PreparedPolygon,
        origin: Point,
        sums: &mut [f64],
        met: &mut Vec<usize>,
    ) {
        let BoundingBox { low, high } = region.index().bounding_box().moved(origin);
        for entry in self.tree.locate_in_envelope_intersecting(AABB::from_corners(low, high)) {
            let index = entry.data as usize;
            let area = region.intersection_area(&self.polygons[index], origin);
            if area > 0.0 {
                let class = self.classes[index] as usize;
                if sums[class] == 0.0 {
                    met.push(class);
                }
                sums[class] += area;
            }
        }
    }
}

/// Splits flat vertices into polygons.
///
/// # Errors
///
/// [`Error::RingEnds`] where rings do not ascend to the number of vertices, [`Error::PolygonEnds`]
/// where polygons do not ascend to the number of rings, [`Error::Vertex`] for a vertex that is not finite or beyond 1e15.
pub fn split(
    vertices: &[Point],
    ring_ends: &[usize],
    polygon_ends: &[usize],
) -> Result<Vec<Polygon>> {
    let wrong_rings = || Error::RingEnds { vertices: vertices.len() };
    let wrong_polygons = || Error::PolygonEnds { rings: ring_ends.len() };
    let mut first_ring = 0;
    let mut start = 0;
    let mut polygons = Vec::with_capacity(polygon_ends.len());
    for &last_ring in polygon_ends {
        let rings = ring_ends.get(first_ring..last_ring).ok_or_else(wrong_polygons)?;
        let end = rings.last().copied().unwrap_or(start);
        let part = vertices.get(start..end).ok_or_else(wrong_rings)?;
        // An end before the start wraps to one past any vertex, which the polygon refuses.
        let ends = rings.iter().map(|ring_end| ring_end.wrapping_sub(start)).collect();
        polygons.push(Polygon::new(part.to_vec(), ends)?);
        (first_ring, start) = (last_ring, end);
    }
    if first_ring != ring_ends.len() {
        return Err(wrong_polygons());
    }
    if start != vertices.len() {
        return Err(wrong_rings());
    }
    Ok(polygons)
}
