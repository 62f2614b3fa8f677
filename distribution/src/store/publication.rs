//! Reads what everyone may see: entries as they stand, and the claims of a period, page by page.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use unum_identity::action::Period;
use unum_identity::bytes::{EntryHash, LedgerId, ProgrammeId};
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::claim::{Claim, ClaimTerms};
use unum_identity::field::Nullifier;
use unum_identity::proof::ProofBytes;
use unum_identity::published::{PublishedClaim, PublishedEntry, PublishedLine};
use unum_identity::time::UnixTime;

use super::programmes::amount;
use super::{Numeric, StoreError, Tx, bigint, bytes, claims, count, time};

/// Nullifiers read at once: a third of a megabyte.
const NULLIFIERS: i64 = 10_000;

/// At most `limit` entries after `after`, by place; none at the end. They may say what no entry can say.
pub(crate) async fn entries_after(
    tx: &Tx,
    after: u64,
    limit: u32,
) -> Result<Vec<PublishedEntry>, StoreError> {
    let Ok(after) = bigint(after) else { return Ok(Vec::new()) }; // no row has a larger one
    let sql = "SELECT sequence, kind, programme, period, reference, created_at, previous, hash FROM transfers \
               WHERE sequence > $1 ORDER BY sequence LIMIT $2";
    let rows = tx.rows(sql, &[&after, &i64::from(limit)]).await?;
    let Some(last) = rows.last() else { return Ok(Vec::new()) };
    let mut lines = lines(tx, after, last.try_get("sequence")?).await?;
    rows.iter().map(|row| entry(row, &mut lines)).collect()
}

async fn lines(tx: &Tx, after: i64, last: i64) -> Result<BTreeMap<u64, Vec<PublishedLine>>, StoreError> {
    let sql = "SELECT sequence, account, amount FROM postings \
               WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence, line";
    let mut lines: BTreeMap<u64, Vec<PublishedLine>> = BTreeMap::new();
    for row in tx.rows(sql, &[&after, &last]).await? {
        let line = PublishedLine {
            account: row.try_get("account")?,
            amount: row.try_get::<_, Numeric>("amount")?.0,
        };
        lines.entry(count(&row, "sequence")?).or_default().push(line);
    }
    Ok(lines)
}

fn entry(row: &Row, lines: &mut BTreeMap<u64, Vec<PublishedLine>>) -> Result<PublishedEntry, StoreError> {
    let (sequence, programme): (_, Option<&[u8]>) = (count(row, "sequence")?, row.try_get("programme")?);
    let period: Option<i64> = row.try_get("period")?;
    Ok(PublishedEntry {
        sequence,
        at: time(row, "created_at")?,
        kind: row.try_get("kind")?,
        programme: programme.map(|_| bytes(row, "programme").map(ProgrammeId)).transpose()?,
        period: period.map(|_| count(row, "period").map(Period)).transpose()?,
        reference: hex::encode(row.try_get::<_, &[u8]>("reference")?),
        lines: lines.remove(&sequence).unwrap_or_default(),
        previous: EntryHash(bytes(row, "previous")?),
        hash: EntryHash(bytes(row, "hash")?),
    })
}

/// At most `limit` claims of a period after the nullifier `after`, in ascending order, as the key of the table has them; none
/// at the end. A claim whose entry is gone comes all the same, with a receipt that no longer holds.
///
pub(crate) async fn claims_after(
    tx: &Tx,
    ledger: LedgerId,
    (programme, period): (ProgrammeId, Period),
    after: Option<Nullifier>,
    limit: u32,
) -> Result<Vec<PublishedClaim>, StoreError> {
    let Ok(period) = bigint(period.0) else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {}, c.fee, c.deadline, c.proof FROM (SELECT * FROM claims WHERE programme = $1 AND period = $2 AND nullifier > $3 \
         ORDER BY nullifier LIMIT $4) c \
         CROSS JOIN LATERAL (SELECT coalesce((SELECT hash FROM transfers WHERE sequence = c.sequence), $5) AS hash) t \
         ORDER BY c.nullifier",
        claims::COLUMNS
    );
    let after = after.map_or_else(Vec::new, |nullifier| nullifier.to_be_bytes().to_vec());
    let nothing = [0_u8; 32];
    let (programme, limit) = (programme.0.as_slice(), i64::from(limit));
    let rows = tx.rows(&sql, &[&programme, &period, &after, &limit, &nothing.as_slice()]).await?;
    rows.iter().map(|row| claim(row, ledger)).collect()
}

fn claim(row: &Row, ledger: LedgerId) -> Result<PublishedClaim, StoreError> {
    let receipt = claims::read(row)?.receipt;
    let said = &receipt.statement;
    let deadline = row.try_get::<_, Numeric>("deadline")?.0.minor();
    let terms = ClaimTerms {
        ledger,
        recipient: said.recipient,
        fee: amount(row, "fee")?,
        deadline: UnixTime(deadline.try_into().map_err(StoreError::damaged)?),
    };
    let claim = Claim {
        programme: said.programme,
        period: said.period,
        nullifier: said.nullifier,
        terms,
        proof: ProofBytes(bytes(row, "proof")?),
        relayer: None, // stands in the entry; the proof does not bind it
    };
    Ok(PublishedClaim { claim, receipt })
}

/// The nullifiers of all claims of a period, in ascending order.
pub(crate) async fn nullifiers(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
) -> Result<Vec<Nullifier>, StoreError> {
    let sql = "SELECT nullifier FROM claims WHERE programme = $1 AND period = $2 AND nullifier > $3 \
               ORDER BY nullifier LIMIT $4";
    let (mut all, mut after): (Vec<Nullifier>, Vec<u8>) = (Vec::new(), Vec::new());
    loop {
        let page = tx.rows(sql, &[&programme.0.as_slice(), &bigint(period.0)?, &after, &NULLIFIERS]).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.try_get("nullifier")?;
        for row in &page {
            let bytes = bytes::<32>(row, "nullifier")?;
            all.push(Nullifier::from_be_bytes(&bytes).map_err(StoreError::damaged)?);
        }
    }
}

/// The set's checkpoint as it was read when the period's people were frozen; none before.
pub(crate) async fn checkpoint(
    tx: &Tx,
    programme: ProgrammeId,
    period: Period,
) -> Result<Option<SignedCheckpoint>, StoreError> {
    let sql = "SELECT checkpoint FROM periods WHERE programme = $1 AND period = $2";
    let Ok(period) = bigint(period.0) else { return Ok(None) };
    let row = tx.row(sql, &[&programme.0.as_slice(), &period]).await?;
    row.map(|row| Ok(SignedCheckpoint(row.try_get("checkpoint")?))).transpose()
}
