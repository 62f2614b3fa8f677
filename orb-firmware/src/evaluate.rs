//! How well the pipeline recognises eyes: the images of a manifest against one another, by three protocols.
//!
//! ```text
//! manifest ─► images ─► protocol (single, both eyes, three enrolled) ─► rates, bootstrap ─► report ─► page
//! ```
//!
//! Images that the pipeline refuses take part in no pair and count as failures to enroll. What cannot be read is reported
//! by row number, never by name, and the run goes on.
//!
//! Measures time, so it is the one place here that looks at a clock. Knows nothing about verdicts.

mod bootstrap;
mod images;
mod page;
mod protocol;
mod rates;
mod report;
#[cfg(test)]
mod tests;

use std::path::Path;

use unum_iris::Measure;

use crate::manifest::{Manifest, ManifestError};
use crate::pipeline::Config;

use images::People;
use protocol::Comparison;

pub use crate::chart::ChartError;
pub use bootstrap::{Interval, Resampling};
pub use rates::{ErrorRates, Spread};
pub use report::{Outcome, OutcomeIntervals, Refusals, Report, RowFailure};

/// What is evaluated and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How an image becomes a template.
    pub pipeline: Config,
    /// How two templates are compared.
    pub measure: Measure,
    /// How intervals are found.
    pub resampling: Resampling,
    /// Worker threads; 0 for one per core.
    pub threads: usize,
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// Images made into templates.
    Images {
        /// So many.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// One side of a protocol compared with the other; once for each of the three protocols.
    Comparisons {
        /// So many.
        done: usize,
        /// Of so many.
        total: usize,
    },
}

/// Why a run has no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The worker threads could not be started.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// There are no two templates of one eye, or none of two eyes: no rate means anything.
    #[error("{genuine} genuine and {impostor} impostor pairs, needs at least one of each")]
    NoPairs {
        /// Pairs of one eye.
        genuine: usize,
        /// Pairs of two eyes.
        impostor: usize,
    },
}

/// Evaluates the images of a manifest, reporting how far it is.
///
/// # Errors
///
/// An [`EvaluateError`]; bad rows and bad images are no errors but part of the report.
pub fn run(
    manifest: &Path,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, EvaluateError> {
    let manifest = Manifest::read(manifest)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    pool.install(|| {
        let shots = images::shots(manifest.rows, &options.pipeline, progress);
        let people = People::of(&shots);
        let comparison = Comparison { shots: &shots, people: &people, measure: options.measure, progress };
        let single = comparison.single();
        let (genuine, impostor) = (single.genuine.len(), single.impostor.len());
        let outcome = |trials| Outcome::of(trials, options.resampling);
        let single = outcome(single).ok_or(EvaluateError::NoPairs { genuine, impostor })?;
        let others = [comparison.both_eyes(), comparison.three_enrolled()].map(outcome);
        Ok(Report::new(&manifest.errors, &shots, options, single, others))
    })
}
