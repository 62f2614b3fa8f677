//! The first parameters of phase 2: the powers of phase 1, combined as the circuit's matrices say. No secret and no
//! randomness goes in, so that everyone gets the same bytes.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{One, Zero};
use blake2::{Blake2b512, Digest};
use rand_core::CryptoRng;
use rayon::prelude::*;

use super::circuit::{Matrix, Shape, entries};
use super::{CeremonyError, Parameters, Powers};
use crate::points;
use crate::relation::Relation;

/// One matrix by columns: for each variable its rows and values.
type Columns = Vec<Vec<(usize, Fr)>>;

impl Parameters {
    /// Combines `powers` for `relation`: δ = 1, no contribution. Takes seconds. Checks its own result against the
    /// powers, because Lagrange bases that a file brings along are not trusted; `rng` is for that check alone.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::TooFewPowers`]; [`CeremonyError::Point`] or [`CeremonyError::NotDerived`] for a file whose
    /// bases are not those of its powers.
    pub fn initial(
        powers: &Powers,
        relation: &Relation,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, CeremonyError> {
        let shape = Shape::from(relation);
        let bases = powers.bases(shape.domain)?;
        let [a, b, c] = columns(relation, &shape);
        let whole: Vec<G1Affine> = normalized(
            (0..shape.variables)
                .into_par_iter()
                .map(|variable| {
                    combine(&bases.beta_g1, &a[variable])
                        + combine(&bases.alpha_g1, &b[variable])
                        + combine(&bases.tau_g1, &c[variable])
                })
                .collect(),
        );
        let (ic, l) = whole.split_at(shape.public + 1);
        let mut parameters = Self {
            alpha_g1: powers.alpha_g1[0],
            beta_g1: powers.beta_g1[0],
            beta_g2: powers.beta_g2,
            delta_g1: G1Affine::generator(),
            delta_g2: G2Affine::generator(),
            ic: ic.to_vec(),
            a: combined(&bases.tau_g1, &a),
            b_g1: combined(&bases.tau_g1, &b),
            b_g2: combined(&bases.tau_g2, &b),
            l: l.to_vec(),
            h: bases.odd,
            circuit_hash: [0; 64],
            contributions: Vec::new(),
        };
        parameters.circuit_hash = parameters.hash(powers);
        parameters.check_points(powers, relation, rng)?;
        Ok(parameters)
    }

    /// snarkjs's hash of first parameters. H goes in as the powers it stands for: `τⁱ⁺ⁿ − τⁱ`.
    fn hash(&self, powers: &Powers) -> [u8; 64] {
        let n = self.h.len();
        let differences: Vec<_> =
            (0..n - 1).map(|i| powers.tau_g1[i + n].into_group() - powers.tau_g1[i]).collect();
        let mut hash = Hash(Blake2b512::new());
        for point in [&self.alpha_g1, &self.beta_g1] {
            hash.g1(point);
        }
        hash.g2(&self.beta_g2);
        hash.g2(&G2Affine::generator());
        hash.g1(&G1Affine::generator());
        hash.g2(&G2Affine::generator());
        hash.g1_list(&self.ic);
        hash.g1_list(&normalized(differences));
        hash.g1_list(&self.l);
        hash.g1_list(&self.a);
        hash.g1_list(&self.b_g1);
        hash.length(self.b_g2.len());
        self.b_g2.iter().for_each(|point| hash.g2(point));
        hash.0.finalize().into()
    }
}

struct Hash(Blake2b512);

impl Hash {
    fn g1(&mut self, point: &G1Affine) {
        let mut bytes = Vec::with_capacity(points::G1_LEN);
        points::put_g1(&mut bytes, point);
        self.0.update(bytes);
    }

    fn g2(&mut self, point: &G2Affine) {
        let mut bytes = Vec::with_capacity(points::G2_LEN);
        points::put_g2(&mut bytes, point);
        self.0.update(bytes);
    }

    fn length(&mut self, count: usize) {
        self.0.update((count as u32).to_be_bytes());
    }

    fn g1_list(&mut self, points: &[G1Affine]) {
        self.length(points.len());
        points.iter().for_each(|point| self.g1(point));
    }
}

fn columns(relation: &Relation, shape: &Shape) -> [Columns; 3] {
    let mut columns = [Matrix::A, Matrix::B, Matrix::C].map(|_| vec![Vec::new(); shape.variables]);
    for entry in entries(relation) {
        columns[entry.matrix as usize][entry.column].push((entry.row, entry.value));
    }
    columns
}

fn combined<P: AffineRepr<ScalarField = Fr>>(basis: &[P], columns: &Columns) -> Vec<P> {
    normalized(columns.par_iter().map(|column| combine(basis, column)).collect())
}

fn combine<P: AffineRepr<ScalarField = Fr>>(basis: &[P], column: &[(usize, Fr)]) -> P::Group {
    column.iter().fold(P::Group::zero(), |sum, (row, value)| {
        let point = basis[*row];
        if value.is_one() { sum + point } else { sum + point * value }
    })
}

fn normalized<P: AffineRepr>(points: Vec<P::Group>) -> Vec<P>
where
    P::Group: CurveGroup<Affine = P>,
{
    P::Group::normalize_batch(&points)
}
