//! What claims are decided by: what was promised, where the periods stand, who was paid already.
//!
//! Read for many claims in one go. The decision itself is a function of these facts, and the same before the proof is
//! checked, without locks, and after it, under them.

use std::collections::{BTreeSet, HashMap};

use unum_identity::action::Period;
use unum_identity::bytes::{LedgerId, ProgrammeId};
use unum_identity::claim::{Amount, Claim};
use unum_identity::field::{Nullifier, Root, SignalHash};
use unum_identity::programme::{PeriodState, ProgrammeTerms};
use unum_identity::time::UnixTime;

use super::{Answer, ClaimError};
use crate::store::claims::PaidClaim;
use crate::store::periods::{Lock, StartedPeriod};
use crate::store::{StoreError, Tx, claims, periods, programmes};

/// What pays a person once.
pub(crate) type ClaimKey = (ProgrammeId, Period, Nullifier);

/// Which one a claim has.
pub(super) fn key(claim: &Claim) -> ClaimKey {
    (claim.programme, claim.period, claim.nullifier)
}

/// What some claims are decided by.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) ledger: LedgerId,
    pub(super) now: UnixTime,
    pub(super) terms: HashMap<ProgrammeId, ProgrammeTerms>,
    pub(super) periods: HashMap<(ProgrammeId, Period), StartedPeriod>,
    pub(super) paid: HashMap<ClaimKey, PaidClaim>,
}

/// What a claim may be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) root: Root,
    pub(super) share: Amount,
}

/// A claim that is not refused.
#[derive(Debug)]
pub(super) enum Decision {
    /// Paid before, on the same terms.
    Repeat(Box<Answer>),
    /// To be paid.
    Pay(Due),
}

impl Facts {
    /// Terms and periods that `claims` are about, with the periods locked as told; nobody counts as paid yet.
    pub(super) async fn of_periods(
        tx: &Tx,
        ledger: LedgerId,
        now: UnixTime,
        claims: impl Iterator<Item = &Claim> + Clone,
        lock: Lock,
    ) -> Result<Self, StoreError> {
        let wanted: BTreeSet<_> = claims.map(|claim| (claim.programme, claim.period)).collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let terms = programmes::get_all(tx, ledger, &wanted).await?;
        let periods = periods::get_all(tx, &wanted, lock).await?;
        Ok(Self { ledger, now, terms, periods, paid: HashMap::new() })
    }

    /// Reads who was paid already. To be relied on only by whoever holds the end of the chain.
    pub(super) async fn look_up_paid(
        &mut self,
        tx: &Tx,
        claims: impl Iterator<Item = &Claim>,
    ) -> Result<(), StoreError> {
        let keys: Vec<_> = claims.map(key).collect();
        self.paid = claims::get_all(tx, &keys).await?;
        Ok(())
    }

    /// The nullifier is looked up before anything that depends on the time.
    pub(super) fn decide(&self, claim: &Claim, signal: SignalHash) -> Result<Decision, ClaimError> {
        match self.paid.get(&key(claim)) {
            Some(paid) if paid.signal_hash == signal => {
                Ok(Decision::Repeat(Box::new(Answer { is_new: false, receipt: paid.receipt.clone() })))
            }
            Some(paid) => Err(ClaimError::OtherTerms(paid.receipt.statement.paid_at.0)),
            None => self.due(claim).map(Decision::Pay),
        }
    }

    /// All that needs no proof.
    fn due(&self, claim: &Claim) -> Result<Due, ClaimError> {
        let terms = self.terms.get(&claim.programme).ok_or(ClaimError::ProgrammeUnknown)?;
        let started = self.periods.get(&(claim.programme, claim.period));
        let Some(StartedPeriod { state: PeriodState::Open, set }) = started else {
            return Err(ClaimError::PeriodNotOpen(started.map_or(PeriodState::Planned, |s| s.state)));
        };
        let (opens_at, closes_at) = (terms.opens_at(claim.period), terms.closes_at(claim.period));
        if self.now < opens_at || self.now >= closes_at {
            return Err(ClaimError::OutsideWindow { opens_at: opens_at.0, closes_at: closes_at.0 });
        }
        if self.now > claim.terms.deadline {
            return Err(ClaimError::DeadlinePassed(claim.terms.deadline.0));
        }
        if claim.terms.ledger != self.ledger {
            return Err(ClaimError::OtherLedger(self.ledger));
        }
        let (fee, share) = (claim.terms.fee, terms.policy.share());
        if fee > share {
            return Err(ClaimError::FeeTooHigh { fee, share });
        }
        Ok(Due { root: set.root, share })
    }
}

#[cfg(test)]
mod tests {
    use unum_identity::bytes::AccountId;
    use unum_identity::claim::ClaimTerms;
    use unum_identity::programme::{EligibleSet, Policy};
    use unum_identity::proof::ProofBytes;

    use super::*;

    const LEDGER: LedgerId = LedgerId([1; 16]);
    const PROGRAMME: ProgrammeId = ProgrammeId([3; 16]);

    fn claim(fee: u128, deadline: u64) -> Claim {
        let fee = Amount::new(fee).unwrap();
        let deadline = UnixTime(deadline);
        let terms = ClaimTerms { ledger: LEDGER, recipient: AccountId([2; 32]), fee, deadline };
        let proof = ProofBytes([0; 256]);
        Claim { programme: PROGRAMME, period: Period(1), nullifier: Nullifier(4.into()), terms, proof }
    }

    fn facts(state: Option<PeriodState>, ledger: LedgerId, now: u64) -> Facts {
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
        let started = state.map(|state| ((PROGRAMME, Period(1)), StartedPeriod { state, set }));
        Facts {
            ledger,
            now: UnixTime(now),
            terms: HashMap::from([(PROGRAMME, programme)]),
            periods: started.into_iter().collect(),
            paid: HashMap::new(),
        }
    }

    #[test]
    fn a_share_is_due_from_the_first_second_to_the_last() {
        for (now, expected) in [(99, false), (100, true), (299, true), (300, false)] {
            let due = facts(Some(PeriodState::Open), LEDGER, now).due(&claim(0, u64::MAX));
            assert_eq!(due.is_ok(), expected, "at {now}: {due:?}");
        }
    }

    #[test]
    fn refusals() {
        let open = Some(PeriodState::Open);
        let code = |state, ledger, now, fee| {
            facts(state, ledger, now).due(&claim(fee, 250)).map_err(|error| error.code().to_owned())
        };
        let refused = |code: &str| Err(code.to_owned());
        assert_eq!(
            code(open, LEDGER, 250, 1000),
            Ok(Due { root: Root(5.into()), share: Amount::new(1000).unwrap() })
        );
        assert_eq!(code(open, LEDGER, 251, 0), refused("deadline_passed"));
        assert_eq!(code(open, LedgerId([9; 16]), 200, 0), refused("other_ledger"));
        assert_eq!(code(open, LEDGER, 200, 1001), refused("fee_too_high"));
        assert_eq!(code(None, LEDGER, 200, 0), refused("period_not_open"));
        for state in PeriodState::ALL.into_iter().filter(|state| *state != PeriodState::Open) {
            assert_eq!(code(Some(state), LEDGER, 200, 0), refused("period_not_open"), "{state}");
        }
        let mut elsewhere = facts(open, LEDGER, 200);
        elsewhere.terms.clear();
        assert!(matches!(elsewhere.due(&claim(0, 250)), Err(ClaimError::ProgrammeUnknown)));
    }
}
