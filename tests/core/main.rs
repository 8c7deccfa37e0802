//! Properties of the core against slow, obvious truth: one pixel at a time, one rule at a time.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod count;
mod errors;
mod intersection;
mod lzw;
mod oracle;
mod patches;
mod raster;
mod support;
mod validity;
mod zonal;
