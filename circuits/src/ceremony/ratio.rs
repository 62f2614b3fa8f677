//! "The same secret stands between these two pairs of points": `g1x = x·g1` and `g2x = x·g2` for one `x`, by
//! `e(g1, g2x) = e(g1x, g2)`.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::CurveGroup;
use ark_ec::pairing::Pairing;
use ark_ff::Zero;
use rand_core::CryptoRng;

use super::weights;

/// Two pairs of points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    pub g1: G1Affine,
    pub g1x: G1Affine,
    pub g2: G2Affine,
    pub g2x: G2Affine,
}

impl Ratio {
    pub(super) fn new(g1: G1Affine, g1x: G1Affine, g2: G2Affine, g2x: G2Affine) -> Self {
        Self { g1, g1x, g2, g2x }
    }

    /// Whether it holds. Never with the identity among the points, to which every ratio would fit.
    pub(super) fn holds(&self) -> bool {
        self.proper() && Bn254::multi_pairing([self.g1, -self.g1x], [self.g2x, self.g2]).is_zero()
    }

    fn proper(&self) -> bool {
        !(self.g1.is_zero() || self.g1x.is_zero() || self.g2.is_zero() || self.g2x.is_zero())
    }
}

/// Whether all hold: one pairing of two points for each, and one final exponentiation for all.
pub(super) fn all_hold(ratios: &[Ratio], rng: &mut dyn CryptoRng) -> bool {
    let weights = weights::draw(ratios.len(), rng);
    let (mut of_g1, mut of_g2) = (Vec::new(), Vec::new());
    for (ratio, weight) in ratios.iter().zip(weights) {
        of_g1.extend([(ratio.g1 * weight).into_affine(), (-ratio.g1x * weight).into_affine()]);
        of_g2.extend([ratio.g2x, ratio.g2]);
    }
    ratios.iter().all(Ratio::proper) && Bn254::multi_pairing(of_g1, of_g2).is_zero()
}
