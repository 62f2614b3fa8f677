//! Table `matchers`: servers that run, and what each of them has erased.
//!
//! A server that has not been seen for a minute does not run: it was killed, and its memory is gone with it, or it is
//! cut off, and then the first thing that it does when it is back is to read who was erased.

use super::{StoreError, Tx, bigint};

/// Says that a server runs, and that it holds nothing of whoever was erased up to `erased_to`; `None` leaves what it said
/// before.
pub(crate) async fn report(tx: &Tx, matcher: [u8; 16], erased_to: Option<u64>) -> Result<(), StoreError> {
    let sql = "INSERT INTO matchers (matcher, erased_to, seen_at) VALUES ($1, coalesce($2::bigint, 0), now()) \
               ON CONFLICT (matcher) DO UPDATE SET erased_to = coalesce($2::bigint, matchers.erased_to), seen_at = now()";
    let erased_to = erased_to.map(bigint).transpose()?;
    tx.execute(sql, &[&matcher.as_slice(), &erased_to]).await.map(|_| ())
}

/// Says that a server is about to stop.
pub(crate) async fn leave(tx: &Tx, matcher: [u8; 16]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM matchers WHERE matcher = $1", &[&matcher.as_slice()]).await.map(|_| ())
}

/// Whether every server that runs holds nothing of whoever was erased as number `number`.
pub(crate) async fn all_have_erased(tx: &Tx, number: u64) -> Result<bool, StoreError> {
    let sql = "SELECT FROM matchers WHERE erased_to < $1 AND seen_at > now() - interval '1 minute' LIMIT 1";
    Ok(tx.row(sql, &[&bigint(number)?]).await?.is_none())
}

/// Forgets servers that have not been seen for a day.
pub(crate) async fn forget(tx: &Tx) -> Result<(), StoreError> {
    tx.execute("DELETE FROM matchers WHERE seen_at < now() - interval '1 day'", &[]).await.map(|_| ())
}
