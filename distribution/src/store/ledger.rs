//! Tables `ledger`, `transfers`, `postings` and `accounts`: writing entries, reading balances.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::{EntryHash, LedgerId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::ledger::Balance;
use unum_identity::time::UnixTime;

use super::programmes::amount;
use super::{Numeric, StoreError, Tx, bigint, bytes, count, time};
use crate::ledger::account::Account;
use crate::ledger::entry::{Draft, Head};

/// The right to write the next entry: whoever holds it holds the lock on the end of the chain, until the transaction
/// ends. Made by [`lock`] only.
#[derive(Debug)]
pub(crate) struct Pen {
    ledger: LedgerId,
    head: Head,
}

impl Pen {
    /// The end of the chain.
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

/// Writes the next entry, moves the balances, and is the new end of the chain.
pub(crate) async fn post(tx: &Tx, pen: &mut Pen, draft: Draft, now: UnixTime) -> Result<Head, StoreError> {
    let entry = draft.place(pen.ledger, pen.head, now);
    let head = entry.head();
    let (sequence, period) =
        (bigint(entry.sequence)?, entry.cause.period().map(|p| bigint(p.0)).transpose()?);
    let sql = "INSERT INTO transfers (sequence, kind, programme, period, reference, created_at, previous, hash) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let cause = &entry.cause;
    let (programme, reference) = (cause.programme(), cause.reference());
    let (at, previous, hash) = (SystemTime::from(now), entry.previous.0.as_slice(), head.hash.0.as_slice());
    let kind = cause.kind();
    tx.execute(sql, &[&sequence, &kind, &programme.0.as_slice(), &period, &reference, &at, &previous, &hash])
        .await?;

    let names: Vec<String> = entry.postings.iter().map(|line| line.account.to_string()).collect();
    let amounts: Vec<Numeric> = entry.postings.iter().map(|line| Numeric(line.amount)).collect();
    // Two statements, because ON CONFLICT DO UPDATE would check the sign of what it proposes to insert.
    let sql = "INSERT INTO accounts (name, balance) SELECT name, 0 FROM unnest($1::text[]) AS line (name) \
               ON CONFLICT DO NOTHING";
    tx.execute(sql, &[&names]).await?;
    let sql = "UPDATE accounts SET balance = balance + line.amount \
               FROM unnest($1::text[], $2::numeric[]) AS line (name, amount) WHERE accounts.name = line.name";
    tx.execute(sql, &[&names, &amounts]).await?;
    let sql = "INSERT INTO postings (sequence, line, account, amount) \
               SELECT $1, place, name, amount \
               FROM unnest($2::text[], $3::numeric[]) WITH ORDINALITY AS line (name, amount, place)";
    tx.execute(sql, &[&sequence, &names, &amounts]).await?;
    tx.execute("UPDATE ledger SET sequence = $1, head = $2", &[&sequence, &hash]).await?;
    pen.head = head;
    Ok(head)
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
               WHERE t.kind IN ('deposit', 'reserve', 'return') AND t.programme = $1 \
               ORDER BY t.sequence DESC LIMIT $3";
    let pool = Account::Pool(programme).to_string();
    let rows = tx.rows(sql, &[&programme.0.as_slice(), &pool, &i64::from(most)]).await?;
    rows.iter().map(|row| Ok((time(row, "created_at")?, row.try_get::<_, Numeric>("amount")?.0))).collect()
}
