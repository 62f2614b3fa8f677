//! Table `templates`: everyone's eyes, sealed. Knows ciphertexts only.

use tokio_postgres::Row;
use tokio_postgres::binary_copy::BinaryCopyOutRow;
use tokio_postgres::types::Type;

use super::{StoreError, Tx, bigint, bytes, count};
use crate::sealed::Sealed;

/// One person, sealed, or what is left of one who was erased.
#[derive(Clone)]
pub(crate) struct TemplateRow {
    /// Place in the order of arrival, from 1.
    pub(crate) seq: u64,
    /// Random: this row's alone, and another one whenever the row changes.
    pub(crate) nonce: [u8; 24],
    /// `None` of somebody who was erased.
    pub(crate) ciphertext: Option<Vec<u8>>,
}

impl TemplateRow {
    /// `sealed` as row number `seq`.
    pub(crate) fn new(seq: u64, sealed: Sealed) -> Self {
        Self { seq, nonce: sealed.nonce, ciphertext: Some(sealed.ciphertext) }
    }

    /// Who stands there; `None` if they were erased.
    pub(crate) fn sealed(&self) -> Option<Sealed> {
        self.ciphertext.clone().map(|ciphertext| Sealed { nonce: self.nonce, ciphertext })
    }
}

/// Up to `limit` rows from `seq` on, in order.
pub(crate) async fn from(tx: &Tx, seq: u64, limit: u64) -> Result<Vec<TemplateRow>, StoreError> {
    let (seq, limit) = (bigint(seq)?, bigint(limit)?);
    let sql =
        format!("SELECT seq, nonce, ciphertext FROM templates WHERE seq >= {seq} ORDER BY seq LIMIT {limit}");
    let rows = tx.copy(&sql, &[Type::INT8, Type::BYTEA, Type::BYTEA]).await?;
    rows.iter().map(read_copied).collect()
}

/// One row.
pub(crate) async fn get(tx: &Tx, seq: u64) -> Result<Option<TemplateRow>, StoreError> {
    let sql = "SELECT seq, nonce, ciphertext FROM templates WHERE seq = $1";
    tx.row(sql, &[&bigint(seq)?]).await?.as_ref().map(read).transpose()
}

/// Number of the last row; 0 for none.
pub(crate) async fn last(tx: &Tx) -> Result<u64, StoreError> {
    let row = tx.row("SELECT coalesce(max(seq), 0) AS last FROM templates", &[]).await?;
    row.map_or(Ok(0), |row| count(&row, "last"))
}

pub(crate) async fn insert(tx: &Tx, row: &TemplateRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO templates (seq, nonce, ciphertext) VALUES ($1, $2, $3)";
    tx.execute(sql, &[&bigint(row.seq)?, &row.nonce.as_slice(), &row.ciphertext]).await.map(|_| ())
}

/// Inserts many rows, none of them of somebody who was erased.
pub(crate) async fn insert_all(tx: &Tx, rows: &[TemplateRow]) -> Result<(), StoreError> {
    let sql = "INSERT INTO templates (seq, nonce, ciphertext) \
               SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])";
    let seqs = rows.iter().map(|row| bigint(row.seq)).collect::<Result<Vec<_>, _>>()?;
    let nonces: Vec<_> = rows.iter().map(|row| row.nonce.as_slice()).collect();
    let ciphertexts: Vec<_> = rows.iter().map(|row| row.ciphertext.as_deref()).collect();
    tx.execute(sql, &[&seqs, &nonces, &ciphertexts]).await.map(|_| ())
}

/// Puts something else in the place of a row, as far as it has not been erased; whether it did.
pub(crate) async fn replace(tx: &Tx, row: &TemplateRow) -> Result<bool, StoreError> {
    let sql = "UPDATE templates SET nonce = $2, ciphertext = $3 WHERE seq = $1 AND ciphertext IS NOT NULL";
    Ok(tx.execute(sql, &[&bigint(row.seq)?, &row.nonce.as_slice(), &row.ciphertext]).await? == 1)
}

fn read(row: &Row) -> Result<TemplateRow, StoreError> {
    Ok(TemplateRow {
        seq: count(row, "seq")?,
        nonce: bytes(row, "nonce")?,
        ciphertext: row.try_get("ciphertext")?,
    })
}

fn read_copied(row: &BinaryCopyOutRow) -> Result<TemplateRow, StoreError> {
    let (seq, nonce): (i64, &[u8]) = (row.try_get(0)?, row.try_get(1)?);
    Ok(TemplateRow {
        seq: seq.cast_unsigned(), // at least 1, says the schema
        nonce: nonce.try_into().map_err(StoreError::damaged)?,
        ciphertext: row.try_get(2)?,
    })
}
