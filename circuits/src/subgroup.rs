//! Whether a point of the twist lies in G2, the subgroup of order `r`.
//!
//! The twist's order is `r` times a cofactor with small factors, and a point outside G2 breaks what a pairing says. A
//! multiplication by `r` would tell, and costs as much as half a pairing. Dai, Lin, Zhao and Zhou 2022 ("Fast subgroup
//! membership testings for G1, G2 and GT on pairing-friendly curves", eprint 2022/348, section on BN curves) need one by
//! the curve's parameter `x`, a quarter as long: a point `Q` of the twist is in G2 exactly if
//!
//! ```text
//! [x + 1]Q + ψ([x]Q) + ψ²([x]Q) = ψ³([2x]Q)
//! ```
//!
//! where `ψ` is the Frobenius endomorphism carried over to the twist. arkworks' own test multiplies by `6x²`.

use ark_bn254::{Config, Fq2, G2Affine, G2Projective};
use ark_ec::bn::BnConfig;
use ark_ec::{AdditiveGroup, AffineRepr};
use ark_ff::Field;

use crate::arithmetic::Branchless;

/// Whether `point`, which is on the twist, is in G2.
pub(crate) fn contains(point: &G2Affine) -> bool {
    let multiple = point.mul_bigint(Config::X);
    let psi = |G2Projective { x, y, z }: G2Projective| {
        let (x, y) = frobenius(x, y);
        G2Projective::new_unchecked(x, y, z.frobenius_map(1))
    };
    let once = psi(multiple);
    let twice = psi(once);
    multiple + point + once + twice == psi(twice).double()
}

/// `ψ` of a point's coordinates: untwist, raise both to the power `q`, twist again.
pub(crate) fn frobenius(x: Fq2, y: Fq2) -> (Fq2, Fq2) {
    (x.frobenius_map(1).times(&Config::TWIST_MUL_BY_Q_X), y.frobenius_map(1).times(&Config::TWIST_MUL_BY_Q_Y))
}

#[cfg(test)]
pub(crate) mod tests {
    use ark_bn254::{Fr, g2};
    use ark_ec::{CurveConfig, CurveGroup};
    use ark_ff::{PrimeField, UniformRand, Zero};
    use ark_std::rand::Rng;

    use super::*;

    /// A point of the twist: nearly all lie outside G2.
    pub(crate) fn anywhere(rng: &mut impl Rng) -> G2Affine {
        loop {
            if let Some(point) = G2Affine::get_point_from_x_unchecked(Fq2::rand(rng), rng.r#gen()) {
                return point;
            }
        }
    }

    /// The definition: `r` times the point is the identity.
    fn by_order(point: &G2Affine) -> bool {
        point.mul_bigint(Fr::MODULUS).is_zero()
    }

    #[test]
    fn agrees_with_the_order() {
        let rng = &mut ark_std::test_rng();
        assert!(contains(&G2Affine::generator()) && contains(&G2Affine::identity()));
        for _ in 0..20 {
            let point = anywhere(rng);
            assert!(!by_order(&point) && !contains(&point), "nearly all points of the twist are outside");
            let inside = point.clear_cofactor();
            assert!(by_order(&inside) && contains(&inside));
        }
    }

    /// A point whose order is a small factor of the cofactor, where an attacker would look.
    pub(crate) fn of_small_order(factor: u64, rng: &mut impl Rng) -> G2Affine {
        let rest = divided(g2::Config::COFACTOR, factor);
        let in_cofactor = |point: G2Affine| point.mul_bigint(Fr::MODULUS).into_affine().mul_bigint(&rest);
        let point = std::iter::repeat_with(|| in_cofactor(anywhere(rng))).find(|point| !point.is_zero());
        let point = point.expect("few points lose this factor").into_affine();
        assert!(point.mul_bigint([factor]).is_zero());
        point
    }

    #[test]
    fn a_point_of_small_order_is_outside() {
        let rng = &mut ark_std::test_rng();
        for factor in [10_069, 5_864_401] {
            let point = of_small_order(factor, rng);
            assert!(!contains(&point), "of order {factor}");
            let mixed = G2Affine::generator() * Fr::rand(rng) + point;
            assert!(!contains(&mixed.into_affine()), "inside but for one of order {factor}");
        }
    }

    /// `number / factor`, which leaves no remainder.
    fn divided(number: &[u64], factor: u64) -> Vec<u64> {
        let mut remainder = 0;
        let mut quotient: Vec<u64> = number
            .iter()
            .rev()
            .map(|limb| {
                let value = remainder << 64 | u128::from(*limb);
                remainder = value % u128::from(factor);
                (value / u128::from(factor)) as u64
            })
            .collect();
        assert_eq!(remainder, 0);
        quotient.reverse();
        quotient
    }
}
