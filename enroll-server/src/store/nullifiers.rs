//! Table `nullifiers`: consumed once, for ever.

use std::time::SystemTime;

use unum_identity::field::{ExternalNullifier, Nullifier};
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, time};

/// When the nullifier was used in this scope, if it was.
pub(crate) async fn used_at(
    tx: &Tx,
    scope: ExternalNullifier,
    nullifier: Nullifier,
) -> Result<Option<UnixTime>, StoreError> {
    let sql = "SELECT used_at FROM nullifiers WHERE scope = $1 AND nullifier = $2";
    let (scope, nullifier) = (scope.to_be_bytes(), nullifier.to_be_bytes());
    let row = tx.row(sql, &[&scope.as_slice(), &nullifier.as_slice()]).await?;
    row.map(|row| time(&row, "used_at")).transpose()
}

/// Consumes the nullifier: `true` for the first, `false` for everyone after. Waits for another transaction that
/// is consuming the same one.
pub(crate) async fn consume(
    tx: &Tx,
    scope: ExternalNullifier,
    nullifier: Nullifier,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO nullifiers (scope, nullifier, used_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let (scope, nullifier) = (scope.to_be_bytes(), nullifier.to_be_bytes());
    Ok(tx.execute(sql, &[&scope.as_slice(), &nullifier.as_slice(), &SystemTime::from(now)]).await? == 1)
}
