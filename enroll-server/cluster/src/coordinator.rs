//! The coordinator: asks workers to compare queries with everyone in segments, and compares the tail itself. An enrollment
//! server's [`Scanner`](enroll_server::matcher::Scanner), if it is told so.
//!
//! ```text
//! manifest ─► shares: each segment to the first of its holders that is not lost ─► attempt: one task a worker
//!                 ▲                                                                   │
//!                 └── lost: whoever failed, was late, or did not answer as asked ◄────┤
//!                                                                  rows of one attempt, and of the tail ─► Scanned
//! ```
//!
//! An attempt in which a worker is lost counts for nothing: all segments are asked for again, with that worker's asked of
//! their other holders. So the rows of an answer are all of one attempt, and an answer is full or an error. A worker is
//! lost for the rest of the scan, and asked last for a while; one that says itself that it lacks a segment is lost for that
//! segment, until it has been told again what to hold.
//!
//! Whether the rows are an answer is not decided here: [`Scanned`] says so against the manifest, and refuses rows that
//! are missing or there twice. That a worker's rows are held against what it was asked before is to know whom to ask
//! instead.

mod attempt;
mod channels;
mod config;
mod ledger;
mod preparation;
mod scanner;
mod shares;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use enroll_server::matcher::{Coverage, Entry, Manifest, People, Scanned, TemplateKey, Uncovered};
use rand_core::Rng as _;
use tokio::runtime::Handle;
use unum_iris::{Query, Thresholds};

pub use config::{ClusterConfig, ConfigError, WorkerAddress};
pub use preparation::{Prepared, Readiness};

use crate::queries::SealedQueries;
use attempt::Engine;
use shares::{Lost, Shares};

/// Attempts at one scan. Each but the last has lost a worker, and more than three at once is no accident.
const ATTEMPTS: usize = 4;

/// Compares queries with everyone, by workers.
pub struct Coordinator {
    cluster: Arc<Cluster>,
    key: TemplateKey,
    runtime: Handle,
}

/// Why nothing is known about the queries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// Nobody is left who holds a segment. See to the workers that are named.
    #[error("segment {first} has no worker left: {lost}")]
    NoWorker {
        /// The segment.
        first: u64,
        /// Which workers were lost, and how.
        lost: String,
    },
    /// Workers were lost again and again.
    #[error("given up after {ATTEMPTS} attempts: {lost}")]
    GivenUp {
        /// Which workers were lost, and how.
        lost: String,
    },
    /// The engine failed, and no worker is to blame.
    #[error("the engine: {0}")]
    Engine(String),
    /// Not everyone was compared exactly once.
    #[error("the scan is not complete: {0}")]
    Uncovered(#[from] Uncovered),
}

/// The workers, and how they have behaved.
struct Cluster {
    config: ClusterConfig,
    names: Vec<String>,
    engine: Engine,
    /// Until when a worker that was lost is asked last.
    resting: Mutex<BTreeMap<usize, Instant>>,
    /// What workers have said that they do not have, since they were last told to.
    unheld: Mutex<Lost>,
    /// Whether a scan has lost anybody since workers were last told what to hold.
    is_impaired: AtomicBool,
}

