//! Telling workers what to hold, and what they say of it.
//!
//! Whoever answers for each segment of its order has let go of all others, in which somebody may stand who was erased; any
//! other answer is none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use enroll_server::matcher::Entry;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

use super::Cluster;
use super::shares::Lost;
use crate::placement::holders;
use crate::wire::{EntryOnWire, Order, Refusal, Reply};

/// How long workers are waited for that still read when each segment is held by somebody: as long as it takes to notice one
/// that is gone.
const GRACE: Duration = Duration::from_secs(5);
/// Segments of one worker that a line of the log names.
const NAMED: usize = 8;

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
    /// It holds some of them and nothing else, and says why not the others.
    Answered {
        /// First persons of the segments in memory.
        held: Vec<u64>,
        /// First persons of the others.
        refused: Vec<(u64, Refusal)>,
    },
    /// It does not answer, or not yet.
    Lost(String),
}

impl Prepared {
    /// Whether every segment is held by somebody.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

impl Cluster {
    /// Has workers hold `entries`, which know of so many erasures.
    pub(super) async fn prepare(self: Arc<Self>, entries: Vec<Entry>, erased: u64) -> Prepared {
        self.is_impaired.store(false, Ordering::Relaxed);
        let parts = self.parts(&entries);
        let mut asked: FuturesUnordered<_> =
            parts.iter().enumerate().map(|(worker, part)| self.tell(worker, part, erased)).collect();
        let mut answers: Vec<Option<Readiness>> = vec![None; self.names.len()];
        let mut unheld: BTreeSet<u64> = entries.iter().map(|entry| entry.first).collect();
        let mut until = None;
        loop {
            let answer = match until {
                None => asked.next().await,
                Some(until) => timeout_at(until, asked.next()).await.unwrap_or(None),
            };
            let Some((worker, answer)) = answer else { break };
            if let Readiness::Answered { held, .. } = &answer {
                unheld.retain(|first| held.binary_search(first).is_err()); // they are in order
            }
            answers[worker] = Some(answer);
            if unheld.is_empty() {
                until.get_or_insert_with(|| Instant::now() + GRACE);
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

    /// What each worker should hold of `entries`.
    fn parts(&self, entries: &[Entry]) -> Vec<Vec<Entry>> {
        let mut parts = vec![Vec::new(); self.names.len()];
        for entry in entries {
            for worker in holders(entry.first, &self.names, self.config.replicas) {
                parts[worker].push(*entry);
            }
        }
        parts
    }

    /// Tells a worker to hold `part`, and hears what it says.
    async fn tell(&self, worker: usize, part: &[Entry], erased: u64) -> (usize, Readiness) {
        let order = Order::Hold(part.iter().map(EntryOnWire::from).collect(), erased);
        let readiness = match self.engine.ask(BTreeMap::from([(worker, order)]), self.config.hold()).await {
            Ok(replies) => Readiness::of(part, &replies),
            Err(failed) => Readiness::Lost(failed.why),
        };
        (worker, readiness)
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
                self.stands_up(worker);
                if !refused.is_empty() {
                    let named = &refused[..refused.len().min(NAMED)];
                    tracing::error!(
                        worker = name,
                        held = held.len(),
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
}

impl Readiness {
    /// What the `replies` of a worker say that was told to hold `entries`.
    fn of(entries: &[Entry], replies: &[Reply]) -> Self {
        let (mut held, mut refused) = (Vec::new(), Vec::new());
        for (entry, reply) in entries.iter().zip(replies) {
            match *reply {
                Reply::Held { first, version } if (first, version) == (entry.first, entry.version) => {
                    held.push(first);
                }
                Reply::Refused { first, why } if first == entry.first => refused.push((first, why)),
                _ => return Self::Lost("it answered what was not asked".to_owned()),
            }
        }
        if replies.len() != entries.len() {
            return Self::Lost(format!("{} answers for {} segments", replies.len(), entries.len()));
        }
        Self::Answered { held, refused }
    }
}

#[cfg(test)]
mod tests {
    use enroll_server::matcher::Seal;

    use super::*;

    #[test]
    fn who_answers_for_each_segment_has_answered() {
        let seal = Seal { nonce: [0; 24], tag: [0; 16] };
        let entries = [1, 17].map(|first| Entry { first, people: 16, version: 2, seal });
        let held = |first, version| Reply::Held { first, version };
        let refused = Reply::Refused { first: 17, why: Refusal::FileMissing };
        let of = |replies: &[Reply]| Readiness::of(&entries, replies);
        assert_eq!(
            of(&[held(1, 2), refused.clone()]),
            Readiness::Answered { held: vec![1], refused: vec![(17, Refusal::FileMissing)] }
        );
        for wrong in [
            &[][..],
            &[held(1, 2)],
            &[held(1, 1), refused.clone()],
            &[refused, held(1, 2)],
            &[held(1, 2), held(17, 2), held(17, 2)],
        ] {
            assert!(matches!(of(wrong), Readiness::Lost(_)), "{wrong:?}");
        }
    }
}
