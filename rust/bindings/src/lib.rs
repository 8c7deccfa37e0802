//! Python's way into `ratiopath-core`.
//!
//! One file to a family of functions, each of the same shape: take buffers out of Python, leave the
//! interpreter, make one call into the core, wrap the result. No arithmetic lives here.

// What users see is documented in `python/ratiopath/_core.pyi`.
#![expect(unreachable_pub, reason = "the module's functions are public to Python alone")]
#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod count;
mod error;
mod gather;
mod layer;
mod lzw;
mod overlap;
mod pixels;
mod plan;
mod rings;
mod rows;
mod scale;
mod spans;
mod stats;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("debug", cfg!(debug_assertions))?;
    module.add_function(wrap_pyfunction!(scale::scale_coordinates, module)?)?;
    module.add_function(wrap_pyfunction!(count::count_pixels, module)?)?;
    module.add_function(wrap_pyfunction!(count::count_under, module)?)?;
    module.add_function(wrap_pyfunction!(spans::is_certainly_valid, module)?)?;
    module.add_function(wrap_pyfunction!(gather::gather_segment, module)?)?;
    module.add_function(wrap_pyfunction!(gather::fill_segment, module)?)?;
    module.add_function(wrap_pyfunction!(gather::fill_background, module)?)?;
    module.add_function(wrap_pyfunction!(pixels::constant_pixel, module)?)?;
    module.add_function(wrap_pyfunction!(gather::write_masks, module)?)?;
    module.add_function(wrap_pyfunction!(lzw::decode_lzw, module)?)?;
    module.add_function(wrap_pyfunction!(rows::fill_dictionaries, module)?)?;
    module.add_class::<layer::Layer>()?;
    module.add_class::<spans::Spans>()?;
    module.add_class::<plan::Plan>()?;
    module.add_class::<overlap::Collector>()?;
    module.add_class::<stats::Summaries>()?;
    module.add_class::<overlap::KnownCounts>()?;
    Ok(())
}
