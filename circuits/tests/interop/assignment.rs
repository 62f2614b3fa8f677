//! The circuit as anyone sees it who only has the constraint system: which assignments satisfy it, and that no private
//! variable can have another value.

use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{UniformRand, Zero};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, Matrix, OptimizationGoal,
    R1CS_PREDICATE_LABEL, SynthesisMode,
};
use circuits::{Circuit, Description, Private, Public, check};
use unum_identity::field::{ExternalNullifier, Nullifier, Root, SignalHash};

use crate::statements::statement;

/// The matrices, and for each variable the rows that read it.
pub(crate) struct Relation {
    matrices: Vec<Matrix<Fr>>,
    readers: Vec<Vec<usize>>,
}

pub(crate) static RELATION: LazyLock<Relation> = LazyLock::new(Relation::build);

enum Role {
    Bit(usize),
    /// Wire, and its coefficient in C.
    Defines(usize, Fr),
    /// Public input, and its coefficient in A; B is the constant 1.
    Compares(usize, Fr),
}

impl Relation {
    fn build() -> Self {
        let cs = synthesise(Circuit::shape(), SynthesisMode::Setup);
        cs.finalize();
        let matrices = cs.to_matrices().unwrap().remove(R1CS_PREDICATE_LABEL).unwrap();
        let mut readers = vec![Vec::new(); cs.num_instance_variables() + cs.num_witness_variables()];
        for (row, entries) in matrices.iter().flat_map(|matrix| matrix.iter().enumerate()) {
            for (_, column) in entries {
                readers[*column].push(row);
            }
        }
        Self { matrices, readers }
    }

    fn holds(&self, row: usize, z: &[Fr]) -> bool {
        let [a, b, c] = [0, 1, 2].map(|matrix| {
            let entries: &Vec<(Fr, usize)> = &self.matrices[matrix][row];
            entries.iter().map(|(coefficient, column)| *coefficient * z[*column]).sum::<Fr>()
        });
        a * b == c
    }

    pub(crate) fn is_satisfied(&self, z: &[Fr]) -> bool {
        (0..self.matrices[0].len()).all(|row| self.holds(row, z))
    }

    fn broken(&self, z: &[Fr]) -> Vec<usize> {
        (0..self.matrices[0].len()).filter(|row| !self.holds(*row, z)).collect()
    }

    /// `A·z · B·z` of a row.
    fn product(&self, row: usize, z: &[Fr]) -> Fr {
        let evaluate = |matrix: usize| -> Fr {
            let entries: &Vec<(Fr, usize)> = &self.matrices[matrix][row];
            entries.iter().map(|(coefficient, column)| *coefficient * z[*column]).sum()
        };
        evaluate(0) * evaluate(1)
    }

    /// What a row does: says that a wire is a bit, defines a wire by a product, or compares with a public input.
    fn role(&self, row: usize) -> Role {
        let [a, _, c] = [0, 1, 2].map(|matrix: usize| &self.matrices[matrix][row]);
        let public = |(_, column): &&(Fr, usize)| (1..=Public::names().len()).contains(column);
        match c[..] {
            [(_, wire)] if a.iter().any(|(_, column)| *column == wire) => Role::Bit(wire),
            [(coefficient, wire)] => Role::Defines(wire, coefficient),
            [] => {
                let (coefficient, input) = *a.iter().find(public).expect("the rest of the rows compare");
                Role::Compares(input, coefficient)
            }
            _ => panic!("row {row} is of another kind"),
        }
    }

    /// Computes every wire that rows from `from` on define, and makes the public inputs what comes out.
    fn follow(&self, z: &mut [Fr], from: usize) {
        for row in from..self.matrices[0].len() {
            match self.role(row) {
                Role::Bit(_) => {}
                Role::Defines(wire, coefficient) => z[wire] = self.product(row, z) / coefficient,
                Role::Compares(input, coefficient) => z[input] -= self.product(row, z) / coefficient,
            }
        }
    }

    /// Whether any row that reads `variable` refuses `value` for it. The other rows cannot tell.
    fn refuses(&self, z: &mut [Fr], variable: usize, value: Fr) -> bool {
        let honest = std::mem::replace(&mut z[variable], value);
        let refused = self.readers[variable].iter().any(|row| !self.holds(*row, z));
        z[variable] = honest;
        refused
    }
}

/// Every variable's value: 1, the public inputs, the private ones.
pub(crate) fn assign(public: &Public, private: &Private) -> Vec<Fr> {
    let values = SynthesisMode::Prove { construct_matrices: false, generate_lc_assignments: false };
    let cs = synthesise(Circuit::new(public, private), values).into_inner().unwrap();
    [&cs.assignments.instance_assignment[..], &cs.assignments.witness_assignment].concat()
}

fn synthesise(circuit: Circuit, mode: SynthesisMode) -> ConstraintSystemRef<Fr> {
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(mode);
    circuit.generate_constraints(cs.clone()).unwrap();
    cs
}

