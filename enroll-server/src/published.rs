//! The set as everyone may read it: the tree in memory, its signed checkpoints, paths and snapshots.
//!
//! The tree is a cache of the table `log`. Every answer first reads what is new there, so that several servers on one
//! database give the same answers. As in the gallery, the last known event is read again each time, and a tree of
//! another history is built anew.
//!
//! Knows nothing of eyes.

use std::sync::{PoisonError, RwLock};

use ed25519_dalek::SigningKey;
use unum_identity::checkpoint::{Checkpoint, SignedCheckpoint};
use unum_identity::enrollment::{InclusionProof, LogEvent, LogPage, Snapshot};
use unum_identity::field::{Commitment, Root};
use unum_identity::set::{Change, Set, SetError};

use crate::store::{Store, StoreError, Tx, log};

/// Events read at a time: 10,000 take about half a second to hash.
const PAGE: u64 = 10_000;
/// Events published at a time: 300 KB of JSON.
const PUBLISHED_PAGE: u64 = 1000;

/// The set, with the key that signs it.
pub(crate) struct Published {
    origin: String,
    key: SigningKey,
    tree: RwLock<Tree>,
}

/// The set in memory, as far as the log has been read.
#[derive(Clone, Default)]
struct Tree {
    set: Set,
    /// The last event in it.
    last: Option<LogEvent>,
}

/// Where the next event goes, as long as nobody else adds one.
pub(crate) struct Place {
    /// Its number.
    pub(crate) number: u64,
    /// Leaves that there are, removed ones too.
    pub(crate) leaves: u64,
}

