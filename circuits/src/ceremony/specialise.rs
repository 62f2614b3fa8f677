//! The first parameters of phase 2: the powers of phase 1, combined as the circuit's matrices say. No secret and no
//! randomness goes in, so that everyone gets the same bytes.

use std::ops::SubAssign;

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, PrimeField, Zero};
use blake2::{Blake2b512, Digest};
use rand_core::CryptoRng;
use rayon::prelude::*;

use super::circuit::{Matrix, Shape, entries};
use super::{CeremonyError, Parameters, Powers};
use crate::points;
use crate::relation::Relation;

/// One matrix by columns: for each variable its rows, and its values in digits.
type Columns = Vec<Vec<(usize, Digits)>>;

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
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, CeremonyError> {
        let shape = Shape::from(relation);
        let bases = powers.bases(shape.domain)?;
        let [a, b, c] = columns(relation, &shape);
        let [tau, alpha, beta] = [&bases.tau_g1, &bases.alpha_g1, &bases.beta_g1].map(|basis| tables(basis));
        let whole: Vec<G1Affine> = normalized(
            &(0..shape.variables)
                .into_par_iter()
                .map(|v| combine(&beta, &a[v]) + combine(&alpha, &b[v]) + combine(&tau, &c[v]))
                .collect::<Vec<_>>(),
        );
        let (ic, l) = whole.split_at(shape.public + 1);
        let mut parameters = Self {
            alpha_g1: powers.alpha_g1[0],
            beta_g1: powers.beta_g1[0],
            beta_g2: powers.beta_g2,
            delta_g1: G1Affine::generator(),
            delta_g2: G2Affine::generator(),
            ic: ic.to_vec(),
            a: combined(&tau, &a),
            b_g1: combined(&tau, &b),
            b_g2: combined(&tables(&bases.tau_g2), &b),
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
        hash.g1_list(&normalized(&differences));
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
        for point in points {
            self.g1(point);
        }
    }
}

fn columns(relation: &Relation, shape: &Shape) -> [Columns; 3] {
    let mut columns = [Matrix::A, Matrix::B, Matrix::C].map(|_| vec![Vec::new(); shape.variables]);
    for entry in entries(relation) {
        columns[entry.matrix as usize][entry.column].push((entry.row, digits(entry.value)));
    }
    columns
}

/// A scalar as `Σ digit[i] · 32ⁱ`, digits from −15 to 16: 254 bits and a carry.
type Digits = [i8; 52];

fn digits(value: Fr) -> Digits {
    let limbs = value.into_bigint().0;
    let bit = |at: usize| limbs.get(at / 64).is_some_and(|limb| limb >> (at % 64) & 1 == 1);
    let mut carry = 0;
    std::array::from_fn(|i| {
        let window = (0..5).map(|j| i8::from(bit(5 * i + j)) << j).sum::<i8>() + carry;
        carry = i8::from(window > 16);
        window - 32 * carry
    })
}

/// One to sixteen times each point. Each row of a matrix has many entries, which share them.
fn tables<P: AffineRepr<ScalarField = Fr>>(basis: &[P]) -> Vec<P> {
    let multiples = basis.par_iter().flat_map_iter(|point| {
        (0..16).scan(P::Group::zero(), |sum, _| {
            *sum += *point;
            Some(*sum)
        })
    });
    normalized(&multiples.collect::<Vec<_>>())
}

fn combined<P>(tables: &[P], columns: &Columns) -> Vec<P>
where
    P: AffineRepr<ScalarField = Fr>,
    P::Group: SubAssign<P>,
{
    normalized(&columns.par_iter().map(|column| combine(tables, column)).collect::<Vec<_>>())
}

/// `Σ value · point` over a column, with one doubling for all of its entries (Straus 1964).
fn combine<P>(tables: &[P], column: &[(usize, Digits)]) -> P::Group
where
    P: AffineRepr<ScalarField = Fr>,
    P::Group: SubAssign<P>,
{
    let mut sum = P::Group::zero();
    for window in (0..52).rev() {
        if !sum.is_zero() {
            (0..5).for_each(|_| {
                sum.double_in_place();
            });
        }
        for (row, digits) in column {
            let multiple = |digit: i8| tables[16 * row + usize::from(digit.unsigned_abs()) - 1];
            match digits[window] {
                0 => {}
                digit @ 1.. => sum += multiple(digit),
                digit => sum -= multiple(digit),
            }
        }
    }
    sum
}

fn normalized<P: AffineRepr>(points: &[P::Group]) -> Vec<P>
where
    P::Group: CurveGroup<Affine = P>,
{
    P::Group::normalize_batch(points)
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use rand_core::UnwrapErr;

    use super::*;
    use crate::randomness::Randomness;

    #[test]
    fn combining_is_multiplying_and_adding() {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let mut rng = Randomness(&mut rng);
        let basis: Vec<G1Affine> = (0..4).map(|_| G1Affine::rand(&mut rng)).collect();
        let edges = [Fr::from(0), Fr::from(16), Fr::from(17), Fr::from(31), -Fr::from(1), -Fr::from(2)];
        let random: Vec<Fr> = (0..20).map(|_| Fr::rand(&mut rng)).collect();
        for (index, value) in edges.iter().chain(&random).enumerate() {
            let other = Fr::rand(&mut rng);
            let expected = basis[index % 4] * value + basis[(index + 1) % 4] * other;
            let column = [(index % 4, digits(*value)), ((index + 1) % 4, digits(other))];
            assert_eq!(combine(&tables(&basis), &column), expected, "{value}");
        }
    }
}
