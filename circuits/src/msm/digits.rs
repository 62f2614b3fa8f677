//! Scalars as digits: each is `first + λ·second`, two halves of 127 bits at most, and each half is ten signed digits.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use rayon::prelude::*;
use zeroize::ZeroizeOnDrop;

use super::{BUCKETS, ROWS, WINDOW};

/// `half = Σ digitᵢ · 2^(13·i)`, every digit in `-4095..=4096`.
pub(super) type Half = [i16; ROWS];

/// The digits of many scalars. As private as the scalars are; wiped when dropped.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Digits(Vec<[Half; 2]>);

impl Digits {
    /// The digits of `scalars`, in order.
    pub(crate) fn new(scalars: &[Fr]) -> Self {
        Self(scalars.par_iter().with_min_len(256).map(|scalar| split(*scalar).map(recode)).collect())
    }

    /// Both halves of scalar `index`.
    pub(super) fn halves(&self, index: usize) -> &[Half; 2] {
        &self.0[index]
    }
}

/// BN254's parameter: the curve's order, `r`, and λ are polynomials in it.
const X: u128 = 4_965_661_367_192_848_881;
/// `(LONG_1, -SHORT)` and `(SHORT, LONG_2)` are a short basis of the lattice of all `(a, b)` with `a + λ·b = 0`.
const SHORT: u128 = 2 * X + 1;
const LONG_1: u128 = 6 * X * X + 2 * X;
const LONG_2: u128 = 6 * X * X + 4 * X + 1;
/// `round(2²⁵⁶ · LONG_2 / r)` and `round(2²⁵⁶ · SHORT / r)`, little-endian: they replace a division by `r`.
const LONG_2_BY_R: [u64; 3] = [0x5398_fd03_00ff_6565, 0x4cce_f014_a773_d2d2, 2];
const SHORT_BY_R: [u64; 3] = [0xd91d_232e_c7e0_b3d7, 2, 0];

/// `scalar = first + λ·second`, by rounding to the nearest vector of the lattice (Gallant, Lambert and Vanstone 2001,
/// section 4). Both are below 2¹²⁷, so that arithmetic modulo 2¹²⁸ is enough.
fn split(scalar: Fr) -> [i128; 2] {
    let limbs = scalar.into_bigint().0;
    let (u, v) = (times_over_2_256(&limbs, &LONG_2_BY_R), times_over_2_256(&limbs, &SHORT_BY_R));
    let low = u128::from(limbs[0]) | u128::from(limbs[1]) << 64;
    let first = low.wrapping_sub(u.wrapping_mul(LONG_1)).wrapping_sub(v.wrapping_mul(SHORT));
    let second = u.wrapping_mul(SHORT).wrapping_sub(v.wrapping_mul(LONG_2));
    [first as i128, second as i128]
}

/// `round(a · b / 2²⁵⁶)`, for results below 2¹²⁸.
fn times_over_2_256(a: &[u64; 4], b: &[u64; 3]) -> u128 {
    let mut product = [0_u64; 7];
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, b) in b.iter().enumerate() {
            let sum = u128::from(product[i + j]) + u128::from(*a) * u128::from(*b) + carry;
            (product[i + j], carry) = (sum as u64, sum >> 64);
        }
        product[i + 3] = carry as u64;
    }
    (u128::from(product[4]) | u128::from(product[5]) << 64) + u128::from(product[3] >> 63)
}

/// Signed digits, least significant first.
fn recode(half: i128) -> Half {
    let sign = half.signum() as i16;
    let mut rest = half.unsigned_abs();
    std::array::from_fn(|_| {
        let digit = (rest & (2 * BUCKETS as u128 - 1)) as i16;
        rest >>= WINDOW;
        if digit > BUCKETS as i16 {
            rest += 1;
            sign * (digit - 2 * BUCKETS as i16)
        } else {
            sign * digit
        }
    })
}

#[cfg(test)]
mod tests {
    use ark_ec::scalar_mul::glv::GLVConfig;
    use ark_ff::{AdditiveGroup, Field, UniformRand};
    use proptest::prelude::*;

    use super::*;

    const LAMBDA: Fr = <ark_bn254::g1::Config as GLVConfig>::LAMBDA;

    fn signed(value: i128) -> Fr {
        let magnitude = Fr::from(value.unsigned_abs());
        if value < 0 { -magnitude } else { magnitude }
    }

    fn check(scalar: Fr) {
        let halves = split(scalar);
        assert_eq!(signed(halves[0]) + LAMBDA * signed(halves[1]), scalar);
        for half in halves {
            assert!(half.unsigned_abs() < 1 << 127, "{half}");
            let digits = recode(half);
            assert!(digits.iter().all(|digit| digit.unsigned_abs() <= BUCKETS as u16));
            let base = Fr::from(1_u64 << WINDOW);
            let sum = digits.iter().rev().fold(Fr::ZERO, |sum, digit| sum * base + Fr::from(*digit));
            assert_eq!(sum, signed(half));
        }
    }

    #[test]
    fn the_lattice_is_that_of_lambda() {
        assert_eq!(LAMBDA.square() + LAMBDA + Fr::ONE, Fr::ZERO);
        let [long_1, long_2, short] = [LONG_1, LONG_2, SHORT].map(Fr::from);
        assert_eq!(long_1 - LAMBDA * short, Fr::ZERO);
        assert_eq!(short + LAMBDA * long_2, Fr::ZERO);
    }

    #[test]
    fn edges() {
        let powers = (0..254).map(|bits| Fr::from(2_u64).pow([bits]));
        for scalar in powers.flat_map(|power| [power, power - Fr::ONE, -power]) {
            check(scalar);
        }
        [Fr::ZERO, LAMBDA, -LAMBDA, LAMBDA.square()].into_iter().for_each(check);
    }

    #[test]
    fn half_of_a_window_is_not_carried() {
        let half = BUCKETS as i16;
        assert_eq!(recode(i128::from(half))[..2], [half, 0]);
        assert_eq!(recode(i128::from(half) + 1)[..2], [1 - half, 1]);
    }

    #[test]
    fn any_scalar() {
        let rng = &mut ark_std::test_rng();
        (0..2_000).for_each(|_| check(Fr::rand(rng)));
    }

    proptest! {
        #[test]
        fn any_half_has_digits(half in i128::MIN / 2..=i128::MAX / 2) {
            let sum = recode(half).iter().rev().fold(Fr::ZERO, |sum, digit| {
                sum * Fr::from(1_u64 << WINDOW) + Fr::from(*digit)
            });
            prop_assert_eq!(sum, signed(half));
        }
    }
}
