//! The Miller loop over any number of pairs, on the thread that asks for it.
//!
//! arkworks takes four pairs at a time, squares for each four, and hands them to a pool of threads. Whoever checks batches on
//! every core wants neither: here all pairs share each squaring (Granger and Smart 2006, "On computing products of pairings"),
//! and nothing is copied.

use ark_bn254::{Bn254, Config, Fq2, Fq12, G1Affine};
use ark_ec::AffineRepr as _;
use ark_ec::bn::{BnConfig, TwistType};
use ark_ec::pairing::MillerLoopOutput;
use ark_ff::Field as _;

use super::G2Prepared;

const _: () = assert!(!Config::X_IS_NEGATIVE && matches!(Config::TWIST_TYPE, TwistType::D));

/// The product of the pairs' Miller functions, as arkworks' `multi_miller_loop` has it.
pub(super) fn miller_loop<'a>(
    pairs: impl IntoIterator<Item = (G1Affine, &'a G2Prepared)>,
) -> MillerLoopOutput<Bn254> {
    let pairs = pairs.into_iter().filter(|(p, q)| !p.is_zero() && !q.infinity);
    let pairs: Vec<_> = pairs.map(|(p, q)| (p, q.ell_coeffs.as_slice())).collect();
    let mut product = Fq12::ONE;
    let mut line = 0;
    let mut next_lines = |product: &mut Fq12| {
        for (p, lines) in &pairs {
            times_line(product, &lines[line], p);
        }
        line += 1;
    };
    for digit in Config::ATE_LOOP_COUNT.iter().rev().skip(1) {
        product.square_in_place(); // of one, the first time
        next_lines(&mut product);
        if *digit != 0 {
            next_lines(&mut product);
        }
    }
    next_lines(&mut product);
    next_lines(&mut product);
    MillerLoopOutput(product)
}

/// Multiplies by the line's value at `p`.
fn times_line(product: &mut Fq12, (by_y, by_x, alone): &(Fq2, Fq2, Fq2), p: &G1Affine) {
    let (mut by_y, mut by_x) = (*by_y, *by_x);
    by_y.mul_assign_by_fp(&p.y);
    by_x.mul_assign_by_fp(&p.x);
    product.mul_by_034(&by_y, &by_x, alone);
}

#[cfg(test)]
mod tests {
    use ark_bn254::G2Affine;
    use ark_ec::pairing::Pairing;
    use ark_ff::UniformRand;

    use super::*;

    #[test]
    fn it_is_the_loop_of_arkworks() {
        let rng = &mut ark_std::test_rng();
        for count in 0..10 {
            let mut pairs: Vec<_> =
                (0..count).map(|_| (G1Affine::rand(rng), G2Prepared::from(G2Affine::rand(rng)))).collect();
            if count > 5 {
                pairs[2].0 = G1Affine::identity();
                pairs[4].1 = G2Affine::identity().into();
            }
            let expected =
                Bn254::multi_miller_loop(pairs.iter().map(|(p, _)| *p), pairs.iter().map(|(_, q)| q.clone()));
            assert_eq!(miller_loop(pairs.iter().map(|(p, q)| (*p, q))), expected, "{count} pairs");
        }
    }
}
