//! Table `roots`: which roots there have been, and when each was replaced.

use std::time::SystemTime;

use unum_identity::field::Root;
use unum_identity::humanness::PublishedRoot;
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bigint, bytes, count};

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

/// Up to `limit` roots that are current or were replaced at `since` or later, newest first.
pub(crate) async fn since(tx: &Tx, since: UnixTime, limit: u64) -> Result<Vec<PublishedRoot>, StoreError> {
    let sql = "SELECT root, size, replaced_at FROM roots WHERE replaced_at IS NULL OR replaced_at >= $1 \
               ORDER BY replaced_at DESC NULLS FIRST, size DESC LIMIT $2";
    let rows = tx.rows(sql, &[&SystemTime::from(since), &bigint(limit)?]).await?;
    let read = |row: &tokio_postgres::Row| {
        let root = Root::from_be_bytes(&bytes::<32>(row, "root")?).map_err(StoreError::damaged)?;
        let replaced_at: Option<SystemTime> = row.try_get("replaced_at")?;
        Ok(PublishedRoot { root, size: count(row, "size")?, replaced_at: replaced_at.map(UnixTime::from) })
    };
    rows.iter().map(read).collect()
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
