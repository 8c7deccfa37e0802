use std::sync::Arc;

use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::patches::stencil;
use ratiopath_core::raster::{self, Rule, mask};

use crate::error::IntoPyResult;
use crate::geometry::{points, polygon};

// Frozen: Python keeps the stencils of the last regions for all threads.
#[pyclass(frozen, module = "ratiopath._core")]
pub struct Stencil {
    // Shared with the plans that lay it, which may outlive the object.
    pub(crate) inner: Arc<stencil::Stencil>,
}

#[pymethods]
impl Stencil {
    #[new]
    #[pyo3(signature = (vertices, ring_ends, shape, bounds, rule, rows))]
    fn new(
        py: Python<'_>,
        vertices: PyReadonlyArray2<'_, f64>,
        ring_ends: PyReadonlyArray1<'_, i64>,
        shape: (usize, usize),
        bounds: (f64, f64, f64, f64),
        rule: &str,
        rows: (usize, usize),
    ) -> PyResult<Self> {
        let (vertices, ring_ends) = (points(&vertices)?, ring_ends.as_slice()?);
        let rule = parse_rule(rule)?;
        let (x0, y0, x1, y1) = bounds;
        let make = || {
            let polygon = polygon(vertices, ring_ends)?;
            let grid = Grid::new(shape.0, shape.1, Bounds { x0, y0, x1, y1 })?;
            Ok(raster::rasterize(&polygon, &grid, rule, rows.0..rows.1))
        };
        let inner = Arc::new(stencil::Stencil::from(py.detach(make).into_py_result()?));
        Ok(Self { inner })
    }

    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.inner.height(), self.inner.width())
    }

    fn mask<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<bool>>> {
        self.rows_of(py, py.detach(|| mask::mask(self.inner.spans())).into_py_result()?)
    }

    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.rows_of(py, py.detach(|| mask::weights(self.inner.spans())).into_py_result()?)
    }
}

impl Stencil {
    // Not written into an array of NumPy's: making one needs the interpreter, filling it does not, and a
    // vector is handed over without a copy.
    fn rows_of<'py, T: Element>(
        &self,
        py: Python<'py>,
        pixels: Vec<T>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        PyArray1::from_vec(py, pixels).reshape([self.inner.height(), self.inner.width()])
    }
}

fn parse_rule(name: &str) -> PyResult<Rule> {
    match name {
        "center" => Ok(Rule::Center),
        "all_touched" => Ok(Rule::AllTouched),
        "exact" => Ok(Rule::Exact),
        _ => Err(PyValueError::new_err(format!(
            "coverage must be 'center', 'all_touched' or 'exact', got {name:?}"
        ))),
    }
}
