//! Many proofs at once.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, g1};
use ark_ec::pairing::Pairing;
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, One};
use rand_core::CryptoRng;
use unum_identity::proof::ProofBytes;

use super::lines::lines;
use super::miller::miller_loop;
use super::weight::Weight;
use super::{G2Prepared, Verifier};
use crate::{Proof, Public};

/// Some proofs of a batch do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} proofs of the batch do not hold, the first at {}", positions.len(), positions[0])]
pub struct InvalidProofs {
    /// Where they stand in the batch, in ascending order; at least one.
    pub positions: Vec<usize>,
}

/// A proof whose points are valid, with its place in the batch.
struct Entry<'a> {
    position: usize,
    public: &'a Public,
    proof: Proof,
    /// Of the proof's `B`.
    lines: G2Prepared,
}

impl Verifier {
    /// Checks many proofs at once, several times faster than one by one if all hold: a random combination of them is
    /// checked, with weights of 128 bits from `rng`. A batch with an invalid proof passes with probability 2⁻¹²⁸.
    ///
    /// If it does not pass, halves of it are checked until every invalid proof is found; with many of them that takes
    /// up to three times as long as one by one, so let whoever sends such a batch pay for it.
    ///
    /// # Errors
    ///
    /// Exactly the proofs that [`Verifier::verify`] refuses.
    pub fn verify_batch(
        &self,
        batch: &[(Public, ProofBytes)],
        rng: &mut dyn CryptoRng,
    ) -> Result<(), InvalidProofs> {
        let mut positions = Vec::new();
        let mut entries = Vec::with_capacity(batch.len());
        for (position, (public, bytes)) in batch.iter().enumerate() {
            let proof = Proof::decode_on_curve(bytes);
            match proof.and_then(|proof| lines(&proof.b).map(|lines| (proof, lines))) {
                Some((proof, lines)) => entries.push(Entry { position, public, proof, lines }),
                None => positions.push(position),
            }
        }
        self.find_invalid(&entries, rng, &mut positions);
        positions.sort_unstable();
        if positions.is_empty() { Ok(()) } else { Err(InvalidProofs { positions }) }
    }

    /// Appends the positions of those entries that do not hold.
    fn find_invalid(&self, entries: &[Entry<'_>], rng: &mut dyn CryptoRng, positions: &mut Vec<usize>) {
        match entries {
            [] => {}
            [entry] => {
                if !self.holds(entry.public, &entry.proof, &entry.lines) {
                    positions.push(entry.position);
                }
            }
            _ if self.all_hold(entries, rng) => {}
            _ => {
                let (left, right) = entries.split_at(entries.len() / 2);
                self.find_invalid(left, rng, positions);
                self.find_invalid(right, rng, positions);
            }
        }
    }

    /// The equations of all entries, each to the power of its weight, multiplied.
    fn all_hold(&self, entries: &[Entry<'_>], rng: &mut dyn CryptoRng) -> bool {
        let weights: Vec<Weight> = entries.iter().map(|_| Weight::random(rng)).collect();
        let mut total = Fr::ZERO;
        let mut inputs = [Fr::ZERO; 4];
        for (entry, weight) in entries.iter().zip(&weights) {
            let weight = weight.value();
            total += weight;
            for (sum, input) in inputs.iter_mut().zip(entry.public.to_inputs()) {
                *sum += input * weight;
            }
        }
        let inputs = self.inputs.combination(&inputs) + self.inputs.constant() * total;
        let mut left: Vec<_> =
            entries.iter().zip(&weights).map(|(entry, weight)| weight.times(&entry.proof.a)).collect();
        left.extend([inputs, weighted_c(entries, &weights), self.alpha_g1 * -total]);
        let fixed = [&self.minus_gamma_g2, &self.minus_delta_g2, &self.beta_g2];
        let right = entries.iter().map(|entry| &entry.lines).chain(fixed);
        let product = miller_loop(G1Projective::normalize_batch(&left).into_iter().zip(right));
        Bn254::final_exponentiation(product).is_some_and(|product| product.0.is_one())
    }
}

/// `Σ weightᵢ·Cᵢ`.
fn weighted_c(entries: &[Entry<'_>], weights: &[Weight]) -> G1Projective {
    let points =
        entries.iter().flat_map(|entry| [entry.proof.c, g1::Config::endomorphism_affine(&entry.proof.c)]);
    let halves = weights.iter().flat_map(|weight| [weight.a, weight.b]);
    G1Projective::msm_u64(&points.collect::<Vec<G1Affine>>(), &halves.collect::<Vec<u64>>())
}

#[cfg(test)]
mod tests {
    use rand_core::UnwrapErr;

    use super::*;
    use crate::verifier::tests::{SEVERAL, VERIFIER};

    /// If the equation of all never held, every answer would still be right, and slow: the halves find the truth.
    #[test]
    fn what_is_valid_holds_together() {
        let entry = |position: usize| {
            let (public, bytes) = &SEVERAL[position];
            let proof = Proof::decode(bytes).unwrap();
            Entry { position, public, lines: lines(&proof.b).unwrap(), proof }
        };
        let mut entries: Vec<_> = (0..3).map(entry).collect();
        let rng = &mut UnwrapErr(getrandom::SysRng);
        assert!(VERIFIER.all_hold(&entries, rng) && VERIFIER.all_hold(&entries[..1], rng));
        entries[1].public = &SEVERAL[3].0;
        assert!(!VERIFIER.all_hold(&entries, rng));
    }
}
