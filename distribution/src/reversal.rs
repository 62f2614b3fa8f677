//! Deposits that were a mistake, taken back. Nothing in the ledger is ever changed: the entry stays, and another one moves
//! the same money the other way.
//!
//! Only deposits, and only while the pool still has the money. Shares, payments and what a period reserves and returns
//! follow from rules and signatures: whoever could take those back could take somebody's income.

use unum_identity::claim::Amount;
use unum_identity::ledger::{Reversal, ReversalRequest};

use crate::app::App;
use crate::ledger::account::{Account, Label, LabelError};
use crate::ledger::entry::{Cause, Draft, Entry, Head};
use crate::store::{StoreError, Tx, audit, ledger};
use service::ProblemResponse;

/// Why nothing was taken back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReversalError {
    /// Correct the reason.
    #[error("reason: {0}")]
    Label(#[from] LabelError),
    /// Look for the right place.
    #[error("the ledger has no entry {0}")]
    Unknown(u64),
    /// No operator can take this back.
    #[error("entry {sequence} is a {kind}; only deposits are taken back")]
    NotReversible { sequence: u64, kind: &'static str },
    /// It was taken back before, for another reason: nothing is left to do.
    #[error("entry {by} took it back before: {reason}")]
    Reversed { by: u64, reason: String },
    /// Periods have reserved the money already. It comes back to the pool as far as nobody claims it.
    #[error("the pool holds {pool}, the deposit was {amount}")]
    PoolInsufficient { pool: Amount, amount: Amount },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReversalError> for ProblemResponse {
    fn from(error: ReversalError) -> Self {
        let detail = error.to_string();
        match error {
            ReversalError::Label(_) => Self::new(422, "reason_invalid").detail(detail),
            ReversalError::Unknown(_) => Self::new(404, "entry_unknown").detail(detail),
            ReversalError::NotReversible { .. } => Self::new(409, "not_reversible").detail(detail),
            ReversalError::Reversed { .. } => Self::new(409, "reversed_before").detail(detail),
            ReversalError::PoolInsufficient { .. } => Self::new(409, "pool_insufficient").detail(detail),
            ReversalError::Store(error) => error.into(),
        }
    }
}

impl App {
    /// Takes a deposit back. `true` if it is new; the same again is answered as the first time.
    pub(crate) async fn reverse(
        &self,
        sequence: u64,
        request: ReversalRequest,
    ) -> Result<(bool, Reversal), ReversalError> {
        let reason: &Label = &request.reason.parse()?;
        let booked = self.store.run_tx("reverse", |tx| async move { self.book(&tx, sequence, reason).await });
        let (is_new, amount, place) = booked.await??;
        let reversal = Reversal {
            reversed: sequence,
            reason: request.reason,
            amount,
            ledger_sequence: place.sequence,
            entry_hash: place.hash,
        };
        Ok((is_new, reversal))
    }

    async fn book(
        &self,
        tx: &Tx,
        sequence: u64,
        reason: &Label,
    ) -> Result<Result<(bool, Amount, Head), ReversalError>, StoreError> {
        let pen = ledger::lock(tx).await?;
        let Some(entry) = audit::entry_at(tx, self.ledger, sequence).await? else {
            return Ok(Err(ReversalError::Unknown(sequence)));
        };
        let Some((pool, amount)) = deposited(&entry) else {
            let kind = entry.cause.kind();
            return Ok(Err(ReversalError::NotReversible { sequence, kind }));
        };
        if let Some((said, place)) = ledger::reversal(tx, sequence).await? {
            let by = place.sequence;
            return Ok(if said == reason.as_str() {
                Ok((false, amount, place))
            } else {
                Err(ReversalError::Reversed { by, reason: said })
            });
        }
        let held = ledger::balance(tx, &pool).await?;
        let held = held.amount().ok_or_else(|| StoreError::damaged(format!("a pool holds {held}")))?;
        let draft = Draft::reversal(&entry, reason.clone()).filter(|_| held >= amount);
        let Some(draft) = draft else {
            return Ok(Err(ReversalError::PoolInsufficient { pool: held, amount }));
        };
        let place = ledger::post(tx, pen, draft, self.now()).await?;
        Ok(Ok((true, amount, place)))
    }
}

/// Where a deposit put how much; none if the entry is no deposit.
fn deposited(entry: &Entry) -> Option<(Account, Amount)> {
    let Cause::Deposit { programme, .. } = entry.cause else { return None };
    let pool = Account::Pool(programme);
    let amount = u128::try_from(entry.moves(&pool)).ok().and_then(|minor| Amount::new(minor).ok())?;
    Some((pool, amount))
}
