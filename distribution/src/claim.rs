//! The way of one claim through the server.
//!
//! ```text
//! canonical decode (the types) ─► nullifier known? ─► may it be paid? ─► proof ─► one transaction ─► answer
//!                                     └─► the first receipt, or 409
//! ```
//!
//! The nullifier is the idempotency key. It is looked up before anything that depends on the time: whoever lost the answer
//! gets the first receipt, even after the period closed.
//!
//! Of a share with a fee the recipient gets the rest, and the fee goes to the account `fees`: the terms bind how much,
//! and a relayer is not named in them yet.

use std::sync::Arc;
use std::time::Instant;

use circuits::Public;
use unum_identity::bytes::LedgerId;
use unum_identity::claim::{Amount, Claim, ClaimReceipt};
use unum_identity::field::{ExternalNullifier, Root, SignalHash};
use unum_identity::programme::{PeriodState, ProgrammeTerms};
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use crate::app::App;
use crate::ledger::entry::Draft;
use crate::store::claims::PaidClaim;
use crate::store::periods::{Lock, StartedPeriod};
use crate::store::{StoreError, Tx, claims, ledger, periods, programmes};
use service::ProblemResponse;

/// Why a claim was not paid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("no programme has this id")]
    ProgrammeUnknown,
    /// Come back when it is open, or take another period.
    #[error("the period is {0}")]
    PeriodNotOpen(PeriodState),
    /// Too early or too late for this period.
    #[error("claims are paid from {opens_at} until before {closes_at} (seconds since 1970)")]
    OutsideWindow { opens_at: u64, closes_at: u64 },
    /// Make a new claim with a later deadline: the proof binds it.
    #[error("the deadline {0} (seconds since 1970) has passed")]
    DeadlinePassed(u64),
    /// Made for another ledger.
    #[error("this ledger is {0}")]
    OtherLedger(LedgerId),
    /// The relayer would keep more than there is.
    #[error("the fee {fee} is more than the share {share}")]
    FeeTooHigh { fee: Amount, share: Amount },
    /// Paid once already, on other terms.
    #[error("claimed on other terms; paid at {0} (seconds since 1970)")]
    OtherTerms(u64),
    /// Wrong root, nullifier, terms or bytes: whoever knows which learns something to forge with.
    #[error("the proof does not hold")]
    Proof,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClaimError {
    fn code(&self) -> &'static str {
        match self {
            Self::ProgrammeUnknown => "programme_unknown",
            Self::PeriodNotOpen(_) => "period_not_open",
            Self::OutsideWindow { .. } => "outside_window",
            Self::DeadlinePassed(_) => "deadline_passed",
            Self::OtherLedger(_) => "other_ledger",
            Self::FeeTooHigh { .. } => "fee_too_high",
            Self::OtherTerms(_) => "claimed_for_another_recipient",
            Self::Proof => "proof_invalid",
            Self::Store(_) => "store",
        }
    }
}

impl From<ClaimError> for ProblemResponse {
    fn from(error: ClaimError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        match error {
            ClaimError::Store(error) => error.into(),
            ClaimError::ProgrammeUnknown => Self::new(404, code),
            ClaimError::OtherTerms(_) => Self::new(409, code).detail(detail),
            _ => Self::new(422, code).detail(detail),
        }
    }
}

/// A claim's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether this request paid it, rather than one before.
    pub(crate) is_new: bool,
    pub(crate) receipt: Signed<ClaimReceipt>,
}

/// What the checks that need no proof found.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    root: Root,
    share: Amount,
}

impl App {
    /// Pays a claim, once.
    pub(crate) async fn claim(&self, claim: &Claim) -> Result<Answer, ClaimError> {
        let answer = self.answer(claim).await;
        let outcome = match &answer {
            Ok(Answer { is_new: true, .. }) => "paid",
            Ok(Answer { is_new: false, .. }) => "repeated",
            Err(error) => error.code(),
        };
        self.metrics.count("unum_claims_total", &[("outcome", outcome)], 1);
        answer
    }

