//! Table `claims`: who was paid, once.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, EntryHash, ProgrammeId, ServiceKey, ServiceSignature};
use unum_identity::claim::ClaimReceipt;
use unum_identity::field::{Nullifier, SignalHash};
use unum_identity::signed::Signed;

use super::programmes::amount;
use super::{Numeric, StoreError, Tx, bigint, bytes, count, time};

/// A claim that was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaidClaim {
    /// What the claimant bound.
    pub(crate) signal_hash: SignalHash,
    /// What the claimant got for an answer.
    pub(crate) receipt: Signed<ClaimReceipt>,
}

/// Columns of a receipt, of a claim `c` and its entry `t`.
pub(super) const COLUMNS: &str = "c.programme, c.period, c.nullifier, c.signal_hash, c.recipient, c.amount, \
                                  c.sequence, t.hash, c.paid_at, c.key, c.signature";

pub(crate) async fn get(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
    nullifier: Nullifier,
) -> Result<Option<PaidClaim>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM claims c JOIN transfers t USING (sequence) \
         WHERE c.programme = $1 AND c.period = $2 AND c.nullifier = $3"
    );
    let Ok(period) = bigint(period.0) else { return Ok(None) };
    let (programme, nullifier) = (programme.0.as_slice(), nullifier.to_be_bytes());
    tx.row(&sql, &[&programme, &period, &nullifier.as_slice()]).await?.as_ref().map(read).transpose()
}

pub(crate) async fn insert(tx: &Tx, claim: &PaidClaim) -> Result<(), StoreError> {
    let sql = "INSERT INTO claims (programme, period, nullifier, signal_hash, recipient, amount, sequence, \
               paid_at, key, signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let Signed { statement: receipt, key, signature } = &claim.receipt;
    let (nullifier, signal_hash) = (receipt.nullifier.to_be_bytes(), claim.signal_hash.to_be_bytes());
    tx.execute(
        sql,
        &[
            &receipt.programme.0.as_slice(),
            &bigint(receipt.period.0)?,
            &nullifier.as_slice(),
            &signal_hash.as_slice(),
            &receipt.recipient.0.as_slice(),
            &Numeric::from(receipt.amount),
            &bigint(receipt.ledger_sequence)?,
            &SystemTime::from(receipt.paid_at),
            &key.0.as_slice(),
            &signature.0.as_slice(),
        ],
    )
    .await
    .map(|_| ())
}

pub(super) fn read(row: &Row) -> Result<PaidClaim, StoreError> {
    let signal_hash =
        SignalHash::from_be_bytes(&bytes::<32>(row, "signal_hash")?).map_err(StoreError::damaged)?;
    let receipt = ClaimReceipt {
        programme: ProgrammeId(bytes(row, "programme")?),
        period: Period(count(row, "period")?),
        nullifier: Nullifier::from_be_bytes(&bytes::<32>(row, "nullifier")?).map_err(StoreError::damaged)?,
        recipient: AccountId(bytes(row, "recipient")?),
        amount: amount(row, "amount")?,
        ledger_sequence: count(row, "sequence")?,
        entry_hash: EntryHash(bytes(row, "hash")?),
        paid_at: time(row, "paid_at")?,
    };
    let (key, signature) = (ServiceKey(bytes(row, "key")?), ServiceSignature(bytes(row, "signature")?));
    Ok(PaidClaim { signal_hash, receipt: Signed { statement: receipt, key, signature } })
}
