//! Statistics of the values under each patch's region, weighted by how much of a pixel it covers.
//!
//! In come a plan and the decoded segments that it touches, as samples of a [`SampleType`]; out go,
//! patch by patch, the [`Moments`] of all values under its region and the quantiles asked for.
//!
//! Counting keeps every distinct pixel, and in a heatmap nearly all are. Statistics keep five
//! numbers a patch instead: weight, mean, sum of squared deviations, least and largest. Runs of
//! pixels are summed by themselves, in two passes over a run, and joined as Chan and others do
//! ("Updating formulae and a pairwise algorithm for computing sample variances", 1979), so that no
//! large mean swallows a small deviation. Only quantiles need the values themselves, which are
//! then kept until the end, 24 bytes a pixel: the caller bounds how many patches share a batch.
//!
//! ```
//! # use std::sync::Arc;
//! # use ratiopath_core::geometry::grid::{Bounds, Grid};
//! # use ratiopath_core::geometry::polygon::Polygon;
//! # use ratiopath_core::patches::plan::{LevelGrid, Patch, Plan};
//! # use ratiopath_core::patches::stencil::Stencil;
//! # use ratiopath_core::raster::{Rule, rasterize};
//! use ratiopath_core::pixels::Pixels;
//! use ratiopath_core::zonal::moments::SampleCollector;
//! use ratiopath_core::zonal::sample::SampleType;
//!
//! # let ring = vec![[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]];
//! # let grid = Grid::new(1, 2, Bounds { x0: 0.0, y0: 0.0, x1: 2.0, y1: 1.0 })?;
//! # let spans = rasterize(&Polygon::new(ring, vec![4])?, &grid, Rule::Center, 0..1);
//! # let level = LevelGrid { width: 4, height: 1, segment_width: 4, segment_height: 1 };
//! # let patches = vec![Patch { x: 0, y: 0, stencil: 0 }, Patch { x: 2, y: 0, stencil: 0 }];
//! # let plan = Plan::new(level, vec![Arc::new(Stencil::from(spans))], patches)?;
//! // A plan of two patches of 2 x 1 pixels, side by side over one segment; 255 is nodata.
//! let mut collector = SampleCollector::new(SampleType::U8, vec![255.0], &plan, true);
//! collector.add_segment(&plan, 0, &Pixels::new(&[10, 30, 255, 7], 4, 1, 1)?)?;
//! let (moments, medians) = collector.finish(&[0.5]);
//! assert_eq!((moments[0].weight, moments[0].mean), (2.0, 20.0));
//! assert_eq!((moments[1].weight, moments[1].mean), (1.0, 7.0));
//! assert_eq!(medians, [20.0, 7.0]);
//! # Ok::<(), ratiopath_core::Error>(())
//! ```

use crate::patches::plan::Plan;
use crate::pixels::Pixels;
use crate::zonal::quantile::{WeightedValue, quantiles};
use crate::zonal::sample::SampleType;
use crate::{Error, Result};

/// What is known of some values: their weight, mean, spread and range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// The sum of the weights.
    pub weight: f64,
    /// The weighted mean; 0 where there is no weight.
    pub mean: f64,
    /// The weighted sum of squared deviations from the mean.
    pub deviation: f64,
    /// The least value; infinity where there is none.
    pub least: f64,
    /// The largest value; minus infinity where there is none.
    pub largest: f64,
}

impl Default for Moments {
    fn default() -> Self {
        let (least, largest) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { weight: 0.0, mean: 0.0, deviation: 0.0, least, largest }
    }
}

impl Moments {
    /// Summarises values of one weight.
    #[must_use]
    pub fn of(values: &[f64], weight: f64) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let count = values.len() as f64;
        let mean = in_lanes(values, 0.0, |sum, value| sum + value, |a, b| a + b) / count;
        let square = |sum: f64, value: f64| sum + (value - mean) * (value - mean);
        Self {
            weight: weight * count,
            mean,
            deviation: weight * in_lanes(values, 0.0, square, |a, b| a + b),
            least: in_lanes(values, f64::INFINITY, lesser, lesser),
            largest: in_lanes(values, f64::NEG_INFINITY, larger, larger),
        }
    }

    /// Summarises one value so many times, at least once: exactly, where a sum would be rounded.
    fn of_repeated(value: f64, pixels: usize, weight: f64) -> Self {
        let weight = weight * pixels as f64;
        Self { weight, mean: value, deviation: 0.0, least: value, largest: value }
    }

    /// Joins what is known of other values.
    pub fn join(&mut self, other: &Self) {
        let weight = self.weight + other.weight;
        // Two patches without a value, joined, would have a mean of 0 / 0.
        if other.weight > 0.0 {
            let share = other.weight / weight;
            let gap = other.mean - self.mean;
            self.deviation += other.deviation + gap * gap * self.weight * share;
            self.mean += gap * share;
            self.weight = weight;
        }
        self.least = self.least.min(other.least);
        self.largest = self.largest.max(other.largest);
    }
}

/// Collects the values under a plan's patches.
#[derive(Debug)]
pub struct SampleCollector {
    sample: SampleType,
    left_out: Vec<f64>,
    moments: Vec<Moments>,
    /// Every value with its patch and weight, where quantiles are wanted.
    values: Option<Vec<(u32, WeightedValue)>>,
    run: Vec<f64>,
}

