//! Proofs, checked together: as many batches at once as there are cores.
//!
//! A batch in which all hold costs a quarter of the same proofs one by one (`docs/measurements/money.md`); one in which many
//! do not costs more. So batches shrink when proofs fail, and grow while they hold: whoever sends bad ones cannot make the
//! server much slower than it would be without batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use chacha20::ChaCha20Rng;
use circuits::{InvalidProofs, Public, Verifier};
use rand_core::{CryptoRng, SeedableRng as _};
use tokio::sync::oneshot;
use unum_identity::claim::Claim;
use unum_identity::field::{ExternalNullifier, Root, SignalHash};
use unum_identity::proof::ProofBytes;

use super::ClaimError;

/// Proofs in a batch: a quarter of the cost of one by one, as a batch of 128 has it (`docs/measurements/money.md`, `proofs.md`), and
/// everybody in it waits for a quarter as many.
pub(super) const TOGETHER: usize = 32;

/// A claim that is due, if its proof holds.
#[derive(Debug)]
pub(super) struct Unverified {
    claim: Claim,
    signal: SignalHash,
    public: Public,
}

impl Unverified {
    /// `root` is that of the claim's period.
    pub(super) fn new(claim: Claim, signal: SignalHash, root: Root) -> Self {
        let public = Public {
            root,
            nullifier: claim.nullifier,
            signal_hash: signal,
            external_nullifier: ExternalNullifier::of_claim(&claim.programme, claim.period),
        };
        Self { claim, signal, public }
    }
}

/// A claim whose proof holds. Made here and nowhere else, so that nothing else is ever paid.
#[derive(Clone, Debug)]
pub struct Verified {
    claim: Claim,
    signal: SignalHash,
}

impl Verified {
    pub(super) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(super) fn signal(&self) -> SignalHash {
        self.signal
    }

    /// As if it had been checked: for tests of what comes after.
    #[cfg(test)]
    pub(super) fn assumed(claim: Claim) -> Self {
        Self { signal: claim.terms.signal_hash(), claim }
    }
}

/// How far the threads that check proofs step aside. They would use every core to the end of their batch, while the database and
/// those who wait for it need little, and now: at 5 levels, three times the weight (`man 7 sched`).
const NICE: i32 = 5;

/// Checks proofs, on threads of its own: as many as told, which end when this is dropped.
#[derive(Clone)]
pub(super) struct Proofs(mpsc::Sender<Job>);

struct Job {
    claims: Vec<Unverified>,
    answers: oneshot::Sender<Vec<Result<Verified, ClaimError>>>,
}

impl Proofs {
    pub(super) fn start(verifier: Verifier, threads: usize, rng: &mut impl CryptoRng) -> Self {
        let seeds = Mutex::new(ChaCha20Rng::from_rng(rng));
        let checker = Arc::new(Checker { verifier, seeds, together: AtomicUsize::new(TOGETHER) });
        let (sender, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads {
            let (checker, jobs) = (Arc::clone(&checker), Arc::clone(&jobs));
            std::thread::spawn(move || work_off(&checker, &jobs));
        }
        Self(sender)
    }

    /// No answers at all if checking panics.
    pub(super) async fn check(self, claims: Vec<Unverified>) -> Vec<Result<Verified, ClaimError>> {
        let (answers, answered) = oneshot::channel();
        self.0.send(Job { claims, answers }).ok(); // if there are no threads any more, nobody answers
        answered.await.unwrap_or_default()
    }
}

fn work_off(checker: &Checker, jobs: &Mutex<mpsc::Receiver<Job>>) {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::warn!(%error, "proofs are checked with the same right to the cores as everything else");
    }
    // Whoever holds the lock waits for the next job, so that nobody can break what it guards.
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(Job { claims, answers }) = next() {
        let Ok(checked) = catch_unwind(AssertUnwindSafe(|| checker.check(claims))) else {
            tracing::error!("checking proofs panicked");
            continue;
        };
        answers.send(checked).ok(); // nobody may wait any more
    }
}

/// What the threads share.
struct Checker {
    verifier: Verifier,
    /// Seeds of the generators that weigh the proofs of a batch.
    seeds: Mutex<ChaCha20Rng>,
    /// Proofs that are checked together, for now.
    together: AtomicUsize,
}

impl Checker {
    fn check(&self, claims: Vec<Unverified>) -> Vec<Result<Verified, ClaimError>> {
        let holds = self.hold(&claims);
        let verified = |Unverified { claim, signal, .. }| Verified { claim, signal };
        let answers = claims.into_iter().zip(holds);
        answers
            .map(|(claim, holds)| if holds { Ok(verified(claim)) } else { Err(ClaimError::Proof) })
            .collect()
    }

    /// Which of the proofs hold.
    fn hold(&self, claims: &[Unverified]) -> Vec<bool> {
        let mut rng = {
            // A generator is good in any state.
            let mut seeds = self.seeds.lock().unwrap_or_else(PoisonError::into_inner);
            ChaCha20Rng::from_rng(&mut *seeds)
        };
        let proofs: Vec<(Public, ProofBytes)> = claims.iter().map(|c| (c.public, c.claim.proof)).collect();
        let mut holds = vec![true; proofs.len()];
        let mut rest = 0;
        while rest < proofs.len() {
            let together = self.together.load(Ordering::Relaxed).min(proofs.len() - rest);
            let checked = self.verifier.verify_batch(&proofs[rest..rest + together], &mut rng);
            if let Err(InvalidProofs { positions }) = &checked {
                for position in positions {
                    holds[rest + position] = false;
                }
            }
            self.learn(together, checked.err().map_or(0, |invalid| invalid.positions.len()));
            rest += together;
        }
        holds
    }

    /// The next batch is of a size that would have been all good, as often as not; or of twice this size.
    fn learn(&self, together: usize, invalid: usize) {
        let next = match invalid {
            0 => (2 * together).max(self.together.load(Ordering::Relaxed)).min(TOGETHER),
            _ => (together / (2 * invalid)).max(1),
        };
        self.together.store(next, Ordering::Relaxed);
    }
}
