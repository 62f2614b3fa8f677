//! Table `periods`: where each period stands, and who may claim in it.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::claim::Amount;
use unum_identity::field::Root;
use unum_identity::programme::{EligibleSet, PeriodState, PeriodStatement};
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use super::programmes::amount_or_null;
use super::{Numeric, StoreError, Tx, bigint, bytes, count};

/// A period with which something has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StartedPeriod {
    pub(crate) state: PeriodState,
    pub(crate) set: EligibleSet,
    /// The most that a claim is paid; none before it is funded.
    pub(crate) most: Option<Amount>,
}

/// Columns of a [`StartedPeriod`].
pub(super) const COLUMNS: &str = "state, root, set_size, people, most";

/// Whether others may still read the row's state while we decide by it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock {
    /// No decision: read it as it is.
    None,
    /// Nobody may move it on until we are done; others may hold it like this too.
    Stay,
    /// We are going to move it on.
    Move,
}

impl Lock {
    fn clause(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Stay => " FOR SHARE",
            Self::Move => " FOR NO KEY UPDATE",
        }
    }
}

/// Those of `wanted` with which something has happened, locked in the order of programme and period.
pub(crate) async fn get_all(
    tx: &Tx,
    wanted: &[(ProgrammeId, Period)],
    lock: Lock,
) -> Result<HashMap<(ProgrammeId, Period), StartedPeriod>, StoreError> {
    let lock = lock.clause();
    let sql = format!(
        "SELECT programme, period, {COLUMNS} FROM periods \
         WHERE (programme, period) IN (SELECT * FROM unnest($1::bytea[], $2::bigint[])) \
         ORDER BY programme, period{lock}"
    );
    let possible =
        wanted.iter().filter_map(|(programme, period)| Some((&programme.0[..], bigint(period.0).ok()?)));
    let (programmes, periods): (Vec<_>, Vec<_>) = possible.unzip(); // a row says nothing of larger ones
    let rows = tx.rows(&sql, &[&programmes, &periods]).await?;
    rows.iter()
        .map(|row| {
            let place = (ProgrammeId(bytes(row, "programme")?), Period(count(row, "period")?));
            Ok((place, read(row)?))
        })
        .collect()
}

pub(crate) async fn get(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
    lock: Lock,
) -> Result<Option<StartedPeriod>, StoreError> {
    let lock = lock.clause();
    let sql = format!("SELECT {COLUMNS} FROM periods WHERE programme = $1 AND period = $2{lock}");
    let Ok(period) = bigint(period.0) else { return Ok(None) }; // no period lies beyond what a row can say
    tx.row(&sql, &[&programme.0.as_slice(), &period]).await?.as_ref().map(read).transpose()
}

/// The newest periods that have started, newest first.
pub(crate) async fn newest(
    tx: &Tx,
    programme: ProgrammeId,
    most: u32,
) -> Result<Vec<(Period, StartedPeriod)>, StoreError> {
    let sql =
        format!("SELECT period, {COLUMNS} FROM periods WHERE programme = $1 ORDER BY period DESC LIMIT $2");
    let rows = tx.rows(&sql, &[&programme.0.as_slice(), &i64::from(most)]).await?;
    rows.iter().map(|row| Ok((Period(count(row, "period")?), read(row)?))).collect()
}

/// Open periods from `from` to `to`, oldest first.
pub(crate) async fn open_between(
    tx: &Tx,
    programme: ProgrammeId,
    from: Period,
    to: Period,
) -> Result<Vec<Period>, StoreError> {
    let sql = "SELECT period FROM periods \
               WHERE programme = $1 AND period BETWEEN $2 AND $3 AND state = 'open' ORDER BY period";
    let rows = tx.rows(sql, &[&programme.0.as_slice(), &bigint(from.0)?, &bigint(to.0)?]).await?;
    rows.iter().map(|row| count(row, "period").map(Period)).collect()
}

/// Periods that have started and are not sealed, of all programmes.
pub(crate) async fn unfinished(tx: &Tx) -> Result<Vec<(ProgrammeId, Period)>, StoreError> {
    let sql = "SELECT programme, period FROM periods WHERE state <> 'sealed'";
    let rows = tx.rows(sql, &[]).await?;
    rows.iter()
        .map(|row| Ok((ProgrammeId(bytes(row, "programme")?), Period(count(row, "period")?))))
        .collect()
}

