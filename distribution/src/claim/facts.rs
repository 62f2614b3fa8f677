//! What claims are decided by: what was promised, where the periods stand, who was paid already.
//!
//! Read for many claims in one go. The decision itself is a function of these facts, and the same before the proof is
//! checked, without locks, and after it, under them.

use std::collections::{BTreeSet, HashMap};

use unum_identity::action::Period;
use unum_identity::bytes::{LedgerId, ProgrammeId};
use unum_identity::claim::{Amount, Claim, ClaimReceipt};
use unum_identity::field::{Nullifier, Root, SignalHash};
use unum_identity::programme::{PeriodState, ProgrammeTerms};
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use super::ClaimError;
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
    /// Who was paid, on which terms, when.
    pub(super) paid: HashMap<ClaimKey, (SignalHash, UnixTime)>,
}

/// What a claim may be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) root: Root,
    pub(super) share: Amount,
}

/// A claim that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Paid before, on the same terms.
    Repeat,
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
        let (terms, periods) =
            tokio::try_join!(programmes::get_all(tx, ledger, &wanted), periods::get_all(tx, &wanted, lock))?;
        Ok(Self { ledger, now, terms, periods, paid: HashMap::new() })
    }

    /// Reads who was paid already, and returns their receipts. To be relied on only by whoever holds the end of the chain.
    pub(super) async fn look_up_paid(
        &mut self,
        tx: &Tx,
        claims: impl Iterator<Item = &Claim>,
    ) -> Result<HashMap<ClaimKey, Signed<ClaimReceipt>>, StoreError> {
        let keys: Vec<_> = claims.map(key).collect();
        let paid = claims::get_all(tx, &keys).await?;
        let receipts = paid.into_iter().map(|(key, PaidClaim { signal_hash, receipt })| {
            self.paid.insert(key, (signal_hash, receipt.statement.paid_at));
            (key, receipt)
        });
        Ok(receipts.collect())
    }

    /// The nullifier is looked up before anything that depends on the time.
    pub(super) fn decide(&self, claim: &Claim, signal: SignalHash) -> Result<Decision, ClaimError> {
        match self.paid.get(&key(claim)) {
            Some((paid, _)) if *paid == signal => Ok(Decision::Repeat),
            Some((_, paid_at)) => Err(ClaimError::OtherTerms(paid_at.0)),
            None => self.due(claim).map(Decision::Pay),
        }
    }

    /// All that needs no proof.
    fn due(&self, claim: &Claim) -> Result<Due, ClaimError> {
        let terms = self.terms.get(&claim.programme).ok_or(ClaimError::ProgrammeUnknown)?;
        let started = self.periods.get(&(claim.programme, claim.period));
        let Some(StartedPeriod { state: PeriodState::Open, set, most: Some(most) }) = started else {
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
        let share = terms.share(claim.period, *most);
        let (fee, pays_from, share) = (claim.terms.fee, share.pays_from(), share.at(self.now));
        if share == Amount::ZERO {
            return Err(ClaimError::NothingAccrued(pays_from.0));
        }
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
    use unum_identity::programme::{EligibleSet, Length, Policy};
    use unum_identity::proof::ProofBytes;

    use super::*;

    const LEDGER: LedgerId = LedgerId([1; 16]);
    const PROGRAMME: ProgrammeId = ProgrammeId([3; 16]);

    fn claim(fee: u128, deadline: u64) -> Claim {
        let fee = Amount::new(fee).unwrap();
        let deadline = UnixTime(deadline);
        let terms = ClaimTerms { ledger: LEDGER, recipient: AccountId([2; 32]), fee, deadline };
        let proof = ProofBytes([0; 256]);
        Claim {
            programme: PROGRAMME,
            period: Period(1),
            nullifier: Nullifier(4.into()),
            terms,
            proof,
            relayer: None,
        }
    }

    fn facts(state: Option<PeriodState>, ledger: LedgerId, now: u64) -> Facts {
        let programme = ProgrammeTerms {
            name: "basic".into(),
            unit: "UNM".into(),
            minor_digits: 2,
            policy: Policy::Fixed { amount: Amount::new(1000).unwrap() },
            starts_at: UnixTime(0),
            length: Length::Seconds { seconds: 100 },
            claim_window: 2,
        };
        let set = EligibleSet { root: Root(5.into()), size: 3, people: 3 };
        let most = Some(programme.policy.most());
        let started = state.map(|state| ((PROGRAMME, Period(1)), StartedPeriod { state, set, most }));
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
    fn an_accrual_pays_whole_hours_and_nothing_before_the_first() {
        let accrual = |now| {
            let mut facts = facts(Some(PeriodState::Open), LEDGER, now);
            let terms = facts.terms.get_mut(&PROGRAMME).unwrap();
            terms.policy = Policy::Accrual { per_hour: Amount::new(7).unwrap(), cap_days: 1 };
            terms.length = Length::Seconds { seconds: 24 * 3600 };
            let most = Some(terms.policy.most());
            facts.periods.get_mut(&(PROGRAMME, Period(1))).unwrap().most = most;
            facts
        };
        let opens_at: u64 = 24 * 3600;
        let due = |after, fee| accrual(opens_at + after).due(&claim(fee, u64::MAX));
        let early = due(3599, 0).unwrap_err();
        assert_eq!(early.code(), "nothing_accrued");
        assert!(early.to_string().contains(&(opens_at + 3600).to_string()), "{early}");
        for (after, expected) in [(3600, 7), (7199, 7), (7200, 14), (24 * 3600, 168), (47 * 3600, 168)] {
            assert_eq!(due(after, 0).unwrap().share.minor(), expected, "{after}");
        }
        assert_eq!(due(3600, 8).unwrap_err().code(), "fee_too_high", "the share is what has accrued");
        due(7200, 8).unwrap();
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
