//! Table `sessions`: nonces.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::bytes::{DeviceId, Nonce};
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bytes, time};

/// A nonce that was given out.
#[derive(Debug)]
pub(crate) struct IssuedNonce {
    pub(crate) device: DeviceId,
    pub(crate) expires_at: UnixTime,
    pub(crate) is_used: bool,
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

pub(crate) async fn get(tx: &Tx, nonce: Nonce) -> Result<Option<IssuedNonce>, StoreError> {
    let sql = "SELECT device, expires_at, used FROM sessions WHERE nonce = $1";
    tx.row(sql, &[&nonce.0.as_slice()]).await?.as_ref().map(read).transpose()
}

/// The nonce, unchanged by others until the transaction ends.
pub(crate) async fn lock(tx: &Tx, nonce: Nonce) -> Result<Option<IssuedNonce>, StoreError> {
    let sql = "SELECT device, expires_at, used FROM sessions WHERE nonce = $1 FOR UPDATE";
    tx.row(sql, &[&nonce.0.as_slice()]).await?.as_ref().map(read).transpose()
}

pub(crate) async fn use_up(tx: &Tx, nonce: Nonce) -> Result<(), StoreError> {
    let sql = "UPDATE sessions SET used = TRUE WHERE nonce = $1";
    tx.execute(sql, &[&nonce.0.as_slice()]).await.map(|_| ())
}

/// Forgets the nonces that ended before `before`; how many.
pub(crate) async fn forget(tx: &Tx, before: UnixTime) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM sessions WHERE expires_at < $1", &[&SystemTime::from(before)]).await
}

fn read(row: &Row) -> Result<IssuedNonce, StoreError> {
    Ok(IssuedNonce {
        device: DeviceId(bytes(row, "device")?),
        expires_at: time(row, "expires_at")?,
        is_used: row.try_get("used")?,
    })
}
