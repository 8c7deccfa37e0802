use std::sync::Arc;

use numpy::{PyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use ratiopath_core::zonal::areas::{self, Memory};
use ratiopath_core::zonal::memo;
use ratiopath_core::zonal::moments;
use ratiopath_core::zonal::sample::Sample;

use crate::error::IntoPyResult;
use crate::patches::Plan;
use crate::pixels::pixels_of;

type Areas<'py> = (
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f64>>,
);

#[pyclass(frozen, module = "ratiopath._core")]
#[derive(Default)]
pub struct KnownCounts {
    inner: Arc<memo::KnownCounts>,
}

#[pymethods]
impl KnownCounts {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn clear(&self) {
        self.inner.clear();
    }
}

#[pyclass(module = "ratiopath._core")]
pub struct Collector {
    inner: areas::Collector,
    pixel_bytes: usize,
}

#[pymethods]
impl Collector {
    #[new]
    #[pyo3(signature = (pixel_bytes, known=None, limit=0, channel=None))]
    fn new(
        pixel_bytes: usize,
        known: Option<PyRef<'_, KnownCounts>>,
        limit: usize,
        channel: Option<u32>,
    ) -> PyResult<Self> {
        let memory = known.map(|known| Memory { counts: Arc::clone(&known.inner), limit, channel });
        let inner = areas::Collector::new(pixel_bytes).into_py_result()?;
        let inner = match memory {
            Some(memory) => inner.remembering(memory),
            None => inner,
        };
        Ok(Self { inner, pixel_bytes })
    }

    #[getter]
    fn entries(&self) -> usize {
        self.inner.entries()
    }

    fn add_known(
        &mut self,
        py: Python<'_>,
        plan: PyRef<'_, Plan>,
        index: usize,
        content: u64,
    ) -> PyResult<bool> {
        let plan = &plan.inner;
        py.detach(|| self.inner.add_known(plan, index, content)).into_py_result()
    }

    #[pyo3(signature = (plan, index, pixels, content))]
    fn add_segment(
        &mut self,
        py: Python<'_>,
        plan: PyRef<'_, Plan>,
        index: usize,
        pixels: PyReadonlyArray2<'_, u8>,
        content: Option<u64>,
    ) -> PyResult<()> {
        let pixels = pixels_of(&pixels, self.pixel_bytes)?;
        let plan = &plan.inner;
        py.detach(|| self.inner.add_segment(plan, index, &pixels, content)).into_py_result()
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

    fn merge(&mut self, py: Python<'_>, other: PyRef<'_, Collector>) {
        let other = &other.inner;
        py.detach(|| self.inner.merge(other));
    }

    fn finish<'py>(&mut self, py: Python<'py>, patches: usize) -> Areas<'py> {
        let areas = py.detach(|| self.inner.finish(patches));
        (
            PyArray1::from_vec(py, areas.keys),
            PyArray1::from_vec(py, areas.offsets),
            PyArray1::from_vec(py, areas.key_indices),
            PyArray1::from_vec(py, areas.areas),
        )
    }
}

type Column<'py> = Bound<'py, PyArray1<f64>>;
type Statistics<'py> =
    (Column<'py>, Column<'py>, Column<'py>, Column<'py>, Column<'py>, Column<'py>);

#[pyclass(module = "ratiopath._core")]
pub struct Summaries {
    /// Taken by the call that ends the collection.
    inner: Option<moments::Summaries>,
    pixel_bytes: usize,
}

#[pymethods]
impl Summaries {
    #[new]
    fn new(
        kind: char,
        pixel_bytes: usize,
        left_out: Vec<f64>,
        patches: usize,
        quantiles: bool,
    ) -> PyResult<Self> {
        let sample = Sample::new(kind, pixel_bytes).into_py_result()?;
        let inner = Some(moments::Summaries::new(sample, left_out, patches, quantiles));
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
        let other = other.inner.take().ok_or_else(finished)?;
        let inner = self.inner.as_mut().ok_or_else(finished)?;
        py.detach(|| inner.merge(other));
        Ok(())
    }

    fn finish<'py>(&mut self, py: Python<'py>, shares: Vec<f64>) -> PyResult<Statistics<'py>> {
        let inner = self.inner.take().ok_or_else(finished)?;
        let (moments, quantiles) = py.detach(|| inner.finish(&shares));
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
