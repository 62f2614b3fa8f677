//! Proofs, checked together: as many batches at once as there are cores.
//!
//! How many are in a batch is for [`Batches`] to say: bad proofs make it smaller.

use circuits::{Batches, Public};
use rand_core::CryptoRng;
use unum_identity::claim::Claim;
use unum_identity::field::{ExternalNullifier, Root, SignalHash};
use unum_identity::proof::ProofBytes;

use super::ClaimError;

/// Proofs in a batch at most, when so many wait: less than a third of the cost of one by one. Those of 32 cost a tenth more, and they
/// come to be paid in as small transactions (`docs/measurements/money.md`).
pub(super) const TOGETHER: usize = 128;

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

/// Which of the proofs hold.
pub(super) fn check(
    batches: &Batches,
    claims: Vec<Unverified>,
    weights: &mut impl CryptoRng,
) -> Vec<Result<Verified, ClaimError>> {
    let proofs: Vec<(Public, ProofBytes)> = claims.iter().map(|c| (c.public, c.claim.proof)).collect();
    let holds = batches.hold(&proofs, weights);
    let verified = |Unverified { claim, signal, .. }| Verified { claim, signal };
    let answers = claims.into_iter().zip(holds);
    answers.map(|(claim, holds)| if holds { Ok(verified(claim)) } else { Err(ClaimError::Proof) }).collect()
}
