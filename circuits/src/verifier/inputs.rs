//! The public inputs' share of the equation: `point₀ + Σ inputᵢ·pointᵢ`, over multiples computed once.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;

/// Bits of a window. The multiples of four inputs take 2 MB and 10 ms; a sum, at most 128 additions.
const WINDOW: usize = 8;
const WINDOWS: usize = 32;

/// The verifying key's points for the public inputs.
pub(super) struct Inputs {
    /// For the constant 1.
    constant: G1Affine,
    /// For each input in turn, for each window, least significant first: 1 to 255 times `2^(8·window)·point`.
    multiples: Vec<G1Affine>,
}

impl Inputs {
    pub(super) fn new(points: &[G1Affine]) -> Self {
        let mut multiples = Vec::with_capacity(((points.len() - 1) * WINDOWS) << WINDOW);
        for point in &points[1..] {
            let mut base = point.into_group();
            for _ in 0..WINDOWS {
                let mut multiple = base;
                for _ in 1..1 << WINDOW {
                    multiples.push(multiple);
                    multiple += base;
                }
                base = multiple;
            }
        }
        Self { constant: points[0], multiples: G1Projective::normalize_batch(&multiples) }
    }

    /// `point₀ + Σ inputᵢ·pointᵢ`.
    pub(super) fn sum(&self, inputs: &[Fr; 4]) -> G1Affine {
        (self.combination(inputs) + self.constant).into_affine()
    }

    /// `Σ inputᵢ·pointᵢ`.
    pub(super) fn combination(&self, inputs: &[Fr; 4]) -> G1Projective {
        let bytes = inputs.iter().flat_map(|input| input.into_bigint().0).flat_map(u64::to_le_bytes);
        let mut sum = G1Projective::default();
        for (byte, multiples) in bytes.zip(self.multiples.chunks_exact((1 << WINDOW) - 1)) {
            if let Some(index) = usize::from(byte).checked_sub(1) {
                sum += multiples[index];
            }
        }
        sum
    }

    /// The point for the constant 1.
    pub(super) fn constant(&self) -> G1Affine {
        self.constant
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::{AdditiveGroup, Field, UniformRand};

    use super::*;

    #[test]
    fn sums_are_the_defined_ones() {
        let rng = &mut ark_std::test_rng();
        let points: Vec<_> = (0..5).map(|_| G1Affine::rand(rng)).collect();
        let inputs = Inputs::new(&points);
        for case in [[Fr::ZERO; 4], [Fr::ONE; 4], [-Fr::ONE; 4], std::array::from_fn(|_| Fr::rand(rng))] {
            let products = case.iter().zip(&points[1..]).map(|(input, point)| *point * input);
            assert_eq!(inputs.sum(&case), (products.sum::<G1Projective>() + points[0]).into_affine());
        }
    }
}
