//! Checks proofs, with every check that arkworks leaves to its caller: the points are valid (see
//! [`points`](crate::points)), the public inputs are canonical (their types) and exactly four (their type).

use std::fmt;

use ark_bn254::Bn254;
use ark_groth16::{Groth16, PreparedVerifyingKey, prepare_verifying_key};
use unum_identity::proof::ProofBytes;

use crate::{Proof, Public, VerifyingKey};

/// Checks proofs made with one key.
pub struct Verifier(PreparedVerifyingKey<Bn254>);

/// The proof does not hold. Why is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not hold")]
pub struct InvalidProof;

impl Verifier {
    /// Prepares the key.
    pub fn new(key: &VerifyingKey) -> Self {
        Self(prepare_verifying_key(&key.0))
    }

    /// Checks that `proof` proves the statement with these public inputs.
    ///
    /// Many byte strings can prove one statement (see [`proof`](crate::proof)): never use them as an identity.
    ///
    /// # Errors
    ///
    /// [`InvalidProof`], whatever the reason.
    pub fn verify(&self, public: &Public, proof: &ProofBytes) -> Result<(), InvalidProof> {
        let proof = Proof::decode(proof).ok_or(InvalidProof)?.into();
        match Groth16::<Bn254>::verify_proof(&self.0, &proof, &public.to_inputs()) {
            Ok(true) => Ok(()),
            _ => Err(InvalidProof),
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

#[cfg(test)]
mod tests;
