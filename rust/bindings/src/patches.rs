use std::sync::Arc;

use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ratiopath_core::patches::gather::{self, OutputLayout};
use ratiopath_core::patches::plan::{self, LevelGrid, Patch};

use crate::error::IntoPyResult;
use crate::pixels::pixels_of;
use crate::raster::Stencil;

// Frozen: parts of one plan are worked on by several threads.
#[pyclass(frozen, module = "ratiopath._core")]
pub struct Plan {
    pub(crate) inner: plan::Plan,
}

#[pymethods]
impl Plan {
    #[new]
    #[pyo3(signature = (level_shape, segment_shape, stencils, x, y, stencil_indices))]
    fn new(
        py: Python<'_>,
        level_shape: (usize, usize),
        segment_shape: (usize, usize),
        stencils: Vec<PyRef<'_, Stencil>>,
        x: PyReadonlyArray1<'_, i64>,
        y: PyReadonlyArray1<'_, i64>,
        stencil_indices: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<Self> {
        let (height, width) = level_shape;
        let (segment_height, segment_width) = segment_shape;
        let level = LevelGrid { width, height, segment_width, segment_height };
        let stencils = stencils.iter().map(|stencil| Arc::clone(&stencil.inner)).collect();
        let (x, y) = (x.as_slice()?, y.as_slice()?);
        let stencil_indices = stencil_indices.as_slice()?;
        if x.len() != y.len() || x.len() != stencil_indices.len() {
            return Err(PyValueError::new_err("x, y and stencil_indices must have one length"));
        }
        let lay = || {
            let rows = x.iter().zip(y).zip(stencil_indices);
            let patches = rows.map(|((&x, &y), &stencil)| Patch { x, y, stencil }).collect();
            plan::Plan::new(level, stencils, patches)
        };
        Ok(Self { inner: py.detach(lay).into_py_result()? })
    }

    // A copy at each call, which Python makes once: asked for each segment, it was quadratic in them.
    #[getter]
    fn segments<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let segments = self.inner.segments().iter().map(|&segment| segment as i64);
        PyArray1::from_iter(py, segments)
    }

    fn first_patch(&self, index: usize) -> PyResult<Option<usize>> {
        let mut windows = self.inner.windows(index).into_py_result()?;
        Ok(windows.next().map(|window| window.patch))
    }

    fn can_drop_pixels(&self, index: usize) -> PyResult<bool> {
        self.inner.can_drop_pixels(index).into_py_result()
    }

    fn __len__(&self) -> usize {
        self.inner.patches()
    }
}

// Outputs are bytes whatever their dtype, so that one function serves all, and a stride and an offset
// of bytes say where patches lie: data and masks of one call may share one array.
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
    let layout = OutputLayout { stride, offset };
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
    let layout = OutputLayout { stride, offset };
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
    let layout = OutputLayout { stride, offset };
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
    let layout = OutputLayout { stride, offset };
    py.detach(|| gather::write_masks(plan, masked, clip, out, layout)).into_py_result()
}