/// How many claims each period from `from` on has paid: counted, which takes the longer the more there are.
pub(crate) async fn claimed(
    tx: &Tx,
    programme: ProgrammeId,
    from: Period,
) -> Result<HashMap<Period, u64>, StoreError> {
    let sql =
        "SELECT period, count(*) AS claims FROM claims WHERE programme = $1 AND period >= $2 GROUP BY period";
    let rows = tx.rows(sql, &[&programme.0.as_slice(), &bigint(from.0)?]).await?;
    rows.iter().map(|row| Ok((Period(count(row, "period")?), count(row, "claims")?))).collect()
}

/// Starts a period: the people who may claim are `set`. `false` if it has started already.
pub(crate) async fn insert(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
    set: EligibleSet,
    checkpoint: &SignedCheckpoint,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO periods (programme, period, state, root, set_size, people, checkpoint, snapshot_at) \
               VALUES ($1, $2, 'snapshot', $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let root = set.root.to_be_bytes();
    tx.execute(
        sql,
        &[
            &programme.0.as_slice(),
            &bigint(period.0)?,
            &root.as_slice(),
            &bigint(set.size)?,
            &bigint(set.people)?,
            &checkpoint.0,
            &SystemTime::from(now),
        ],
    )
    .await
    .map(|rows| rows == 1)
}

/// Moves a period that is locked to `funded`: `most` is put aside for each person.
pub(crate) async fn fund(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
    most: Amount,
    now: UnixTime,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE periods SET state = 'funded', most = $3, funded_at = $4 WHERE programme = $1 AND period = $2";
    let (id, at) = (programme.0.as_slice(), SystemTime::from(now));
    tx.execute(sql, &[&id, &bigint(period.0)?, &Numeric::from(most), &at]).await.map(|_| ())
}

/// Moves a period that is locked to a state after `funded`; `statement` when that is `sealed`, and only then.
pub(crate) async fn advance(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
    state: PeriodState,
    statement: Option<&str>,
    now: UnixTime,
) -> Result<(), StoreError> {
    let column = match state {
        PeriodState::Planned | PeriodState::Snapshot | PeriodState::Funded => {
            return Err(StoreError::damaged(format!("no period moves to {state} like this")));
        }
        PeriodState::Open => "opened_at",
        PeriodState::Closed => "closed_at",
        PeriodState::Sealed => "sealed_at",
    };
    let sql = format!(
        "UPDATE periods SET state = $3, statement = $4, {column} = $5 WHERE programme = $1 AND period = $2"
    );
    let (id, at) = (programme.0.as_slice(), SystemTime::from(now));
    tx.execute(&sql, &[&id, &bigint(period.0)?, &state.name(), &statement, &at]).await.map(|_| ())
}

/// The sealed statement, if there is one.
pub(crate) async fn statement(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
) -> Result<Option<Signed<PeriodStatement>>, StoreError> {
    let sql = "SELECT statement FROM periods WHERE programme = $1 AND period = $2 AND statement IS NOT NULL";
    let Ok(period) = bigint(period.0) else { return Ok(None) };
    let row = tx.row(sql, &[&programme.0.as_slice(), &period]).await?;
    row.map(|row| parse_statement(row.try_get("statement")?)).transpose()
}

pub(super) fn parse_statement(text: &str) -> Result<Signed<PeriodStatement>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::damaged(format!("statement: {error}")))
}

pub(super) fn read(row: &Row) -> Result<StartedPeriod, StoreError> {
    let state: &str = row.try_get("state")?;
    let state = PeriodState::ALL.into_iter().find(|known| known.name() == state);
    Ok(StartedPeriod {
        state: state.ok_or_else(|| StoreError::damaged("a state that no period has"))?,
        set: EligibleSet {
            root: Root::from_be_bytes(&bytes::<32>(row, "root")?).map_err(StoreError::damaged)?,
            size: count(row, "set_size")?,
            people: count(row, "people")?,
        },
        most: amount_or_null(row, "most")?,
    })
}
