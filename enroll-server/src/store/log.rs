//! Table `log`: what happened to the leaves of the set. Only ever appended to.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::bytes::{DeviceId, DeviceSignature};
use unum_identity::enrollment::{LogEvent, PublishedLeaf};
use unum_identity::field::{Commitment, Opening};
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bigint, bytes, count};

/// Up to `limit` events from `number` on, in order, each with its number.
pub(crate) async fn from(tx: &Tx, number: u64, limit: u64) -> Result<Vec<(u64, LogEvent)>, StoreError> {
    let sql = "SELECT number, event, leaf_index, commitment, device, signature, opening FROM log \
               WHERE number >= $1 ORDER BY number LIMIT $2";
    let rows = tx.rows(sql, &[&bigint(number)?, &bigint(limit)?]).await?;
    rows.iter().map(|row| Ok((count(row, "number")?, event(row)?))).collect()
}

/// The leaves after the first `size` events, in order.
pub(crate) async fn leaves_at(tx: &Tx, size: u64) -> Result<Vec<PublishedLeaf>, StoreError> {
    let sql = "SELECT DISTINCT ON (leaf_index) number, event, leaf_index, commitment, device, signature, opening \
               FROM log WHERE number < $1 ORDER BY leaf_index, number DESC";
    let rows = tx.rows(sql, &[&bigint(size)?]).await?;
    rows.iter().map(|row| Ok(event(row)?.leaf().clone())).collect()
}

/// Where a commitment stands, or stood before it was replaced or removed.
pub(crate) async fn place_of(tx: &Tx, commitment: Commitment) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT leaf_index FROM log WHERE commitment = $1";
    let row = tx.row(sql, &[&commitment.to_be_bytes().as_slice()]).await?;
    row.map(|row| count(&row, "leaf_index")).transpose()
}

/// Where a commitment stands now.
pub(crate) async fn leaf_of(tx: &Tx, commitment: Commitment) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT leaf_index FROM log AS event WHERE commitment = $1 AND NOT EXISTS \
               (SELECT FROM log AS later WHERE later.leaf_index = event.leaf_index AND later.number > event.number)";
    let row = tx.row(sql, &[&commitment.to_be_bytes().as_slice()]).await?;
    row.map(|row| count(&row, "leaf_index")).transpose()
}

pub(crate) async fn insert(
    tx: &Tx,
    number: u64,
    event: &LogEvent,
    accepted_at: UnixTime,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO log (number, event, leaf_index, commitment, device, signature, opening, accepted_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (name, leaf, opening) = match event {
        LogEvent::Enrolled { leaf, .. } => ("enrolled", Some(leaf), None),
        LogEvent::Replaced { leaf, .. } => ("replaced", Some(leaf), None),
        LogEvent::Removed { opening, .. } => ("removed", None, Some(opening.to_be_bytes())),
    };
    let commitment = leaf.map(|leaf| leaf.commitment.to_be_bytes());
    tx.execute(
        sql,
        &[
            &bigint(number)?,
            &name,
            &bigint(event.leaf_index())?,
            &commitment.as_ref().map(<[u8; 32]>::as_slice),
            &leaf.map(|leaf| leaf.device.0.as_slice()),
            &leaf.map(|leaf| leaf.signature.0.as_slice()),
            &opening.as_ref().map(<[u8; 32]>::as_slice),
            &SystemTime::from(accepted_at),
        ],
    )
    .await
    .map(|_| ())
}

fn event(row: &Row) -> Result<LogEvent, StoreError> {
    let leaf_index = count(row, "leaf_index")?;
    match row.try_get("event")? {
        "enrolled" => Ok(LogEvent::Enrolled { leaf_index, leaf: leaf(row)? }),
        "replaced" => Ok(LogEvent::Replaced { leaf_index, leaf: leaf(row)? }),
        "removed" => {
            let opening = Opening::from_be_bytes(&bytes::<32>(row, "opening")?);
            Ok(LogEvent::Removed { leaf_index, opening: opening.map_err(StoreError::damaged)? })
        }
        other => Err(StoreError::damaged(format!("event {other:?} of the log"))),
    }
}

fn leaf(row: &Row) -> Result<PublishedLeaf, StoreError> {
    Ok(PublishedLeaf {
        commitment: Commitment::from_be_bytes(&bytes::<32>(row, "commitment")?)
            .map_err(StoreError::damaged)?,
        device: DeviceId(bytes(row, "device")?),
        signature: DeviceSignature(bytes(row, "signature")?),
    })
}
