use numpy::{PyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use ratiopath_core::zonal::moments;
use ratiopath_core::zonal::sample::Sample;

use crate::error::IntoPyResult;
use crate::plan::{Plan, pixels_of};

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
