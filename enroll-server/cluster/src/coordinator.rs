//! The coordinator: asks workers to compare queries with everyone in segments, and compares the tail itself.
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
mod shares;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use enroll_server::matcher::{
    Coverage, Entry, Finding, Manifest, Part, People, Scanned, TemplateKey, Uncovered,
};
use rand_core::Rng as _;
use tokio::runtime::Handle;
use unum_iris::{Query, Thresholds};

pub use config::{ClusterConfig, ConfigError, WorkerAddress};

use crate::placement::holders;
use crate::queries::SealedQueries;
use crate::wire::{EntryOnWire, Order, Refusal, Reply};
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
    /// It does not answer.
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
        let cluster =
            Arc::new(Cluster { config, names, engine, resting: Mutex::default(), unheld: Mutex::default() });
        Ok(Self { cluster, key, runtime })
    }

    /// Has every worker read what it should hold of `manifest`, and says who has what. Do it at the start, whenever the
    /// manifest has changed, and after a worker was started again; what is in memory already is not read again. Blocks.
    ///
    /// # Panics
    ///
    /// On a thread that the runtime needs for other tasks.
    pub fn prepare(&self, manifest: &Manifest) -> Prepared {
        let work = Arc::clone(&self.cluster).prepare(manifest.entries().to_vec());
        self.runtime.block_on(work)
    }

    /// Compares each of `queries` with everyone: in the segments of `manifest` by workers, in `tail`, whoever came after
    /// them, here, on all threads of the pool it is called in. Blocks.
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
        let of_tail = rows_of_tail(tail, manifest.people(), queries, thresholds);
        let remote = self.runtime.block_on(remote);
        let mut rows = remote.map_err(|error| ScanError::Engine(error.to_string()))??;
        rows.extend(of_tail);
        let scanned = Scanned::new(rows, queries.len());
        scanned.covers(manifest, manifest.people() + tail.len())?;
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

/// What a scan of `tail` says, who came after `people` in segments.
fn rows_of_tail(tail: &People, people: u64, queries: &[&Query], thresholds: Thresholds) -> Vec<Coverage> {
    let mut rows = tail.scan(queries, thresholds).into_rows();
    for row in &mut rows {
        if let Part::Tail { first } = &mut row.part {
            *first += people; // whoever came after nobody is called 1 there
            for finding in &mut row.findings {
                if let Finding::Duplicate { person } = finding {
                    *person += people;
                }
            }
        }
    }
    rows
}

impl Cluster {
    async fn prepare(self: Arc<Self>, entries: Vec<Entry>) -> Prepared {
        let asked = self.names.iter().enumerate().map(|(worker, name)| {
            let mine =
                |entry: &&Entry| holders(entry.first, &self.names, self.config.replicas).contains(&worker);
            let mine: Vec<EntryOnWire> = entries.iter().filter(mine).map(EntryOnWire::from).collect();
            let cluster = &self;
            async move {
                if mine.is_empty() {
                    return (name, Ok(Vec::new()));
                }
                let order = BTreeMap::from([(worker, Order::Hold(mine))]);
                (name, cluster.engine.ask(order, cluster.config.hold()).await)
            }
        });
        let answers = futures::future::join_all(asked).await;
        let mut held: Vec<u64> = Vec::new();
        let mut prepared = Prepared::default();
        for (worker, (name, answer)) in answers.into_iter().enumerate() {
            let readiness = Readiness::of(answer, &mut held);
            self.note(worker, &readiness, &entries);
            tracing::info!(worker = name, ?readiness, "prepared");
            prepared.workers.push((name.clone(), readiness));
        }
        held.sort_unstable();
        let firsts = entries.iter().map(|entry| entry.first);
        prepared.missing = firsts.filter(|first| held.binary_search(first).is_err()).collect();
        prepared
    }

    /// Notes what a worker, told what to hold, does not hold.
    fn note(&self, worker: usize, readiness: &Readiness, entries: &[Entry]) {
        let mut unheld = self.unheld();
        unheld.forget(worker);
        let Readiness::Answered { refused, .. } = readiness else { return };
        for (first, why) in refused {
            if let Ok(at) = entries.binary_search_by_key(first, |entry| entry.first) {
                unheld.refused(worker, &entries[at], *why);
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
            let shares = Shares::of(&entries, &self.names, self.config.replicas, &lost, &resting)
                .map_err(|first| ScanError::NoWorker { first, lost: lost.describe(&self.names) })?;
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
    /// What a worker's `answer` says; adds what it holds to `held`.
    fn of(answer: Result<Vec<Reply>, attempt::Failed>, held: &mut Vec<u64>) -> Self {
        let replies = match answer {
            Ok(replies) => replies,
            Err(attempt::Failed { why, .. }) => return Self::Lost(why),
        };
        let (before, mut refused) = (held.len(), Vec::new());
        for reply in replies {
            match reply {
                Reply::Held { first, .. } => held.push(first),
                Reply::Refused { first, why } => refused.push((first, why)),
                Reply::Covered(_) => return Self::Lost("it answered what was not asked".to_owned()),
            }
        }
        Self::Answered { held: held.len() - before, refused }
    }
}
