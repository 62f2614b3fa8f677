//! How well the pipeline recognises eyes: every image of a manifest against every other.
//!
//! One image against one image, one eye against one eye: pairs of the same person's same eye are genuine, all others are
//! impostors. Images that the pipeline refuses take part in no pair and count as failures to enroll. What cannot be read
//! is reported by row number, never by name, and the run goes on.
//!
//! Measures time, so it is the one place here that looks at a clock. Knows nothing about pairs of eyes and verdicts.

mod rates;
mod report;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use unum_iris::{MIN_COMPARED, Template, closest_rotation};

use crate::camera::Eye;
use crate::decode;
use crate::manifest::{Manifest, ManifestError, Row};
use crate::pipeline::{self, CaptureError, Config};

pub use rates::{ErrorRates, Spread};
pub use report::{Refusals, Report, RowFailure};

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
    /// Templates compared with all later ones.
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

/// What became of one image.
pub(crate) struct Shot {
    row: Row,
    outcome: Result<Template, Failure>,
    took: Option<Duration>,
}

/// Why an image takes part in no pair.
pub(crate) enum Failure {
    /// Not a readable image.
    Unreadable(String),
    /// Refused by the pipeline.
    Refused(CaptureError),
}

/// Distances of all pairs.
#[derive(Default)]
pub(crate) struct Scores {
    pub(crate) genuine: Vec<f64>,
    pub(crate) impostor: Vec<f64>,
    pub(crate) incomparable: usize,
}

/// Evaluates the images of a manifest on `threads` threads (0: one per core), reporting how far it is.
///
/// # Errors
///
/// An [`EvaluateError`]; bad rows and bad images are no errors but part of the report.
pub fn run(
    manifest: &Path,
    config: &Config,
    threads: usize,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, EvaluateError> {
    let manifest = Manifest::read(manifest)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let (shots, scores) = pool.install(|| {
        let shots = shots(manifest.rows, config, progress);
        let scores = scores(&shots, progress);
        (shots, scores)
    });
    let (genuine, impostor) = (scores.genuine.len(), scores.impostor.len());
    if genuine == 0 || impostor == 0 {
        return Err(EvaluateError::NoPairs { genuine, impostor });
    }
    Ok(Report::new(&manifest.errors, &shots, scores))
}

fn shots(rows: Vec<Row>, config: &Config, progress: &(dyn Fn(Progress) + Sync)) -> Vec<Shot> {
    let (total, done) = (rows.len(), AtomicUsize::new(0));
    let shot = |row: Row| {
        let shot = shot(row, config);
        progress(Progress::Images { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
        shot
    };
    rows.into_par_iter().map(shot).collect()
}

fn shot(row: Row, config: &Config) -> Shot {
    let frame = match decode::read(&row.path) {
        Ok(frame) => frame,
        Err(error) => return Shot { row, outcome: Err(Failure::Unreadable(error.to_string())), took: None },
    };
    let start = Instant::now();
    let made = pipeline::template(&frame, config);
    let took = Some(start.elapsed());
    Shot { row, outcome: made.map(|made| made.template).map_err(Failure::Refused), took }
}

fn scores(shots: &[Shot], progress: &(dyn Fn(Progress) + Sync)) -> Scores {
    let usable: Vec<(&Row, &Template)> =
        shots.iter().filter_map(|shot| Some((&shot.row, shot.outcome.as_ref().ok()?))).collect();
    let (total, done) = (usable.len(), AtomicUsize::new(0));
    let one_against_later = |index: usize| {
        let (probe, template) = usable[index];
        let mut scores = Scores::default();
        for (row, other) in &usable[index + 1..] {
            let list = if owner(probe) == owner(row) { &mut scores.genuine } else { &mut scores.impostor };
            match closest_rotation(template, other, MIN_COMPARED) {
                Ok(distance) => list.push(distance.fraction()),
                Err(_) => scores.incomparable += 1,
            }
        }
        progress(Progress::Comparisons { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
        scores
    };
    (0..total).into_par_iter().map(one_against_later).reduce(Scores::default, Scores::joined)
}

/// Whose eye, and which.
fn owner(row: &Row) -> (&str, Eye) {
    (&row.person, row.eye)
}

impl Scores {
    fn joined(mut self, other: Self) -> Self {
        self.genuine.extend(other.genuine);
        self.impostor.extend(other.impostor);
        self.incomparable += other.incomparable;
        self
    }
}
