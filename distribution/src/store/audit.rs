//! Reads the whole ledger for a check. Rows that say nothing an entry can say are findings, not errors.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::{EntryHash, LedgerId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::ledger::LedgerAccount;

use super::claims::PaidClaim;
use super::{Numeric, StoreError, Tx, bigint, bytes, claims, count, payments, periods, programmes, time};
use crate::ledger::audit::{StoredEntry, StoredPeriod};
use crate::ledger::entry::{Cause, Entry, Posting};

/// Entries read at once: about a megabyte.
const PAGE: u64 = 1000;

/// The entries after `after`, in order; none at the end.
pub(crate) async fn entries_after(
    tx: &Tx,
    ledger: LedgerId,
    after: u64,
) -> Result<Vec<StoredEntry>, StoreError> {
    page(tx, ledger, after, PAGE).await
}

/// The entry at a place, if there is one and it says something.
pub(crate) async fn entry_at(tx: &Tx, ledger: LedgerId, sequence: u64) -> Result<Option<Entry>, StoreError> {
    let Some(before) = sequence.checked_sub(1).filter(|_| bigint(sequence).is_ok()) else { return Ok(None) };
    let found = page(tx, ledger, before, 1).await?.into_iter().find(|stored| stored.sequence == sequence);
    Ok(found.and_then(|stored| stored.entry))
}

async fn page(tx: &Tx, ledger: LedgerId, after: u64, most: u64) -> Result<Vec<StoredEntry>, StoreError> {
    let sql = "SELECT sequence, kind, programme, period, reference, created_at, previous, hash FROM transfers \
               WHERE sequence > $1 ORDER BY sequence LIMIT $2";
    let transfers = tx.rows(sql, &[&bigint(after)?, &bigint(most)?]).await?;
    let Some(last) = transfers.last() else { return Ok(Vec::new()) };
    let range = (bigint(after)?, bigint(count(last, "sequence")?)?);
    let mut lines = postings(tx, range).await?;
    let mut receipts = receipts(tx, range).await?;
    let mut payments = payments::between(tx, ledger, range).await?;
    transfers
        .iter()
        .map(|row| {
            let sequence = count(row, "sequence")?;
            let lines = lines.remove(&sequence).unwrap_or_default();
            Ok(StoredEntry {
                sequence,
                hash: EntryHash(bytes(row, "hash")?),
                entry: entry(row, ledger, lines)?,
                receipt: receipts.remove(&sequence).map(|claim| claim.receipt),
                payment: payments.remove(&sequence),
            })
        })
        .collect()
}

type Lines = Vec<Option<Posting>>;

async fn postings(tx: &Tx, (after, last): (i64, i64)) -> Result<BTreeMap<u64, Lines>, StoreError> {
    let sql = "SELECT sequence, account, amount FROM postings \
               WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence, line";
    let mut lines: BTreeMap<u64, Lines> = BTreeMap::new();
    for row in tx.rows(sql, &[&after, &last]).await? {
        let account: &str = row.try_get("account")?;
        let amount = row.try_get::<_, Numeric>("amount")?.0;
        let line = account.parse().ok().map(|account| Posting { account, amount });
        lines.entry(count(&row, "sequence")?).or_default().push(line);
    }
    Ok(lines)
}

async fn receipts(tx: &Tx, (after, last): (i64, i64)) -> Result<BTreeMap<u64, PaidClaim>, StoreError> {
    let sql = format!(
        "SELECT {} FROM claims c JOIN transfers t USING (sequence) WHERE c.sequence > $1 AND c.sequence <= $2",
        claims::COLUMNS
    );
    let rows = tx.rows(&sql, &[&after, &last]).await?;
    // A row that cannot be read is no receipt: the check then misses it, and says so.
    Ok(rows.iter().filter_map(|row| Some((count(row, "sequence").ok()?, claims::read(row).ok()?))).collect())
}

fn entry(row: &Row, ledger: LedgerId, lines: Lines) -> Result<Option<Entry>, StoreError> {
    let period: Option<i64> = row.try_get("period")?;
    let programme: Option<&[u8]> = row.try_get("programme")?;
    let programme = programme.map(|_| bytes(row, "programme").map(ProgrammeId)).transpose()?;
    let kind = row.try_get("kind")?;
    let period = period.map(|period| Period(period as u64)); // the schema refuses negative ones
    let cause = Cause::from_parts(kind, programme, period, row.try_get("reference")?);
    let postings: Option<Vec<Posting>> = lines.into_iter().collect();
    let (Some(cause), Some(postings)) = (cause, postings) else { return Ok(None) };
    Ok(Some(Entry {
        ledger,
        sequence: count(row, "sequence")?,
        previous: EntryHash(bytes(row, "previous")?),
        at: time(row, "created_at")?,
        cause,
        postings,
    }))
}

/// Places of claims whose entry is missing, or is no claim.
pub(crate) async fn stray_claims(tx: &Tx) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT c.sequence FROM claims c LEFT JOIN transfers t USING (sequence) \
               WHERE t.sequence IS NULL ORDER BY c.sequence";
    tx.rows(sql, &[]).await?.iter().map(|row| count(row, "sequence")).collect()
}

/// Every account, by name.
pub(crate) async fn accounts(tx: &Tx) -> Result<Vec<LedgerAccount>, StoreError> {
    let rows = tx.rows("SELECT name, balance FROM accounts ORDER BY name", &[]).await?;
    rows.iter()
        .map(|row| {
            let balance = row.try_get::<_, Numeric>("balance")?.0;
            Ok(LedgerAccount { name: row.try_get("name")?, balance })
        })
        .collect()
}

/// Every period with which something has happened.
pub(crate) async fn periods(tx: &Tx, ledger: LedgerId) -> Result<Vec<StoredPeriod>, StoreError> {
    let programmes: BTreeMap<_, _> = programmes::all(tx, ledger).await?.into_iter().collect();
    let sql = format!(
        "SELECT programme, period, {}, statement FROM periods ORDER BY programme, period",
        periods::COLUMNS
    );
    let rows = tx.rows(&sql, &[]).await?;
    rows.iter()
        .map(|row| {
            let (programme, started) = (ProgrammeId(bytes(row, "programme")?), periods::read(row)?);
            let statement: Option<&str> = row.try_get("statement")?;
            Ok(StoredPeriod {
                programme,
                period: Period(count(row, "period")?),
                state: started.state,
                terms: programmes.get(&programme).cloned(),
                people: started.set.people,
                most: started.most.unwrap_or(Amount::ZERO),
                statement: statement.map(periods::parse_statement).transpose()?,
            })
        })
        .collect()
}
