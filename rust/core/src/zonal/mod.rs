//! What lies under each patch's region: areas of distinct pixels, and statistics of numbers.

pub mod areas;
mod interner;
pub mod memo;
pub mod moments;
pub mod quantile;
pub mod sample;
mod summed_area;
