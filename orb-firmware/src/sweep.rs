//! How far recognition carries: rendered eyes under conditions that get worse, and boundaries against the truth.
//!
//! ```text
//! curve       one condition at a time, from harmless to hopeless: distance to a good picture, and the check that refuses
//! boundaries  many eyes under drawn conditions: how often boundaries are grossly wrong and nothing notices
//! ```
//!
//! Rendered eyes prove the code, not the recognition: what stands here says where the pipeline ends, never how well it works
//! on people. The same numbers on any number of threads. Knows nothing about real images.

mod boundaries;
mod curve;
mod page;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use crate::pipeline::{CaptureError, Config};

pub use boundaries::{Boundaries, Share};
pub use curve::{Curve, Distances, Factor, Point};

/// What is swept.
#[derive(Debug, Clone)]
pub struct Options {
    /// How an image becomes a template.
    pub pipeline: Config,
    /// Rendered people on each point of each curve.
    pub people: u64,
    /// Rendered eyes whose boundaries are judged, under each of two kinds of conditions.
    pub eyes: u64,
    /// Worker threads; 0 for one per core.
    pub threads: usize,
}

impl Default for Options {
    /// 20 people place a median well enough to look at. Of 2,000 eyes, one in a thousand is told from three.
    fn default() -> Self {
        Self { pipeline: Config::default(), people: 20, eyes: 2000, threads: 0 }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// What is being done.
    pub stage: &'static str,
    /// Pictures drawn and judged.
    pub done: usize,
    /// Of so many.
    pub total: usize,
}

/// Why a sweep has no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The worker threads could not be started.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// An image operation failed: a fault of the installation.
    #[error(transparent)]
    Imaging(#[from] CaptureError),
    /// Too few people to tell one from another.
    #[error("{found} people with a usable picture, needs {needed}")]
    TooFewPeople {
        /// People whose good picture gave a template.
        found: usize,
        /// Fewest that do.
        needed: usize,
    },
}

/// What a sweep found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Rendered people whose good picture was usable, and who are on the curves.
    pub people: usize,
    /// Mean distance of different people's good pictures.
    pub strangers: f64,
    /// One for each condition.
    pub curves: Vec<Curve>,
    /// Boundaries under the conditions of a cooperative person's visit.
    pub ordinary: Option<Boundaries>,
    /// Boundaries under far worse conditions.
    pub hard: Option<Boundaries>,
}

/// Sweeps all curves and judges the boundaries, reporting how far it is.
///
/// # Errors
///
/// A [`SweepError`]. A refused picture is no error but a point of a curve.
pub fn run(options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report, SweepError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    pool.install(|| {
        let (people, strangers, curves) = curve::all(options, progress)?;
        let [ordinary, hard] = boundaries::both(options, progress)?;
        Ok(Report { people, strangers, curves, ordinary, hard })
    })
}

/// Runs `work` on every item in parallel, keeping their order and counting them.
fn each<T: Sync, R: Send>(
    stage: &'static str,
    items: &[T],
    progress: &(dyn Fn(Progress) + Sync),
    work: impl Fn(&T) -> Result<R, CaptureError> + Sync,
) -> Result<Vec<R>, CaptureError> {
    let (total, done) = (items.len(), AtomicUsize::new(0));
    let one = |item: &T| {
        let result = work(item);
        progress(Progress { stage, done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
        result
    };
    items.par_iter().map(one).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rendered people, strangers at {:.3}", self.people, self.strangers)?;
        for curve in &self.curves {
            write!(f, "\n{curve}")?;
        }
        for (name, judged) in [("ordinary", &self.ordinary), ("hard", &self.hard)] {
            if let Some(judged) = judged {
                write!(f, "\nboundaries, {name} conditions\n{judged}")?;
            }
        }
        Ok(())
    }
}
