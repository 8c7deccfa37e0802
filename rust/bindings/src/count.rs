use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use ratiopath_core::count::tally::Tally;
use ratiopath_core::count::{self, PixelCounter};

use crate::error::IntoPyResult;
use crate::pixels::pixels_of;
use crate::raster::Stencil;

type CountArrays<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyAny>);

type AreaArrays<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<f64>>);

#[pyfunction]
#[pyo3(signature = (pixels, pixel_bytes, mask, weights))]
pub fn count_pixels<'py>(
    py: Python<'py>,
    pixels: PyReadonlyArray2<'py, u8>,
    pixel_bytes: usize,
    mask: Option<PyReadonlyArray1<'py, bool>>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
) -> PyResult<CountArrays<'py>> {
    let pixels = pixels_of(&pixels, pixel_bytes)?;
    let mask = mask.as_ref().map(|mask| mask.as_slice()).transpose()?;
    let weights = weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
    let count = || count::count_pixels(&pixels, mask, weights);
    // Whole pixels are counted exactly, as integers; only weights make sums of floats of them.
    if weights.is_some() {
        let counted = py.detach(|| count().map(|counter| collect(counter, |tally| tally.total())));
        let (keys, sums) = counted.into_py_result()?;
        return Ok((PyArray1::from_vec(py, keys), PyArray1::from_vec(py, sums).into_any()));
    }
    let counted = py.detach(|| count().map(|counter| collect(counter, |tally| tally.count as i64)));
    let (keys, counts) = counted.into_py_result()?;
    Ok((PyArray1::from_vec(py, keys), PyArray1::from_vec(py, counts).into_any()))
}

#[pyfunction]
#[pyo3(signature = (pixels, pixel_bytes, spans))]
pub fn count_under<'py>(
    py: Python<'py>,
    pixels: PyReadonlyArray2<'py, u8>,
    pixel_bytes: usize,
    spans: PyRef<'py, Stencil>,
) -> PyResult<AreaArrays<'py>> {
    let pixels = pixels_of(&pixels, pixel_bytes)?;
    let spans = spans.inner.spans();
    let total = |tally: Tally| tally.total();
    let count = || count::count_under(&pixels, spans).map(|counter| collect(counter, total));
    let (keys, sums) = py.detach(count).into_py_result()?;
    Ok((PyArray1::from_vec(py, keys), PyArray1::from_vec(py, sums)))
}

/// The distinct pixels' bytes, and what is asked of the tally of each.
fn collect<T>(mut counter: PixelCounter, amount: impl Fn(Tally) -> T) -> (Vec<u8>, Vec<T>) {
    let (mut keys, mut amounts) = (Vec::new(), Vec::new());
    counter.drain(|key, tally| {
        keys.extend_from_slice(key);
        amounts.push(amount(tally));
    });
    (keys, amounts)
}
