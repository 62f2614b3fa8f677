//! The set as everyone may read it: the tree in memory, its signed checkpoints, paths and snapshots.
//!
//! The tree is a cache of the table `leaves`. Every answer first reads what is new there, so that several servers on
//! one database give the same answers. As in the gallery, the last known leaf is read again each time, and a tree
//! of another history is built anew.
//!
//! Knows nothing of eyes.

use std::sync::{PoisonError, RwLock};

use ed25519_dalek::SigningKey;
use unum_identity::checkpoint::{Checkpoint, SignedCheckpoint};
use unum_identity::enrollment::{InclusionProof, PublishedLeaf, Snapshot};
use unum_identity::field::{Commitment, Root};
use unum_identity::set::{Set, SetError};

use crate::store::{Store, StoreError, Tx, leaves};

/// Leaves read at a time: 10,000 take about half a second to hash.
const PAGE: u64 = 10_000;

/// The set, with the key that signs it.
pub(crate) struct Published {
    origin: String,
    key: SigningKey,
    set: RwLock<Set>,
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
        Self { origin, key, set: RwLock::default() }
    }

    /// Reads what is new. Gives the number of leaves.
    pub(crate) async fn sync(&self, store: &Store) -> Result<u64, StoreError> {
        while store.run_tx("read_leaves", |tx| async move { self.read_page(&tx).await }).await? {}
        Ok(self.read(Set::len))
    }

    /// Inside a transaction that holds the lock of enrollments, and has added no leaf itself: how many leaves there
    /// are, and the root once `commitment` is added.
    pub(crate) async fn next_root(
        &self,
        tx: &Tx,
        commitment: Commitment,
    ) -> Result<(u64, Result<Root, SetError>), StoreError> {
        while self.read_page(tx).await? {}
        Ok(self.read(|set| (set.len(), set.root_with(commitment))))
    }

    /// The signed root of the whole set.
    pub(crate) async fn checkpoint(&self, store: &Store) -> Result<SignedCheckpoint, StoreError> {
        let size = self.sync(store).await?;
        Ok(self.checkpoint_at(size))
    }

    /// The first `size` leaves (default: all), with their signed root.
    pub(crate) async fn snapshot(
        &self,
        store: &Store,
        size: Option<u64>,
    ) -> Result<Snapshot, PublishedError> {
        let len = self.sync(store).await?;
        let size = size.unwrap_or(len);
        if size > len {
            return Err(SetError::NoSuchLeaf { index: size - 1, size, len }.into());
        }
        let rows =
            store.run_tx("read_snapshot", |tx| async move { leaves::from(&tx, 0, size).await }).await?;
        if rows.len() as u64 != size {
            return Err(StoreError::damaged("leaves have disappeared").into());
        }
        let leaves = rows.into_iter().map(|(_, leaf)| leaf).collect();
        Ok(Snapshot { checkpoint: self.checkpoint_at(size), leaves })
    }

    /// The path from a commitment to the root of the first `size` leaves (default: all).
    pub(crate) async fn inclusion_proof(
        &self,
        store: &Store,
        commitment: Commitment,
        size: Option<u64>,
    ) -> Result<InclusionProof, PublishedError> {
        let found =
            store.run_tx("find_leaf", |tx| async move { leaves::index_of(&tx, commitment).await }).await?;
        let leaf_index = found.ok_or(PublishedError::Unknown)?;
        let len = self.sync(store).await?;
        let size = size.unwrap_or(len);
        self.read(|set| {
            let path = set.path_at(leaf_index, size)?;
            Ok(InclusionProof { commitment, leaf_index, size, root: set.root_at(size), path })
        })
    }

    fn checkpoint_at(&self, size: u64) -> SignedCheckpoint {
        let root = self.read(|set| set.root_at(size));
        Checkpoint { origin: self.origin.clone(), size, root }.sign(&self.key)
    }

    /// Reads one page; whether there may be more.
    async fn read_page(&self, tx: &Tx) -> Result<bool, StoreError> {
        let known = self.read(Set::len);
        let rows = leaves::from(tx, known.saturating_sub(1), PAGE).await?;
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        match follow(&mut set, &rows) {
            Ok(()) => Ok(rows.len() as u64 == PAGE),
            Err(Diverged) if !set.is_empty() => {
                tracing::warn!("the log is not the one in memory: building the tree anew");
                *set = Set::default();
                Ok(true)
            }
            Err(Diverged) => Err(StoreError::damaged("the log has a gap")),
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Set) -> T) -> T {
        look(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Adds to the set those of `rows` that it lacks. Where both have a leaf they must agree, and they must have one in
/// common unless the set is empty. Another reader may have been faster: the set may be ahead of what was asked for.
fn follow(set: &mut Set, rows: &[(u64, PublishedLeaf)]) -> Result<(), Diverged> {
    let first = rows.first().map_or(0, |(index, _)| *index);
    let known = set.len().checked_sub(first).ok_or(Diverged)? as usize;
    let (old, new) = rows.split_at(known.min(rows.len()));
    let agrees = set.leaves().skip(first as usize).zip(old).all(|(leaf, (_, row))| leaf == row.commitment);
    let is_dense = rows.iter().zip(first..).all(|((index, _), expected)| *index == expected);
    if !agrees || !is_dense || (!set.is_empty() && old.is_empty()) {
        return Err(Diverged);
    }
    set.extend(new.iter().map(|(_, leaf)| leaf.commitment)).map_err(|_| Diverged)
}

#[cfg(test)]
mod tests {
    use unum_identity::bytes::{DeviceId, DeviceSignature};

    use super::*;

    fn log(commitments: impl IntoIterator<Item = u64>) -> Vec<(u64, PublishedLeaf)> {
        let leaf = |commitment: u64| PublishedLeaf {
            commitment: Commitment(commitment.into()),
            device: DeviceId([1; 16]),
            signature: DeviceSignature([0; 64]),
        };
        (0..).zip(commitments.into_iter().map(leaf)).collect()
    }

    fn set(commitments: impl IntoIterator<Item = u64>) -> Set {
        let mut set = Set::default();
        follow(&mut set, &log(commitments)).unwrap();
        set
    }

    #[test]
    fn the_tree_is_a_function_of_the_log() {
        let log = log(10..20);
        let mut grown = Set::default();
        for end in 1..=log.len() {
            follow(&mut grown, &log[end.saturating_sub(2)..end]).unwrap();
            assert_eq!(grown.root(), set(10..10 + end as u64).root());
        }
    }

    #[test]
    fn a_reader_who_comes_late_changes_nothing() {
        let mut ahead = set(10..20);
        follow(&mut ahead, &log(10..20)[3..7]).unwrap();
        assert_eq!(ahead.len(), 10);
    }

    #[test]
    fn another_history_is_noticed() {
        let known = set(10..15);
        let follows = |rows: &[(u64, PublishedLeaf)]| follow(&mut known.clone(), rows);
        assert_eq!(follows(&log(10..17)[4..]), Ok(()));
        assert_eq!(follows(&log(20..27)[4..]), Err(Diverged), "other leaves");
        assert_eq!(follows(&[]), Err(Diverged), "no leaves");
        assert_eq!(follows(&log(10..17)[5..]), Err(Diverged), "nothing in common");
        assert_eq!(follows(&log(10..17)[6..]), Err(Diverged), "a gap");
        let mut with_gap = log(10..20);
        with_gap.remove(6);
        assert_eq!(follows(&with_gap[4..]), Err(Diverged), "a gap inside");
    }
}
