//! The claims of a period, each held against its entry, its receipt and the statement.

use std::collections::HashMap;

use chacha20::ChaCha20Rng;
use circuits::{InvalidProofs, Public, Verifier};
use rand_core::{CryptoRng, SeedableRng as _};
use unum_identity::action::Period;
use unum_identity::bytes::{ProgrammeId, ServiceKey};
use unum_identity::claim::Amount;
use unum_identity::field::{ExternalNullifier, Nullifier};
use unum_identity::programme::{PeriodStatement, ProgrammeTerms};
use unum_identity::proof::ProofBytes;
use unum_identity::published::{PublishedClaim, nullifier_set_hash};

use super::chain::Paid;
use super::promise::{due, is_signed};
use super::report::{AuditProblem, Check, Findings};
use crate::ledger::entry::{Draft, Head};

/// Proofs that are checked together: a quarter of the cost of one by one (`docs/measurements/proofs.md`), and little memory.
const TOGETHER: usize = 128;

/// What every claim of the period has to keep to.
pub(super) struct Rules {
    pub(super) place: (ProgrammeId, Period),
    pub(super) terms: ProgrammeTerms,
    pub(super) stated: PeriodStatement,
    /// Whoever may have signed receipts; anybody if empty.
    pub(super) keys: Vec<ServiceKey>,
    /// None if the key is not at hand.
    pub(super) verifier: Option<Verifier>,
}

impl Rules {
    /// What does not hold of these claims, each by itself. On all cores.
    pub(super) fn check(
        &self,
        claims: &[PublishedClaim],
        paid: &HashMap<Nullifier, Paid>,
        rng: &mut dyn CryptoRng,
    ) -> Vec<AuditProblem> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = claims.len().div_ceil(cores).max(1);
        let shares = claims.chunks(share).map(|share| (share, ChaCha20Rng::from_rng(&mut *rng)));
        let shares: Vec<_> = shares.collect();
        std::thread::scope(|scope| {
            let checking = shares
                .into_iter()
                .map(|(share, rng)| scope.spawn(move || self.check_share(share, paid, rng)));
            let checking: Vec<_> = checking.collect();
            let found = checking.into_iter().map(|thread| thread.join().expect("checking does not panic"));
            found.flatten().collect()
        })
    }

    fn check_share(
        &self,
        claims: &[PublishedClaim],
        paid: &HashMap<Nullifier, Paid>,
        mut rng: ChaCha20Rng,
    ) -> Vec<AuditProblem> {
        let mut problems = Vec::new();
        for claims in claims.chunks(TOGETHER) {
            for claim in claims {
                self.check_books(claim, paid.get(&claim.claim.nullifier), &mut problems);
            }
            self.check_proofs(claims, &mut rng, &mut problems);
        }
        problems
    }

    fn check_books(&self, published: &PublishedClaim, paid: Option<&Paid>, problems: &mut Vec<AuditProblem>) {
        let (claim, nullifier) = (&published.claim, published.claim.nullifier);
        if (claim.programme, claim.period) != self.place || claim.terms.ledger != self.stated.ledger {
            problems.push(AuditProblem::ClaimOfAnother { nullifier });
        }
        let Some(paid) = paid else {
            return problems.push(AuditProblem::ClaimAdded { nullifier });
        };
        let sequence = paid.head.sequence;
        let due = due(&self.terms, &self.stated, paid.at);
        if paid.amount != due.into() {
            problems.push(AuditProblem::AmountWrong { sequence, nullifier, paid: paid.amount, due });
        }
        let (opens_at, closes_at) = (self.terms.opens_at(self.place.1), self.terms.closes_at(self.place.1));
        if paid.at < opens_at || paid.at >= closes_at || paid.at > claim.terms.deadline {
            problems.push(AuditProblem::PaidOutOfTime { sequence, nullifier });
        }
        if !self.entry_pays(published, paid) {
            problems.push(AuditProblem::ClaimMismatch { sequence, nullifier });
        }
        if !self.receipt_holds(published, paid) {
            problems.push(AuditProblem::ReceiptWrong { sequence, nullifier });
        }
    }

    /// Whether the claim's terms, and what was taken from the reserve for it, make the entry that has this hash.
    fn entry_pays(&self, published: &PublishedClaim, paid: &Paid) -> bool {
        let claim = &published.claim;
        let (recipient, fee) = (claim.terms.recipient, claim.terms.fee);
        let share = paid.amount.amount();
        let relayer = paid.relayer.filter(|_| fee > Amount::ZERO);
        let draft =
            share.and_then(|share| Draft::claim(self.place, claim.nullifier, recipient, share, fee, relayer));
        let before = Head { sequence: paid.head.sequence - 1, hash: paid.previous };
        draft.is_some_and(|draft| draft.place(self.stated.ledger, before, paid.at).head() == paid.head)
    }

    fn receipt_holds(&self, PublishedClaim { claim, receipt }: &PublishedClaim, paid: &Paid) -> bool {
        let said = &receipt.statement;
        let share = paid.amount.amount();
        is_signed(receipt, &self.keys)
            && (said.programme, said.period, said.nullifier) == (self.place.0, self.place.1, claim.nullifier)
            && said.recipient == claim.terms.recipient
            && Some(said.amount) == share.and_then(|share| share.checked_sub(claim.terms.fee))
            && (said.ledger_sequence, said.entry_hash, said.paid_at)
                == (paid.head.sequence, paid.head.hash, paid.at)
    }

    fn check_proofs(
        &self,
        claims: &[PublishedClaim],
        rng: &mut dyn CryptoRng,
        problems: &mut Vec<AuditProblem>,
    ) {
        let Some(verifier) = &self.verifier else { return };
        let external_nullifier = ExternalNullifier::of_claim(&self.place.0, self.place.1);
        let statement = |PublishedClaim { claim, .. }: &PublishedClaim| {
            let public = Public {
                root: self.stated.set.root,
                nullifier: claim.nullifier,
                signal_hash: claim.terms.signal_hash(),
                external_nullifier,
            };
            (public, claim.proof)
        };
        let proofs: Vec<(Public, ProofBytes)> = claims.iter().map(statement).collect();
        if let Err(InvalidProofs { positions }) = verifier.verify_batch(&proofs, rng) {
            let invalid = positions.into_iter().map(|position| claims[position].claim.nullifier);
            problems.extend(invalid.map(|nullifier| AuditProblem::ProofInvalid { nullifier }));
        }
    }
}

