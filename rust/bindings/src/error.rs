//! The core's errors as Python's, told apart in one place.

use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::{PyErr, PyResult, create_exception};
use ratiopath_core::{Error, Result};

create_exception!(
    ratiopath._core,
    SegmentError,
    PyValueError,
    "A decoded segment is not what the plan expects: the fault of a file or of its reader."
);

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
    let message = error.to_string();
    // What is not named here is a wrong argument. Patches that touch too many segments are one too,
    // though it is memory that they would take: fewer of them at once is the way out.
    match error {
        // Only what was decoded comes in rows of bytes.
        Error::Segment { .. } | Error::RowBytes { .. } => SegmentError::new_err(message),
        Error::Memory { .. } => PyMemoryError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}
