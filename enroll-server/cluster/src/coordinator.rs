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
mod scanner;
mod shares;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use enroll_server::matcher::{Coverage, Entry, Manifest, People, Scanned, TemplateKey, Uncovered};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rand_core::Rng as _;
use tokio::runtime::Handle;
use tokio::time::timeout_at;
use unum_iris::{Query, Thresholds};

pub use config::{ClusterConfig, ConfigError, WorkerAddress};

use crate::placement::holders;
use crate::queries::SealedQueries;
use crate::wire::{EntryOnWire, Order, Refusal, Reply};
use attempt::Engine;
use shares::{Lost, Shares};

/// Attempts at one scan. Each but the last has lost a worker, and more than three at once is no accident.
const ATTEMPTS: usize = 4;
/// How long workers are waited for that still read when each segment is held by somebody: as long as it takes to notice one
/// that is gone.
const GRACE: Duration = Duration::from_secs(5);
/// Segments of one worker that a line of the log names.
const NAMED: usize = 8;

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

/// What workers have in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Each worker's name, and what it says.
    pub workers: Vec<(String, Readiness)>,
    /// Segments that nobody holds: no scan will be complete.
    pub missing: Vec<u64>,
}

/// What one worker has in memory of what it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// So many segments, and why not the others.
    Answered {
        /// Segments in memory.
        held: usize,
        /// First persons of the others.
        refused: Vec<(u64, Refusal)>,
    },
    /// It does not answer, or not yet.
    Lost(String),
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

    /// Has every worker hold what it should of `manifest` and nothing else, and says who has what. Do it at the start,
    /// whenever the manifest has changed, and after a worker was started again; what is in memory already is not read
    /// again. Whoever answers has let go of all else. Blocks until all have answered; from when on each segment is held by
    /// somebody, for a few seconds at most.
    ///
    /// # Panics
    ///
    /// On a thread that the runtime needs for other tasks.
    pub fn prepare(&self, manifest: &Manifest) -> Prepared {
        let work = Arc::clone(&self.cluster).prepare(manifest.entries().to_vec());
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

impl Prepared {
    /// Whether every segment is held by somebody.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

impl Cluster {
    async fn prepare(self: Arc<Self>, entries: Vec<Entry>) -> Prepared {
        self.is_impaired.store(false, Ordering::Relaxed);
        let mut asked: FuturesUnordered<_> =
            (0..self.names.len()).map(|worker| self.tell(worker, &entries)).collect();
        let mut answers: Vec<Option<Readiness>> = vec![None; self.names.len()];
        let mut unheld: BTreeSet<u64> = entries.iter().map(|entry| entry.first).collect();
        let mut until = None;
        loop {
            let answer = match until {
                None => asked.next().await,
                Some(until) => timeout_at(until, asked.next()).await.unwrap_or(None),
            };
            let Some((worker, answer)) = answer else { break };
            answers[worker] = Some(Readiness::of(answer, &mut unheld));
            if unheld.is_empty() {
                until.get_or_insert_with(|| tokio::time::Instant::now() + GRACE);
            }
        }
        drop(asked);
        let mut prepared = Prepared { workers: Vec::new(), missing: unheld.into_iter().collect() };
        for (worker, readiness) in answers.into_iter().enumerate() {
            let readiness =
                readiness.unwrap_or_else(|| Readiness::Lost("it has not answered yet".to_owned()));
            self.note(worker, &readiness, &entries);
            prepared.workers.push((self.names[worker].clone(), readiness));
        }
        prepared
    }

    /// Tells a worker what to hold: its part of `entries`.
    async fn tell(&self, worker: usize, entries: &[Entry]) -> (usize, Result<Vec<Reply>, attempt::Failed>) {
        let is_its =
            |entry: &&Entry| holders(entry.first, &self.names, self.config.replicas).contains(&worker);
        let order = Order::Hold(entries.iter().filter(is_its).map(EntryOnWire::from).collect());
        (worker, self.engine.ask(BTreeMap::from([(worker, order)]), self.config.hold()).await)
    }

    /// Notes what a worker, told what to hold, does not hold.
    fn note(&self, worker: usize, readiness: &Readiness, entries: &[Entry]) {
        let name = &self.names[worker];
        self.unheld().forget(worker);
        match readiness {
            Readiness::Lost(why) => {
                tracing::warn!(worker = name, why, "does not say what it holds");
                self.rest(&Lost::from_iter([(worker, why.clone())]));
            }
            Readiness::Answered { held, refused } => {
                tracing::debug!(worker = name, held, "holds what it should");
                if !refused.is_empty() {
                    let named = &refused[..refused.len().min(NAMED)];
                    tracing::error!(
                        worker = name,
                        held,
                        refused = refused.len(),
                        ?named,
                        "does not hold all"
                    );
                }
                let mut unheld = self.unheld();
                for (first, why) in refused {
                    if let Ok(at) = entries.binary_search_by_key(first, |entry| entry.first) {
                        unheld.refused(worker, &entries[at], *why);
                    }
                }
            }
        }
    }

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

    fn rest(&self, lost: &Lost) {
        let until = Instant::now() + Duration::from_millis(self.config.rest_ms);
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.extend(lost.workers().map(|worker| (worker, until)));
    }
}

impl Readiness {
    /// What a worker's `answer` says; takes what it holds out of `unheld`.
    fn of(answer: Result<Vec<Reply>, attempt::Failed>, unheld: &mut BTreeSet<u64>) -> Self {
        let replies = match answer {
            Ok(replies) => replies,
            Err(attempt::Failed { why, .. }) => return Self::Lost(why),
        };
        let (mut held, mut refused) = (0, Vec::new());
        for reply in replies {
            match reply {
                Reply::Held { first, .. } => {
                    held += 1;
                    unheld.remove(&first);
                }
                Reply::Refused { first, why } => refused.push((first, why)),
                Reply::Covered(_) => return Self::Lost("it answered what was not asked".to_owned()),
            }
        }
        Self::Answered { held, refused }
    }
}