impl Coordinator {
    /// Connects when it first asks. `runtime` is where it waits for the network; `key` is the enrollment server's.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn new(config: ClusterConfig, key: TemplateKey, runtime: Handle) -> Result<Self, ConfigError> {
        config.check()?;
        let engine = {
            let _on_it = runtime.enter();
            Engine::new(&config)?
        };
        let names = config.workers.iter().map(|worker| worker.name.clone()).collect();
        let (resting, unheld, is_impaired) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        let cluster = Arc::new(Cluster { config, names, engine, resting, unheld, is_impaired });
        Ok(Self { cluster, key, runtime })
    }

    /// Has every worker hold what it should of `manifest`, which knows of so many erasures, and nothing else, and says who
    /// has what. Do it at the start, whenever the manifest has changed, and after a worker was started again; what is in
    /// memory already is not read again. Whoever answers has let go of all else. Blocks until all have answered; from when
    /// on each segment is held by somebody, for a few seconds at most.
    ///
    /// # Panics
    ///
    /// On a thread that the runtime needs for other tasks.
    pub fn prepare(&self, manifest: &Manifest, erased: u64) -> Prepared {
        let work = Arc::clone(&self.cluster).prepare(manifest.entries().to_vec(), erased);
        self.runtime.block_on(work)
    }

    /// Compares each of `queries` with everyone: in the segments of `manifest` by workers, in `tail`, people
    /// [after](People::after) them, here, on all threads of the pool it is called in. Blocks.
    ///
    /// # Errors
    ///
    /// A [`ScanError`]: nothing is known, and it may be tried again.
    ///
    /// # Panics
    ///
    /// On a thread that the runtime needs for other tasks.
    pub fn scan(
        &self,
        manifest: &Manifest,
        tail: &People,
        queries: &[&Query],
        thresholds: Thresholds,
    ) -> Result<Scanned, ScanError> {
        let mut nonce = [0; 24];
        rand_core::UnwrapErr(getrandom::SysRng).fill_bytes(&mut nonce);
        let eyes: Vec<_> = queries.iter().map(|query| query.eyes()).collect();
        let sealed = SealedQueries::seal(&eyes, thresholds, &self.key, nonce);
        let remote = Arc::clone(&self.cluster).scan(manifest.entries().to_vec(), sealed, queries.len());
        let remote = self.runtime.spawn(remote);
        let of_tail = tail.scan(queries, thresholds).into_rows();
        let remote = self.runtime.block_on(remote);
        let mut rows = remote.map_err(|error| ScanError::Engine(error.to_string()))??;
        rows.extend(of_tail);
        let scanned = Scanned::new(rows, queries.len());
        scanned.covers(manifest, tail.len())?;
        Ok(scanned)
    }
}

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coordinator({} workers)", self.cluster.names.len())
    }
}

impl Cluster {
    async fn scan(
        self: Arc<Self>,
        entries: Vec<Entry>,
        sealed: SealedQueries,
        queries: usize,
    ) -> Result<Vec<Coverage>, ScanError> {
        let mut lost = self.unheld().clone();
        for _ in 0..ATTEMPTS {
            let resting = self.resting();
            let shares = Shares::of(&entries, &self.names, self.config.replicas, &lost, &resting);
            let shares = shares
                .map_err(|first| ScanError::NoWorker { first, lost: lost.describe(&self.names) })
                .inspect_err(|_| self.is_impaired.store(true, Ordering::Relaxed))?;
            if shares.is_empty() {
                return Ok(Vec::new());
            }
            let answer = self.engine.ask(shares.orders(&sealed), self.config.answer()).await;
            let found = match answer {
                Ok(replies) => match shares.rows(replies, queries) {
                    Ok(rows) => return Ok(rows),
                    Err(found) => found,
                },
                Err(attempt::Failed { lost, why }) if lost.is_empty() => return Err(ScanError::Engine(why)),
                Err(attempt::Failed { lost, .. }) => lost,
            };
            self.is_impaired.store(true, Ordering::Relaxed);
            self.rest(&found);
            self.unheld().extend(found.segments());
            lost.extend(found);
            tracing::error!(lost = lost.describe(&self.names), "workers are lost: asking others");
        }
        Err(ScanError::GivenUp { lost: lost.describe(&self.names) })
    }

    fn unheld(&self) -> MutexGuard<'_, Lost> {
        self.unheld.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who was lost a short while ago.
    fn resting(&self) -> Vec<usize> {
        let now = Instant::now();
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > now);
        resting.keys().copied().collect()
    }

    /// A worker that rests has answered.
    fn stands_up(&self, worker: usize) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).remove(&worker);
    }

    fn rest(&self, lost: &Lost) {
        let until = Instant::now() + Duration::from_millis(self.config.rest_ms);
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.extend(lost.workers().map(|worker| (worker, until)));
    }
}
