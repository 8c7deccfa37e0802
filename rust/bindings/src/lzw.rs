use numpy::PyReadwriteArray1;
use pyo3::prelude::*;
use ratiopath_core::lzw;

use crate::error::IntoPyResult;

#[pyfunction]
#[pyo3(signature = (stream, out))]
pub fn decode_lzw(
    py: Python<'_>,
    stream: &[u8],
    mut out: PyReadwriteArray1<'_, u8>,
) -> PyResult<usize> {
    // Into the caller's memory: a slot that takes one segment after the other costs no page faults.
    let out = out.as_slice_mut()?;
    py.detach(|| lzw::decode_lzw(stream, out)).into_py_result()
}
