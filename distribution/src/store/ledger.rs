//! Tables `ledger`, `transfers`, `postings` and `accounts`: writing entries, reading balances.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use unum_identity::action::Period;
use unum_identity::bytes::{EntryHash, LedgerId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::ledger::Balance;
use unum_identity::time::UnixTime;

use super::programmes::amount;
use super::{Change, Numeric, StoreError, Tx, bigint, bytes, count, time};
use crate::ledger::account::Account;
use crate::ledger::entry::{Draft, Entry, Head, Posting};

/// The right to write the next entries: whoever holds it holds the lock on the end of the chain, until the transaction
/// ends. Made by [`lock`] only, spent by [`write`].
#[derive(Debug)]
pub(crate) struct Pen {
    ledger: LedgerId,
    head: Head,
}

impl Pen {
    /// The end of the chain, with what was placed.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Gives a draft its place: the next one. To be written with all others before the transaction ends.
    pub(crate) fn place(&mut self, draft: Draft, now: UnixTime) -> Placed {
        let entry = draft.place(self.ledger, self.head, now);
        self.head = entry.head();
        Placed { entry, head: self.head }
    }
}

/// An entry that is to be written, and the chain's end after it.
#[derive(Debug)]
pub(crate) struct Placed {
    entry: Entry,
    head: Head,
}

impl Placed {
    /// Its place and hash.
    pub(crate) fn head(&self) -> Head {
        self.head
    }
}

/// Makes the ledger, if the database has none. Which one it has then.
pub(crate) async fn open(tx: &Tx, ledger: LedgerId) -> Result<LedgerId, StoreError> {
    let sql = "INSERT INTO ledger (id, sequence, head) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[&ledger.0.as_slice(), &Head::GENESIS.hash.0.as_slice()]).await?;
    let row = tx.row("SELECT id FROM ledger", &[]).await?.ok_or_else(|| StoreError::damaged("no ledger"))?;
    bytes(&row, "id").map(LedgerId)
}

/// Waits until nobody else writes.
pub(crate) async fn lock(tx: &Tx) -> Result<Pen, StoreError> {
    let row = tx.row("SELECT id, sequence, head FROM ledger FOR UPDATE", &[]).await?;
    let row = row.ok_or_else(|| StoreError::damaged("no ledger"))?;
    Ok(Pen { ledger: LedgerId(bytes(&row, "id")?), head: read_head(&row)? })
}

/// The end of the chain, without waiting.
pub(crate) async fn head(tx: &Tx) -> Result<Head, StoreError> {
    let row = tx.row("SELECT sequence, head FROM ledger", &[]).await?;
    read_head(&row.ok_or_else(|| StoreError::damaged("no ledger"))?)
}

fn read_head(row: &Row) -> Result<Head, StoreError> {
    Ok(Head { sequence: count(row, "sequence")?, hash: EntryHash(bytes(row, "head")?) })
}

/// Writes one entry: see [`write`].
pub(crate) async fn post(tx: &Tx, mut pen: Pen, draft: Draft, now: UnixTime) -> Result<Head, StoreError> {
    let placed = pen.place(draft, now);
    let head = placed.head;
    write(tx, pen, &[placed]).await?;
    Ok(head)
}

/// Writes all entries that were placed with this pen, moves the balances, and makes the last one the end of the chain.
///
/// As many statements for a thousand entries as for one, sent together. Their order is the schema's: the end moves first, an
/// entry finds its lines.
pub(crate) async fn write(tx: &Tx, pen: Pen, placed: &[Placed]) -> Result<(), StoreError> {
    let (end, head) = (bigint(pen.head.sequence)?, pen.head.hash.0.as_slice());
    let lines = || placed.iter().flat_map(|placed| &placed.entry.postings);
    let moves = Moves::of(lines())?;
    let (lines, entries) = (Lines::of(placed)?, Transfers::of(placed)?);
    let end: [&(dyn ToSql + Sync); 2] = [&end, &head];
    let sources: [&(dyn ToSql + Sync); 1] = [&moves.sources];
    let losses: Vec<[&(dyn ToSql + Sync); 2]> =
        moves.losses.iter().map(|(n, sum)| [n as _, sum as _]).collect();
    let gains: [&(dyn ToSql + Sync); 2] = [&moves.gained, &moves.gains];
    let (lines, entries) = (lines.columns(), entries.columns());
    let mut changes: Vec<Change<'_>> = vec![(END, &end), (SOURCES, &sources)];
    changes.extend(losses.iter().map(|loss| (LOSS, &loss[..])));
    changes.extend([(GAINS, &gains[..]), (LINES, &lines[..]), (ENTRIES, &entries[..])]);
    let changed = tx.execute_all(&changes).await?;
    // Only a funding source may lose what it never had, so everybody else who loses has an account.
    match changed[2..2 + losses.len()].iter().position(|rows| *rows != 1) {
        Some(loser) => Err(StoreError::damaged(format!("there is no account {}", moves.losses[loser].0))),
        None => Ok(()),
    }
}

const END: &str = "UPDATE ledger SET sequence = $1, head = $2";
const SOURCES: &str =
    "INSERT INTO accounts (name, balance) SELECT unnest($1::text[]), 0 ON CONFLICT DO NOTHING";
/// One by one: `ON CONFLICT DO UPDATE` would check the sign of what it proposes to insert.
const LOSS: &str = "UPDATE accounts SET balance = balance + $2 WHERE name = $1";
const GAINS: &str = "INSERT INTO accounts (name, balance) SELECT * FROM unnest($1::text[], $2::numeric[]) \
                     ON CONFLICT (name) DO UPDATE SET balance = accounts.balance + excluded.balance";
const LINES: &str = "INSERT INTO postings (sequence, line, account, amount) \
                     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::numeric[])";
const ENTRIES: &str = "INSERT INTO transfers (sequence, kind, programme, period, reference, created_at, previous, hash) \
                       SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[], $5::bytea[], \
                       $6::timestamptz[], $7::bytea[], $8::bytea[])";

/// Each account once, by what all lines together move.
#[derive(Default)]
struct Moves {
    /// Funding sources that lose: perhaps for the first time.
    sources: Vec<String>,
    losses: Vec<(String, Numeric)>,
    gained: Vec<String>,
    gains: Vec<Numeric>,
}

impl Moves {
    fn of<'a>(lines: impl Iterator<Item = &'a Posting>) -> Result<Self, StoreError> {
        let mut sums: BTreeMap<&Account, i128> = BTreeMap::new();
        for line in lines {
            let sum = sums.entry(&line.account).or_default();
            *sum = sum.saturating_add(line.amount.minor()); // what saturates is no balance
        }
        let mut moves = Self::default();
        for (account, sum) in sums {
            let (name, sum) = (account.to_string(), Balance::new(sum).map_err(StoreError::damaged)?);
            if sum >= Balance::ZERO {
                moves.gained.push(name);
                moves.gains.push(Numeric(sum));
                continue;
            }
            if matches!(account, Account::Funding(_)) {
                moves.sources.push(name.clone());
            }
            moves.losses.push((name, Numeric(sum)));
        }
        Ok(moves)
    }
}

