//! The prover's own transforms for [`Quotient`](super::Quotient): six of one size, with roots computed once.
//!
//! An inverse transform that takes values in order and leaves coefficients in bit-reversed order (Gentleman and Sande
//! 1966) is followed by a forward one that takes them so and leaves values in order (Cooley and Tukey 1965): nothing
//! is ever reordered. Between the two, coefficient `i` is multiplied by `ψⁱ/n`, where `ψ` is the `2n`-th root: that
//! moves the values from the roots of unity to the odd ones.

use ark_bn254::Fr;
use ark_ff::{FftField, Field, One, Zero};
use rayon::join;
use zeroize::Zeroizing;

use crate::Description;
use crate::arithmetic::Branchless;
use crate::membership::Assignment;

/// Roots for a domain of one size.
pub(crate) struct OddRoots {
    /// `ωⁱ` for the first half of the domain.
    roots: Vec<Fr>,
    /// `ω⁻ⁱ` for the first half of the domain.
    inverse_roots: Vec<Fr>,
    /// `ψⁱ/n`, in bit-reversed order.
    shift: Vec<Fr>,
}

impl OddRoots {
    /// Roots for a domain of `size`, a power of two of at least 2.
    pub(crate) fn new(size: usize) -> Self {
        let root =
            |order: usize| Fr::get_root_of_unity(order as u64).expect("the field has roots of order 2²⁸");
        let powers = |base: Fr, first: Fr, count: usize| -> Vec<Fr> {
            std::iter::successors(Some(first), |power| Some(*power * base)).take(count).collect()
        };
        let (omega, psi) = (root(size), root(2 * size));
        let inverse = |value: Fr| value.inverse().expect("a root is not zero, nor is a power of two");
        let in_order = powers(psi, inverse(Fr::from(size as u64)), size);
        let bits = usize::BITS - size.ilog2();
        Self {
            roots: powers(omega, Fr::one(), size / 2),
            inverse_roots: powers(inverse(omega), Fr::one(), size / 2),
            shift: (0..size).map(|i: usize| in_order[i.reverse_bits() >> bits]).collect(),
        }
    }

    /// The values of `A·B − C` on the odd roots, as [`Quotient`](super::Quotient) defines them.
    pub(crate) fn quotient(&self, assignment: &Assignment) -> Zeroizing<Vec<Fr>> {
        let inputs = &assignment.variables[..Description::pinned().instance_variables];
        let (mut a, mut b) = (self.padded(&assignment.left), self.padded(&assignment.right));
        a[assignment.left.len()..][..inputs.len()].copy_from_slice(inputs); // a row each, as in the definition
        let mut c = Zeroizing::new(a.iter().zip(b.iter()).map(|(a, b)| *a * b).collect::<Vec<_>>());
        join(|| self.move_to_odd(&mut a), || join(|| self.move_to_odd(&mut b), || self.move_to_odd(&mut c)));
        for ((a, b), c) in a.iter_mut().zip(b.iter()).zip(c.iter()) {
            *a *= b;
            *a -= c;
        }
        a
    }

    fn padded(&self, values: &[Fr]) -> Zeroizing<Vec<Fr>> {
        let mut padded = Zeroizing::new(vec![Fr::zero(); self.shift.len()]);
        padded[..values.len()].copy_from_slice(values);
        padded
    }

    /// From values on the roots of unity to values on the odd ones.
    fn move_to_odd(&self, values: &mut [Fr]) {
        let levels = values.len().ilog2();
        for half in (0..levels).rev().map(|level| 1 << level) {
            let stride = self.inverse_roots.len() / half;
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((u, v), root) in low.iter_mut().zip(high).zip(self.inverse_roots.iter().step_by(stride))
                {
                    (*u, *v) = (u.plus(v), u.minus(v).times(root));
                }
            }
        }
        for (value, shift) in values.iter_mut().zip(&self.shift) {
            *value = value.times(shift);
        }
        for half in (0..levels).map(|level| 1 << level) {
            let stride = self.roots.len() / half;
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((u, v), root) in low.iter_mut().zip(high).zip(self.roots.iter().step_by(stride)) {
                    let product = v.times(root);
                    (*u, *v) = (u.plus(&product), u.minus(&product));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use ark_groth16::r1cs_to_qap::R1CSToQAP;
    use ark_poly::univariate::DensePolynomial;
    use ark_poly::{DenseUVPolynomial, GeneralEvaluationDomain, Polynomial};

    use super::*;
    use crate::membership::tests::statement;
    use crate::quotient::Quotient;
    use crate::relation::Relation;

    #[test]
    fn values_move_to_the_odd_roots() {
        let rng = &mut ark_std::test_rng();
        for size in [2_usize, 4, 64] {
            let polynomial = DensePolynomial::<Fr>::rand(size - 1, rng);
            let psi = Fr::get_root_of_unity(2 * size as u64).unwrap();
            let value = |power: usize| polynomial.evaluate(&psi.pow([power as u64]));
            let mut values: Vec<_> = (0..size).map(|i| value(2 * i)).collect();
            OddRoots::new(size).move_to_odd(&mut values);
            assert_eq!(values, (0..size).map(|i| value(2 * i + 1)).collect::<Vec<_>>(), "size {size}");
        }
    }

    #[test]
    fn the_quotient_is_the_defined_one() {
        let relation = Relation::build();
        let (public, private) = statement(3, 5, 7, 9);
        let mut assignment = Assignment::new(&public, &private).unwrap();
        let defined = |assignment: &Assignment| {
            let (inputs, rows) = (relation.instance_variables, relation.constraints());
            let z = &assignment.variables;
            Quotient::witness_map_from_matrices::<Fr, GeneralEvaluationDomain<Fr>>(
                &relation.matrices,
                inputs,
                rows,
                z,
            )
        };
        let ours = OddRoots::new(Description::pinned().domain);
        let expected = defined(&assignment).unwrap();
        assert_eq!(*ours.quotient(&assignment), expected);
        assignment.variables[0] = Fr::rand(&mut ark_std::test_rng()); // read by its own row alone here
        assert_ne!(*ours.quotient(&assignment), expected);
    }
}