impl SampleCollector {
    /// Collects samples of one type under a plan's patches; NaN and `left_out` do not count.
    #[must_use]
    pub fn new(sample: SampleType, left_out: Vec<f64>, plan: &Plan, quantiles: bool) -> Self {
        let moments = vec![Moments::default(); plan.patches()];
        let values = quantiles.then(Vec::new);
        Self { sample, left_out, moments, values, run: Vec::new() }
    }

    /// Adds the `index`-th touched segment of the plan.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] for an index past the last segment, [`Error::Length`] for pixels of another
    /// width or a plan of other patches, [`Error::Segment`] where the segment is too small.
    pub fn add_segment(&mut self, plan: &Plan, index: usize, pixels: &Pixels<'_>) -> Result<()> {
        let (expected, actual) = (self.sample.bytes(), pixels.pixel_bytes());
        if expected != actual {
            return Err(Error::Length { what: "bytes of a pixel", expected, actual });
        }
        self.check_patches(plan.patches())?;
        plan.check_segment(index, pixels.width(), pixels.height())?;
        for window in plan.windows(index)? {
            plan.stencil(window.patch).for_each_run(&window, |row, columns, weight| {
                let bytes = pixels.run(window.segment_y + row, columns.start, columns.end);
                // One buffer for all runs, taken out while the rest of the collector is used.
                let mut run = std::mem::take(&mut self.run);
                run.clear();
                self.sample.read(bytes, &mut run);
                self.add_run(window.patch, &mut run, weight);
                self.run = run;
            });
        }
        Ok(())
    }

    /// Adds the `index`-th touched segment, all of whose pixels have one value.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] and [`Error::Length`] as for [`Self::add_segment`].
    pub fn add_constant(&mut self, plan: &Plan, index: usize, value: f64) -> Result<()> {
        self.check_patches(plan.patches())?;
        let windows = plan.windows(index)?;
        if self.is_left_out(value) {
            return Ok(());
        }
        for window in windows {
            plan.stencil(window.patch).for_each_run(&window, |_, columns, weight| {
                self.add_repeated(window.patch, value, columns.len(), weight);
            });
        }
        Ok(())
    }

    /// Takes over what another collector of the same plan has found.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a collector of other patches.
    pub fn merge(&mut self, mut other: Self) -> Result<()> {
        self.check_patches(other.moments.len())?;
        for (ours, theirs) in self.moments.iter_mut().zip(&other.moments) {
            ours.join(theirs);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.values, &mut other.values) {
            ours.append(theirs);
        }
        Ok(())
    }

    /// Returns each patch's moments, and its quantiles one after the other, NaN where it is empty.
    #[must_use]
    pub fn finish(self, probabilities: &[f64]) -> (Vec<Moments>, Vec<f64>) {
        let mut found = vec![f64::NAN; self.moments.len() * probabilities.len()];
        let mut values = self.values.unwrap_or_default();
        values.sort_unstable_by_key(|&(patch, _)| patch);
        for group in values.chunk_by_mut(|a, b| a.0 == b.0) {
            let first = group[0].0 as usize * probabilities.len();
            let mut weighted: Vec<WeightedValue> = group.iter().map(|&(_, value)| value).collect();
            quantiles(&mut weighted, probabilities, &mut found[first..first + probabilities.len()]);
        }
        (self.moments, found)
    }

    fn check_patches(&self, actual: usize) -> Result<()> {
        let expected = self.moments.len();
        if expected == actual {
            return Ok(());
        }
        Err(Error::Length { what: "patches", expected, actual })
    }

    fn is_left_out(&self, value: f64) -> bool {
        value.is_nan() || self.left_out.contains(&value)
    }

    fn add_run(&mut self, patch: usize, run: &mut Vec<f64>, weight: f64) {
        // Exact areas round to 0 at a corner that is hardly touched: that is no extreme of the region.
        if weight <= 0.0 {
            return;
        }
        run.retain(|&value| !self.is_left_out(value));
        self.moments[patch].join(&Moments::of(run, weight));
        if let Some(values) = &mut self.values {
            let patch = patch as u32;
            values.extend(run.iter().map(|&value| (patch, WeightedValue { value, weight })));
        }
    }

    /// Adds one value so many times: no buffer, whose length a region may make enormous.
    fn add_repeated(&mut self, patch: usize, value: f64, pixels: usize, weight: f64) {
        if weight <= 0.0 {
            return;
        }
        self.moments[patch].join(&Moments::of_repeated(value, pixels, weight));
        if let Some(values) = &mut self.values {
            let value = (patch as u32, WeightedValue { value, weight });
            values.extend(std::iter::repeat_n(value, pixels));
        }
    }
}

/// Folds values in eight lanes, which the processor does at once, and joins the lanes.
fn in_lanes(
    values: &[f64],
    start: f64,
    fold: impl Fn(f64, f64) -> f64,
    join: impl Fn(f64, f64) -> f64,
) -> f64 {
    // Sums of floats are not reordered by the compiler, and each would wait for the one before.
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [start; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = fold(*lane, value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane = fold(*lane, value);
    }
    lanes.into_iter().fold(start, join)
}

/// The lesser of two numbers, neither of them NaN.
// Unlike `f64::min`, which must answer for NaN too, this is one instruction.
fn lesser(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// The larger of two numbers, neither of them NaN.
fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}
