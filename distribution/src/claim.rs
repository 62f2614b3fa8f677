//! The way of one claim through the server.
//!
//! ```text
//! canonical decode (the types) ─► look_up: nullifier known? may it be paid? ─► proofs ─► pay: one transaction ─► answer
//!                                     └─► the first receipt, or 409
//! ```
//!
//! | module | knows |
//! |---|---|
//! | `facts` | the decision: what a claim may be paid |
//! | `proofs` | which proofs hold |
//! | `books` | the transactions |
//! | `halves` | how one bad claim of many harms nobody else |
//!
//! Each step does what has gathered before it together, in a [`Stage`].
//!
//! The nullifier is the idempotency key. It is looked up before anything that depends on the time: whoever lost the answer
//! gets the first receipt, even after the period closed.
//!
//! Each server pays with one transaction at a time; between servers the lock on the end of the ledger's chain decides who
//! is next.
//!
//! Of a share with a fee the recipient gets the rest. The fee goes to whoever the request names as its relayer, else to the
//! account `fees`. The terms bind how much, to whom the rest goes and until when; who relays is not bound, so that a claim
//! can be handed to anyone. A relayer can send it, or not, and whoever sends it first has the fee; it can neither keep more
//! nor pay somebody else, nor claim twice, and learns nothing of who claims.

mod books;
mod facts;
mod halves;
#[cfg(test)]
mod model;
mod proofs;

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use circuits::Verifier;
use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use service::stage::{BrokenDown, Habits, Measures, Stage};
use service::{Metrics, ProblemResponse};
use tokio::sync::Semaphore;
use unum_identity::bytes::LedgerId;
use unum_identity::claim::{Amount, Claim, ClaimReceipt};
use unum_identity::programme::PeriodState;
use unum_identity::signed::Signed;
use unum_identity::time::Clock;

use crate::config::Gathering;
use crate::store::Store;
use books::{Books, Found};
pub(crate) use facts::ClaimKey;
pub use proofs::Verified;
use proofs::{Proofs, TOGETHER, Unverified};

/// Seconds after which to come again when too many are under way: a part of the queue is worked off by then.
const RETRY_AFTER: u64 = 2;

/// What the steps are measured by.
const MEASURES: Measures = Measures {
    wait: "unum_claim_wait_seconds",
    batch: "unum_claim_batch_size",
    work: "unum_claim_stage_seconds",
};

/// Why a claim was not paid.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Look for the right one.
    #[error("no programme has this id")]
    ProgrammeUnknown,
    /// Come back when it is open, or take another period.
    #[error("the period is {0}")]
    PeriodNotOpen(PeriodState),
    /// Too early or too late for this period.
    #[error("claims are paid from {opens_at} until before {closes_at} (seconds since 1970)")]
    OutsideWindow {
        /// First second.
        opens_at: u64,
        /// First second after.
        closes_at: u64,
    },
    /// Make a new claim with a later deadline: the proof binds it.
    #[error("the deadline {0} (seconds since 1970) has passed")]
    DeadlinePassed(u64),
    /// Made for another ledger.
    #[error("this ledger is {0}")]
    OtherLedger(LedgerId),
    /// The relayer would keep more than there is.
    #[error("the fee {fee} is more than the share {share}")]
    FeeTooHigh {
        /// What the terms say.
        fee: Amount,
        /// What the programme pays.
        share: Amount,
    },
    /// Come back then: a claim now would use the share up for nothing.
    #[error("nothing has accrued before {0} (seconds since 1970)")]
    NothingAccrued(u64),
    /// Paid once already, on other terms.
    #[error("claimed on other terms; paid at {0} (seconds since 1970)")]
    OtherTerms(u64),
    /// Wrong root, nullifier, terms or bytes: whoever knows which learns something to forge with.
    #[error("the proof does not hold")]
    Proof,
    /// Too many are under way; this one has not been looked at. Come again.
    #[error("too many claims are under way")]
    Busy,
    /// No answer from the database, for reasons that are in the log. Come again: if it was paid, there is a receipt.
    #[error("no answer: {}", .0.code())]
    Unanswered(ProblemResponse),
}

impl From<BrokenDown> for ClaimError {
    fn from(BrokenDown: BrokenDown) -> Self {
        Self::Unanswered(ProblemResponse::internal())
    }
}

