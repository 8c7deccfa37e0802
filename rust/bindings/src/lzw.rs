use pyo3::prelude::*;
use ratiopath_core::lzw;

use crate::error::IntoPyResult;

#[pyfunction]
#[pyo3(signature = (stream, /))]
pub fn check_lzw(py: Python<'_>, stream: &[u8]) -> PyResult<()> {
    py.detach(|| lzw::check_lzw(stream)).into_py_result()
}
