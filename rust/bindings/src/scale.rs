use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use ratiopath_core::scale;

use crate::error::IntoPyResult;

#[pyfunction]
pub fn scale_coordinates<'py>(
    py: Python<'py>,
    coordinates: PyReadonlyArray1<'py, f64>,
    scale: f64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let old = coordinates.as_slice()?;
    let mut new = vec![0; old.len()];
    py.detach(|| scale::scale_coordinates(old, scale, &mut new)).into_py_result()?;
    Ok(PyArray1::from_vec(py, new))
}
