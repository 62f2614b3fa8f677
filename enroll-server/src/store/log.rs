//! Table `leaves`: the log of the set. Only ever appended to.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::bytes::{DeviceId, DeviceSignature};
use unum_identity::enrollment::PublishedLeaf;
use unum_identity::field::Commitment;
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bigint, bytes, count};

/// Up to `limit` leaves from `index` on, in order, each with its index.
pub(crate) async fn from(tx: &Tx, index: u64, limit: u64) -> Result<Vec<(u64, PublishedLeaf)>, StoreError> {
    let sql = "SELECT leaf_index, commitment, device, signature FROM leaves \
               WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2";
    let rows = tx.rows(sql, &[&bigint(index)?, &bigint(limit)?]).await?;
    rows.iter().map(|row| Ok((count(row, "leaf_index")?, read(row)?))).collect()
}

/// Where a commitment stands, if it is in the set.
pub(crate) async fn index_of(tx: &Tx, commitment: Commitment) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT leaf_index FROM leaves WHERE commitment = $1";
    let row = tx.row(sql, &[&commitment.to_be_bytes().as_slice()]).await?;
    row.map(|row| count(&row, "leaf_index")).transpose()
}

pub(crate) async fn insert(
    tx: &Tx,
    index: u64,
    leaf: &PublishedLeaf,
    accepted_at: UnixTime,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO leaves (leaf_index, commitment, device, signature, accepted_at) \
               VALUES ($1, $2, $3, $4, $5)";
    let commitment = leaf.commitment.to_be_bytes();
    let (commitment, device, signature) =
        (commitment.as_slice(), leaf.device.0.as_slice(), leaf.signature.0.as_slice());
    let accepted_at = SystemTime::from(accepted_at);
    tx.execute(sql, &[&bigint(index)?, &commitment, &device, &signature, &accepted_at]).await.map(|_| ())
}

fn read(row: &Row) -> Result<PublishedLeaf, StoreError> {
    Ok(PublishedLeaf {
        commitment: Commitment::from_be_bytes(&bytes::<32>(row, "commitment")?)
            .map_err(StoreError::damaged)?,
        device: DeviceId(bytes(row, "device")?),
        signature: DeviceSignature(bytes(row, "signature")?),
    })
}
