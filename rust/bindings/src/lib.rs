//! Python's way into `ratiopath-core`.
//!
//! One file to a folder of the core, one function to a function of it, each of the same shape: take
//! buffers out of Python, leave the interpreter, make one call into the core, wrap the result. No
//! arithmetic lives here.

// What users see is documented in `python/ratiopath/_core.pyi`.
#![expect(unreachable_pub, reason = "the module's functions are public to Python alone")]
#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod count;
mod error;
mod geometry;
mod lzw;
mod patches;
mod pixels;
mod raster;
mod rows;
mod scale;
mod zonal;

use pyo3::prelude::*;

// Nothing here relies on the interpreter's lock: what threads share is frozen, and what changes is
// borrowed by one at a time.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("SegmentError", module.py().get_type::<error::SegmentError>())?;
    module.add_function(wrap_pyfunction!(scale::scale_coordinates, module)?)?;
    module.add_function(wrap_pyfunction!(pixels::constant_pixel, module)?)?;
    module.add_function(wrap_pyfunction!(lzw::decode_lzw, module)?)?;
    module.add_function(wrap_pyfunction!(geometry::is_certainly_valid, module)?)?;
    module.add_class::<geometry::Layer>()?;
    module.add_class::<raster::Stencil>()?;
    module.add_function(wrap_pyfunction!(count::count_pixels, module)?)?;
    module.add_function(wrap_pyfunction!(count::count_under, module)?)?;
    module.add_class::<patches::Plan>()?;
    module.add_function(wrap_pyfunction!(patches::gather_segment, module)?)?;
    module.add_function(wrap_pyfunction!(patches::fill_segment, module)?)?;
    module.add_function(wrap_pyfunction!(patches::fill_background, module)?)?;
    module.add_function(wrap_pyfunction!(patches::write_masks, module)?)?;
    module.add_class::<zonal::AreaCollector>()?;
    module.add_class::<zonal::Memo>()?;
    module.add_class::<zonal::SampleCollector>()?;
    module.add_function(wrap_pyfunction!(rows::fill_dictionaries, module)?)?;
    Ok(())
}
