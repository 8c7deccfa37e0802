use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::plan::pixels_of;

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