/// Rows of `postings`, column by column.
#[derive(Default)]
struct Lines {
    sequences: Vec<i64>,
    places: Vec<i64>,
    accounts: Vec<String>,
    amounts: Vec<Numeric>,
}

impl Lines {
    fn of(placed: &[Placed]) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for Placed { entry, .. } in placed {
            for (place, line) in (1..).zip(&entry.postings) {
                rows.sequences.push(bigint(entry.sequence)?);
                rows.places.push(place);
                rows.accounts.push(line.account.to_string());
                rows.amounts.push(Numeric(line.amount));
            }
        }
        Ok(rows)
    }

    fn columns(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.sequences, &self.places, &self.accounts, &self.amounts]
    }
}

/// Rows of `transfers`, column by column.
#[derive(Default)]
struct Transfers<'a> {
    sequences: Vec<i64>,
    kinds: Vec<&'static str>,
    programmes: Vec<Option<Vec<u8>>>,
    periods: Vec<Option<i64>>,
    references: Vec<Vec<u8>>,
    times: Vec<SystemTime>,
    previous: Vec<&'a [u8]>,
    hashes: Vec<&'a [u8]>,
}

impl<'a> Transfers<'a> {
    fn of(placed: &'a [Placed]) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for Placed { entry, head } in placed {
            let cause = &entry.cause;
            rows.sequences.push(bigint(entry.sequence)?);
            rows.kinds.push(cause.kind());
            rows.programmes.push(cause.programme().map(|id| id.0.to_vec()));
            rows.periods.push(cause.period().map(|period| bigint(period.0)).transpose()?);
            rows.references.push(cause.reference());
            rows.times.push(SystemTime::from(entry.at));
            rows.previous.push(&entry.previous.0);
            rows.hashes.push(&head.hash.0);
        }
        Ok(rows)
    }

    fn columns(&self) -> [&(dyn ToSql + Sync); 8] {
        [
            &self.sequences,
            &self.kinds,
            &self.programmes,
            &self.periods,
            &self.references,
            &self.times,
            &self.previous,
            &self.hashes,
        ]
    }
}

/// What an account holds; nothing, if nothing was ever posted to it.
pub(crate) async fn balance(tx: &Tx, account: &Account) -> Result<Balance, StoreError> {
    let row = tx.row("SELECT balance FROM accounts WHERE name = $1", &[&account.to_string()]).await?;
    Ok(row.map(|row| row.try_get::<_, Numeric>("balance")).transpose()?.map_or(Balance::ZERO, |n| n.0))
}

/// A deposit that was booked.
#[derive(Debug)]
pub(crate) struct BookedDeposit {
    pub(crate) source: Account,
    pub(crate) amount: Balance,
    pub(crate) place: Head,
}

