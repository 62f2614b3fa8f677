//! Table `programmes`: what was promised.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::{LedgerId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::ledger::Unit;
use unum_identity::programme::{Length, Policy, ProgrammeTerms};
use unum_identity::time::UnixTime;

use super::{Numeric, StoreError, Tx, bigint, bytes, count, time};

const COLUMNS: &str = "programme, name, unit, minor_digits, policy, amount, rate_ppm, floor, cap, per_hour, cap_days, \
                       starts_at, period_seconds, claim_window";

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

/// What the ledger counts; none before its first programme. All programmes have the same.
pub(crate) async fn unit(tx: &Tx) -> Result<Option<Unit>, StoreError> {
    let row = tx.row("SELECT unit, minor_digits FROM programmes ORDER BY programme LIMIT 1", &[]).await?;
    row.map(|row| {
        let minor_digits = row.try_get::<_, i16>("minor_digits")?.try_into().map_err(StoreError::damaged)?;
        Ok(Unit { name: row.try_get("unit")?, minor_digits })
    })
    .transpose()
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
    let sql = "INSERT INTO programmes (programme, name, unit, minor_digits, policy, amount, rate_ppm, floor, cap, \
               per_hour, cap_days, starts_at, period_seconds, claim_window, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let policy = PolicyColumns::of(&terms.policy)?;
    let seconds = match terms.length {
        Length::Seconds { seconds } => Some(bigint(seconds)?),
        Length::CalendarMonth {} => None,
        _ => return Err(StoreError::damaged("a length that the schema does not know")),
    };
    tx.execute(
        sql,
        &[
            &programme.0.as_slice(),
            &terms.name,
            &terms.unit,
            &i16::from(terms.minor_digits),
            &policy.name,
            &policy.amount,
            &policy.rate_ppm,
            &policy.floor,
            &policy.cap,
            &policy.per_hour,
            &policy.cap_days,
            &SystemTime::from(terms.starts_at),
            &seconds,
            &bigint(terms.claim_window)?,
            &SystemTime::from(now),
        ],
    )
    .await
    .map(|_| ())
}

/// A policy as the table has it: the columns that it consists of, and no other.
#[derive(Default)]
struct PolicyColumns {
    name: &'static str,
    amount: Option<Numeric>,
    rate_ppm: Option<i32>,
    floor: Option<Numeric>,
    cap: Option<Numeric>,
    per_hour: Option<Numeric>,
    cap_days: Option<i64>,
}

impl PolicyColumns {
    fn of(policy: &Policy) -> Result<Self, StoreError> {
        let none = Self::default();
        Ok(match policy {
            Policy::Fixed { amount } => Self { name: "fixed", amount: Some((*amount).into()), ..none },
            Policy::PoolShare { rate_ppm, floor, cap } => Self {
                name: "pool_share",
                rate_ppm: Some(i32::try_from(*rate_ppm).map_err(StoreError::damaged)?),
                floor: Some((*floor).into()),
                cap: Some((*cap).into()),
                ..none
            },
            Policy::Accrual { per_hour, cap_days } => Self {
                name: "accrual",
                per_hour: Some((*per_hour).into()),
                cap_days: Some((*cap_days).into()),
                ..none
            },
            _ => return Err(StoreError::damaged("a policy that the schema does not know")),
        })
    }
}

fn policy(row: &Row) -> Result<Policy, StoreError> {
    Ok(match row.try_get("policy")? {
        "fixed" => Policy::Fixed { amount: amount(row, "amount")? },
        "pool_share" => Policy::PoolShare {
            rate_ppm: row.try_get::<_, i32>("rate_ppm")?.try_into().map_err(StoreError::damaged)?,
            floor: amount(row, "floor")?,
            cap: amount(row, "cap")?,
        },
        "accrual" => Policy::Accrual {
            per_hour: amount(row, "per_hour")?,
            cap_days: row.try_get::<_, i64>("cap_days")?.try_into().map_err(StoreError::damaged)?,
        },
        other => return Err(StoreError::damaged(format!("a policy called {other}"))),
    })
}

fn length(row: &Row) -> Result<Length, StoreError> {
    match row.try_get::<_, Option<i64>>("period_seconds")? {
        Some(_) => Ok(Length::Seconds { seconds: count(row, "period_seconds")? }),
        None => Ok(Length::CalendarMonth {}),
    }
}

fn read(row: &Row, ledger: LedgerId) -> Result<(ProgrammeId, ProgrammeTerms), StoreError> {
    let terms = ProgrammeTerms {
        name: row.try_get("name")?,
        unit: row.try_get("unit")?,
        minor_digits: row.try_get::<_, i16>("minor_digits")?.try_into().map_err(StoreError::damaged)?,
        policy: policy(row)?,
        starts_at: time(row, "starts_at")?,
        length: length(row)?,
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
    amount_or_null(row, column)?.ok_or_else(|| StoreError::damaged(format!("{column} is null")))
}

/// A `NUMERIC` column that is never negative; none if it is null.
pub(super) fn amount_or_null(row: &Row, column: &str) -> Result<Option<Amount>, StoreError> {
    let Some(Numeric(balance)) = row.try_get(column)? else { return Ok(None) };
    balance.amount().map(Some).ok_or_else(|| StoreError::damaged(format!("{column} is {balance}")))
}
