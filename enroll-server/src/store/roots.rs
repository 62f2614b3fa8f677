//! Table `roots`: which roots there have been, and when each was replaced.

use std::time::SystemTime;

use unum_identity::field::Root;
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bigint};

/// A root that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownRoot {
    /// `None` while it is the current one.
    pub(crate) replaced_at: Option<UnixTime>,
}

pub(crate) async fn get(tx: &Tx, root: Root) -> Result<Option<KnownRoot>, StoreError> {
    let sql = "SELECT replaced_at FROM roots WHERE root = $1";
    let Some(row) = tx.row(sql, &[&root.to_be_bytes().as_slice()]).await? else { return Ok(None) };
    let replaced_at: Option<SystemTime> = row.try_get("replaced_at")?;
    Ok(Some(KnownRoot { replaced_at: replaced_at.map(UnixTime::from) }))
}

/// `root`, after `size` events, is the current one from now on.
pub(crate) async fn replace(tx: &Tx, root: Root, size: u64, replaced_at: UnixTime) -> Result<(), StoreError> {
    let sql = "UPDATE roots SET replaced_at = $1 WHERE replaced_at IS NULL";
    tx.execute(sql, &[&SystemTime::from(replaced_at)]).await?;
    // Whoever leaves last leaves the root that was there before they came.
    let sql = "INSERT INTO roots (root, size) VALUES ($1, $2) \
               ON CONFLICT (root) DO UPDATE SET size = excluded.size, replaced_at = NULL";
    tx.execute(sql, &[&root.to_be_bytes().as_slice(), &bigint(size)?]).await.map(|_| ())
}
