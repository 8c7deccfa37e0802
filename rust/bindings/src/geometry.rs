use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ratiopath_core::geometry::intersection::PreparedPolygon;
use ratiopath_core::geometry::point::Point;
use ratiopath_core::geometry::polygon::Polygon;
use ratiopath_core::geometry::{layer, validity};

use crate::error::IntoPyResult;

type FractionArrays<'py> =
    (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>);

// Frozen: layers are kept for the process, and asked by all its threads.
#[pyclass(frozen, module = "ratiopath._core")]
pub struct Layer {
    inner: layer::Layer,
}

#[pymethods]
impl Layer {
    #[new]
    fn new(
        py: Python<'_>,
        vertices: PyReadonlyArray2<'_, f64>,
        ring_ends: PyReadonlyArray1<'_, i64>,
        polygon_ends: PyReadonlyArray1<'_, i64>,
        classes: PyReadonlyArray1<'_, u32>,
        count: usize,
    ) -> PyResult<Self> {
        let vertices = points(&vertices)?;
        let (ring_ends, polygon_ends) = (ring_ends.as_slice()?, polygon_ends.as_slice()?);
        let classes = classes.as_slice()?;
        let make = || {
            let polygons = layer::split(vertices, &ends(ring_ends), &ends(polygon_ends))?;
            layer::Layer::new(&polygons, classes.to_vec(), count)
        };
        Ok(Self { inner: py.detach(make).into_py_result()? })
    }

    fn fractions<'py>(
        &self,
        py: Python<'py>,
        vertices: PyReadonlyArray2<'_, f64>,
        ring_ends: PyReadonlyArray1<'_, i64>,
        x: PyReadonlyArray1<'_, f64>,
        y: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<FractionArrays<'py>> {
        let (vertices, ring_ends) = (points(&vertices)?, ring_ends.as_slice()?);
        let (x, y) = (x.as_slice()?, y.as_slice()?);
        let measure = || {
            let region = polygon(vertices, ring_ends)?;
            self.inner.fractions(&PreparedPolygon::new(&region), x, y)
        };
        let found = py.detach(measure).into_py_result()?;
        // NumPy indexes by signed integers. No layer has as many classes as they leave out.
        let integers =
            |places: &[usize]| PyArray1::from_iter(py, places.iter().map(|&place| place as i64));
        Ok((
            integers(&found.regions),
            integers(&found.classes),
            PyArray1::from_vec(py, found.fractions),
        ))
    }
}

#[pyfunction]
#[pyo3(signature = (vertices, ring_ends, exteriors))]
pub fn is_certainly_valid(
    py: Python<'_>,
    vertices: PyReadonlyArray2<'_, f64>,
    ring_ends: PyReadonlyArray1<'_, i64>,
    exteriors: PyReadonlyArray1<'_, bool>,
) -> PyResult<bool> {
    let (vertices, ring_ends) = (points(&vertices)?, ring_ends.as_slice()?);
    let exteriors = exteriors.as_slice()?;
    // What is refused is not valid beyond doubt either; GEOS says what is wrong with it, in words that
    // users of shapely know.
    let prove = || {
        let polygon = polygon(vertices, ring_ends);
        polygon.is_ok_and(|polygon| validity::is_certainly_valid(&polygon, exteriors))
    };
    Ok(py.detach(prove))
}

/// Views rows of two numbers as points.
// Looked at by column as well: six numbers are three pairs, and also two triples.
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