    async fn answer(&self, claim: &Claim) -> Result<Answer, ClaimError> {
        let signal = claim.terms.signal_hash();
        let looked_up = self.store.run_tx("look_up_claim", |tx| async move {
            Ok(match claims::get(&tx, claim.programme, claim.period, claim.nullifier).await? {
                Some(paid) => Err(paid),
                None => Ok(self.due(&tx, claim, Lock::None).await?),
            })
        });
        let due = match looked_up.await? {
            Err(paid) => return repeated(paid, signal),
            Ok(due) => due?,
        };
        self.check_proof(claim, due.root, signal).await?;
        self.pay(claim, signal).await
    }

    /// One transaction: the period is still open, nobody was faster, the money moves, the receipt is signed.
    async fn pay(&self, claim: &Claim, signal: SignalHash) -> Result<Answer, ClaimError> {
        let paid = self.store.run_tx("pay_claim", |tx| async move {
            let due = match self.due(&tx, claim, Lock::Stay).await? {
                Ok(due) => due,
                Err(refused) => return Ok(Err(refused)),
            };
            let mut pen = ledger::lock(&tx).await?;
            if let Some(paid) = claims::get(&tx, claim.programme, claim.period, claim.nullifier).await? {
                return Ok(repeated(paid, signal));
            }
            let (now, recipient, fee) = (self.now(), claim.terms.recipient, claim.terms.fee);
            let place = (claim.programme, claim.period);
            let draft = Draft::claim(place, claim.nullifier, recipient, due.share, fee);
            let (Some(draft), Some(amount)) = (draft, due.share.checked_sub(fee)) else {
                return Ok(Err(ClaimError::FeeTooHigh { fee, share: due.share }));
            };
            let entry = ledger::post(&tx, &mut pen, draft, now).await?;
            let receipt = ClaimReceipt {
                programme: claim.programme,
                period: claim.period,
                nullifier: claim.nullifier,
                recipient,
                amount,
                ledger_sequence: entry.sequence,
                entry_hash: entry.hash,
                paid_at: now,
            };
            let receipt = Signed::new(receipt, &self.signing);
            claims::insert(&tx, &PaidClaim { signal_hash: signal, receipt: receipt.clone() }).await?;
            Ok(Ok(Answer { is_new: true, receipt }))
        });
        paid.await?
    }

    /// Reads what the claim is about, and checks all that needs no proof.
    async fn due(&self, tx: &Tx, claim: &Claim, lock: Lock) -> Result<Result<Due, ClaimError>, StoreError> {
        let Some(terms) = programmes::get(tx, self.ledger, claim.programme).await? else {
            return Ok(Err(ClaimError::ProgrammeUnknown));
        };
        let started = periods::get(tx, claim.programme, claim.period, lock).await?;
        Ok(due(claim, &terms, started, self.ledger, self.now()))
    }

    /// Off the threads that answer requests; no more at once than there are cores.
    async fn check_proof(&self, claim: &Claim, root: Root, signal: SignalHash) -> Result<(), ClaimError> {
        let public = Public {
            root,
            nullifier: claim.nullifier,
            signal_hash: signal,
            external_nullifier: ExternalNullifier::of_claim(&claim.programme, claim.period),
        };
        let (verifier, proof, metrics) = (Arc::clone(&self.verifier), claim.proof, self.metrics.clone());
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(StoreError::damaged)?;
        let check = tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let result = verifier.verify(&public, &proof);
            metrics.seconds("unum_proof_check_seconds", &[], started.elapsed());
            drop(core);
            result
        });
        check.await.map_err(StoreError::damaged)?.map_err(|_| ClaimError::Proof)
    }
}

/// The claim was paid before: the same terms get the same receipt.
fn repeated(paid: PaidClaim, signal: SignalHash) -> Result<Answer, ClaimError> {
    if paid.signal_hash == signal {
        Ok(Answer { is_new: false, receipt: paid.receipt })
    } else {
        Err(ClaimError::OtherTerms(paid.receipt.statement.paid_at.0))
    }
}

