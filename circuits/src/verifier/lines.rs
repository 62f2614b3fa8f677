//! The lines that a pairing evaluates, through multiples of a point of the twist; and, on the way, whether that point is
//! in G2.
//!
//! The Miller loop of the optimal ate pairing walks from `Q` to `[6x + 2]Q`, then adds `ψ(Q)` and `−ψ²(Q)` (Vercauteren
//! 2010). For `Q` in G2 it has then arrived at `−ψ³(Q)`; and only for those: `6x + 2 + ψ − ψ² + ψ³` has the norm `r·m`
//! in `Z[ψ]`, where `ψ² − tψ + q = 0`, and `m` has no factor in common with the twist's cofactor (computed; the argument
//! is that of Dai, Lin, Zhao and Zhou 2022, as in [`subgroup`](crate::subgroup)). So a verifier has the membership of
//! every proof's `B` for the price of one comparison.
//!
//! Formulas: Aranha, Barreto, Longa and Ricardini 2013, "The realm of the pairings", homogeneous coordinates. The lines
//! are those that arkworks' `G2Prepared` holds, up to factors that the final exponentiation removes.

use ark_bn254::{Config, Fq2, G2Affine, g2};
use ark_ec::bn::BnConfig;
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::{Field, Zero};

use super::G2Prepared;
use crate::arithmetic::Branchless;
use crate::subgroup;

/// A line's three coefficients.
type Line = (Fq2, Fq2, Fq2);

/// The lines through multiples of `point`, which is on the twist and not the identity; none if it is not in G2.
pub(super) fn lines(point: &G2Affine) -> Option<G2Prepared> {
    let loop_digits = Config::ATE_LOOP_COUNT;
    let mut walk = Walk { x: point.x, y: point.y, z: Fq2::ONE };
    let mut ell_coeffs = Vec::with_capacity(2 * loop_digits.len());
    let minus = -*point;
    for digit in loop_digits.iter().rev().skip(1) {
        ell_coeffs.push(walk.double());
        match digit {
            1 => ell_coeffs.push(walk.add(point)),
            -1 => ell_coeffs.push(walk.add(&minus)),
            _ => {}
        }
    }
    let once = psi(point);
    let twice = psi(&once);
    ell_coeffs.push(walk.add(&once));
    ell_coeffs.push(walk.add(&-twice));
    walk.is_at(&-psi(&twice)).then_some(G2Prepared { ell_coeffs, infinity: false })
}

/// A multiple of the point in homogeneous coordinates, `(x/z, y/z)`.
struct Walk {
    x: Fq2,
    y: Fq2,
    z: Fq2,
}

impl Walk {
    /// To the double; the tangent. All coordinates come out four times as large as in the paper, instead of halving.
    fn double(&mut self) -> Line {
        let xy = self.x.times(&self.y);
        let b = self.y.squared();
        let c = self.z.squared();
        let e = triple(&g2::Config::COEFF_B).times(&c);
        let f = triple(&e);
        let h = self.y.plus(&self.z).squared().minus(&b.plus(&c));
        let square = self.x.squared();
        let three_e_squared = triple(&e.squared());
        self.x = twice(&xy).times(&b.minus(&f));
        self.y = b.plus(&f).squared().minus(&twice(&twice(&three_e_squared)));
        self.z = twice(&twice(&b.times(&h)));
        (-h, triple(&square), e.minus(&b))
    }

    /// To the sum with `q`; the line through both.
    fn add(&mut self, q: &G2Affine) -> Line {
        let theta = self.y.minus(&q.y.times(&self.z));
        let lambda = self.x.minus(&q.x.times(&self.z));
        let d = lambda.squared();
        let e = lambda.times(&d);
        let f = self.z.times(&theta.squared());
        let g = self.x.times(&d);
        let h = e.plus(&f).minus(&twice(&g));
        self.x = lambda.times(&h);
        self.y = theta.times(&g.minus(&h)).minus(&e.times(&self.y));
        self.z = self.z.times(&e);
        let j = theta.times(&q.x).minus(&lambda.times(&q.y));
        (lambda, -theta, j)
    }

    /// Whether this is `q`. At the identity, where a walk from outside G2 may end, it is nothing.
    fn is_at(&self, q: &G2Affine) -> bool {
        !self.z.is_zero() && self.x == q.x.times(&self.z) && self.y == q.y.times(&self.z)
    }
}

fn twice(a: &Fq2) -> Fq2 {
    a.plus(a)
}

fn triple(a: &Fq2) -> Fq2 {
    a.plus(a).plus(a)
}

fn psi(point: &G2Affine) -> G2Affine {
    let (x, y) = subgroup::frobenius(point.x, point.y);
    G2Affine::new_unchecked(x, y)
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Bn254, Fr, G1Affine};
    use ark_ec::pairing::Pairing;
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_ff::UniformRand;

    use super::*;
    use crate::subgroup::tests::{anywhere, of_small_order};

    #[test]
    fn pairings_are_those_of_arkworks() {
        let rng = &mut ark_std::test_rng();
        for _ in 0..8 {
            let (p, q) = (G1Affine::rand(rng), G2Affine::rand(rng));
            let ours = Bn254::multi_miller_loop([p], [lines(&q).unwrap()]);
            assert_eq!(Bn254::final_exponentiation(ours).unwrap(), Bn254::pairing(p, q));
        }
    }

    #[test]
    fn points_outside_g2_have_no_lines() {
        let rng = &mut ark_std::test_rng();
        for _ in 0..20 {
            assert!(lines(&anywhere(rng)).is_none());
        }
        for factor in [10_069, 5_864_401] {
            let point = of_small_order(factor, rng);
            assert!(lines(&point).is_none(), "of order {factor}");
            let mixed = G2Affine::generator() * Fr::rand(rng) + point;
            assert!(lines(&mixed.into_affine()).is_none(), "inside but for one of order {factor}");
        }
    }
}
