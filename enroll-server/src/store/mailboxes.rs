//! Table `mailboxes`: sealed requests of pages to wallets, and sealed answers, until each was handed out once.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::time::UnixTime;

use super::{StoreError, Tx};
use crate::bridge::{Base64, RequestId, Sealed, Status};

/// Whether so many requests or more are there, those among them that are over and not swept out yet.
pub(crate) async fn at_least(tx: &Tx, most: u32) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) >= $1 AS is_full FROM (SELECT FROM mailboxes LIMIT $1) AS counted";
    let row = tx.row(sql, &[&i64::from(most)]).await?;
    row.map_or(Ok(false), |row| Ok(row.try_get("is_full")?))
}

/// Keeps a request; false if there is one of this name. One that is over makes room.
pub(crate) async fn insert(
    tx: &Tx,
    id: &RequestId,
    sealed: &Sealed,
    now: UnixTime,
    expires_at: UnixTime,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO mailboxes (request_id, expires_at, iv, payload) VALUES ($1, $2, $3, $4)
        ON CONFLICT (request_id) DO UPDATE
        SET expires_at = EXCLUDED.expires_at, iv = EXCLUDED.iv, payload = EXCLUDED.payload, answer_iv = NULL, answer_payload = NULL
        WHERE mailboxes.expires_at <= $5";
    let (expires_at, now) = (SystemTime::from(expires_at), SystemTime::from(now));
    Ok(tx.execute(sql, &[&id.as_str(), &expires_at, &sealed.iv.0, &sealed.payload.0, &now]).await? == 1)
}

/// How a request stands, if it is there.
pub(crate) async fn status(tx: &Tx, id: &RequestId, now: UnixTime) -> Result<Option<Status>, StoreError> {
    let sql = "SELECT iv IS NOT NULL AS waits, answer_iv IS NOT NULL AS answered FROM mailboxes
        WHERE request_id = $1 AND expires_at > $2";
    let row = tx.row(sql, &[&id.as_str(), &SystemTime::from(now)]).await?;
    row.map(|row| {
        Ok(match (row.try_get("answered")?, row.try_get("waits")?) {
            (true, _) => Status::Completed,
            (false, true) => Status::Initialized,
            (false, false) => Status::Retrieved,
        })
    })
    .transpose()
}

/// Takes a request out of its mailbox, if it still is there.
pub(crate) async fn retrieve(tx: &Tx, id: &RequestId, now: UnixTime) -> Result<Option<Sealed>, StoreError> {
    // Locked before it is read: of two at once, the second looks again and finds nothing.
    let sql = "WITH found AS (
            SELECT request_id, iv, payload FROM mailboxes
            WHERE request_id = $1 AND expires_at > $2 AND iv IS NOT NULL FOR UPDATE)
        UPDATE mailboxes SET iv = NULL, payload = NULL FROM found WHERE mailboxes.request_id = found.request_id
        RETURNING found.iv AS iv, found.payload AS payload";
    tx.row(sql, &[&id.as_str(), &SystemTime::from(now)]).await?.as_ref().map(read).transpose()
}

/// Keeps an answer; false if there is one already, or no request. What was asked is of no more use.
pub(crate) async fn answer(
    tx: &Tx,
    id: &RequestId,
    sealed: &Sealed,
    now: UnixTime,
    expires_at: UnixTime,
) -> Result<bool, StoreError> {
    let sql =
        "UPDATE mailboxes SET iv = NULL, payload = NULL, answer_iv = $2, answer_payload = $3, expires_at = $4
        WHERE request_id = $1 AND expires_at > $5 AND answer_iv IS NULL";
    let (expires_at, now) = (SystemTime::from(expires_at), SystemTime::from(now));
    Ok(tx.execute(sql, &[&id.as_str(), &sealed.iv.0, &sealed.payload.0, &expires_at, &now]).await? == 1)
}

/// Takes an answer, and the mailbox with it, if there is one.
pub(crate) async fn collect(tx: &Tx, id: &RequestId, now: UnixTime) -> Result<Option<Sealed>, StoreError> {
    let sql = "DELETE FROM mailboxes WHERE request_id = $1 AND expires_at > $2 AND answer_iv IS NOT NULL
        RETURNING answer_iv AS iv, answer_payload AS payload";
    tx.row(sql, &[&id.as_str(), &SystemTime::from(now)]).await?.as_ref().map(read).transpose()
}

/// Forgets what is over; how many.
pub(crate) async fn forget(tx: &Tx, now: UnixTime) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM mailboxes WHERE expires_at <= $1", &[&SystemTime::from(now)]).await
}

fn read(row: &Row) -> Result<Sealed, StoreError> {
    Ok(Sealed { iv: Base64(row.try_get("iv")?), payload: Base64(row.try_get("payload")?) })
}
