//! Table `erasures`: who asked to be erased, and in which order it was done.

use std::time::SystemTime;

use unum_identity::field::{Commitment, Opening};
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, bigint, bytes, count, time};

/// A request to be erased.
pub(crate) struct Request {
    pub(crate) commitment: Commitment,
    pub(crate) opening: Opening,
    pub(crate) asked_at: UnixTime,
    /// Its place in the order of erasures; `None` until it is done.
    pub(crate) number: Option<u64>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT commitment, opening, asked_at, number FROM erasures ", $rest)
    };
}

pub(crate) async fn get(tx: &Tx, commitment: Commitment) -> Result<Option<Request>, StoreError> {
    let row = tx.row(select!("WHERE commitment = $1"), &[&commitment.to_be_bytes().as_slice()]).await?;
    row.as_ref().map(read).transpose()
}

/// The request that has waited longest.
pub(crate) async fn next(tx: &Tx) -> Result<Option<Request>, StoreError> {
    let row = tx.row(select!("WHERE number IS NULL ORDER BY asked_at, commitment LIMIT 1"), &[]).await?;
    row.as_ref().map(read).transpose()
}

/// Adds a request; one that is done already comes with its number. The same commitment again keeps the first.
pub(crate) async fn insert(
    tx: &Tx,
    commitment: Commitment,
    opening: Opening,
    asked_at: UnixTime,
    number: Option<u64>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO erasures (commitment, opening, asked_at, number) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (commitment) DO NOTHING";
    let (commitment, opening) = (commitment.to_be_bytes(), opening.to_be_bytes());
    let (asked_at, number) = (SystemTime::from(asked_at), number.map(bigint).transpose()?);
    tx.execute(sql, &[&commitment.as_slice(), &opening.as_slice(), &asked_at, &number]).await.map(|_| ())
}

/// Number of the last erasure; 0 for none.
pub(crate) async fn last(tx: &Tx) -> Result<u64, StoreError> {
    let row = tx.row("SELECT coalesce(max(number), 0) AS last FROM erasures", &[]).await?;
    row.map_or(Ok(0), |row| count(&row, "last"))
}

/// Says that a request is done, as erasure number `number`; `false` if somebody else has said so.
pub(crate) async fn done(tx: &Tx, commitment: Commitment, number: u64) -> Result<bool, StoreError> {
    let sql = "UPDATE erasures SET number = $2 WHERE commitment = $1 AND number IS NULL";
    Ok(tx.execute(sql, &[&commitment.to_be_bytes().as_slice(), &bigint(number)?]).await? == 1)
}

/// Drops a request that nobody is left for: the commitment was replaced before its turn came.
pub(crate) async fn drop(tx: &Tx, commitment: Commitment) -> Result<(), StoreError> {
    let sql = "DELETE FROM erasures WHERE commitment = $1 AND number IS NULL";
    tx.execute(sql, &[&commitment.to_be_bytes().as_slice()]).await.map(|_| ())
}

fn read(row: &tokio_postgres::Row) -> Result<Request, StoreError> {
    let number: Option<i64> = row.try_get("number")?;
    let (commitment, opening) = (bytes::<32>(row, "commitment")?, bytes::<32>(row, "opening")?);
    Ok(Request {
        commitment: Commitment::from_be_bytes(&commitment).map_err(StoreError::damaged)?,
        opening: Opening::from_be_bytes(&opening).map_err(StoreError::damaged)?,
        asked_at: time(row, "asked_at")?,
        number: number.map(|number| number as u64), // at least 1, says the schema
    })
}
