//! The statement as constraints: 7,956 of them, on a domain of 2¹³.
//!
//! | constraints | for |
//! |---|---|
//! | 240 + 213 | commitment `H1(H2(nullifier_key, trapdoor))` |
//! | 30 · (1 + 1 + 240) | each level: the bit is a bit, our node goes left or right, the two are hashed |
//! | 1 | the last node is the root |
//! | 240 + 1 | `H2(external_nullifier, nullifier_key)` is the nullifier |
//! | 1 | the signal is bound |
//!
//! Both hashes of `nullifier_key` read the same wire: that is what ties a nullifier to a leaf.

use std::fmt;

use ark_bn254::Fr;
use ark_r1cs_std::alloc::AllocVar;
use ark_r1cs_std::eq::EqGadget;
use ark_r1cs_std::fields::FieldVar;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, Result};
use unum_identity::set::DEPTH;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::public::Inputs;
use super::{Private, Public};
use crate::poseidon;

/// A value for every input wire. Any values, also ones that break the statement: the constraints are the judge.
#[derive(Clone)]
pub struct Circuit {
    pub(super) public: Inputs<Fr>,
    pub(super) secret: SecretWires,
}

/// Values of the private wires.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct SecretWires {
    pub nullifier_key: Fr,
    pub trapdoor: Fr,
    pub levels: [Level; DEPTH],
}

/// One level of the path, leaf first.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Level {
    /// 1 if our node is the right child, 0 if the left.
    pub is_right: Fr,
    pub sibling: Fr,
}

impl Circuit {
    /// The circuit with the values of one statement.
    pub fn new(public: &Public, private: &Private) -> Self {
        let levels = private
            .path
            .steps()
            .map(|step| Level { is_right: Fr::from(step.is_right()), sibling: step.sibling().into() });
        let secret = SecretWires {
            nullifier_key: private.identity.nullifier_key().into(),
            trapdoor: private.identity.trapdoor().into(),
            levels,
        };
        Self { public: public.into(), secret }
    }

    /// The circuit's shape: its values are zeros, which satisfy nothing.
    pub fn shape() -> Self {
        let zero = Fr::from(0);
        let secret = SecretWires {
            nullifier_key: zero,
            trapdoor: zero,
            levels: [Level { is_right: zero, sibling: zero }; DEPTH],
        };
        Self { public: zero.into(), secret }
    }
}

impl ConstraintSynthesizer<Fr> for Circuit {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let public = self.public.in_order(|_, value| FpVar::new_input(cs.clone(), || Ok(value)))?;
        let private = |value: Fr| FpVar::new_witness(cs.clone(), || Ok(value));

        let nullifier_key = private(self.secret.nullifier_key)?;
        let secret_hash = poseidon::hash2(&nullifier_key, &private(self.secret.trapdoor)?)?;
        let mut node = poseidon::hash1(&secret_hash)?; // the commitment
        for level in &self.secret.levels {
            node = parent(&node, &private(level.is_right)?, &private(level.sibling)?)?;
        }
        node.enforce_equal(&public.root)?;

        poseidon::hash2(&public.external_nullifier, &nullifier_key)?.enforce_equal(&public.nullifier)?;

        // The square is read by nothing: it puts the signal into a constraint. Where no constraint reads an input, its
        // point in the verifying key may be the identity, and the proof then holds for every value of it. arkworks
        // adds a row for each input by itself; a prover of the same circuit that does not must be as safe.
        let _square = public.signal_hash.square()?;
        Ok(())
    }
}

/// The node above `node` and its sibling.
fn parent(node: &FpVar<Fr>, is_right: &FpVar<Fr>, sibling: &FpVar<Fr>) -> Result<FpVar<Fr>> {
    is_right.square_equals(is_right)?; // a bit
    let left = node + is_right * (sibling - node);
    let right = node + sibling - &left;
    poseidon::hash2(&left, &right)
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Circuit")
    }
}
