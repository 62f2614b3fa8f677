//! A cluster of real processes, and what is done to it.
//!
//! | module | what is done |
//! |---|---|
//! | `findings` | nothing: the findings are those of one process |
//! | `losses` | workers are killed, stopped, slow, or started again |
//! | `liars` | workers answer twice, not at all, or something else |
//! | `disk` | files are deleted, altered, old, exchanged |
//! | `doors` | strangers, with and without certificates and tokens |
//! | `server` | all of this to workers of a whole enrollment server, on a Postgres |
//!
//! Times decide nothing, but that whoever is gone has to be noticed within [`NOTICED`], which is far more than the
//! time-outs of the lab and far less than those of the engine.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod disk;
mod doors;
mod findings;
mod liars;
mod losses;
mod server;

use std::sync::OnceLock;
use std::time::Duration;

use enroll_cluster::lab::{Lab, Process, Town, person};
use enroll_cluster::{ClusterConfig, Coordinator, ScanError};
use enroll_server::matcher::Finding;
use tokio::runtime::{Handle, Runtime};
use unum_iris::{EyePair, Query, Thresholds};

/// Within what time whoever is gone has to be noticed, and the others asked, on a machine that does much else.
const NOTICED: Duration = Duration::from_secs(40);
/// Segments of the town, of a block each.
const SEGMENTS: u64 = 40;
/// Its people after the segments.
const TAIL: u64 = 5;

/// Where coordinators wait for the network.
fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).handle()
}

/// Workers with 40 segments of 16 people, each with files of its own.
struct Cluster {
    lab: Lab,
    town: Town,
    workers: Vec<Process>,
}

impl Cluster {
    /// As many workers as there are configurations to add to.
    fn new(more: &[&str]) -> Self {
        let lab = Lab::new(env!("CARGO_BIN_EXE_cluster-worker"));
        let town = Town::new(&lab.path("town"), lab.key(), SEGMENTS, 16, TAIL);
        let mut cluster = Self { lab, town, workers: Vec::new() };
        for (i, more) in more.iter().enumerate() {
            cluster.town.copy(&cluster.folder(i));
            let worker = cluster.start(i, more);
            cluster.workers.push(worker);
        }
        cluster
    }

    /// Three that do nothing wrong.
    fn sound() -> Self {
        Self::new(&["", "", ""])
    }

    fn folder(&self, worker: usize) -> std::path::PathBuf {
        self.lab.path(&format!("segments-{worker}"))
    }

    fn start(&self, worker: usize, more: &str) -> Process {
        self.lab.worker(&format!("worker-{worker}"), &self.folder(worker), more)
    }

    fn config(&self) -> ClusterConfig {
        self.lab.config(&self.workers)
    }

    /// A coordinator that has told everyone what to hold.
    fn ready(&self) -> Coordinator {
        self.ready_with(self.config())
    }

    fn ready_with(&self, config: ClusterConfig) -> Coordinator {
        let coordinator = self.coordinator(config);
        let prepared = coordinator.prepare(self.town.manifest(), 0);
        assert!(prepared.is_complete(), "{prepared:?}");
        coordinator
    }

    fn coordinator(&self, config: ClusterConfig) -> Coordinator {
        self.lab.coordinator(config, runtime()).unwrap()
    }

    /// What a scan for `eyes` says about each, if it is an answer.
    fn ask(&self, coordinator: &Coordinator, eyes: &[EyePair]) -> Result<Vec<Finding>, ScanError> {
        let queries: Vec<Query> = eyes.iter().map(Query::new).collect();
        let queries: Vec<&Query> = queries.iter().collect();
        let (manifest, tail) = (self.town.manifest(), self.town.tail());
        let scanned = coordinator.scan(manifest, tail, &queries, Thresholds::default())?;
        Ok(scanned.findings(manifest, self.town.len())?)
    }

    /// Asks for somebody of each segment and of the tail, and for strangers; everyone has to be found, and no stranger.
    #[track_caller]
    fn answers_in_full(&self, coordinator: &Coordinator) {
        let known = (0..SEGMENTS).step_by(7).map(|segment| 16 * segment + segment % 16);
        let mut known: Vec<u64> = known.chain([self.town.len() - 1]).collect();
        known.truncate(7);
        let eyes: Vec<EyePair> = known.iter().copied().chain([1 << 40]).map(person).collect();
        let mut expected: Vec<_> = known.iter().map(|seed| Finding::Duplicate { person: seed + 1 }).collect();
        expected.push(Finding::Unique);
        assert_eq!(self.ask(coordinator, &eyes), Ok(expected));
    }

    /// Asks for a stranger. Nobody may say that there is none like it.
    #[track_caller]
    fn says_nothing(&self, coordinator: &Coordinator) -> ScanError {
        self.ask(coordinator, &[person(1 << 40)]).expect_err("not everyone can have been compared")
    }
}
