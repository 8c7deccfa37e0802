use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ratiopath_core::pixels::Pixels;

use crate::error::IntoPyResult;

#[pyfunction]
#[pyo3(signature = (pixels, pixel_bytes))]
pub fn constant_pixel<'py>(
    py: Python<'py>,
    pixels: PyReadonlyArray2<'py, u8>,
    pixel_bytes: usize,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let pixels = pixels_of(&pixels, pixel_bytes)?;
    let constant = py.detach(|| pixels.constant());
    Ok(constant.map(|pixel| PyBytes::new(py, pixel)))
}

/// Views rows of bytes, `(height, width * pixel_bytes)`, as pixels.
pub(crate) fn pixels_of<'a>(
    rows: &'a PyReadonlyArray2<'_, u8>,
    pixel_bytes: usize,
) -> PyResult<Pixels<'a>> {
    // Rows and not a flat buffer: the shape comes with the array and need not be said twice.
    let [height, row_bytes] = [rows.shape()[0], rows.shape()[1]];
    Pixels::of_rows(rows.as_slice()?, height, row_bytes, pixel_bytes).into_py_result()
}
