//! The circuit as matrices `A·z ∘ B·z = C·z`, and its description, pinned in `circuit.json`.
//!
//! Keys hold for one relation only: they carry the hash of its description's matrices.

use std::fmt;
use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, Matrix, OptimizationGoal,
    R1CS_PREDICATE_LABEL, SynthesisMode,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unum_identity::bytes::CircuitHash;
use unum_identity::field::FieldElement;
use unum_identity::set::DEPTH;

use crate::{Circuit, Public};

/// The three matrices. Built once; a proof only computes the assignment `z`.
#[derive(Clone)]
pub struct Relation {
    pub(crate) matrices: Vec<Matrix<Fr>>,
    pub(crate) instance_variables: usize,
    pub(crate) witness_variables: usize,
}

impl Relation {
    /// Builds the matrices of the circuit.
    pub fn build() -> Self {
        let cs = synthesise(Circuit::shape(), SynthesisMode::Setup);
        cs.finalize();
        let mut matrices = cs.to_matrices().expect("setup builds the matrices");
        Self {
            matrices: matrices.remove(R1CS_PREDICATE_LABEL).expect("all constraints are of rank one"),
            instance_variables: cs.num_instance_variables(),
            witness_variables: cs.num_witness_variables(),
        }
    }

    /// Number of constraints.
    pub fn constraints(&self) -> usize {
        self.matrices[0].len()
    }

    /// What to compare with the pinned file.
    pub fn describe(&self) -> Description {
        Description {
            depth: DEPTH,
            public_inputs: Public::names().map(str::to_owned).to_vec(),
            constraints: self.constraints(),
            instance_variables: self.instance_variables,
            witness_variables: self.witness_variables,
            domain: (self.constraints() + self.instance_variables).next_power_of_two(),
            non_zeros: self.matrices.iter().map(|matrix| matrix.iter().map(Vec::len).sum()).collect(),
            sha256: self.hash(),
        }
    }

    /// SHA-256 of the matrices A, B, C in turn, each row as its length and its entries in order of column: column
    /// and value. Lengths and columns are `u32`, values 32 bytes, all big-endian.
    fn hash(&self) -> CircuitHash {
        let mut hash = Sha256::new();
        for row in self.matrices.iter().flatten() {
            let mut entries: Vec<_> = row.iter().collect();
            entries.sort_unstable_by_key(|(_, column)| *column);
            hash.update((entries.len() as u32).to_be_bytes());
            for (value, column) in entries {
                hash.update((*column as u32).to_be_bytes());
                hash.update(FieldElement::from(*value).to_be_bytes());
            }
        }
        CircuitHash(hash.finalize().into())
    }
}

impl fmt::Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relation").field("constraints", &self.constraints()).finish_non_exhaustive()
    }
}

/// The value of every variable as the circuit gives it: what tests compare the prover's own values with.
#[cfg(test)]
pub(crate) fn assignment(circuit: Circuit) -> Vec<Fr> {
    let values_only = SynthesisMode::Prove { construct_matrices: false, generate_lc_assignments: false };
    let cs = synthesise(circuit, values_only);
    let cs = cs.into_inner().expect("nobody else holds it");
    [&cs.assignments.instance_assignment[..], &cs.assignments.witness_assignment].concat()
}

fn synthesise(circuit: Circuit, mode: SynthesisMode) -> ConstraintSystemRef<Fr> {
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(mode);
    circuit.generate_constraints(cs.clone()).expect("every wire has a value");
    cs
}

/// The circuit in a few facts. A change of any of them makes all keys useless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Levels of the set.
    pub depth: usize,
    /// Names of the public inputs, in order.
    pub public_inputs: Vec<String>,
    /// Number of constraints.
    pub constraints: usize,
    /// The constant 1 and the public inputs.
    pub instance_variables: usize,
    /// Private variables.
    pub witness_variables: usize,
    /// Size of the evaluation domain: the least power of two that holds constraints and instance variables.
    pub domain: usize,
    /// Entries of A, B and C that are not zero.
    pub non_zeros: Vec<usize>,
    /// Hash of the matrices.
    pub sha256: CircuitHash,
}

impl Description {
    /// The description that this build's keys must match. A test compares it with the circuit itself.
    pub fn pinned() -> &'static Self {
        static PINNED: LazyLock<Description> = LazyLock::new(|| {
            serde_json::from_str(include_str!("../circuit.json")).expect("the file is tested")
        });
        &PINNED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circuit_is_the_pinned_one() {
        let description = Relation::build().describe();
        assert_eq!(&description, Description::pinned(), "new circuit.json:\n{description:#?}");
        assert_eq!((description.constraints, description.domain), (7_956, 1 << 13));
        assert_eq!(format!("{:?}", Relation::build()), "Relation { constraints: 7956, .. }");
    }
}
