//! Table `payments`: what payers signed, and what was answered.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::bytes::{
    AccountId, AccountSignature, EntryHash, LedgerId, PaymentKey, ServiceKey, ServiceSignature,
};
use unum_identity::claim::Amount;
use unum_identity::payment::{Payment, SignedPayment};
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use super::programmes::amount;
use super::{Numeric, StoreError, Tx, bigint, bytes, count, time};
use crate::ledger::audit::PaidPayment;

const SELECT: &str = "SELECT p.payer, p.idempotency_key, p.payee, p.amount, p.deadline, p.order_signature, p.sequence, \
                      p.paid_at, p.key, p.signature, t.hash FROM payments p JOIN transfers t USING (sequence)";

/// The payment that `payer` has given this key, if there is one.
pub(crate) async fn get(
    tx: &Tx,
    ledger: LedgerId,
    payer: AccountId,
    key: PaymentKey,
) -> Result<Option<PaidPayment>, StoreError> {
    let sql = format!("{SELECT} WHERE p.payer = $1 AND p.idempotency_key = $2");
    let row = tx.row(&sql, &[&payer.0.as_slice(), &key.0.as_slice()]).await?;
    row.map(|row| read(&row, ledger)).transpose()
}

/// Writes what was paid.
pub(crate) async fn insert(tx: &Tx, paid: &PaidPayment) -> Result<(), StoreError> {
    let sql = "INSERT INTO payments (payer, idempotency_key, payee, amount, deadline, order_signature, sequence, paid_at, \
               key, signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let (order, receipt) = (&paid.order.payment, &paid.receipt);
    let deadline = Amount::new(order.deadline.0.into()).map_err(StoreError::damaged)?;
    tx.execute(
        sql,
        &[
            &order.from.0.as_slice(),
            &order.idempotency_key.0.as_slice(),
            &order.to.0.as_slice(),
            &Numeric::from(order.amount),
            &Numeric::from(deadline),
            &paid.order.signature.0.as_slice(),
            &bigint(receipt.statement.ledger_sequence)?,
            &SystemTime::from(receipt.statement.paid_at),
            &receipt.key.0.as_slice(),
            &receipt.signature.0.as_slice(),
        ],
    )
    .await
    .map(|_| ())
}

/// Payments whose entries lie after `after`, up to `last`, by place. A row that cannot be read is no payment: the check
/// then misses it, and says so.
pub(super) async fn between(
    tx: &Tx,
    ledger: LedgerId,
    (after, last): (i64, i64),
) -> Result<HashMap<u64, PaidPayment>, StoreError> {
    let sql = format!("{SELECT} WHERE p.sequence > $1 AND p.sequence <= $2");
    let rows = tx.rows(&sql, &[&after, &last]).await?;
    let read = |row: &Row| read(row, ledger).ok().map(|paid| (paid.receipt.statement.ledger_sequence, paid));
    Ok(rows.iter().filter_map(read).collect())
}

/// Places of payments that no entry made.
pub(crate) async fn strays(tx: &Tx) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT p.sequence FROM payments p LEFT JOIN transfers t USING (sequence) \
               WHERE t.sequence IS NULL ORDER BY p.sequence";
    tx.rows(sql, &[]).await?.iter().map(|row| count(row, "sequence")).collect()
}

fn read(row: &Row, ledger: LedgerId) -> Result<PaidPayment, StoreError> {
    let deadline = amount(row, "deadline")?.minor().try_into().map_err(StoreError::damaged)?;
    let payment = Payment {
        ledger,
        from: AccountId(bytes(row, "payer")?),
        to: AccountId(bytes(row, "payee")?),
        amount: amount(row, "amount")?,
        idempotency_key: PaymentKey(bytes(row, "idempotency_key")?),
        deadline: UnixTime(deadline),
    };
    let place = (count(row, "sequence")?, EntryHash(bytes(row, "hash")?));
    let receipt = Signed {
        statement: payment.receipt(place.0, place.1, time(row, "paid_at")?),
        key: ServiceKey(bytes(row, "key")?),
        signature: ServiceSignature(bytes(row, "signature")?),
    };
    let signature = AccountSignature(bytes(row, "order_signature")?);
    Ok(PaidPayment { order: SignedPayment { payment, signature }, receipt })
}