#[test]
fn it_is_the_circuit_that_keys_are_made_for() {
    let (relation, pinned) = (&*RELATION, Description::pinned());
    assert_eq!(relation.matrices[0].len(), pinned.constraints);
    assert_eq!(relation.readers.len(), pinned.instance_variables + pinned.witness_variables);
}

/// Every one of the private variables, with every kind of other value: next to it, its negative, nothing, its
/// complement (for bits), and a random one. A left and a right edge of the set, and a place in its middle.
#[test]
fn no_private_variable_can_have_another_value() {
    let relation = &*RELATION;
    let first = Description::pinned().instance_variables;
    let mut rng = ark_std::test_rng();
    for (person, people) in [(0, 1), (6, 7), (5, 11)] {
        let (public, private) = statement(person, people);
        let mut z = assign(&public, &private);
        assert!(relation.is_satisfied(&z));
        let mut tried = 0;
        for variable in first..z.len() {
            let honest = z[variable];
            let one = Fr::from(1);
            for value in [honest + one, honest - one, -honest, Fr::zero(), one - honest, Fr::rand(&mut rng)] {
                if value != honest {
                    assert!(relation.refuses(&mut z, variable, value), "variable {variable} may be {value}");
                    tried += 1;
                }
            }
        }
        assert!(tried >= 5 * Description::pinned().witness_variables, "{tried}");
        assert!(relation.is_satisfied(&z), "each was put back");
    }
}

/// A prover who changes two variables at once: those that the same row reads, so that one may make up for the other.
#[test]
fn no_two_variables_of_a_row_make_up_for_each_other() {
    let relation = &*RELATION;
    let first = Description::pinned().instance_variables;
    let (public, private) = statement(2, 5);
    let mut z = assign(&public, &private);
    for row in 0..relation.matrices[0].len() {
        // The variable that the row's product gives, and one that goes into it.
        let [(coefficient, output)] = relation.matrices[2][row][..] else { continue };
        let Some((_, input)) = relation.matrices[0][row].iter().find(|(_, column)| *column >= first) else {
            continue;
        };
        if output == *input || output < first {
            continue; // a bit
        }
        let before = (z[*input], z[output]);
        z[*input] += Fr::from(1);
        z[output] = relation.product(row, &z) / coefficient;
        assert!(relation.holds(row, &z), "row {row} itself does not see it");
        let seen =
            [*input, output].iter().flat_map(|v| &relation.readers[*v]).any(|r| !relation.holds(*r, &z));
        assert!(seen, "row {row}: no other row sees it");
        (z[*input], z[output]) = before;
    }
}

/// Every constraint, broken alone: everything after it is computed honestly from the wrong value, and root and
/// nullifier are what comes out, so that no other row notices. What comes out is a false statement.
#[test]
#[ignore = "two minutes: every row, against every row"]
fn every_constraint_is_needed() {
    let relation = &*RELATION;
    let (public, private) = statement(3, 5);
    let honest = assign(&public, &private);
    let mut followed = honest.clone();
    relation.follow(&mut followed, 0);
    assert_eq!(followed, honest, "the test's own solver agrees with the circuit");
    let signal = 1 + Public::names().iter().position(|name| *name == "signal_hash").unwrap();

    for row in 0..relation.matrices[0].len() {
        let mut z = honest.clone();
        match relation.role(row) {
            Role::Bit(wire) => {
                z[wire] = Fr::from(2);
                relation.follow(&mut z, row);
            }
            Role::Defines(wire, _) => {
                z[wire] += Fr::from(1);
                relation.follow(&mut z, row + 1);
            }
            Role::Compares(input, _) => z[input] += Fr::from(1),
        }
        assert_eq!(relation.broken(&z), [row]);
        let binds_signal = relation.matrices[0][row].iter().any(|(_, column)| *column == signal);
        let out = Public {
            root: Root(z[1].into()),
            nullifier: Nullifier(z[2].into()),
            signal_hash: SignalHash(z[3].into()),
            external_nullifier: ExternalNullifier(z[4].into()),
        };
        assert_eq!(out.to_inputs()[..], z[1..5]);
        // The signal's own row says nothing of root and nullifier.
        assert_eq!(check(&out, &private).is_ok(), binds_signal, "row {row}");
    }
}

/// The root, the nullifier, the external nullifier and the signal are each read by a constraint.
#[test]
fn no_public_input_can_have_another_value() {
    let relation = &*RELATION;
    let (public, private) = statement(2, 5);
    let mut z = assign(&public, &private);
    let mut rng = ark_std::test_rng();
    for (place, name) in Public::names().into_iter().enumerate() {
        let variable = 1 + place;
        for value in [z[variable] + Fr::from(1), Fr::zero(), Fr::rand(&mut rng)] {
            assert!(relation.refuses(&mut z, variable, value), "{name} may be {value}");
        }
    }
}
