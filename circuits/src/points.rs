//! Points of BN254 as bytes, in Ethereum's order (EIP-196, EIP-197): coordinates of 32 bytes, big-endian; an element
//! of the quadratic extension as `[c1, c0]`.
//!
//! The one decoder for points from outside. It refuses coordinates of `q` or more (a second encoding), points off
//! the curve, points outside the subgroup of order `r`, and the identity, which no honest proof or key contains.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, PrimeField};

use crate::subgroup;

/// Bytes of a point of G1.
pub const G1_LEN: usize = 64;
/// Bytes of a point of G2.
pub const G2_LEN: usize = 128;

/// Appends `point`. The identity becomes zeros, which [`take_g1`] refuses.
pub fn put_g1(bytes: &mut Vec<u8>, point: &G1Affine) {
    put(bytes, &[point.x, point.y]);
}

/// Appends `point`. The identity becomes zeros, which [`take_g2`] refuses.
pub fn put_g2(bytes: &mut Vec<u8>, point: &G2Affine) {
    put(bytes, &[point.x.c1, point.x.c0, point.y.c1, point.y.c0]);
}

/// Takes a point from the front of `bytes`; none if there is no valid one.
pub fn take_g1(bytes: &mut &[u8]) -> Option<G1Affine> {
    let [x, y] = take(bytes)?;
    let point = G1Affine::new_unchecked(x, y);
    // The point (0, 0) is on neither curve, so the identity has no encoding. G1 is the whole curve: its cofactor is 1.
    (point.is_on_curve() && !point.is_zero()).then_some(point)
}

/// Takes a point from the front of `bytes`; none if there is no valid one.
pub fn take_g2(bytes: &mut &[u8]) -> Option<G2Affine> {
    take_on_twist(bytes).filter(subgroup::contains)
}

/// As [`take_g2`], but the point may lie outside the subgroup: for a caller that finds out itself.
pub(crate) fn take_on_twist(bytes: &mut &[u8]) -> Option<G2Affine> {
    let [x1, x0, y1, y0] = take(bytes)?;
    let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    (point.is_on_curve() && !point.is_zero()).then_some(point)
}

fn put(bytes: &mut Vec<u8>, coordinates: &[Fq]) {
    for coordinate in coordinates {
        bytes.extend(coordinate.into_bigint().to_bytes_be());
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[Fq; N]> {
    let mut coordinates = [Fq::from(0); N];
    for coordinate in &mut coordinates {
        let (word, rest) = bytes.split_first_chunk::<32>()?;
        *coordinate = Fq::from_bigint(number(word))?; // none if it is not below q
        *bytes = rest;
    }
    Some(coordinates)
}

/// A word as a number, which need not be below `q`.
pub(crate) fn number(word: &[u8; 32]) -> BigInt<4> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(word.rchunks_exact(8)) {
        *limb = u64::from_be_bytes(chunk.try_into().expect("chunks of 8"));
    }
    BigInt::new(limbs)
}

#[cfg(test)]
pub(crate) mod tests {
    use ark_bn254::Fr;
    use ark_ec::CurveGroup;
    use ark_ff::AdditiveGroup;
    use proptest::prelude::*;

    use super::*;

    fn g1(point: &G1Affine) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_g1(&mut bytes, point);
        bytes
    }

    fn g2(point: &G2Affine) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_g2(&mut bytes, point);
        bytes
    }

    /// Adds `q` to the word at `at`: the same coordinate, written a second way.
    fn add_modulus(bytes: &mut [u8], at: usize) {
        let word = &mut bytes[at..at + 32];
        let mut carry = 0;
        for (byte, q) in word.iter_mut().zip(Fq::MODULUS.to_bytes_be()).rev() {
            let sum = u16::from(*byte) + u16::from(q) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert_eq!(carry, 0, "2q is below 2^256");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn round_trip(k in 1_u64..) {
            let (p, q) = (G1Affine::generator() * Fr::from(k), G2Affine::generator() * Fr::from(k));
            let (p, q) = (p.into_affine(), q.into_affine());
            prop_assert_eq!(take_g1(&mut g1(&p).as_slice()), Some(p));
            prop_assert_eq!(take_g2(&mut g2(&q).as_slice()), Some(q));
        }

        #[test]
        fn another_encoding_of_a_coordinate_is_refused(k in 1_u64.., coordinate in 0_usize..4) {
            let mut bytes = g1(&(G1Affine::generator() * Fr::from(k)).into_affine());
            add_modulus(&mut bytes, 32 * (coordinate % 2));
            prop_assert_eq!(take_g1(&mut bytes.as_slice()), None);
            let mut bytes = g2(&(G2Affine::generator() * Fr::from(k)).into_affine());
            add_modulus(&mut bytes, 32 * coordinate);
            prop_assert_eq!(take_g2(&mut bytes.as_slice()), None);
        }
    }

    /// A point of the curve over the extension, whose cofactor is large: nearly every point lies outside.
    pub(crate) fn outside_the_subgroup() -> G2Affine {
        (1_u64..100)
            .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(0)), false))
            .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
            .unwrap()
    }

    #[test]
    fn refusals() {
        let p = G1Affine::generator();
        assert_eq!(take_g1(&mut g1(&p)[..63].as_ref()), None, "too short");
        assert_eq!(take_g1(&mut g1(&G1Affine::identity()).as_slice()), None, "identity");
        assert_eq!(take_g2(&mut g2(&G2Affine::identity()).as_slice()), None, "identity");
        let off = G1Affine::new_unchecked(p.x, p.y.double());
        assert_eq!(take_g1(&mut g1(&off).as_slice()), None, "off the curve");
    }

    #[test]
    fn a_point_outside_the_subgroup_is_refused() {
        let outside = outside_the_subgroup();
        assert!(outside.is_on_curve());
        assert_eq!(take_g2(&mut g2(&outside).as_slice()), None);
    }
}