impl ClaimError {
    /// Its stable code, as clients see it.
    fn code(&self) -> &str {
        match self {
            Self::Unanswered(problem) => problem.code(),
            other => other.name(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::ProgrammeUnknown => "programme_unknown",
            Self::PeriodNotOpen(_) => "period_not_open",
            Self::OutsideWindow { .. } => "outside_window",
            Self::DeadlinePassed(_) => "deadline_passed",
            Self::OtherLedger(_) => "other_ledger",
            Self::FeeTooHigh { .. } => "fee_too_high",
            Self::NothingAccrued(_) => "nothing_accrued",
            Self::OtherTerms(_) => "claimed_for_another_recipient",
            Self::Proof => "proof_invalid",
            Self::Busy => "busy",
            Self::Unanswered(_) => "unanswered",
        }
    }
}

impl From<ClaimError> for ProblemResponse {
    fn from(error: ClaimError) -> Self {
        let (code, detail) = (error.name(), error.to_string());
        match error {
            ClaimError::Unanswered(problem) => problem,
            ClaimError::ProgrammeUnknown => Self::new(404, code),
            ClaimError::Busy => Self::new(503, code).detail(detail).retry_after(RETRY_AFTER),
            ClaimError::OtherTerms(_) => Self::new(409, code).detail(detail),
            _ => Self::new(422, code).detail(detail),
        }
    }
}

/// A claim's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether this request paid it, rather than one before.
    pub is_new: bool,
    /// The receipt.
    pub receipt: Signed<ClaimReceipt>,
}

/// What a claim is before it is paid.
#[derive(Debug)]
pub enum Checked {
    /// Paid before, on the same terms.
    Paid(Answer),
    /// To be paid.
    Due(Verified),
}

/// Where claims are taken. The only way to be paid is through here; HTTP is in front of it.
#[derive(Clone)]
pub struct Claims(Arc<Stages>);

struct Stages {
    /// One for each claim that is under way.
    places: Semaphore,
    look_up: Stage<Claim, Result<Found, ClaimError>>,
    proofs: Stage<Unverified, Result<Verified, ClaimError>>,
    pay: Stage<Verified, Result<Answer, ClaimError>>,
    metrics: Metrics,
}

/// What claims are taken with.
pub(crate) struct Equipment {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ledger: LedgerId,
    pub(crate) signing: Arc<SigningKey>,
    pub(crate) verifier: Verifier,
    pub(crate) metrics: Metrics,
}

impl Claims {
    /// Starts the stages on the current runtime. They end when the last copy is dropped.
    pub(crate) fn start(equipment: Equipment, gathering: Gathering, rng: &mut impl CryptoRng) -> Self {
        let Equipment { store, clock, ledger, signing, verifier, metrics } = equipment;
        let books = Books { store, clock, ledger, signing };
        let Gathering { batch, batch_wait_ms, queue } = gathering;
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let proofs = Proofs::start(verifier, cores, rng);
        let habits = |name, workers, most| Habits {
            name,
            measures: MEASURES,
            workers,
            most,
            wait: Duration::ZERO,
            queue,
        };
        let to_pay = Habits { wait: Duration::from_millis(batch_wait_ms), ..habits("pay", 1, batch) };
        let look_up = {
            let books = books.clone();
            move |claims| books.clone().look_up(claims)
        };
        Self(Arc::new(Stages {
            places: Semaphore::new(queue),
            look_up: Stage::start(habits("look_up", 1, Gathering::MAX_BATCH), &metrics, look_up),
            proofs: Stage::start(habits("proofs", cores, TOGETHER), &metrics, move |claims| {
                proofs.clone().check(claims)
            }),
            pay: Stage::start(to_pay, &metrics, move |claims| books.clone().pay(claims)),
            metrics,
        }))
    }

    /// Pays a claim, once; answers when that is committed.
    ///
    /// # Errors
    ///
    /// A [`ClaimError`].
    pub async fn claim(&self, claim: Claim) -> Result<Answer, ClaimError> {
        let answer = self.answer(claim).await;
        let outcome = match &answer {
            Ok(Answer { is_new: true, .. }) => "paid",
            Ok(Answer { is_new: false, .. }) => "repeated",
            Err(error) => error.code(),
        };
        self.0.metrics.count("unum_claims_total", &[("outcome", outcome)], 1);
        answer
    }

    async fn answer(&self, claim: Claim) -> Result<Answer, ClaimError> {
        let _place = self.0.places.try_acquire().map_err(|_| ClaimError::Busy)?;
        match self.check(claim).await? {
            Checked::Paid(answer) => Ok(answer),
            Checked::Due(verified) => self.pay(verified).await,
        }
    }

    /// All but the payment.
    ///
    /// # Errors
    ///
    /// A [`ClaimError`].
    pub async fn check(&self, claim: Claim) -> Result<Checked, ClaimError> {
        match self.0.look_up.ask(claim).await?? {
            Found::Paid(answer) => Ok(Checked::Paid(*answer)),
            Found::Due(unverified) => Ok(Checked::Due(self.0.proofs.ask(*unverified).await??)),
        }
    }

    /// Pays a claim that was checked, if it still is due.
    ///
    /// # Errors
    ///
    /// A [`ClaimError`].
    pub async fn pay(&self, verified: Verified) -> Result<Answer, ClaimError> {
        self.0.pay.ask(verified).await?
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims")
    }
}
