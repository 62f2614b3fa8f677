//! Checks proofs, with every check that arkworks leaves to its caller: the points are valid (see
//! [`points`](crate::points)), the public inputs are canonical (their types) and exactly four (their type).
//!
//! One proof is four pairings under one final exponentiation, one of them computed beforehand. Of many proofs at once a
//! random combination is checked, which leaves one pairing for each (Bellare, Garay and Rabin 1998, the small-exponents
//! test; applied to Groth16 in Bowe, Gabizon and Miers 2017 and by Zcash).

mod batch;
mod batches;
mod inputs;
mod lines;
mod weight;

use std::fmt;

use ark_bn254::{Bn254, Fq12, G2Affine};
use ark_ec::pairing::Pairing;
use unum_identity::proof::ProofBytes;

pub use batch::InvalidProofs;
pub use batches::Batches;

use crate::verifier::inputs::Inputs;
use crate::{Proof, Public, VerifyingKey};

type G2Prepared = <Bn254 as Pairing>::G2Prepared;

/// Checks proofs made with one key.
pub struct Verifier {
    alpha_g1: ark_bn254::G1Affine,
    beta_g2: G2Prepared,
    /// `e(α, β)`.
    alpha_beta: Fq12,
    minus_gamma_g2: G2Prepared,
    minus_delta_g2: G2Prepared,
    inputs: Inputs,
}

/// The proof does not hold. Why is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not hold")]
pub struct InvalidProof;

impl Verifier {
    /// Prepares the key: 10 ms and 2 MB. Keep the verifier.
    pub fn new(key: &VerifyingKey) -> Self {
        let key = &key.0;
        let minus = |point: G2Affine| G2Prepared::from(-point);
        Self {
            alpha_g1: key.alpha_g1,
            beta_g2: key.beta_g2.into(),
            alpha_beta: Bn254::pairing(key.alpha_g1, key.beta_g2).0,
            minus_gamma_g2: minus(key.gamma_g2),
            minus_delta_g2: minus(key.delta_g2),
            inputs: Inputs::new(&key.gamma_abc_g1),
        }
    }

    /// Checks that `proof` proves the statement with these public inputs.
    ///
    /// Many byte strings can prove one statement (see [`proof`](crate::proof)): never use them as an identity.
    ///
    /// # Errors
    ///
    /// [`InvalidProof`], whatever the reason.
    pub fn verify(&self, public: &Public, proof: &ProofBytes) -> Result<(), InvalidProof> {
        let proof = Proof::decode_on_curve(proof).ok_or(InvalidProof)?;
        let lines = lines::lines(&proof.b).ok_or(InvalidProof)?;
        if self.holds(public, &proof, lines) { Ok(()) } else { Err(InvalidProof) }
    }

    /// `e(A, B) = e(α, β) · e(Σ inputᵢ·pointᵢ, γ) · e(C, δ)` (Groth 2016, section 3.2), with the
    /// lines of `B`.
    fn holds(&self, public: &Public, proof: &Proof, lines: G2Prepared) -> bool {
        let left = [proof.a, self.inputs.sum(&public.to_inputs()), proof.c];
        let right = [lines, self.minus_gamma_g2.clone(), self.minus_delta_g2.clone()];
        let product = Bn254::final_exponentiation(Bn254::multi_miller_loop(left, right));
        product.is_some_and(|product| product.0 == self.alpha_beta)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

#[cfg(test)]
mod tests;