/// The deposit that has this key, if there is one.
pub(crate) async fn deposit(
    tx: &Tx,
    programme: ProgrammeId,
    key: &str,
) -> Result<Option<BookedDeposit>, StoreError> {
    let sql = "SELECT t.sequence, t.hash AS head, p.account, -p.amount AS amount FROM transfers t \
               JOIN postings p ON p.sequence = t.sequence AND p.line = 1 \
               WHERE t.kind = 'deposit' AND t.programme = $1 AND t.reference = $2";
    let Some(row) = tx.row(sql, &[&programme.0.as_slice(), &key.as_bytes()]).await? else { return Ok(None) };
    let name: String = row.try_get("account")?;
    Ok(Some(BookedDeposit {
        source: name.parse().map_err(StoreError::damaged)?,
        amount: row.try_get::<_, Numeric>("amount")?.0,
        place: read_head(&row)?,
    }))
}

/// Why and where a deposit was taken back, if it was.
pub(crate) async fn reversal(tx: &Tx, deposit: u64) -> Result<Option<(String, Head)>, StoreError> {
    let sql = "SELECT substr(reference, 9) AS reason, sequence, hash AS head FROM transfers \
               WHERE kind = 'reversal' AND substr(reference, 1, 8) = $1";
    let Some(row) = tx.row(sql, &[&deposit.to_be_bytes().as_slice()]).await? else { return Ok(None) };
    let reason: Vec<u8> = row.try_get("reason")?;
    Ok(Some((String::from_utf8(reason).map_err(StoreError::damaged)?, read_head(&row)?)))
}

/// What moved into and out of one period's reserve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) reserved: Amount,
    pub(crate) paid: Amount,
    pub(crate) claims: u64,
    pub(crate) returned: Amount,
}

/// Summed from the entries.
pub(crate) async fn moved(tx: &Tx, programme: ProgrammeId, period: Period) -> Result<Moved, StoreError> {
    let sql = "SELECT t.kind, count(*) AS entries, abs(sum(p.amount)) AS amount \
               FROM transfers t JOIN postings p USING (sequence) \
               WHERE t.programme = $1 AND t.period = $2 AND p.account = $3 GROUP BY t.kind";
    let reserve = Account::Reserve(programme, period).to_string();
    let mut moved = Moved::default();
    for row in tx.rows(sql, &[&programme.0.as_slice(), &bigint(period.0)?, &reserve]).await? {
        let amount = amount(&row, "amount")?;
        match row.try_get("kind")? {
            "reserve" => moved.reserved = amount,
            "return" => moved.returned = amount,
            "claim" => (moved.claims, moved.paid) = (count(&row, "entries")?, amount),
            other => return Err(StoreError::damaged(format!("a reserve moved by a {other}"))),
        }
    }
    Ok(moved)
}

/// What each of `accounts` holds to which something was ever posted.
pub(crate) async fn balances(tx: &Tx, accounts: &[Account]) -> Result<HashMap<Account, Balance>, StoreError> {
    let names: Vec<String> = accounts.iter().map(Account::to_string).collect();
    let rows = tx.rows("SELECT name, balance FROM accounts WHERE name = ANY($1)", &[&names]).await?;
    let read = |row: &Row| {
        let name: &str = row.try_get("name")?;
        Ok((name.parse().map_err(StoreError::damaged)?, row.try_get::<_, Numeric>("balance")?.0))
    };
    rows.iter().map(read).collect()
}

/// What went back into the pool, of each period that nobody, or not everybody, claimed in.
pub(crate) async fn returned(tx: &Tx, programme: ProgrammeId) -> Result<HashMap<Period, Amount>, StoreError> {
    let sql = "SELECT t.period, p.amount FROM transfers t JOIN postings p USING (sequence) \
               WHERE t.kind = 'return' AND t.programme = $1 AND p.amount > 0";
    let rows = tx.rows(sql, &[&programme.0.as_slice()]).await?;
    rows.iter().map(|row| Ok((Period(count(row, "period")?), amount(row, "amount")?))).collect()
}

/// When and by how much a pool's balance changed, the newest first.
pub(crate) async fn pool_movements(
    tx: &Tx,
    programme: ProgrammeId,
    most: u32,
) -> Result<Vec<(UnixTime, Balance)>, StoreError> {
    let sql = "SELECT t.created_at, p.amount FROM transfers t \
               JOIN postings p ON p.sequence = t.sequence AND p.account = $2 \
               WHERE t.kind IN ('deposit', 'reserve', 'return', 'reversal') AND t.programme = $1 \
               ORDER BY t.sequence DESC LIMIT $3";
    let pool = Account::Pool(programme).to_string();
    let rows = tx.rows(sql, &[&programme.0.as_slice(), &pool, &i64::from(most)]).await?;
    rows.iter().map(|row| Ok((time(row, "created_at")?, row.try_get::<_, Numeric>("amount")?.0))).collect()
}
