//! What moved a wallet's balance, read from `postings` and what stands beside them.

use tokio_postgres::Row;
use unum_identity::account::{AccountLine, Movement};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, PaymentKey, ProgrammeId};

use super::programmes::amount;
use super::{Numeric, StoreError, Tx, bytes, count, time};
use crate::ledger::account::Account;

/// The newest `most` lines of a wallet whose place is below `before`, newest first, each with the balance after it: what
/// the wallet holds, less all that came later. One statement, so that no payment comes between balance and lines.
///
/// `LIKE 'wallet:%'` says to the planner that the index on wallets' lines has them.
pub(crate) async fn lines(
    tx: &Tx,
    wallet: AccountId,
    before: i64,
    most: u32,
) -> Result<Vec<AccountLine>, StoreError> {
    let sql = "SELECT w.sequence, w.amount, t.created_at, t.kind, t.programme, t.period, \
                   c.recipient AS claimant, p.payer, p.payee, p.idempotency_key, \
                   a.balance \
                   - coalesce((SELECT sum(n.amount) FROM postings n WHERE n.account = $1 \
                               AND n.account LIKE 'wallet:%' AND n.sequence >= $2), 0) \
                   - coalesce(sum(w.amount) OVER (ORDER BY w.sequence DESC \
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS balance \
               FROM accounts a \
               CROSS JOIN LATERAL (SELECT l.sequence, sum(l.amount) AS amount FROM postings l WHERE l.account = $1 \
                   AND l.account LIKE 'wallet:%' AND l.sequence < $2 \
                   GROUP BY l.sequence ORDER BY l.sequence DESC LIMIT $3) w \
               JOIN transfers t ON t.sequence = w.sequence \
               LEFT JOIN claims c ON c.sequence = w.sequence \
               LEFT JOIN payments p ON p.sequence = w.sequence \
               WHERE a.name = $1 ORDER BY w.sequence DESC";
    let name = Account::Wallet(wallet).to_string();
    let rows = tx.rows(sql, &[&name, &before, &i64::from(most)]).await?;
    rows.iter().map(|row| line(row, wallet)).collect()
}

fn line(row: &Row, wallet: AccountId) -> Result<AccountLine, StoreError> {
    Ok(AccountLine {
        sequence: count(row, "sequence")?,
        at: time(row, "created_at")?,
        movement: movement(row, wallet)?,
        amount: row.try_get::<_, Numeric>("amount")?.0,
        balance: amount(row, "balance")?,
    })
}

fn movement(row: &Row, wallet: AccountId) -> Result<Movement, StoreError> {
    match row.try_get("kind")? {
        "claim" => {
            let (programme, period) = (ProgrammeId(bytes(row, "programme")?), Period(count(row, "period")?));
            let is_share = AccountId(bytes(row, "claimant")?) == wallet;
            Ok(if is_share {
                Movement::Share { programme, period }
            } else {
                Movement::Fee { programme, period }
            })
        }
        "payment" => {
            let (payer, payee) = (AccountId(bytes(row, "payer")?), AccountId(bytes(row, "payee")?));
            let with = if payer == wallet { payee } else { payer };
            Ok(Movement::Payment { with, idempotency_key: PaymentKey(bytes(row, "idempotency_key")?) })
        }
        other => Err(StoreError::damaged(format!("a wallet moved by a {other}"))),
    }
}
