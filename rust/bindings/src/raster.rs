use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use ratiopath_core::geometry::grid::{Bounds, Grid};
use ratiopath_core::patches::stencil;
use ratiopath_core::raster::{self, Rule, mask, spans};

use crate::error::IntoPyResult;
use crate::geometry::{points, polygon};

#[pyclass(frozen, module = "ratiopath._core")]
pub struct Stencil {
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
        self.write(py, true, mask::clear_inside)
    }

    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.write(py, 0.0, mask::write_weights)
    }
}

impl Stencil {
    fn write<'py, T: numpy::Element + Copy + Send>(
        &self,
        py: Python<'py>,
        outside: T,
        write: impl Fn(&spans::Spans, &mut [T]) -> ratiopath_core::Result<()> + Sync,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let shape = [self.inner.height(), self.inner.width()];
        let mut out = Vec::new();
        let pixels = shape[0].saturating_mul(shape[1]);
        // An allocation that fails must not abort the process, as the infallible one would.
        out.try_reserve_exact(pixels).map_err(|error| PyMemoryError::new_err(error.to_string()))?;
        let fill = || {
            out.resize(pixels, outside);
            write(self.inner.spans(), &mut out)
        };
        py.detach(fill).into_py_result()?;
        PyArray1::from_vec(py, out).reshape(shape)
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
