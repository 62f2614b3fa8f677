//! Table `devices`.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::bytes::{DeviceId, DeviceKey};
use unum_identity::enrollment::DeviceRegistration;
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bigint, bytes};

/// A device, as far as its envelopes are judged by it.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) registration: DeviceRegistration,
    pub(crate) is_revoked: bool,
    /// Highest counter seen; `None` before the first envelope.
    pub(crate) last_counter: Option<u64>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT device, public_key, label, revoked_at IS NOT NULL AS is_revoked, last_counter FROM devices ", $rest)
    };
}

pub(crate) async fn get(tx: &Tx, device: DeviceId) -> Result<Option<Device>, StoreError> {
    tx.row(select!("WHERE device = $1"), &[&device.0.as_slice()]).await?.as_ref().map(read).transpose()
}

/// The device, unchanged by others until the transaction ends.
pub(crate) async fn lock(tx: &Tx, device: DeviceId) -> Result<Option<Device>, StoreError> {
    let row = tx.row(select!("WHERE device = $1 FOR UPDATE"), &[&device.0.as_slice()]).await?;
    row.as_ref().map(read).transpose()
}

/// All devices, revoked ones too, in order of registration.
pub(crate) async fn all(tx: &Tx) -> Result<Vec<DeviceRegistration>, StoreError> {
    let rows = tx.rows(select!("ORDER BY registered_at, device"), &[]).await?;
    rows.iter().map(|row| read(row).map(|device| device.registration)).collect()
}

/// Whether it was added: `false` if the id is taken.
pub(crate) async fn insert(tx: &Tx, device: &DeviceRegistration, now: UnixTime) -> Result<bool, StoreError> {
    let sql = "INSERT INTO devices (device, public_key, label, registered_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (device) DO NOTHING";
    let (id, key) = (device.device.0.as_slice(), device.key.0.as_slice());
    Ok(tx.execute(sql, &[&id, &key, &device.label, &SystemTime::from(now)]).await? == 1)
}

/// Whether there is such a device. Revoking again keeps the first time.
pub(crate) async fn revoke(tx: &Tx, device: DeviceId, now: UnixTime) -> Result<bool, StoreError> {
    let sql = "UPDATE devices SET revoked_at = coalesce(revoked_at, $2) WHERE device = $1";
    Ok(tx.execute(sql, &[&device.0.as_slice(), &SystemTime::from(now)]).await? == 1)
}

pub(crate) async fn set_counter(tx: &Tx, device: DeviceId, counter: u64) -> Result<(), StoreError> {
    let sql = "UPDATE devices SET last_counter = $2 WHERE device = $1";
    tx.execute(sql, &[&device.0.as_slice(), &bigint(counter)?]).await.map(|_| ())
}

fn read(row: &Row) -> Result<Device, StoreError> {
    let counter: Option<i64> = row.try_get("last_counter")?;
    Ok(Device {
        registration: DeviceRegistration {
            device: DeviceId(bytes(row, "device")?),
            key: DeviceKey(bytes(row, "public_key")?),
            label: row.try_get("label")?,
        },
        is_revoked: row.try_get("is_revoked")?,
        last_counter: counter.map(|counter| counter as u64), // never negative, says the schema
    })
}
