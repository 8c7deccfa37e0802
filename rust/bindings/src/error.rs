//! The core's errors as Python's: every refusal of the core is a wrong value.

use pyo3::exceptions::PyValueError;
use pyo3::{PyErr, PyResult};
use ratiopath_core::{Error, Result};

/// Turns a core result into a Python one.
pub(crate) trait IntoPyResult<T> {
    fn into_py_result(self) -> PyResult<T>;
}

impl<T> IntoPyResult<T> for Result<T> {
    fn into_py_result(self) -> PyResult<T> {
        self.map_err(to_python)
    }
}

fn to_python(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
