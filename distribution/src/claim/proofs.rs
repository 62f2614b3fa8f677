//! Proofs, checked together: as many batches at once as there are cores.
//!
//! How many are in a batch is for [`Batches`] to say: bad proofs make it smaller.

use std::sync::Arc;

use chacha20::ChaCha20Rng;
use circuits::{Batches, Public, Verifier};
use rand_core::{CryptoRng, SeedableRng as _};
use service::threads::Threads;
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

/// Checks proofs, on threads of its own: as many as told, which end when this is dropped.
#[derive(Clone)]
pub(super) struct Proofs(Threads<Vec<Unverified>, Vec<Result<Verified, ClaimError>>>);

impl Proofs {
    pub(super) fn start(verifier: Verifier, threads: usize, rng: &mut impl CryptoRng) -> Self {
        let batches = Arc::new(Batches::new(verifier, TOGETHER));
        let works = (0..threads).map(|_| {
            let (batches, mut weights) = (Arc::clone(&batches), ChaCha20Rng::from_rng(rng));
            move |claims| check(&batches, claims, &mut weights)
        });
        Self(Threads::start(works))
    }

    /// No answers at all if checking panics.
    pub(super) async fn check(self, claims: Vec<Unverified>) -> Vec<Result<Verified, ClaimError>> {
        self.0.ask(claims).await.unwrap_or_default()
    }
}

fn check(
    batches: &Batches,
    claims: Vec<Unverified>,
    weights: &mut ChaCha20Rng,
) -> Vec<Result<Verified, ClaimError>> {
    let proofs: Vec<(Public, ProofBytes)> = claims.iter().map(|c| (c.public, c.claim.proof)).collect();
    let holds = batches.hold(&proofs, weights);
    let verified = |Unverified { claim, signal, .. }| Verified { claim, signal };
    let answers = claims.into_iter().zip(holds);
    answers.map(|(claim, holds)| if holds { Ok(verified(claim)) } else { Err(ClaimError::Proof) }).collect()
}