/// All claims together, so far.
#[derive(Default)]
pub(super) struct Claims {
    nullifiers: Vec<Nullifier>,
}

impl Claims {
    /// Claims that were read.
    pub(super) fn count(&self) -> u64 {
        self.nullifiers.len() as u64
    }

    /// Marks whose claim was seen. What no entry has paid is named by [`Rules::check`].
    pub(super) fn take(
        &mut self,
        claims: &[PublishedClaim],
        paid: &mut HashMap<Nullifier, Paid>,
        findings: &mut Findings,
    ) {
        for PublishedClaim { claim, .. } in claims {
            let nullifier = claim.nullifier;
            self.nullifiers.push(nullifier);
            let paid = paid.get_mut(&nullifier);
            if paid.is_some_and(|paid| std::mem::replace(&mut paid.is_claimed, true)) {
                findings.problem(AuditProblem::ClaimRepeated { nullifier });
            }
        }
    }

    pub(super) fn finish(
        &self,
        paid: &HashMap<Nullifier, Paid>,
        stated: &PeriodStatement,
        findings: &mut Findings,
    ) {
        findings.checked(Check::Claims);
        findings.checked(Check::Amounts);
        findings.checked(Check::Nullifiers);
        let missing = paid.iter().filter(|(_, paid)| !paid.is_claimed);
        let mut missing: Vec<_> = missing.map(|(nullifier, paid)| (paid.head.sequence, *nullifier)).collect();
        missing.sort_unstable();
        let missing = missing.into_iter();
        findings
            .extend(missing.map(|(sequence, nullifier)| AuditProblem::ClaimMissing { sequence, nullifier }));
        let found = nullifier_set_hash(self.nullifiers.iter().copied());
        if found != stated.nullifiers {
            findings.problem(AuditProblem::NullifiersWrong { stated: stated.nullifiers, found });
        }
    }
}
