//! Throughput of the core.
fn main() {}
