//! Columns as the nouns that stand in them. What does not fit was not written by us.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::time::UnixTime;

use super::StoreError;

/// A `BYTEA` column of fixed length.
///
/// # Errors
///
/// [`StoreError::Damaged`] for any other length.
pub fn bytes<const N: usize>(row: &Row, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::damaged(format!("{column} has {} bytes, not {N}", bytes.len())))
}

/// A `BIGINT` column that is never negative.
///
/// # Errors
///
/// [`StoreError::Damaged`] if it is.
pub fn count(row: &Row, column: &str) -> Result<u64, StoreError> {
    let value: i64 = row.try_get(column)?;
    value.try_into().map_err(|_| StoreError::damaged(format!("{column} is {value}")))
}

/// A `TIMESTAMPTZ` column.
///
/// # Errors
///
/// [`StoreError::Statement`] if it is of another type.
pub fn time(row: &Row, column: &str) -> Result<UnixTime, StoreError> {
    Ok(row.try_get::<_, SystemTime>(column)?.into())
}

/// A number for a `BIGINT` column.
///
/// # Errors
///
/// [`StoreError::Damaged`] from 2⁶³ on.
pub fn bigint(value: u64) -> Result<i64, StoreError> {
    value.try_into().map_err(|_| StoreError::damaged(format!("{value} is beyond what the schema can hold")))
}
