//! Table `nullifiers`: how often each human has done something. Uses are added, never taken back.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::field::{ExternalNullifier, Nullifier};
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, count, time};

/// A nullifier that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    /// How often, at least once.
    pub(crate) uses: u64,
    pub(crate) first_at: UnixTime,
    pub(crate) last_at: UnixTime,
}

macro_rules! columns {
    () => {
        "nullifiers.uses, nullifiers.used_at, coalesce(nullifiers.last_used_at, nullifiers.used_at) AS last_at"
    };
}

/// How often the nullifier was used in this scope, if it was.
pub(crate) async fn used(
    tx: &Tx,
    scope: ExternalNullifier,
    nullifier: Nullifier,
) -> Result<Option<Used>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM nullifiers WHERE scope = $1 AND nullifier = $2");
    let (scope, nullifier) = (scope.to_be_bytes(), nullifier.to_be_bytes());
    let row = tx.row(sql, &[&scope.as_slice(), &nullifier.as_slice()]).await?;
    row.as_ref().map(read).transpose()
}

/// Uses the nullifier once more, unless it was used `max_uses` times: then there is nothing. One statement, which waits
/// for another that is using the same nullifier, and sees what that one did.
pub(crate) async fn consume(
    tx: &Tx,
    scope: ExternalNullifier,
    nullifier: Nullifier,
    max_uses: u32,
    now: UnixTime,
) -> Result<Option<Used>, StoreError> {
    let sql = concat!(
        "INSERT INTO nullifiers (scope, nullifier, used_at) VALUES ($1, $2, $3) \
         ON CONFLICT (scope, nullifier) DO UPDATE SET uses = nullifiers.uses + 1, last_used_at = excluded.used_at \
         WHERE nullifiers.uses < $4 RETURNING ",
        columns!()
    );
    let (scope, nullifier) = (scope.to_be_bytes(), nullifier.to_be_bytes());
    let (now, max_uses) = (SystemTime::from(now), i64::from(max_uses));
    let row = tx.row(sql, &[&scope.as_slice(), &nullifier.as_slice(), &now, &max_uses]).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Used, StoreError> {
    Ok(Used { uses: count(row, "uses")?, first_at: time(row, "used_at")?, last_at: time(row, "last_at")? })
}