fn due(
    claim: &Claim,
    terms: &ProgrammeTerms,
    started: Option<StartedPeriod>,
    ledger: LedgerId,
    now: UnixTime,
) -> Result<Due, ClaimError> {
    let Some(StartedPeriod { state: PeriodState::Open, set }) = started else {
        return Err(ClaimError::PeriodNotOpen(started.map_or(PeriodState::Planned, |started| started.state)));
    };
    let (opens_at, closes_at) = (terms.opens_at(claim.period), terms.closes_at(claim.period));
    if now < opens_at || now >= closes_at {
        return Err(ClaimError::OutsideWindow { opens_at: opens_at.0, closes_at: closes_at.0 });
    }
    if now > claim.terms.deadline {
        return Err(ClaimError::DeadlinePassed(claim.terms.deadline.0));
    }
    if claim.terms.ledger != ledger {
        return Err(ClaimError::OtherLedger(ledger));
    }
    let (fee, share) = (claim.terms.fee, terms.policy.share());
    if fee > share {
        return Err(ClaimError::FeeTooHigh { fee, share });
    }
    Ok(Due { root: set.root, share })
}

#[cfg(test)]
mod tests {
    use unum_identity::action::Period;
    use unum_identity::bytes::{AccountId, ProgrammeId};
    use unum_identity::claim::ClaimTerms;
    use unum_identity::field::Nullifier;
    use unum_identity::programme::{EligibleSet, Policy};
    use unum_identity::proof::ProofBytes;

    use super::*;

    const LEDGER: LedgerId = LedgerId([1; 16]);

    fn case() -> (Claim, ProgrammeTerms, StartedPeriod) {
        let terms = ClaimTerms {
            ledger: LEDGER,
            recipient: AccountId([2; 32]),
            fee: Amount::new(1000).unwrap(),
            deadline: UnixTime(250),
        };
        let claim = Claim {
            programme: ProgrammeId([3; 16]),
            period: Period(1),
            nullifier: Nullifier(4.into()),
            terms,
            proof: ProofBytes([0; 256]),
        };
        let programme = ProgrammeTerms {
            name: "basic".into(),
            unit: "UNM".into(),
            minor_digits: 2,
            policy: Policy::Fixed { amount: Amount::new(1000).unwrap() },
            starts_at: UnixTime(0),
            period_seconds: 100,
            claim_window: 2,
        };
        let set = EligibleSet { root: Root(5.into()), size: 3, people: 3 };
        (claim, programme, StartedPeriod { state: PeriodState::Open, set })
    }

    #[test]
    fn a_share_is_due_from_the_first_second_to_the_last() {
        let (mut claim, terms, started) = case();
        claim.terms.deadline = UnixTime(u64::MAX);
        for (now, expected) in [(99, false), (100, true), (299, true), (300, false)] {
            let due = due(&claim, &terms, Some(started), LEDGER, UnixTime(now));
            assert_eq!(due.is_ok(), expected, "at {now}: {due:?}");
        }
    }

    #[test]
    fn refusals() {
        let (claim, terms, started) = case();
        let code = |started, ledger, now, fee| {
            let mut claim = claim.clone();
            claim.terms.fee = Amount::new(fee).unwrap();
            due(&claim, &terms, started, ledger, UnixTime(now)).map_err(|error| error.code())
        };
        let open = Some(started);
        assert_eq!(
            code(open, LEDGER, 250, 1000),
            Ok(Due { root: Root(5.into()), share: Amount::new(1000).unwrap() })
        );
        assert_eq!(code(open, LEDGER, 251, 0), Err("deadline_passed"));
        assert_eq!(code(open, LedgerId([9; 16]), 200, 0), Err("other_ledger"));
        assert_eq!(code(open, LEDGER, 200, 1001), Err("fee_too_high"));
        assert_eq!(code(None, LEDGER, 200, 0), Err("period_not_open"));
        for state in PeriodState::ALL.into_iter().filter(|state| *state != PeriodState::Open) {
            let started = Some(StartedPeriod { state, ..started });
            assert_eq!(code(started, LEDGER, 200, 0), Err("period_not_open"), "{state}");
        }
    }
}
