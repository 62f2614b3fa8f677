//! The sets whose people can be verified: ours, and those of others that the operator has named. Each has one key.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use circuits::interop::{FormError, snarkjs};
use circuits::{Batches, Public, Verifier, VerifyingKey};
use rand_core::{CryptoRng, SeedableRng as _};
use service::Metrics;
use service::stage::{BrokenDown, Habits, Measures, Stage};
use tokio::sync::Semaphore;
use unum_identity::bytes::KeyHash;
use unum_identity::field::Root;
use unum_identity::humanness::UNUM_SET;
use unum_identity::proof::ProofBytes;

use crate::config::ForeignSet;

/// Proofs in a batch at most, when so many wait: a quarter of the cost of one by one, as a batch of 128 has it
/// (`docs/measurements/proofs.md`), and everybody in it waits for a quarter as many.
const TOGETHER: usize = 32;

const MEASURES: Measures = Measures {
    wait: "enroll_proofs_wait_seconds",
    batch: "enroll_proofs_batch_size",
    work: "enroll_proofs_stage_seconds",
};

/// Why a foreign set cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignKeyError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no key for our statement.
    #[error("{path} holds no verifying key")]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FormError,
    },
}

/// Whether a proof holds could not be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsaid {
    /// Too many are under way. Come again.
    Busy,
    /// Checking broke down, and said so in the log.
    BrokenDown,
}

impl From<BrokenDown> for Unsaid {
    fn from(BrokenDown: BrokenDown) -> Self {
        Self::BrokenDown
    }
}

/// A set, with the key that its people's proofs are made for.
pub(crate) struct KnownSet {
    name: String,
    proofs: Stage<(Public, ProofBytes), bool>,
    /// One for each proof that is under way.
    places: Semaphore,
}

impl KnownSet {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the proof holds with this set's key: together with those that others ask about meanwhile.
    ///
    /// # Errors
    ///
    /// [`Unsaid`].
    pub(crate) async fn holds(&self, public: Public, proof: ProofBytes) -> Result<bool, Unsaid> {
        let _place = self.places.try_acquire().map_err(|_| Unsaid::Busy)?;
        Ok(self.proofs.ask((public, proof)).await?)
    }

    fn start(
        name: String,
        key: &VerifyingKey,
        queue: usize,
        metrics: &Metrics,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let batches = Arc::new(Batches::new(Verifier::new(key), TOGETHER));
        let check = || {
            let (batches, mut weights) = (Arc::clone(&batches), ChaCha20Rng::from_rng(rng));
            move |proofs: Vec<(Public, ProofBytes)>| batches.hold(&proofs, &mut weights)
        };
        let habits = Habits {
            name: "proofs",
            measures: MEASURES,
            workers: cores,
            most: TOGETHER,
            wait: Duration::ZERO,
            queue,
        };
        let proofs = Stage::start_on_threads(habits, metrics, check);
        Self { name, proofs, places: Semaphore::new(queue) }
    }
}

/// Our own verifying key, for whoever verifies by themselves.
pub(crate) struct PublishedKey {
    /// SHA-256 of its bytes.
    pub(crate) id: KeyHash,
    /// JSON, as snarkjs writes it.
    pub(crate) verifying_key: serde_json::Value,
}

/// All sets that this server knows.
pub(crate) struct Sets {
    own: KnownSet,
    foreign: Vec<KnownSet>,
    foreign_roots: HashMap<Root, usize>,
    key: PublishedKey,
}

impl Sets {
    /// Starts the threads that check proofs. They end when this is dropped.
    ///
    /// # Errors
    ///
    /// A [`ForeignKeyError`] if the key of a foreign set cannot be read.
    pub(crate) fn start(
        own: &VerifyingKey,
        foreign_sets: &[ForeignSet],
        queue: usize,
        metrics: &Metrics,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ForeignKeyError> {
        let (mut foreign, mut foreign_roots) = (Vec::new(), HashMap::new());
        for set in foreign_sets {
            foreign_roots.extend(set.roots.iter().map(|root| (*root, foreign.len())));
            let key = read_foreign_key(set)?;
            foreign.push(KnownSet::start(set.name.clone(), &key, queue, metrics, rng));
        }
        let verifying_key =
            serde_json::from_str(&snarkjs::write_key(own)).expect("what snarkjs writes is JSON");
        Ok(Self {
            own: KnownSet::start(UNUM_SET.to_owned(), own, queue, metrics, rng),
            foreign,
            foreign_roots,
            key: PublishedKey { id: own.hash(), verifying_key },
        })
    }

    /// Our own set.
    pub(crate) fn own(&self) -> &KnownSet {
        &self.own
    }

    /// The set of others that `root` is a root of, if the operator has named it.
    pub(crate) fn foreign(&self, root: Root) -> Option<&KnownSet> {
        self.foreign_roots.get(&root).map(|place| &self.foreign[*place])
    }

    /// Whether there is a set of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.own.name == name || self.foreign.iter().any(|set| set.name == name)
    }

    /// Our own key.
    pub(crate) fn key(&self) -> &PublishedKey {
        &self.key
    }
}

fn read_foreign_key(set: &ForeignSet) -> Result<VerifyingKey, ForeignKeyError> {
    let path = || set.verifying_key.clone();
    let json = std::fs::read_to_string(&set.verifying_key)
        .map_err(|source| ForeignKeyError::Unreadable { path: path(), source })?;
    snarkjs::read_key(&json).map_err(|source| ForeignKeyError::NoKey { path: path(), source })
}
