//! The quotient of the circuit's polynomials, in the form of circom and snarkjs.
//!
//! Groth16's prover shows `A·B − C = H·Z`, where `Z` vanishes on the domain of the `n` roots of unity. The textbook
//! computes the coefficients of `H`, which takes seven Fourier transforms. snarkjs takes the values of `P = A·B − C`
//! on the *odd* `2n`-th roots of unity: there are `n` of them, `P` is zero on the even ones, and its degree is below
//! `2n`, so these values are all of it, after six transforms. The key's `h_query` is then the odd half of the Lagrange
//! basis of the `2n`-th roots at τ, over δ. Proofs and verifying keys are the same either way.
//!
//! [`Quotient`] is the definition, over arkworks' traits: keys are generated with it. [`OddRoots`] is what the prover
//! computes, and is tested against it. A key that snarkjs made has the same points in its `.zkey`.

mod odd_roots;

use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{ConstraintSystemRef, Matrix, Result, SynthesisError};

pub(crate) use odd_roots::OddRoots;

/// The reduction of a relation to polynomials, with the quotient on the odd roots of unity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quotient;

impl R1CSToQAP for Quotient {
    /// The same polynomials as everywhere, one row added for each instance variable; only the quotient differs.
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize)> {
        LibsnarkReduction::instance_map_with_evaluation::<F, D>(cs, t).map(
            |(a, b, c, vanishing, variables, size)| {
                // arkworks asks `h_query_scalars` for one scalar less than this; the basis has as many as the domain.
                (a, b, c, vanishing, variables, size + 1)
            },
        )
    }

    /// The values of `A·B − C` on the odd roots of unity, in order.
    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[F],
    ) -> Result<Vec<F>> {
        let too_large = SynthesisError::PolynomialDegreeTooLarge;
        let domain = D::new(num_constraints + num_inputs).ok_or(too_large)?;
        let shift = D::new(2 * domain.size()).ok_or(too_large)?.group_gen();
        let odd = domain.get_coset(shift).ok_or(too_large)?;
        let rows = |matrix: &Matrix<F>| -> Vec<F> {
            let mut values: Vec<F> =
                matrix.iter().map(|row| evaluate_constraint(row, full_assignment)).collect();
            values.resize(domain.size(), F::zero());
            values
        };
        let (mut a, mut b) = (rows(&matrices[0]), rows(&matrices[1]));
        a[num_constraints..num_constraints + num_inputs].copy_from_slice(&full_assignment[..num_inputs]);
        // On the domain itself C is A·B, if the assignment satisfies the relation; if not, no proof holds anyway.
        let mut c: Vec<F> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        for values in [&mut a, &mut b, &mut c] {
            domain.ifft_in_place(values);
            odd.fft_in_place(values);
        }
        Ok(a.iter().zip(&b).zip(&c).map(|((a, b), c)| *a * b - c).collect())
    }

    /// The Lagrange basis of the odd roots at `t`, over δ.
    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        size: usize,
        t: F,
        _vanishing: F,
        delta_inverse: F,
    ) -> Result<Vec<F>> {
        let double = D::new(2 * size).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let basis = double.evaluate_all_lagrange_coefficients(t);
        Ok(basis.iter().skip(1).step_by(2).map(|value| *value * delta_inverse).collect())
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Bn254, Fr};
    use ark_ff::UniformRand;
    use ark_groth16::Groth16;
    use ark_poly::GeneralEvaluationDomain;

    use super::*;
    use crate::Circuit;
    use crate::keys::tests::KEY;
    use crate::membership::tests::statement;
    use crate::relation::{Relation, assignment};

    type Domain = GeneralEvaluationDomain<Fr>;

    /// `Σ hᵢ·queryᵢ`.
    fn sum<Q: R1CSToQAP>(relation: &Relation, z: &[Fr], query: &[Fr]) -> Fr {
        let (matrices, inputs) = (&relation.matrices, relation.instance_variables);
        let h = Q::witness_map_from_matrices::<Fr, Domain>(matrices, inputs, relation.constraints(), z);
        h.unwrap().iter().zip(query).map(|(h, query)| *h * query).sum()
    }

    /// Both reductions say the same of one statement: `Σ hᵢ·queryᵢ` is `H(τ)·Z(τ)/δ`, whatever the basis.
    #[test]
    fn both_reductions_give_the_same_quotient() {
        let relation = Relation::build();
        let (public, private) = statement(3, 5, 7, 9);
        let z = assignment(Circuit::new(&public, &private));
        let rng = &mut ark_std::test_rng();
        let (t, delta_inverse) = (Fr::rand(rng), Fr::rand(rng));
        let domain = Domain::new(relation.constraints() + relation.instance_variables).unwrap();
        let (size, vanishing) = (domain.size(), domain.evaluate_vanishing_polynomial(t));
        let ours = Quotient::h_query_scalars::<Fr, Domain>(size, t, vanishing, delta_inverse).unwrap();
        let theirs =
            LibsnarkReduction::h_query_scalars::<Fr, Domain>(size - 1, t, vanishing, delta_inverse).unwrap();
        assert_eq!((ours.len(), theirs.len()), (size, size - 1));
        assert_eq!(sum::<Quotient>(&relation, &z, &ours), sum::<LibsnarkReduction>(&relation, &z, &theirs));
    }

    /// arkworks' prover and verifier, with this reduction and a key made by it.
    #[test]
    fn a_key_made_with_it_proves() {
        let relation = Relation::build();
        let (public, private) = statement(3, 5, 7, 9);
        let z = assignment(Circuit::new(&public, &private));
        let rng = &mut ark_std::test_rng();
        assert_eq!(KEY.0.h_query.len(), 1 << 13);
        let proof = Groth16::<Bn254, Quotient>::create_proof_with_reduction_and_matrices(
            &KEY.0,
            Fr::rand(rng),
            Fr::rand(rng),
            &relation.matrices,
            relation.instance_variables,
            relation.constraints(),
            &z,
        )
        .unwrap();
        let prepared = ark_groth16::prepare_verifying_key(&KEY.0.vk);
        assert_eq!(Groth16::<Bn254>::verify_proof(&prepared, &proof, &public.to_inputs()), Ok(true));
    }
}
