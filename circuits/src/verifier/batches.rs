//! Proofs by the batch, in batches that fit what comes in.
//!
//! A batch in which all hold costs a quarter of the same proofs one by one (`docs/measurements/money.md`); one in which many
//! do not costs more. So batches shrink when proofs fail, and grow while they hold: whoever sends bad ones cannot make a
//! server much slower than it would be without batches.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand_core::CryptoRng;
use unum_identity::proof::ProofBytes;

use super::{InvalidProofs, Verifier};
use crate::Public;

/// A verifier, and how many proofs it checks together. Shared by all threads that check.
pub struct Batches {
    verifier: Verifier,
    most: usize,
    /// Proofs that are checked together, for now.
    together: AtomicUsize,
}

impl Batches {
    /// Checks up to `most` proofs together, at least one.
    pub fn new(verifier: Verifier, most: usize) -> Self {
        let most = most.max(1);
        Self { verifier, most, together: AtomicUsize::new(most) }
    }

    /// Which of the proofs hold, in their order: exactly those that [`Verifier::verify`] accepts.
    pub fn hold(&self, proofs: &[(Public, ProofBytes)], rng: &mut dyn CryptoRng) -> Vec<bool> {
        let mut holds = vec![true; proofs.len()];
        let mut rest = 0;
        while rest < proofs.len() {
            let together = self.together.load(Ordering::Relaxed).min(proofs.len() - rest);
            let checked = self.verifier.verify_batch(&proofs[rest..rest + together], rng);
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
            0 => (2 * together).max(self.together.load(Ordering::Relaxed)).min(self.most),
            _ => (together / (2 * invalid)).max(1),
        };
        self.together.store(next, Ordering::Relaxed);
    }
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batches")
    }
}

#[cfg(test)]
mod tests {
    use rand_core::UnwrapErr;

    use super::*;
    use crate::keys::tests::KEY;
    use crate::verifier::tests::SEVERAL;

    #[test]
    fn batches_shrink_over_bad_proofs_and_grow_over_good_ones() {
        let batches = Batches::new(Verifier::new(&KEY.verifying_key()), 4);
        let rng = &mut UnwrapErr(getrandom::SysRng);
        let together = || batches.together.load(Ordering::Relaxed);
        let good = SEVERAL[0];
        let mut bad = good;
        bad.1.0[0] ^= 1;
        let hold = batches.hold(&[good, bad, good, good, bad], &mut *rng);
        assert_eq!(hold, [true, false, true, true, false]);
        assert_eq!(together(), 1, "half of the last ones failed");
        assert_eq!(batches.hold(&[good; 3], &mut *rng), [true; 3]);
        assert_eq!(together(), 4);
        assert_eq!(batches.hold(&[], &mut *rng), [false; 0]);
    }
}
