use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use ratiopath_core::count::{self, Counter};

use crate::error::IntoPyResult;
use crate::plan::pixels_of;
use crate::spans::Spans;

type Counts<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>);

type Areas<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<f64>>);

#[pyfunction]
#[pyo3(signature = (pixels, pixel_bytes, mask, weights))]
pub fn count_pixels<'py>(
    py: Python<'py>,
    pixels: PyReadonlyArray2<'py, u8>,
    pixel_bytes: usize,
    mask: Option<PyReadonlyArray1<'py, bool>>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
) -> PyResult<Counts<'py>> {
    let pixels = pixels_of(&pixels, pixel_bytes)?;
    let mask = mask.as_ref().map(|mask| mask.as_slice()).transpose()?;
    let weights = weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
    let counted = py.detach(|| count::count_pixels(&pixels, mask, weights).map(collect));
    let (keys, counts, sums) = counted.into_py_result()?;
    let wrap = |sums| PyArray1::from_vec(py, sums);
    Ok((PyArray1::from_vec(py, keys), PyArray1::from_vec(py, counts), wrap(sums)))
}

#[pyfunction]
#[pyo3(signature = (pixels, pixel_bytes, spans))]
pub fn count_under<'py>(
    py: Python<'py>,
    pixels: PyReadonlyArray2<'py, u8>,
    pixel_bytes: usize,
    spans: PyRef<'py, Spans>,
) -> PyResult<Areas<'py>> {
    let pixels = pixels_of(&pixels, pixel_bytes)?;
    let spans = spans.inner.spans();
    let counted = py.detach(|| count::count_under(&pixels, spans).map(collect));
    let (keys, _, sums) = counted.into_py_result()?;
    Ok((PyArray1::from_vec(py, keys), PyArray1::from_vec(py, sums)))
}

/// The distinct pixels' bytes, how many of weight 1 there are of each, and their weights together.
fn collect(mut counter: Counter) -> (Vec<u8>, Vec<i64>, Vec<f64>) {
    let (mut keys, mut counts, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    counter.drain(|key, tally| {
        keys.extend_from_slice(key);
        counts.push(tally.count as i64);
        sums.push(tally.total());
    });
    (keys, counts, sums)
}
