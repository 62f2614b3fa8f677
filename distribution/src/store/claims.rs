//! Table `claims`: who was paid, once.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, EntryHash, ProgrammeId, ServiceKey, ServiceSignature};
use unum_identity::claim::ClaimReceipt;
use unum_identity::field::{Nullifier, SignalHash};
use unum_identity::signed::Signed;

use super::programmes::amount;
use super::{Numeric, StoreError, Tx, bigint, bytes, count, time};
use crate::claim::ClaimKey;

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

/// Those of `keys` that were paid.
///
/// Each is looked up by itself, whatever the planner thinks of the table: a statement prepared while few were paid
/// would otherwise read all of them each time, once they are many. `OFFSET 0` is what keeps it from joining.
pub(crate) async fn get_all(tx: &Tx, keys: &[ClaimKey]) -> Result<HashMap<ClaimKey, PaidClaim>, StoreError> {
    let sql = format!(
        "SELECT c.* FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS w (programme, period, nullifier), \
         LATERAL (SELECT {COLUMNS} FROM claims c JOIN transfers t USING (sequence) \
         WHERE c.programme = w.programme AND c.period = w.period AND c.nullifier = w.nullifier OFFSET 0) c"
    );
    let possible = keys.iter().filter_map(|key| Some((key, bigint(key.1.0).ok()?))); // no row has a larger one
    let (keys, periods): (Vec<&ClaimKey>, Vec<i64>) = possible.unzip();
    let programmes: Vec<&[u8]> = keys.iter().map(|(programme, ..)| programme.0.as_slice()).collect();
    let nullifiers: Vec<[u8; 32]> = keys.iter().map(|(_, _, nullifier)| nullifier.to_be_bytes()).collect();
    let nullifiers: Vec<&[u8]> = nullifiers.iter().map(<[u8; 32]>::as_slice).collect();
    let rows = tx.rows(&sql, &[&programmes, &periods, &nullifiers]).await?;
    let paid = rows.iter().map(|row| {
        let paid = read(row)?;
        let receipt = &paid.receipt.statement;
        Ok(((receipt.programme, receipt.period, receipt.nullifier), paid))
    });
    paid.collect()
}

/// Writes what was paid.
pub(crate) async fn insert(tx: &Tx, claims: &[PaidClaim]) -> Result<(), StoreError> {
    let sql = "INSERT INTO claims (programme, period, nullifier, signal_hash, recipient, amount, sequence, \
               paid_at, key, signature) SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bytea[], \
               $5::bytea[], $6::numeric[], $7::bigint[], $8::timestamptz[], $9::bytea[], $10::bytea[])";
    let signed = || claims.iter().map(|claim| &claim.receipt);
    let receipts = || signed().map(|signed| &signed.statement);
    let programmes: Vec<&[u8]> = receipts().map(|receipt| receipt.programme.0.as_slice()).collect();
    let periods: Vec<i64> = receipts().map(|receipt| bigint(receipt.period.0)).collect::<Result<_, _>>()?;
    let nullifiers: Vec<Vec<u8>> =
        receipts().map(|receipt| receipt.nullifier.to_be_bytes().to_vec()).collect();
    let signals: Vec<Vec<u8>> = claims.iter().map(|claim| claim.signal_hash.to_be_bytes().to_vec()).collect();
    let recipients: Vec<&[u8]> = receipts().map(|receipt| receipt.recipient.0.as_slice()).collect();
    let amounts: Vec<Numeric> = receipts().map(|receipt| receipt.amount.into()).collect();
    let sequences: Vec<i64> =
        receipts().map(|receipt| bigint(receipt.ledger_sequence)).collect::<Result<_, _>>()?;
    let times: Vec<SystemTime> = receipts().map(|receipt| receipt.paid_at.into()).collect();
    let keys: Vec<&[u8]> = signed().map(|signed| signed.key.0.as_slice()).collect();
    let signatures: Vec<&[u8]> = signed().map(|signed| signed.signature.0.as_slice()).collect();
    tx.execute(
        sql,
        &[
            &programmes,
            &periods,
            &nullifiers,
            &signals,
            &recipients,
            &amounts,
            &sequences,
            &times,
            &keys,
            &signatures,
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
