//! Table `sessions`: nonces, and what became of the envelope that each was used for.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::bytes::{DeviceId, Nonce};
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bytes, time};
use crate::enrollment::Outcome;

/// A nonce that was given out.
#[derive(Debug)]
pub(crate) struct IssuedNonce {
    pub(crate) device: DeviceId,
    pub(crate) expires_at: UnixTime,
    /// SHA-256 of the envelope that has used it up.
    pub(crate) used_by: Option<[u8; 32]>,
    /// The answer to that envelope, if there is one yet.
    pub(crate) outcome: Option<Outcome>,
}

pub(crate) async fn insert(
    tx: &Tx,
    nonce: Nonce,
    device: DeviceId,
    expires_at: UnixTime,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO sessions (nonce, device, expires_at) VALUES ($1, $2, $3)";
    tx.execute(sql, &[&nonce.0.as_slice(), &device.0.as_slice(), &SystemTime::from(expires_at)])
        .await
        .map(|_| ())
}

/// The answer to the envelope that has used a nonce up, if there is one yet.
pub(crate) async fn outcome(tx: &Tx, nonce: Nonce) -> Result<Option<Outcome>, StoreError> {
    let row = tx.row("SELECT outcome FROM sessions WHERE nonce = $1", &[&nonce.0.as_slice()]).await?;
    row.map_or(Ok(None), |row| read_outcome(&row))
}

/// The nonce, unchanged by others until the transaction ends.
pub(crate) async fn lock(tx: &Tx, nonce: Nonce) -> Result<Option<IssuedNonce>, StoreError> {
    let sql = "SELECT device, expires_at, envelope, outcome FROM sessions WHERE nonce = $1 FOR UPDATE";
    tx.row(sql, &[&nonce.0.as_slice()]).await?.as_ref().map(read).transpose()
}

/// Has an envelope with this SHA-256 use a nonce up.
pub(crate) async fn use_up(tx: &Tx, nonce: Nonce, envelope: &[u8; 32]) -> Result<(), StoreError> {
    let sql = "UPDATE sessions SET envelope = $2 WHERE nonce = $1";
    tx.execute(sql, &[&nonce.0.as_slice(), &envelope.as_slice()]).await.map(|_| ())
}

/// Answers the envelope that has used a nonce up; `None` takes the answer back.
pub(crate) async fn answer(tx: &Tx, nonce: Nonce, outcome: Option<&Outcome>) -> Result<(), StoreError> {
    let json = outcome.map(serde_json::to_string).transpose().map_err(StoreError::damaged)?;
    let sql = "UPDATE sessions SET outcome = $2 WHERE nonce = $1";
    tx.execute(sql, &[&nonce.0.as_slice(), &json]).await.map(|_| ())
}

/// Forgets the nonces that ended before `before`, but for those whose envelope waits; how many.
pub(crate) async fn forget(tx: &Tx, before: UnixTime) -> Result<u64, StoreError> {
    let sql = "DELETE FROM sessions WHERE expires_at < $1 AND nonce NOT IN (SELECT nonce FROM queue)";
    tx.execute(sql, &[&SystemTime::from(before)]).await
}

fn read(row: &Row) -> Result<IssuedNonce, StoreError> {
    let used_by: Option<&[u8]> = row.try_get("envelope")?;
    Ok(IssuedNonce {
        device: DeviceId(bytes(row, "device")?),
        expires_at: time(row, "expires_at")?,
        used_by: used_by.is_some().then(|| bytes(row, "envelope")).transpose()?,
        outcome: read_outcome(row)?,
    })
}

fn read_outcome(row: &Row) -> Result<Option<Outcome>, StoreError> {
    let json: Option<&str> = row.try_get("outcome")?;
    json.map(|json| serde_json::from_str(json).map_err(StoreError::damaged)).transpose()
}
