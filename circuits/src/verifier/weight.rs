//! Random weights for checking many equations at once.

use ark_bn254::{Fr, G1Affine, G1Projective, g1};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::{AdditiveGroup, AffineRepr};
use rand_core::CryptoRng;

/// `a + λ·b` with random `a` and `b` of 64 bits: 2¹²⁸ different scalars (the shortest vectors of the lattice of all
/// `a + λ·b = 0` have a coordinate of 127 bits), and half as many doublings as a scalar of 128 bits takes.
#[derive(Clone, Copy)]
pub(super) struct Weight {
    pub a: u64,
    pub b: u64,
}

impl Weight {
    pub(super) fn random(rng: &mut dyn CryptoRng) -> Self {
        Self { a: rng.next_u64(), b: rng.next_u64() }
    }

    /// The scalar.
    pub(super) fn value(self) -> Fr {
        Fr::from(self.a) + g1::Config::LAMBDA * Fr::from(self.b)
    }

    /// The scalar times `point`; both halves together (Straus 1964).
    pub(super) fn times(self, point: &G1Affine) -> G1Projective {
        let image = g1::Config::endomorphism_affine(point);
        let both = point.into_group() + image;
        let mut sum = G1Projective::ZERO;
        for bit in (0..64).rev() {
            sum.double_in_place();
            match (self.a >> bit & 1, self.b >> bit & 1) {
                (0, 0) => {}
                (1, 0) => sum += point,
                (0, _) => sum += image,
                _ => sum += both,
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;

    use super::*;

    #[test]
    fn a_weight_is_its_value() {
        let rng = &mut ark_std::test_rng();
        let edges = [0, 1, 2, u64::MAX];
        for (a, b) in edges.into_iter().flat_map(|a| edges.map(|b| (a, b))) {
            let point = G1Affine::rand(rng);
            assert_eq!(Weight { a, b }.times(&point), point * Weight { a, b }.value(), "{a} {b}");
        }
    }
}
