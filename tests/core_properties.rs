//! Properties of the core against slow, obvious truth.
fn main() {}
