use numpy::{PyReadonlyArray2, PyReadwriteArray1};
use pyo3::prelude::*;
use ratiopath_core::patches::gather::{self, Layout};

use crate::error::IntoPyResult;
use crate::plan::{Plan, pixels_of};

#[pyfunction]
#[pyo3(signature = (plan, index, pixels, pixel_bytes, out, stride, offset))]
#[expect(clippy::too_many_arguments, reason = "a flat call for a flat buffer")]
pub fn gather_segment(
    py: Python<'_>,
    plan: PyRef<'_, Plan>,
    index: usize,
    pixels: PyReadonlyArray2<'_, u8>,
    pixel_bytes: usize,
    mut out: PyReadwriteArray1<'_, u8>,
    stride: usize,
    offset: usize,
) -> PyResult<()> {
    let pixels = pixels_of(&pixels, pixel_bytes)?;
    let out = out.as_slice_mut()?;
    let plan = &plan.inner;
    let layout = Layout { stride, offset };
    py.detach(|| gather::gather_segment(plan, index, &pixels, out, layout)).into_py_result()
}

#[pyfunction]
#[pyo3(signature = (plan, index, pixel, out, stride, offset))]
pub fn fill_segment(
    py: Python<'_>,
    plan: PyRef<'_, Plan>,
    index: usize,
    pixel: &[u8],
    mut out: PyReadwriteArray1<'_, u8>,
    stride: usize,
    offset: usize,
) -> PyResult<()> {
    let out = out.as_slice_mut()?;
    let plan = &plan.inner;
    let layout = Layout { stride, offset };
    py.detach(|| gather::fill_segment(plan, index, pixel, out, layout)).into_py_result()
}

#[pyfunction]
#[pyo3(signature = (plan, pixel, out, stride, offset))]
pub fn fill_background(
    py: Python<'_>,
    plan: PyRef<'_, Plan>,
    pixel: &[u8],
    mut out: PyReadwriteArray1<'_, u8>,
    stride: usize,
    offset: usize,
) -> PyResult<()> {
    let out = out.as_slice_mut()?;
    let plan = &plan.inner;
    let layout = Layout { stride, offset };
    py.detach(|| gather::fill_background(plan, pixel, out, layout)).into_py_result()
}

#[pyfunction]
#[pyo3(signature = (plan, masked, clip, out, stride, offset))]
pub fn write_masks(
    py: Python<'_>,
    plan: PyRef<'_, Plan>,
    masked: &[u8],
    clip: bool,
    mut out: PyReadwriteArray1<'_, u8>,
    stride: usize,
    offset: usize,
) -> PyResult<()> {
    let out = out.as_slice_mut()?;
    let plan = &plan.inner;
    let layout = Layout { stride, offset };
    py.detach(|| gather::write_masks(plan, masked, clip, out, layout)).into_py_result()
}
