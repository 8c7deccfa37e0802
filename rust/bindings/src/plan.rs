use std::sync::Arc;

use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ratiopath_core::patches::plan::{self, LevelGrid, Patch};
use ratiopath_core::pixels::Pixels;

use crate::error::IntoPyResult;
use crate::spans::Spans;

#[pyclass(frozen, module = "ratiopath._core")]
pub struct Plan {
    pub(crate) inner: plan::Plan,
}

#[pymethods]
impl Plan {
    #[new]
    #[pyo3(signature = (level_shape, segment_shape, shapes, x, y, shape_indices))]
    fn new(
        py: Python<'_>,
        level_shape: (usize, usize),
        segment_shape: (usize, usize),
        shapes: Vec<PyRef<'_, Spans>>,
        x: PyReadonlyArray1<'_, i64>,
        y: PyReadonlyArray1<'_, i64>,
        shape_indices: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<Self> {
        let (height, width) = level_shape;
        let (segment_height, segment_width) = segment_shape;
        let level = LevelGrid { width, height, segment_width, segment_height };
        let shapes = shapes.iter().map(|shape| Arc::clone(&shape.inner)).collect();
        let (x, y) = (x.as_slice()?, y.as_slice()?);
        let shape_indices = shape_indices.as_slice()?;
        if x.len() != y.len() || x.len() != shape_indices.len() {
            return Err(PyValueError::new_err("x, y and shape_indices must have one length"));
        }
        let lay = || {
            let rows = x.iter().zip(y).zip(shape_indices);
            let patches = rows.map(|((&x, &y), &shape)| Patch { x, y, shape }).collect();
            plan::Plan::of_shapes(level, shapes, patches)
        };
        Ok(Self { inner: py.detach(lay).into_py_result()? })
    }

    #[getter]
    fn segments<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let segments = self.inner.segments().iter().map(|&segment| segment as i64);
        PyArray1::from_iter(py, segments)
    }

    fn first_patch(&self, index: usize) -> PyResult<Option<usize>> {
        let mut windows = self.inner.windows(index).into_py_result()?;
        Ok(windows.next().map(|window| window.patch))
    }

    fn is_done_with(&self, index: usize) -> PyResult<bool> {
        self.inner.is_done_with(index).into_py_result()
    }

    fn __len__(&self) -> usize {
        self.inner.patches()
    }
}

/// Views rows of bytes, `(height, width * pixel_bytes)`, as pixels.
pub(crate) fn pixels_of<'a>(
    rows: &'a PyReadonlyArray2<'_, u8>,
    pixel_bytes: usize,
) -> PyResult<Pixels<'a>> {
    let [height, row_bytes] = [rows.shape()[0], rows.shape()[1]];
    let width = row_bytes.checked_div(pixel_bytes).unwrap_or(0);
    Pixels::new(rows.as_slice()?, width, height, pixel_bytes).into_py_result()
}
