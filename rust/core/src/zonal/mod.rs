//! What lies under each patch's region: areas of distinct pixels, and statistics of numbers.
//!
//! A [`Plan`](crate::patches::plan::Plan) says which segments a batch of patches touches and which
//! window of which patch lies over each. A collector takes the decoded segments one by one, in any
//! order, and at the end hands out a table of all patches: [`areas`] tells pixels apart, for masks and
//! label maps, [`moments`] adds up what they are worth, for heatmaps. Threads have a collector each,
//! of one plan, which are merged.

pub mod areas;
mod interner;
pub mod memo;
pub mod moments;
mod patch_areas;
pub mod quantile;
pub mod sample;
mod summed_area;
