//! Table `templates`: everyone's eyes, sealed. Knows ciphertexts only.

use tokio_postgres::Row;

use super::{StoreError, Tx, bigint, bytes, count};
use crate::sealed::Sealed;

/// One person, sealed.
#[derive(Clone)]
pub(crate) struct TemplateRow {
    /// Place in the order of arrival, from 1.
    pub(crate) seq: u64,
    pub(crate) sealed: Sealed,
}

/// Up to `limit` rows from `seq` on, in order.
pub(crate) async fn from(tx: &Tx, seq: u64, limit: u64) -> Result<Vec<TemplateRow>, StoreError> {
    let sql = "SELECT seq, nonce, ciphertext FROM templates WHERE seq >= $1 ORDER BY seq LIMIT $2";
    tx.rows(sql, &[&bigint(seq)?, &bigint(limit)?]).await?.iter().map(read).collect()
}

/// Number of the last row; 0 for none.
pub(crate) async fn last(tx: &Tx) -> Result<u64, StoreError> {
    let row = tx.row("SELECT coalesce(max(seq), 0) AS last FROM templates", &[]).await?;
    row.map_or(Ok(0), |row| count(&row, "last"))
}

pub(crate) async fn insert(tx: &Tx, row: &TemplateRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO templates (seq, nonce, ciphertext) VALUES ($1, $2, $3)";
    let (nonce, ciphertext) = (row.sealed.nonce.as_slice(), row.sealed.ciphertext.as_slice());
    tx.execute(sql, &[&bigint(row.seq)?, &nonce, &ciphertext]).await.map(|_| ())
}

fn read(row: &Row) -> Result<TemplateRow, StoreError> {
    let sealed = Sealed { nonce: bytes(row, "nonce")?, ciphertext: row.try_get("ciphertext")? };
    Ok(TemplateRow { seq: count(row, "seq")?, sealed })
}