/// Why the set cannot answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishedError {
    /// Nobody has this commitment.
    #[error("no such commitment in the set")]
    Unknown,
    /// The set has not been that large, or not large enough for that leaf to be in it.
    #[error(transparent)]
    Size(#[from] SetError),
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was read does not continue the tree.
#[derive(Debug, PartialEq, Eq)]
struct Diverged;

impl Published {
    /// An empty tree.
    pub(crate) fn new(origin: String, key: SigningKey) -> Self {
        Self { origin, key, tree: RwLock::default() }
    }

    /// Reads what is new. Gives the size of the log.
    pub(crate) async fn sync(&self, store: &Store) -> Result<u64, StoreError> {
        while store.run_tx("read_log", |tx| async move { self.read_page(&tx).await }).await? {}
        Ok(self.read(Set::len))
    }

    /// Leaves, removed ones too, as far as the log has been read.
    pub(crate) fn leaves(&self) -> u64 {
        self.read(Set::places)
    }

    /// Leaves that were removed, as far as the log has been read.
    pub(crate) fn removed(&self) -> u64 {
        self.read(|set| set.places() - set.people())
    }

    /// Inside a transaction that holds the lock of enrollments, and has written no event itself: where the next event
    /// goes.
    pub(crate) async fn next(&self, tx: &Tx) -> Result<Place, StoreError> {
        while self.read_page(tx).await? {}
        Ok(self.read(|set| Place { number: set.len(), leaves: set.places() }))
    }

    /// The root that [`Published::next`] and `change` lead to.
    pub(crate) fn root_with(&self, change: Change) -> Result<Root, SetError> {
        self.read(|set| set.root_with(change))
    }

    /// The log from event `first` on, one page of it.
    pub(crate) async fn log(&self, store: &Store, first: u64) -> Result<LogPage, PublishedError> {
        let size = self.sync(store).await?;
        if first > size {
            return Err(SetError::NoSuchSize { size: first, len: size }.into());
        }
        let limit = PUBLISHED_PAGE.min(size - first);
        let rows = store.run_tx("read_log", |tx| async move { log::from(&tx, first, limit).await }).await?;
        Ok(LogPage { first, events: rows.into_iter().map(|(_, event)| event).collect(), size })
    }

    /// The signed root of the whole set.
    pub(crate) async fn checkpoint(&self, store: &Store) -> Result<SignedCheckpoint, StoreError> {
        let size = self.sync(store).await?;
        Ok(self.checkpoint_at(size))
    }

    /// The leaves after the first `size` events (default: all), with their signed root.
    pub(crate) async fn snapshot(
        &self,
        store: &Store,
        size: Option<u64>,
    ) -> Result<Snapshot, PublishedError> {
        let len = self.sync(store).await?;
        let size = size.unwrap_or(len);
        if size > len {
            return Err(SetError::NoSuchSize { size, len }.into());
        }
        let read = |tx: std::sync::Arc<Tx>| async move { log::leaves_at(&tx, size).await };
        let leaves = store.run_tx("read_snapshot", read).await?;
        Ok(Snapshot { checkpoint: self.checkpoint_at(size), leaves })
    }

    /// The path from a commitment to the root after the first `size` events (default: all).
    pub(crate) async fn inclusion_proof(
        &self,
        store: &Store,
        commitment: Commitment,
        size: Option<u64>,
    ) -> Result<InclusionProof, PublishedError> {
        let found =
            store.run_tx("find_leaf", |tx| async move { log::place_of(&tx, commitment).await }).await?;
        let leaf_index = found.ok_or(PublishedError::Unknown)?;
        let len = self.sync(store).await?;
        let size = size.unwrap_or(len);
        let proof = self.read(|set| {
            let path = set.path_at(leaf_index, size)?;
            Ok::<_, SetError>(InclusionProof { commitment, leaf_index, size, root: set.root_at(size), path })
        })?;
        // At that size another commitment may stand there.
        if proof.holds() { Ok(proof) } else { Err(PublishedError::Unknown) }
    }

    fn checkpoint_at(&self, size: u64) -> SignedCheckpoint {
        let root = self.read(|set| set.root_at(size));
        Checkpoint { origin: self.origin.clone(), size, root }.sign(&self.key)
    }

    /// Reads one page; whether there may be more.
    async fn read_page(&self, tx: &Tx) -> Result<bool, StoreError> {
        let known = self.read(Set::len);
        let rows = log::from(tx, known.saturating_sub(1), PAGE).await?;
        let mut tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
        match tree.follow(&rows) {
            Ok(()) => Ok(rows.len() as u64 == PAGE),
            Err(Diverged) if !tree.set.is_empty() => {
                tracing::warn!("the log is not the one in memory: building the tree anew");
                *tree = Tree::default();
                Ok(true)
            }
            Err(Diverged) => Err(StoreError::damaged("the log has a gap, or an event that cannot be")),
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Set) -> T) -> T {
        look(&self.tree.read().unwrap_or_else(PoisonError::into_inner).set)
    }
}

impl Tree {
    /// Adds those of `rows` that it lacks. They must have an event in common unless the tree is empty, and agree about
    /// the last known one. Another reader may have been faster: the tree may be ahead of what was asked for.
    fn follow(&mut self, rows: &[(u64, LogEvent)]) -> Result<(), Diverged> {
        let first = rows.first().map_or(0, |(number, _)| *number);
        let size = self.set.len();
        let known = size.checked_sub(first).ok_or(Diverged)? as usize;
        let (old, new) = rows.split_at(known.min(rows.len()));
        let is_dense = rows.iter().zip(first..).all(|((number, _), expected)| *number == expected);
        let agrees = match old.last() {
            None => self.set.is_empty(),
            Some((number, event)) => *number + 1 < size || self.last.as_ref() == Some(event),
        };
        if !agrees || !is_dense {
            return Err(Diverged);
        }
        self.set.apply(new.iter().map(|(_, event)| event.change())).map_err(|_| Diverged)?;
        if let Some((_, event)) = new.last() {
            self.last = Some(event.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use unum_identity::bytes::{DeviceId, DeviceSignature};
    use unum_identity::enrollment::PublishedLeaf;
    use unum_identity::field::Opening;

    use super::*;

    fn log(commitments: impl IntoIterator<Item = u64>) -> Vec<(u64, LogEvent)> {
        let event = |(leaf_index, commitment): (u64, u64)| {
            let (commitment, signature) = (Commitment(commitment.into()), DeviceSignature([0; 64]));
            let leaf = PublishedLeaf { commitment, device: DeviceId([1; 16]), signature };
            (leaf_index, LogEvent::Enrolled { leaf_index, leaf })
        };
        (0..).zip(commitments).map(event).collect()
    }

    fn tree(log: &[(u64, LogEvent)]) -> Tree {
        let mut tree = Tree::default();
        tree.follow(log).unwrap();
        tree
    }

    #[test]
    fn the_tree_is_a_function_of_the_log() {
        let mut log = log(10..20);
        log.push((10, LogEvent::Removed { leaf_index: 3, opening: Opening(7.into()) }));
        let mut grown = Tree::default();
        for end in 1..=log.len() {
            grown.follow(&log[end.saturating_sub(2)..end]).unwrap();
            assert_eq!(grown.set.root(), tree(&log[..end]).set.root());
        }
        assert_eq!((grown.set.len(), grown.set.places(), grown.set.people()), (11, 10, 9));
    }

    #[test]
    fn a_reader_who_comes_late_changes_nothing() {
        let mut ahead = tree(&log(10..20));
        ahead.follow(&log(10..20)[3..7]).unwrap();
        assert_eq!(ahead.set.len(), 10);
    }

    #[test]
    fn another_history_is_noticed() {
        let known = tree(&log(10..15));
        let follows = |rows: &[(u64, LogEvent)]| known.clone().follow(rows);
        assert_eq!(follows(&log(10..17)[4..]), Ok(()));
        assert_eq!(follows(&log(20..27)[4..]), Err(Diverged), "other leaves");
        assert_eq!(follows(&[]), Err(Diverged), "no events");
        assert_eq!(follows(&log(10..17)[5..]), Err(Diverged), "nothing in common");
        assert_eq!(follows(&log(10..17)[6..]), Err(Diverged), "a gap");
        let mut with_gap = log(10..20);
        with_gap.remove(6);
        assert_eq!(follows(&with_gap[4..]), Err(Diverged), "a gap inside");
        let nowhere = LogEvent::Removed { leaf_index: 9, opening: Opening(7.into()) };
        let impossible = [log(10..15)[4].clone(), (5, nowhere)];
        assert_eq!(follows(&impossible), Err(Diverged), "no such leaf");
    }
}
