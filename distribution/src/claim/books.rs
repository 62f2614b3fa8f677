//! Where claims are looked up and paid: the transactions, each for many claims at once.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use service::ProblemResponse;
use unum_identity::bytes::LedgerId;
use unum_identity::claim::{Claim, ClaimReceipt};
use unum_identity::field::{Root, SignalHash};
use unum_identity::signed::Signed;
use unum_identity::time::{Clock, UnixTime};

use super::facts::{Decision, Due, Facts, key};
use super::halves::by_halves;
use super::proofs::{Unverified, Verified};
use super::{Answer, ClaimError};
use crate::ledger::entry::Draft;
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

/// The same, before anything is made of it.
#[derive(Debug)]
enum Decided {
    Paid(Box<Signed<ClaimReceipt>>),
    Due(Root),
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
        let found = |((signal, claim), decided): ((SignalHash, Claim), Outcome<Decided>)| match decided? {
            Decided::Paid(receipt) => Ok(Found::Paid(Answer { is_new: false, receipt: *receipt }.into())),
            Decided::Due(root) => Ok(Found::Due(Unverified::new(claim, signal, root).into())),
        };
        signed.into_iter().zip(decided.into_iter().map(flatten)).map(found).collect()
    }

    async fn decide(
        &self,
        tx: &Tx,
        asked: &[(SignalHash, Claim)],
    ) -> Result<Vec<Outcome<Decided>>, StoreError> {
        let claims = || asked.iter().map(|(_, claim)| claim);
        // Who was paid is read last: a claim that another server pays in between is found, and not refused for what came after.
        let mut facts = Facts::of_periods(tx, self.ledger, self.clock.now(), claims(), Lock::None).await?;
        let receipts = facts.look_up_paid(tx, claims()).await?;
        let decide = |(signal, claim): &(SignalHash, Claim)| match facts.decide(claim, *signal)? {
            Decision::Repeat => Ok(Decided::Paid(receipts[&key(claim)].clone().into())),
            Decision::Pay(due) => Ok(Decided::Due(due.root)),
        };
        Ok(asked.iter().map(decide).collect())
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
        let mut receipts = facts.look_up_paid(tx, claims()).await?;
        let (mut entries, mut news) = (Vec::new(), Vec::new());
        let mut decided = Vec::with_capacity(batch.len());
        for verified in batch {
            let decision = facts.decide(verified.claim(), verified.signal()).and_then(|decision| {
                let Decision::Pay(due) = decision else { return Ok(false) };
                let (entry, receipt) = place(&mut pen, facts.now, verified.claim(), due)?;
                facts.paid.insert(key(verified.claim()), (verified.signal(), facts.now));
                entries.push(entry);
                news.push((verified, receipt));
                Ok(true)
            });
            decided.push(decision);
        }
        if !entries.is_empty() {
            let (new, unsigned): (Vec<_>, Vec<_>) = news.into_iter().unzip();
            // Receipts are signed while Postgres writes the entries.
            let (signed, ()) = tokio::try_join!(self.sign(unsigned), ledger::write(tx, pen, &entries))?;
            let paid: Vec<_> =
                new.iter().zip(&signed).map(|(new, s)| (new.claim(), new.signal(), s)).collect();
            claims::insert(tx, &paid).await?;
            receipts.extend(new.iter().map(|new| key(new.claim())).zip(signed));
        }
        let answer = |(decided, verified): (Outcome<bool>, &Verified)| {
            decided.map(|is_new| Answer { is_new, receipt: receipts[&key(verified.claim())].clone() })
        };
        Ok(decided.into_iter().zip(batch).map(answer).collect())
    }

    /// Off the threads that answer requests.
    async fn sign(&self, receipts: Vec<ClaimReceipt>) -> Result<Vec<Signed<ClaimReceipt>>, StoreError> {
        let signing = Arc::clone(&self.signing);
        let sign = move || receipts.into_iter().map(|receipt| Signed::new(receipt, &signing)).collect();
        tokio::task::spawn_blocking(sign).await.map_err(StoreError::damaged)
    }
}

/// The claim's entry in its place, and what its receipt says.
fn place(pen: &mut Pen, now: UnixTime, claim: &Claim, due: Due) -> Outcome<(Placed, ClaimReceipt)> {
    let (recipient, fee) = (claim.terms.recipient, claim.terms.fee);
    let too_high = ClaimError::FeeTooHigh { fee, share: due.share };
    let place = (claim.programme, claim.period);
    let draft = Draft::claim(place, claim.nullifier, recipient, due.share, fee, claim.relayer);
    let (Some(draft), Some(amount)) = (draft, due.share.checked_sub(fee)) else { return Err(too_high) };
    let entry = pen.place(draft, now);
    let receipt = ClaimReceipt {
        programme: claim.programme,
        period: claim.period,
        nullifier: claim.nullifier,
        recipient,
        amount,
        ledger_sequence: entry.head().sequence,
        entry_hash: entry.head().hash,
        paid_at: now,
    };
    Ok((entry, receipt))
}

/// What the database said to all is what it said to each.
fn flatten<T>(answer: Result<Outcome<T>, ProblemResponse>) -> Outcome<T> {
    answer.unwrap_or_else(|problem| Err(ClaimError::Unanswered(problem)))
}

#[cfg(test)]
mod tests;
