//! Makes proofs. Holds the proving key and the circuit's matrices; each proof computes its assignment, six Fourier
//! transforms and five multi-scalar multiplications, on all cores.
//!
//! Its own copies of private values are wiped. arkworks makes short-lived copies of the assignment that are not; they
//! stay in the wallet's own process.

use std::fmt;

use ark_bn254::{Bn254, Fr};
use ark_groth16::Groth16;
use ark_std::UniformRand;
use rand_core::CryptoRng;
use unum_identity::proof::ProofBytes;

use crate::quotient::Quotient;
use crate::randomness::Randomness;
use crate::relation::{Relation, assignment};
use crate::{CheckError, Circuit, Private, Proof, ProvingKey, Public, check};

/// Makes proofs with one key.
pub struct Prover {
    key: ark_groth16::ProvingKey<Bn254>,
    relation: Relation,
}

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The statement is not true.
    #[error(transparent)]
    Untrue(#[from] CheckError),
}

impl Prover {
    /// Builds the circuit's matrices. Keep the prover: a proof does not build them again.
    pub fn new(key: ProvingKey) -> Self {
        Self { key: key.0, relation: Relation::build() }
    }

    /// Proves the statement.
    ///
    /// # Errors
    ///
    /// [`ProveError::Untrue`] if it is not true.
    pub fn prove(
        &self,
        public: &Public,
        private: &Private,
        rng: &mut impl CryptoRng,
    ) -> Result<ProofBytes, ProveError> {
        check(public, private)?;
        let assignment = assignment(Circuit::new(public, private));
        let mut randomness = Randomness(rng);
        let (r, s) = (Fr::rand(&mut randomness), Fr::rand(&mut randomness));
        let proof = Groth16::<Bn254, Quotient>::create_proof_with_reduction_and_matrices(
            &self.key,
            r,
            s,
            &self.relation.matrices,
            self.relation.instance_variables,
            self.relation.constraints(),
            &assignment,
        );
        Ok(Proof::from(proof.expect("the circuit's domain exists")).encode())
    }
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prover")
    }
}
