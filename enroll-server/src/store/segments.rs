//! Table `segments`: the manifest. Knows its entries, and no file.

use tokio_postgres::Row;

use super::{StoreError, Tx, bigint, bytes, count};
use crate::matcher::{Entry, Seal};

/// All entries, in the order of their people.
pub(crate) async fn all(tx: &Tx) -> Result<Vec<Entry>, StoreError> {
    let sql = "SELECT first, people, version, nonce, tag FROM segments ORDER BY first";
    tx.rows(sql, &[]).await?.iter().map(read).collect()
}

/// The entry of person number `seq`; `None` if they stand in the tail.
pub(crate) async fn of(tx: &Tx, seq: u64) -> Result<Option<Entry>, StoreError> {
    let sql = "SELECT first, people, version, nonce, tag FROM segments WHERE $1 BETWEEN first AND first + people - 1";
    tx.row(sql, &[&bigint(seq)?]).await?.as_ref().map(read).transpose()
}

/// Adds an entry; `false` if one of its people stands in another.
pub(crate) async fn insert(tx: &Tx, entry: &Entry) -> Result<bool, StoreError> {
    let sql = "INSERT INTO segments (first, people, version, nonce, tag) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT DO NOTHING";
    let (first, people) = (bigint(entry.first)?, bigint(entry.people)?);
    let (nonce, tag) = (entry.seal.nonce.as_slice(), entry.seal.tag.as_slice());
    Ok(tx.execute(sql, &[&first, &people, &version(entry)?, &nonce, &tag]).await? == 1)
}

/// Puts an entry in the place of the version before it; `false` if that is not the current one.
pub(crate) async fn replace(tx: &Tx, entry: &Entry) -> Result<bool, StoreError> {
    let sql = "UPDATE segments SET version = $2, nonce = $3, tag = $4 WHERE first = $1 AND version = $2 - 1";
    let (nonce, tag) = (entry.seal.nonce.as_slice(), entry.seal.tag.as_slice());
    Ok(tx.execute(sql, &[&bigint(entry.first)?, &version(entry)?, &nonce, &tag]).await? == 1)
}

fn version(entry: &Entry) -> Result<i32, StoreError> {
    entry.version.try_into().map_err(|_| StoreError::damaged(format!("segment version {}", entry.version)))
}

fn read(row: &Row) -> Result<Entry, StoreError> {
    let version: i32 = row.try_get("version")?;
    Ok(Entry {
        first: count(row, "first")?,
        people: count(row, "people")?,
        version: version.try_into().map_err(|_| StoreError::damaged(format!("version is {version}")))?,
        seal: Seal { nonce: bytes(row, "nonce")?, tag: bytes(row, "tag")? },
    })
}
