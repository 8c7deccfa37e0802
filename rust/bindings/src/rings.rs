use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ratiopath_core::geometry::point::Point;
use ratiopath_core::geometry::polygon::Polygon;

/// Views rows of two numbers as points.
pub(crate) fn points<'a>(vertices: &'a PyReadonlyArray2<'_, f64>) -> PyResult<&'a [Point]> {
    match vertices.as_slice()?.as_chunks::<2>() {
        (points, []) if vertices.shape()[1] == 2 => Ok(points),
        _ => Err(PyValueError::new_err("vertices must be pairs of x and y")),
    }
}

/// Ends as the core takes them: a negative one wraps to one past any vertex, which it refuses.
pub(crate) fn ends(ends: &[i64]) -> Vec<usize> {
    ends.iter().map(|&end| end as usize).collect()
}

pub(crate) fn polygon(vertices: &[Point], ring_ends: &[i64]) -> ratiopath_core::Result<Polygon> {
    Polygon::new(vertices.to_vec(), ends(ring_ends))
}
