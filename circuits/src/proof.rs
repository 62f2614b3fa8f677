//! A proof as three points, and its bytes.
//!
//! A proof can be re-randomised by anyone, without any secret: two different byte strings can prove the same thing,
//! and the bytes identify nothing. What identifies a use is the nullifier.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use unum_identity::proof::ProofBytes;

use crate::points::{put_g1, put_g2, take_g1, take_on_twist};
use crate::subgroup;

/// A proof whose points are valid; whether it proves anything is for the verifier to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub(crate) a: G1Affine,
    pub(crate) b: G2Affine,
    pub(crate) c: G1Affine,
}

impl Proof {
    /// Reads a proof from outside; none unless every coordinate is canonical and every point is on its curve, in
    /// its subgroup, and not the identity.
    pub fn decode(bytes: &ProofBytes) -> Option<Self> {
        Self::decode_on_curve(bytes).filter(|proof| subgroup::contains(&proof.b))
    }

    /// As [`Proof::decode`], but for the subgroup of `B`: the verifier sees that on its way.
    pub(crate) fn decode_on_curve(bytes: &ProofBytes) -> Option<Self> {
        let mut rest = bytes.0.as_slice();
        let proof = Self { a: take_g1(&mut rest)?, b: take_on_twist(&mut rest)?, c: take_g1(&mut rest)? };
        assert!(rest.is_empty(), "two points of 64 bytes and one of 128 are 256");
        Some(proof)
    }

    /// Its one encoding.
    pub fn encode(&self) -> ProofBytes {
        let mut bytes = Vec::with_capacity(256);
        put_g1(&mut bytes, &self.a);
        put_g2(&mut bytes, &self.b);
        put_g1(&mut bytes, &self.c);
        ProofBytes(bytes.try_into().expect("two points of 64 bytes and one of 128 are 256"))
    }
}

impl From<Proof> for ark_groth16::Proof<Bn254> {
    fn from(Proof { a, b, c }: Proof) -> Self {
        Self { a, b, c }
    }
}

impl From<ark_groth16::Proof<Bn254>> for Proof {
    fn from(ark_groth16::Proof { a, b, c }: ark_groth16::Proof<Bn254>) -> Self {
        Self { a, b, c }
    }
}
