//! Money into a programme's pool.

use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::ledger::Balance;
use unum_identity::programme::{Deposit, DepositRequest};

use crate::app::App;
use crate::ledger::account::{Account, Label, LabelError};
use crate::ledger::entry::{Draft, Head};
use crate::store::{StoreError, ledger, programmes};
use service::ProblemResponse;

/// Why a deposit was not booked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DepositError {
    /// Correct the source or the key.
    #[error("source and idempotency_key: {0}")]
    Label(#[from] LabelError),
    /// A deposit of nothing moves nothing.
    #[error("amount is 0, must be at least 1")]
    Nothing,
    /// The pool or the source would hold more than the ledger can write. Nobody means this.
    #[error("the pool would hold more than {max}", max = Amount::MAX)]
    TooLarge,
    /// The key belongs to a deposit of another amount or source: choose a new key for a new deposit.
    #[error("this key was used for {amount} from {from}")]
    KeyTaken { amount: Balance, from: Account },
    #[error("no programme has this id")]
    ProgrammeUnknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DepositError> for ProblemResponse {
    fn from(error: DepositError) -> Self {
        let detail = error.to_string();
        match error {
            DepositError::Label(_) | DepositError::Nothing | DepositError::TooLarge => {
                Self::new(422, "deposit_invalid").detail(detail)
            }
            DepositError::KeyTaken { .. } => Self::new(409, "idempotency_key_taken").detail(detail),
            DepositError::ProgrammeUnknown => Self::new(404, "programme_unknown"),
            DepositError::Store(error) => error.into(),
        }
    }
}

impl App {
    /// Books a deposit. `true` if it is new; the same again is answered as the first time.
    pub(crate) async fn deposit(
        &self,
        programme: ProgrammeId,
        request: DepositRequest,
    ) -> Result<(bool, Deposit), DepositError> {
        let (source, key): (Label, Label) = (request.source.parse()?, request.idempotency_key.parse()?);
        if request.amount == Amount::ZERO {
            return Err(DepositError::Nothing);
        }
        let (source, key) = (&source, &key);
        let amount = request.amount;
        let booked = self.store.run_tx("deposit", |tx| async move {
            if programmes::get(&tx, self.ledger, programme).await?.is_none() {
                return Ok(Err(DepositError::ProgrammeUnknown));
            }
            let pen = ledger::lock(&tx).await?;
            let from = Account::Funding(source.clone());
            if let Some(first) = ledger::deposit(&tx, programme, key.as_str()).await? {
                return Ok(if first.source == from && first.amount == amount.into() {
                    Ok((false, first.place))
                } else {
                    Err(DepositError::KeyTaken { amount: first.amount, from: first.source })
                });
            }
            let pool = ledger::balance(&tx, &Account::Pool(programme)).await?;
            let paid_in = ledger::balance(&tx, &from).await?;
            let fits = pool.checked_add(amount.into()).and(paid_in.checked_add(-Balance::from(amount)));
            if fits.is_none() {
                return Ok(Err(DepositError::TooLarge));
            }
            let draft = Draft::deposit(programme, source.clone(), key.clone(), amount);
            let place = ledger::post(&tx, pen, draft, self.now()).await?;
            Ok(Ok((true, place)))
        });
        let (is_new, Head { sequence, hash }) = booked.await??;
        let DepositRequest { idempotency_key, source, amount } = request;
        let deposit = Deposit {
            programme,
            idempotency_key,
            source,
            amount,
            ledger_sequence: sequence,
            entry_hash: hash,
        };
        Ok((is_new, deposit))
    }
}
