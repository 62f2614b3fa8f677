//! Table `programmes`: what was promised.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::{LedgerId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::programme::{Policy, ProgrammeTerms};
use unum_identity::time::UnixTime;

use super::{Numeric, StoreError, Tx, bigint, bytes, count, time};

const COLUMNS: &str = "programme, name, unit, minor_digits, amount, starts_at, period_seconds, claim_window";

/// A programme's terms; `ledger` because the id covers it.
pub(crate) async fn get(
    tx: &Tx,
    ledger: LedgerId,
    programme: ProgrammeId,
) -> Result<Option<ProgrammeTerms>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM programmes WHERE programme = $1");
    let row = tx.row(&sql, &[&programme.0.as_slice()]).await?;
    row.map(|row| read(&row, ledger).map(|(_, terms)| terms)).transpose()
}

/// The terms of those programmes in `wanted` that there are.
pub(crate) async fn get_all(
    tx: &Tx,
    ledger: LedgerId,
    wanted: &[(ProgrammeId, Period)],
) -> Result<HashMap<ProgrammeId, ProgrammeTerms>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM programmes WHERE programme = ANY($1)");
    let wanted: Vec<&[u8]> = wanted.iter().map(|(programme, _)| programme.0.as_slice()).collect();
    tx.rows(&sql, &[&wanted]).await?.iter().map(|row| read(row, ledger)).collect()
}

/// The programme that has this name, if there is one.
pub(crate) async fn named(tx: &Tx, name: &str) -> Result<Option<ProgrammeId>, StoreError> {
    let row = tx.row("SELECT programme FROM programmes WHERE name = $1", &[&name]).await?;
    row.map(|row| bytes(&row, "programme").map(ProgrammeId)).transpose()
}

/// Every programme, by name.
pub(crate) async fn all(tx: &Tx, ledger: LedgerId) -> Result<Vec<(ProgrammeId, ProgrammeTerms)>, StoreError> {
    let rows = tx.rows(&format!("SELECT {COLUMNS} FROM programmes ORDER BY name"), &[]).await?;
    rows.iter().map(|row| read(row, ledger)).collect()
}

pub(crate) async fn insert(
    tx: &Tx,
    programme: ProgrammeId,
    terms: &ProgrammeTerms,
    now: UnixTime,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO programmes (programme, name, unit, minor_digits, policy, amount, starts_at, \
               period_seconds, claim_window, created_at) VALUES ($1, $2, $3, $4, 'fixed', $5, $6, $7, $8, $9)";
    let Policy::Fixed { amount } = terms.policy else {
        return Err(StoreError::damaged("a policy that the schema does not know"));
    };
    tx.execute(
        sql,
        &[
            &programme.0.as_slice(),
            &terms.name,
            &terms.unit,
            &i16::from(terms.minor_digits),
            &Numeric::from(amount),
            &SystemTime::from(terms.starts_at),
            &bigint(terms.period_seconds)?,
            &bigint(terms.claim_window)?,
            &SystemTime::from(now),
        ],
    )
    .await
    .map(|_| ())
}

fn read(row: &Row, ledger: LedgerId) -> Result<(ProgrammeId, ProgrammeTerms), StoreError> {
    let terms = ProgrammeTerms {
        name: row.try_get("name")?,
        unit: row.try_get("unit")?,
        minor_digits: row.try_get::<_, i16>("minor_digits")?.try_into().map_err(StoreError::damaged)?,
        policy: Policy::Fixed { amount: amount(row, "amount")? },
        starts_at: time(row, "starts_at")?,
        period_seconds: count(row, "period_seconds")?,
        claim_window: count(row, "claim_window")?,
    };
    let id = ProgrammeId(bytes(row, "programme")?);
    if terms.id(&ledger) != id {
        return Err(StoreError::damaged(format!(
            "the terms of programme {id} are not those it was made with"
        )));
    }
    Ok((id, terms))
}

/// A `NUMERIC` column that is never negative.
pub(super) fn amount(row: &Row, column: &str) -> Result<Amount, StoreError> {
    let balance = row.try_get::<_, Numeric>(column)?.0;
    balance.amount().ok_or_else(|| StoreError::damaged(format!("{column} is {balance}")))
}
