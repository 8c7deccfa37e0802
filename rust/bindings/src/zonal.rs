use std::sync::Arc;

use numpy::{PyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use ratiopath_core::zonal::areas::{self, SharedMemo};
use ratiopath_core::zonal::memo;
use ratiopath_core::zonal::moments;
use ratiopath_core::zonal::sample::SampleType;

use crate::error::IntoPyResult;
use crate::patches::Plan;
use crate::pixels::pixels_of;

type PatchAreaArrays<'py> = (
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f64>>,
);

#[pyclass(frozen, module = "ratiopath._core")]
#[derive(Default)]
pub struct Memo {
    inner: Arc<memo::Memo>,
}

#[pymethods]
impl Memo {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn clear(&self) {
        self.inner.clear();
    }
}

#[pyclass(module = "ratiopath._core")]
pub struct AreaCollector {
    // Not frozen: PyO3 refuses a second thread while one adds to it, instead of making it wait.
    inner: areas::AreaCollector,
    pixel_bytes: usize,
}

#[pymethods]
impl AreaCollector {
    #[new]
    #[pyo3(signature = (pixel_bytes, memo=None, limit=0, channel=None))]
    fn new(
        pixel_bytes: usize,
        memo: Option<PyRef<'_, Memo>>,
        limit: usize,
        channel: Option<u32>,
    ) -> PyResult<Self> {
        let shared = memo.map(|memo| SharedMemo { memo: Arc::clone(&memo.inner), limit, channel });
        let inner = areas::AreaCollector::new(pixel_bytes).into_py_result()?;
        let inner = match shared {
            Some(shared) => inner.with_memo(shared),
            None => inner,
        };
        Ok(Self { inner, pixel_bytes })
    }

    #[getter]
    fn entries(&self) -> usize {
        self.inner.entries()
    }

    fn add_from_memo(
        &mut self,
        py: Python<'_>,
        plan: PyRef<'_, Plan>,
        index: usize,
        content_id: u64,
    ) -> PyResult<bool> {
        let plan = &plan.inner;
        py.detach(|| self.inner.add_from_memo(plan, index, content_id)).into_py_result()
    }

    #[pyo3(signature = (plan, index, pixels, content_id))]
    fn add_segment(
        &mut self,
        py: Python<'_>,
        plan: PyRef<'_, Plan>,
        index: usize,
        pixels: PyReadonlyArray2<'_, u8>,
        content_id: Option<u64>,
    ) -> PyResult<()> {
        let pixels = pixels_of(&pixels, self.pixel_bytes)?;
        let plan = &plan.inner;
        py.detach(|| self.inner.add_segment(plan, index, &pixels, content_id)).into_py_result()
    }

    fn add_constant(
        &mut self,
        py: Python<'_>,
        plan: PyRef<'_, Plan>,
        index: usize,
        pixel: &[u8],
    ) -> PyResult<()> {
        let plan = &plan.inner;
        py.detach(|| self.inner.add_constant(plan, index, pixel)).into_py_result()
    }

    fn add_outside(&mut self, py: Python<'_>, plan: PyRef<'_, Plan>, pixel: &[u8]) -> PyResult<()> {
        let plan = &plan.inner;
        py.detach(|| self.inner.add_outside(plan, pixel)).into_py_result()
    }

    fn merge(&mut self, py: Python<'_>, other: PyRef<'_, AreaCollector>) -> PyResult<()> {
        let other = &other.inner;
        py.detach(|| self.inner.merge(other)).into_py_result()
    }

    fn finish<'py>(&mut self, py: Python<'py>, plan: PyRef<'py, Plan>) -> PatchAreaArrays<'py> {
        let plan = &plan.inner;
        let areas = py.detach(|| self.inner.finish(plan));
        // In the memory of the old ones: both are of eight bytes.
        let offsets = areas.offsets.into_iter().map(|offset| offset as i64).collect();
        (
            PyArray1::from_vec(py, areas.keys),
            PyArray1::from_vec(py, offsets),
            PyArray1::from_vec(py, areas.key_indices),
            PyArray1::from_vec(py, areas.areas),
        )
    }
}

type Column<'py> = Bound<'py, PyArray1<f64>>;
type StatisticArrays<'py> =
    (Column<'py>, Column<'py>, Column<'py>, Column<'py>, Column<'py>, Column<'py>);

#[pyclass(module = "ratiopath._core")]
pub struct SampleCollector {
    /// Taken by the call that ends the collection.
    inner: Option<moments::SampleCollector>,
    pixel_bytes: usize,
}

#[pymethods]
impl SampleCollector {
    #[new]
    fn new(
        kind: char,
        pixel_bytes: usize,
        left_out: Vec<f64>,
        plan: PyRef<'_, Plan>,
        quantiles: bool,
    ) -> PyResult<Self> {
        let sample = SampleType::new(kind, pixel_bytes).into_py_result()?;
        let inner = Some(moments::SampleCollector::new(sample, left_out, &plan.inner, quantiles));
        Ok(Self { inner, pixel_bytes })
    }

    fn add_segment(
        &mut self,
        py: Python<'_>,
        plan: PyRef<'_, Plan>,
        index: usize,
        pixels: PyReadonlyArray2<'_, u8>,
    ) -> PyResult<()> {
        let pixels = pixels_of(&pixels, self.pixel_bytes)?;
        let plan = &plan.inner;
        let inner = self.inner.as_mut().ok_or_else(finished)?;
        py.detach(|| inner.add_segment(plan, index, &pixels)).into_py_result()
    }

    fn add_constant(
        &mut self,
        py: Python<'_>,
        plan: PyRef<'_, Plan>,
        index: usize,
        value: f64,
    ) -> PyResult<()> {
        let plan = &plan.inner;
        let inner = self.inner.as_mut().ok_or_else(finished)?;
        py.detach(|| inner.add_constant(plan, index, value)).into_py_result()
    }

    fn merge(&mut self, py: Python<'_>, mut other: PyRefMut<'_, Self>) -> PyResult<()> {
        // This one first: the other must not be spent on a call that fails.
        let inner = self.inner.as_mut().ok_or_else(finished)?;
        let other = other.inner.take().ok_or_else(finished)?;
        py.detach(|| inner.merge(other)).into_py_result()
    }

    fn finish<'py>(
        &mut self,
        py: Python<'py>,
        probabilities: Vec<f64>,
    ) -> PyResult<StatisticArrays<'py>> {
        let inner = self.inner.take().ok_or_else(finished)?;
        let (moments, quantiles) = py.detach(|| inner.finish(&probabilities));
        let column =
            |part: fn(&moments::Moments) -> f64| PyArray1::from_iter(py, moments.iter().map(part));
        Ok((
            column(|of| of.weight),
            column(|of| of.mean),
            column(|of| of.deviation),
            column(|of| of.least),
            column(|of| of.largest),
            PyArray1::from_vec(py, quantiles),
        ))
    }
}

fn finished() -> PyErr {
    PyRuntimeError::new_err("the summaries were finished or merged already")
}
