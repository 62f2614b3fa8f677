//! The value of every wire, computed without building a circuit: what a proof needs of one statement.
//!
//! Follows [`Circuit`](super::Circuit) step by step: the same wires in the same order, and for each row `A·z` and
//! `B·z`, which the hashes have at hand anyway, so that a proof multiplies no matrix. The circuit is the definition;
//! tests compare every value with what it gives.

use std::fmt;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use unum_identity::poseidon::{Parameters, WIDTH_2, WIDTH_3};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{CheckError, Circuit, Private, Public};
use crate::Description;

/// All values of one true statement. Private; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Assignment {
    /// 1, the public inputs, the private wires.
    pub(crate) variables: Vec<Fr>,
    /// `A·z` of each row of the circuit.
    pub(crate) left: Vec<Fr>,
    /// `B·z` of each row of the circuit.
    pub(crate) right: Vec<Fr>,
}

impl Assignment {
    /// The values of a statement, if it is true. Hashes everything once: [`check`](super::check) would do it again.
    ///
    /// # Errors
    ///
    /// The rule that [`check`](super::check) names.
    pub fn new(public: &Public, private: &Private) -> Result<Self, CheckError> {
        let inputs = public.to_inputs();
        let Circuit { public, secret } = &Circuit::new(public, private);
        let mut wires = Self::with_inputs(&inputs);

        let nullifier_key = wires.private(secret.nullifier_key);
        let trapdoor = wires.private(secret.trapdoor);
        let secret_hash = wires.hash(&WIDTH_3, [Fr::ZERO, nullifier_key, trapdoor]);
        let mut node = wires.hash(&WIDTH_2, [Fr::ZERO, secret_hash]);
        for level in &secret.levels {
            let (is_right, sibling) = (wires.private(level.is_right), wires.private(level.sibling));
            wires.row(is_right, is_right);
            let left = node + wires.multiply(is_right, sibling - node);
            node = wires.hash(&WIDTH_3, [Fr::ZERO, left, node + sibling - left]);
        }
        if !wires.is_zero(node - public.root) {
            return Err(CheckError::NotUnderRoot);
        }
        let nullifier = wires.hash(&WIDTH_3, [Fr::ZERO, public.external_nullifier, nullifier_key]);
        if !wires.is_zero(nullifier - public.nullifier) {
            return Err(CheckError::OtherNullifier);
        }
        wires.multiply(public.signal_hash, public.signal_hash);
        Ok(wires)
    }

    /// 1, the public inputs, the private wires: what a relation of rank one calls `z`.
    pub fn variables(&self) -> &[Fr] {
        &self.variables
    }

    fn with_inputs(inputs: &[Fr]) -> Self {
        let circuit = Description::pinned();
        // All the room at once: a vector that grows would leave private values behind where it was.
        let mut variables = Vec::with_capacity(circuit.instance_variables + circuit.witness_variables);
        variables.push(Fr::ONE);
        variables.extend(inputs);
        let rows = || Vec::with_capacity(circuit.constraints);
        Self { variables, left: rows(), right: rows() }
    }

    /// A wire of its own.
    fn private(&mut self, value: Fr) -> Fr {
        self.variables.push(value);
        value
    }

    /// A row whose product is known already.
    fn row(&mut self, left: Fr, right: Fr) {
        self.left.push(left);
        self.right.push(right);
    }

    /// A row that defines a wire.
    fn multiply(&mut self, left: Fr, right: Fr) -> Fr {
        self.row(left, right);
        self.private(left * right)
    }

    /// The row `value · 1 = 0`; whether it holds.
    fn is_zero(&mut self, value: Fr) -> bool {
        self.row(value, Fr::ONE);
        value.is_zero()
    }

    /// `state[0]` after all rounds of Poseidon, as in [`poseidon`](crate::poseidon).
    fn hash<const T: usize>(&mut self, parameters: &Parameters, mut state: [Fr; T]) -> Fr {
        for (round, constants) in parameters.round_constants.iter().enumerate() {
            let boxed = if parameters.is_full(round) { T } else { 1 };
            for (x, constant) in state.iter_mut().zip(constants) {
                *x += constant;
            }
            for (i, x) in state[..boxed].iter_mut().enumerate() {
                let folded = (round, i) == (0, 0); // the capacity, a constant so far
                *x = if folded { x.square().square() * *x } else { self.fifth_power(*x) };
            }
            let mix = |row: &Vec<Fr>| state.iter().zip(row).map(|(x, m)| *x * m).sum();
            state = std::array::from_fn(|i| mix(&parameters.matrix[i]));
        }
        state[0]
    }

    fn fifth_power(&mut self, x: Fr) -> Fr {
        let square = self.multiply(x, x);
        let cube = self.multiply(x, square);
        self.multiply(cube, square)
    }
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assignment")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::membership::check;
    use crate::membership::tests::{any_statement, evaluate};
    use crate::relation::{Relation, assignment};

    static RELATION: LazyLock<Relation> = LazyLock::new(Relation::build);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_value_is_that_of_the_circuit((public, private) in any_statement()) {
            let found = Assignment::new(&public, &private).unwrap();
            let z = assignment(Circuit::new(&public, &private));
            prop_assert_eq!(found.variables(), &z);
            prop_assert_eq!(format!("{found:?} {:?}", Circuit::new(&public, &private)), "Assignment Circuit");
            for (matrix, values) in RELATION.matrices.iter().zip([&found.left, &found.right]) {
                let expected: Vec<_> = (0..RELATION.constraints()).map(|row| evaluate(matrix, row, &z)).collect();
                prop_assert_eq!(values, &expected);
            }
        }

        #[test]
        fn what_check_refuses_has_no_values(
            (public, private) in any_statement(), (other, stranger) in any_statement(), what in 0..4,
        ) {
            let (public, private) = match what {
                0 => (Public { root: other.root, ..public }, private),
                1 => (Public { nullifier: other.nullifier, ..public }, private),
                2 => (public, Private { identity: stranger.identity, ..private }),
                _ => (public, Private { path: stranger.path, ..private }),
            };
            prop_assert_eq!(Assignment::new(&public, &private).err(), check(&public, &private).err());
        }
    }
}
