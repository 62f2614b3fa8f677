//! Table `queue`: envelopes that were accepted and have no answer yet.
//!
//! A server takes rows that nobody else has, says every second that it still has them, and removes each with the
//! transaction that answers it. If it does not come to that, the rows are free again a few seconds after. Whoever was
//! too slow finds its row taken by another, and has no say any more: each row is answered by whom it belongs to.

use std::time::{Duration, SystemTime};

use tokio_postgres::Row;
use unum_identity::bytes::Nonce;
use unum_identity::envelope::Purpose;
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bytes, time};

/// How long a row belongs to a server that says no more that it has it.
const LEASE: &str = "interval '5 seconds'";

/// An envelope that waits, or that this server has taken.
pub(crate) struct Queued {
    pub(crate) nonce: Nonce,
    pub(crate) purpose: Purpose,
    pub(crate) envelope: Vec<u8>,
    /// At judging it, before this one.
    pub(crate) attempts: u32,
}

/// An envelope that nobody takes any more.
pub(crate) struct Quarantined {
    pub(crate) nonce: Nonce,
    pub(crate) purpose: Purpose,
    pub(crate) attempts: u32,
    pub(crate) failure: Option<String>,
    pub(crate) quarantined_at: UnixTime,
}

pub(crate) async fn insert(
    tx: &Tx,
    nonce: Nonce,
    purpose: Purpose,
    envelope: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO queue (nonce, purpose, envelope) VALUES ($1, $2, $3)";
    tx.execute(sql, &[&nonce.0.as_slice(), &name(purpose), &envelope]).await.map(|_| ())
}

/// How many wait, or are being judged.
pub(crate) async fn len(tx: &Tx) -> Result<u64, StoreError> {
    let row = tx.row("SELECT count(*) AS waiting FROM queue WHERE quarantined_at IS NULL", &[]).await?;
    row.map_or(Ok(0), |row| super::count(&row, "waiting"))
}

/// The first of those that nobody has, in order of arrival; nobody else gets them until the transaction ends.
pub(crate) async fn free(tx: &Tx, most: usize) -> Result<Vec<Queued>, StoreError> {
    let sql = "SELECT nonce, purpose, envelope, attempts FROM queue \
               WHERE quarantined_at IS NULL AND free_at <= now() ORDER BY place LIMIT $1 FOR UPDATE SKIP LOCKED";
    tx.rows(sql, &[&(most as i64)]).await?.iter().map(queued).collect()
}

/// Takes one of those that are free, which counts as an attempt.
pub(crate) async fn take(tx: &Tx, server: [u8; 16], nonce: Nonce) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE queue SET taken_by = $2, free_at = now() + {LEASE}, attempts = attempts + 1, failure = NULL WHERE nonce = $1"
    );
    tx.execute(&sql, &[&nonce.0.as_slice(), &server.as_slice()]).await.map(|_| ())
}

/// Says that a server still has one.
pub(crate) async fn keep(tx: &Tx, server: [u8; 16], nonce: Nonce) -> Result<(), StoreError> {
    let sql = format!("UPDATE queue SET free_at = now() + {LEASE} WHERE nonce = $1 AND taken_by = $2");
    tx.execute(&sql, &[&nonce.0.as_slice(), &server.as_slice()]).await.map(|_| ())
}

/// Gives one back, to be taken again after a while. An attempt that failed for no fault of the envelope does not count.
pub(crate) async fn give_back(
    tx: &Tx,
    server: [u8; 16],
    nonce: Nonce,
    (failure, counts): (&str, bool),
    pause: Duration,
) -> Result<(), StoreError> {
    let sql = "UPDATE queue SET free_at = now() + make_interval(secs => $3), failure = $4, attempts = attempts - $5 \
               WHERE nonce = $1 AND taken_by = $2";
    let (nonce, server, pause) = (nonce.0.as_slice(), server.as_slice(), pause.as_secs_f64());
    tx.execute(sql, &[&nonce, &server, &pause, &failure, &i32::from(!counts)]).await.map(|_| ())
}

/// Removes one that is answered; `false` if it has become another server's meanwhile.
pub(crate) async fn finish(tx: &Tx, server: [u8; 16], nonce: Nonce) -> Result<bool, StoreError> {
    let sql = "DELETE FROM queue WHERE nonce = $1 AND taken_by = $2";
    Ok(tx.execute(sql, &[&nonce.0.as_slice(), &server.as_slice()]).await? == 1)
}

/// Has nobody take one any more.
pub(crate) async fn quarantine(tx: &Tx, nonce: Nonce, now: UnixTime) -> Result<(), StoreError> {
    let sql = "UPDATE queue SET quarantined_at = $2 WHERE nonce = $1";
    tx.execute(sql, &[&nonce.0.as_slice(), &SystemTime::from(now)]).await.map(|_| ())
}

/// Those that nobody takes, the first to come first.
pub(crate) async fn quarantined(tx: &Tx) -> Result<Vec<Quarantined>, StoreError> {
    let sql = "SELECT nonce, purpose, attempts, failure, quarantined_at FROM queue \
               WHERE quarantined_at IS NOT NULL ORDER BY place";
    let rows = tx.rows(sql, &[]).await?;
    let read = |row: &Row| {
        Ok(Quarantined {
            nonce: Nonce(bytes(row, "nonce")?),
            purpose: purpose(row)?,
            attempts: attempts(row)?,
            failure: row.try_get("failure")?,
            quarantined_at: time(row, "quarantined_at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Has one taken again, as if it had just come; `false` if it is not in quarantine.
pub(crate) async fn release(tx: &Tx, nonce: Nonce) -> Result<bool, StoreError> {
    let sql = "UPDATE queue SET quarantined_at = NULL, attempts = 0, free_at = '-infinity' \
               WHERE nonce = $1 AND quarantined_at IS NOT NULL";
    Ok(tx.execute(sql, &[&nonce.0.as_slice()]).await? == 1)
}

/// Forgets those that were put into quarantine before `before`; how many.
pub(crate) async fn forget(tx: &Tx, before: UnixTime) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM queue WHERE quarantined_at < $1", &[&SystemTime::from(before)]).await
}

fn queued(row: &Row) -> Result<Queued, StoreError> {
    Ok(Queued {
        nonce: Nonce(bytes(row, "nonce")?),
        purpose: purpose(row)?,
        envelope: row.try_get("envelope")?,
        attempts: attempts(row)?,
    })
}

fn attempts(row: &Row) -> Result<u32, StoreError> {
    let attempts: i32 = row.try_get("attempts")?;
    Ok(attempts.cast_unsigned()) // never negative, says the schema
}

/// What a purpose is called.
pub(crate) fn name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Enroll => "enroll",
        Purpose::Recover => "recover",
    }
}

fn purpose(row: &Row) -> Result<Purpose, StoreError> {
    let text: &str = row.try_get("purpose")?;
    let known = [Purpose::Enroll, Purpose::Recover].into_iter().find(|known| name(*known) == text);
    known.ok_or_else(|| StoreError::damaged(format!("purpose {text}")))
}
