//! Table `claims`: who was paid, once.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, EntryHash, ProgrammeId, ServiceKey, ServiceSignature};
use unum_identity::claim::{Claim, ClaimReceipt};
use unum_identity::field::{Nullifier, SignalHash};
use unum_identity::ledger::Balance;
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

/// Writes what was paid: the claims, what their proofs bind, and the receipts they got.
pub(crate) async fn insert(
    tx: &Tx,
    paid: &[(&Claim, SignalHash, &Signed<ClaimReceipt>)],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO claims (programme, period, nullifier, signal_hash, recipient, amount, sequence, paid_at, \
               key, signature, fee, deadline, proof) SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], \
               $4::bytea[], $5::bytea[], $6::numeric[], $7::bigint[], $8::timestamptz[], $9::bytea[], $10::bytea[], \
               $11::numeric[], $12::numeric[], $13::bytea[])";
    let mut rows = Rows::default();
    for (claim, signal_hash, Signed { statement, key, signature }) in paid {
        rows.programmes.push(&claim.programme.0);
        rows.periods.push(bigint(claim.period.0)?);
        rows.nullifiers.push(claim.nullifier.to_be_bytes().to_vec());
        rows.signals.push(signal_hash.to_be_bytes().to_vec());
        rows.recipients.push(&claim.terms.recipient.0);
        rows.amounts.push(statement.amount.into());
        rows.sequences.push(bigint(statement.ledger_sequence)?);
        rows.times.push(statement.paid_at.into());
        rows.keys.push(&key.0);
        rows.signatures.push(&signature.0);
        rows.fees.push(claim.terms.fee.into());
        rows.deadlines
            .push(Numeric(Balance::new(claim.terms.deadline.0.into()).map_err(StoreError::damaged)?));
        rows.proofs.push(&claim.proof.0);
    }
    tx.execute(sql, &rows.columns()).await.map(|_| ())
}

/// Rows of `claims`, column by column.
#[derive(Default)]
struct Rows<'a> {
    programmes: Vec<&'a [u8]>,
    periods: Vec<i64>,
    nullifiers: Vec<Vec<u8>>,
    signals: Vec<Vec<u8>>,
    recipients: Vec<&'a [u8]>,
    amounts: Vec<Numeric>,
    sequences: Vec<i64>,
    times: Vec<SystemTime>,
    keys: Vec<&'a [u8]>,
    signatures: Vec<&'a [u8]>,
    fees: Vec<Numeric>,
    deadlines: Vec<Numeric>,
    proofs: Vec<&'a [u8]>,
}

impl Rows<'_> {
    fn columns(&self) -> [&(dyn ToSql + Sync); 13] {
        [
            &self.programmes,
            &self.periods,
            &self.nullifiers,
            &self.signals,
            &self.recipients,
            &self.amounts,
            &self.sequences,
            &self.times,
            &self.keys,
            &self.signatures,
            &self.fees,
            &self.deadlines,
            &self.proofs,
        ]
    }
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
