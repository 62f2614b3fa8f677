//! Makes proofs. Holds multiples of the proving key's points; each proof computes its values, six Fourier transforms
//! and five sums over the points, on all cores.
//!
//! Private values and what is computed from them are wiped where this crate holds them; arkworks' registers and
//! short-lived copies are not, and stay in the wallet's own process.

use std::fmt;
use std::ops::RangeFrom;

use ark_bn254::{Bn254, Fr, g1, g2};
use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_std::UniformRand;
use rand_core::CryptoRng;
use rayon::join;
use unum_identity::proof::ProofBytes;
use zeroize::Zeroizing;

use crate::membership::Assignment;
use crate::msm::{Buckets, Curve, Digits, Table};
use crate::quotient::OddRoots;
use crate::randomness::Randomness;
use crate::{CheckError, Description, Private, Proof, ProvingKey, Public};

/// Makes proofs with one key.
pub struct Prover {
    a: Table<g1::Config>,
    b_g1: Table<g1::Config>,
    b_g2: Table<g2::Config>,
    l: Table<g1::Config>,
    h: Table<g1::Config>,
    odd_roots: OddRoots,
}

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The statement is not true.
    #[error(transparent)]
    Untrue(#[from] CheckError),
}

/// Scalars that follow the variables of the circuit: `r`, `s` and `−r·s`, which hide everything else. Their points are
/// multiples of δ, and stand in the tables like any other.
#[derive(Clone, Copy)]
enum Blinding {
    R,
    S,
    MinusRs,
}

impl Blinding {
    fn column(self) -> usize {
        let circuit = Description::pinned();
        circuit.instance_variables + circuit.witness_variables + self as usize
    }
}

impl Prover {
    /// Computes the tables: 24 MB, in about a second on two cores. Keep the prover.
    pub fn new(key: ProvingKey) -> Self {
        let circuit = Description::pinned();
        let key = key.0;
        let (delta_g1, delta_g2) = (key.delta_g1, key.vk.delta_g2);
        let private = circuit.instance_variables..;
        Self {
            a: table(0.., key.a_query, Some(key.vk.alpha_g1), Some((Blinding::R, delta_g1))),
            b_g1: table(0.., key.b_g1_query, Some(key.beta_g1), Some((Blinding::S, delta_g1))),
            b_g2: table(0.., key.b_g2_query, Some(key.vk.beta_g2), Some((Blinding::S, delta_g2))),
            l: table(private, key.l_query, None, Some((Blinding::MinusRs, delta_g1))),
            h: table(0.., key.h_query, None, None),
            odd_roots: OddRoots::new(circuit.domain),
        }
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
        rng: &mut dyn CryptoRng,
    ) -> Result<ProofBytes, ProveError> {
        let assignment = Assignment::new(public, private)?;
        let mut randomness = Randomness(rng);
        let blinding = Zeroizing::new([Fr::rand(&mut randomness), Fr::rand(&mut randomness)]);
        Ok(self.proof(&assignment, &blinding).encode())
    }

    /// Bytes of the tables.
    pub fn table_bytes(&self) -> usize {
        let g1: usize = [&self.a, &self.b_g1, &self.l, &self.h].map(Table::bytes).iter().sum();
        g1 + self.b_g2.bytes()
    }

    /// The proof with given `r` and `s` (Groth 2016, section 3.2).
    fn proof(&self, assignment: &Assignment, [r, s]: &[Fr; 2]) -> Proof {
        let scalars = Zeroizing::new([&assignment.variables[..], &[*r, *s, -(*r * s)]].concat());
        let digits = Digits::new(&scalars);
        // On two threads: the longest sum and a shorter one, beside the transforms and the other three.
        let ((b_g2, l), (h, (a, b_g1))) = join(
            || join(|| sum(&self.b_g2, &digits), || sum(&self.l, &digits)),
            || {
                let quotient = || sum(&self.h, &Digits::new(&self.odd_roots.quotient(assignment)));
                join(quotient, || join(|| sum(&self.a, &digits), || sum(&self.b_g1, &digits)))
            },
        );
        let c = l + h + a * s + b_g1 * r;
        Proof::from(ark_groth16::Proof::<Bn254> {
            a: a.into_affine(),
            b: b_g2.into_affine(),
            c: c.into_affine(),
        })
    }
}

fn sum<C: Curve>(table: &Table<C>, digits: &Digits) -> Projective<C> {
    let mut buckets = Buckets::new();
    buckets.add(table, digits);
    buckets.sum()
}

/// A query's points with the numbers of their variables; the constant point joins that of the variable 1.
fn table<C: Curve>(
    columns: RangeFrom<usize>,
    mut query: Vec<Affine<C>>,
    constant: Option<Affine<C>>,
    blinding: Option<(Blinding, Affine<C>)>,
) -> Table<C> {
    if let Some(constant) = constant {
        query[0] = (query[0] + constant).into_affine();
    }
    let blinding = blinding.map(|(blinding, delta)| (blinding.column(), delta));
    Table::new(columns.zip(query).chain(blinding))
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prover")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use ark_ff::Field;
    use ark_groth16::Groth16;
    use proptest::prelude::*;

    use super::*;
    use crate::Circuit;
    use crate::keys::tests::KEY;
    use crate::membership::tests::any_statement;
    use crate::quotient::Quotient;
    use crate::relation::{Relation, assignment};

    /// One prover for all tests: its tables take a while.
    pub(crate) static PROVER: LazyLock<Prover> = LazyLock::new(|| Prover::new(KEY.clone()));

    #[test]
    fn tables_are_as_large_as_they_are_said_to_be() {
        assert!((24_000_000..25_000_000).contains(&PROVER.table_bytes()), "{}", PROVER.table_bytes());
        assert_eq!(format!("{:?}", *PROVER), "Prover");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]

        /// With the same `r` and `s`, arkworks' prover gives the same bytes.
        #[test]
        fn proofs_are_those_of_arkworks((public, private) in any_statement(), seed: u64) {
            let relation = Relation::build();
            let blinding = [Fr::from(seed).square(), -Fr::from(seed >> 1)];
            let theirs = Groth16::<Bn254, Quotient>::create_proof_with_reduction_and_matrices(
                &KEY.0,
                blinding[0],
                blinding[1],
                &relation.matrices,
                relation.instance_variables,
                relation.constraints(),
                &assignment(Circuit::new(&public, &private)),
            );
            let values = Assignment::new(&public, &private).unwrap();
            let ours = PROVER.proof(&values, &blinding);
            prop_assert_eq!(ours, Proof::from(theirs.unwrap()));
        }
    }
}
