use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use ratiopath_core::geometry::intersection::Region;
use ratiopath_core::geometry::layer;

use crate::error::IntoPyResult;
use crate::rings::{ends, points, polygon};

type Fractions<'py> =
    (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>);

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
    ) -> PyResult<Fractions<'py>> {
        let (vertices, ring_ends) = (points(&vertices)?, ring_ends.as_slice()?);
        let (x, y) = (x.as_slice()?, y.as_slice()?);
        let measure = || {
            let region = polygon(vertices, ring_ends)?;
            self.inner.fractions(&Region::new(&region), x, y)
        };
        let found = py.detach(measure).into_py_result()?;
        Ok((
            PyArray1::from_vec(py, found.regions),
            PyArray1::from_vec(py, found.classes),
            PyArray1::from_vec(py, found.fractions),
        ))
    }
}
