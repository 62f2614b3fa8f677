//! Where claims are looked up and paid: the transactions, each for many claims at once.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use service::ProblemResponse;
use unum_identity::bytes::LedgerId;
use unum_identity::claim::{Claim, ClaimReceipt};
use unum_identity::field::SignalHash;
use unum_identity::signed::Signed;
use unum_identity::time::Clock;

use super::facts::{Decision, Due, Facts, key};
use super::halves::by_halves;
use super::proofs::{Unverified, Verified};
use super::{Answer, ClaimError};
use crate::ledger::entry::Draft;
use crate::store::claims::PaidClaim;
use crate::store::ledger::{Pen, Placed};
use crate::store::periods::Lock;
use crate::store::{Store, StoreError, Tx, claims, ledger};

/// What a claim met before its proof was looked at.
#[derive(Debug)]
pub(super) enum Found {
    /// Paid before, on the same terms.
    Paid(Box<Answer>),
    /// Due, if its proof holds.
    Due(Box<Unverified>),
}

/// The ledger as claims see it.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ledger: LedgerId,
    pub(super) signing: Arc<SigningKey>,
}

type Outcome<T> = Result<T, ClaimError>;

impl Books {
    /// Answers whoever was paid before and refuses what needs no proof for it, without holding up anybody.
    pub(super) async fn look_up(self, claims: Vec<Claim>) -> Vec<Outcome<Found>> {
        let signed: Vec<_> = claims.into_iter().map(|claim| (claim.terms.signal_hash(), claim)).collect();
        let (books, asked) = (&self, &signed);
        let decided = by_halves(signed.len(), |part| {
            books.store.run_tx("look_up_claims", move |tx| {
                let part = &asked[part.clone()];
                async move { books.decide(&tx, part).await }
            })
        });
        let decided = decided.await;
        let found = |((signal, claim), decision): ((SignalHash, Claim), Outcome<Decision>)| match decision? {
            Decision::Repeat(answer) => Ok(Found::Paid(answer)),
            Decision::Pay(due) => Ok(Found::Due(Box::new(Unverified::new(claim, signal, due.root)))),
        };
        signed.into_iter().zip(decided.into_iter().map(flatten)).map(found).collect()
    }

    async fn decide(
        &self,
        tx: &Tx,
        asked: &[(SignalHash, Claim)],
    ) -> Result<Vec<Outcome<Decision>>, StoreError> {
        let claims = || asked.iter().map(|(_, claim)| claim);
        let mut facts = Facts::of_periods(tx, self.ledger, self.clock.now(), claims(), Lock::None).await?;
        facts.look_up_paid(tx, claims()).await?;
        Ok(asked.iter().map(|(signal, claim)| facts.decide(claim, *signal)).collect())
    }

    /// Pays what is still due, in this order, and answers after the commit.
    pub(super) async fn pay(self, claims: Vec<Verified>) -> Vec<Outcome<Answer>> {
        let (books, claims) = (&self, &claims);
        let paid = by_halves(claims.len(), |part| {
            books.store.run_tx("pay_claims", move |tx| {
                let part = &claims[part.clone()];
                async move { books.settle(&tx, part).await }
            })
        });
        paid.await.into_iter().map(flatten).collect()
    }

    /// One transaction: the periods stand still, the end of the chain is ours, each claim is decided by what the ones before
    /// it have made of the facts.
    async fn settle(&self, tx: &Tx, batch: &[Verified]) -> Result<Vec<Outcome<Answer>>, StoreError> {
        let claims = || batch.iter().map(Verified::claim);
        let mut facts = Facts::of_periods(tx, self.ledger, self.clock.now(), claims(), Lock::Stay).await?;
        let mut pen = ledger::lock(tx).await?;
        facts.now = self.clock.now(); // waiting for the lock may have taken a while
        facts.look_up_paid(tx, claims()).await?;
        let (mut entries, mut paid) = (Vec::new(), Vec::new());
        let mut outcomes = Vec::with_capacity(batch.len());
        for verified in batch {
            outcomes.push(match facts.decide(verified.claim(), verified.signal()) {
                Err(refused) => Err(refused),
                Ok(Decision::Repeat(answer)) => Ok(*answer),
                Ok(Decision::Pay(due)) => {
                    self.place(&mut pen, &facts, verified.claim(), due).map(|(entry, receipt)| {
                        let claim = PaidClaim { signal_hash: verified.signal(), receipt: receipt.clone() };
                        facts.paid.insert(key(verified.claim()), claim.clone());
                        entries.push(entry);
                        paid.push(claim);
                        Answer { is_new: true, receipt }
                    })
                }
            });
        }
        if !entries.is_empty() {
            ledger::write(tx, pen, &entries).await?;
            claims::insert(tx, &paid).await?;
        }
        Ok(outcomes)
    }

    /// The claim's entry in its place, and the receipt for it.
    fn place(
        &self,
        pen: &mut Pen,
        facts: &Facts,
        claim: &Claim,
        due: Due,
    ) -> Outcome<(Placed, Signed<ClaimReceipt>)> {
        let (recipient, fee) = (claim.terms.recipient, claim.terms.fee);
        let too_high = ClaimError::FeeTooHigh { fee, share: due.share };
        let draft = Draft::claim((claim.programme, claim.period), claim.nullifier, recipient, due.share, fee);
        let (Some(draft), Some(amount)) = (draft, due.share.checked_sub(fee)) else { return Err(too_high) };
        let entry = pen.place(draft, facts.now);
        let receipt = ClaimReceipt {
            programme: claim.programme,
            period: claim.period,
            nullifier: claim.nullifier,
            recipient,
            amount,
            ledger_sequence: entry.head().sequence,
            entry_hash: entry.head().hash,
            paid_at: facts.now,
        };
        Ok((entry, Signed::new(receipt, &self.signing)))
    }
}

/// What the database said to all is what it said to each.
fn flatten<T>(answer: Result<Outcome<T>, ProblemResponse>) -> Outcome<T> {
    answer.unwrap_or_else(|problem| Err(ClaimError::Unanswered(problem)))
}

#[cfg(test)]
mod tests;
