//! Unmodified arkworks with its own reduction, key and matrices.

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, ProvingKey};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, Matrix, OptimizationGoal, R1CS_PREDICATE_LABEL, SynthesisMode,
};
use ark_std::UniformRand;
use circuits::membership::Assignment;
use circuits::{Circuit, Private, Public};

/// The peer, with the assignment of one statement.
pub(crate) struct Peer {
    key: ProvingKey<Bn254>,
    matrices: Vec<Matrix<Fr>>,
    inputs: usize,
    constraints: usize,
    assignment: Vec<Fr>,
}

impl Peer {
    pub(crate) fn new(public: &Public, private: &Private) -> Self {
        let rng = &mut ark_std::test_rng();
        let key = Groth16::<Bn254>::generate_random_parameters_with_reduction(Circuit::shape(), rng);
        let cs = ConstraintSystem::new_ref();
        cs.set_optimization_goal(OptimizationGoal::Constraints);
        cs.set_mode(SynthesisMode::Setup);
        Circuit::shape().generate_constraints(cs.clone()).expect("the shape is a circuit");
        cs.finalize();
        let mut matrices = cs.to_matrices().expect("setup builds the matrices");
        Self {
            key: key.expect("the circuit's domain exists"),
            matrices: matrices.remove(R1CS_PREDICATE_LABEL).expect("all constraints are of rank one"),
            inputs: cs.num_instance_variables(),
            constraints: cs.num_constraints(),
            assignment: Assignment::new(public, private).expect("the statement is true").variables().to_vec(),
        }
    }

    /// The values that it is handed.
    pub(crate) fn assignment(&self) -> &[Fr] {
        &self.assignment
    }

    pub(crate) fn prove(&self) {
        let rng = &mut ark_std::test_rng();
        let proof = Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
            &self.key,
            Fr::rand(rng),
            Fr::rand(rng),
            &self.matrices,
            self.inputs,
            self.constraints,
            &self.assignment,
        );
        std::hint::black_box(proof.expect("the statement is true"));
    }
}
