//! Points as snarkjs stores them: coordinates in Montgomery form, little-endian; `c0` before `c1`; the identity as
//! zeros.
//!
//! Not the encoding of [`points`](crate::points), which is Ethereum's and which snarkjs uses where it hashes.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField};
use rayon::prelude::*;

use crate::subgroup;

/// Bytes of a point of G1.
pub(super) const G1_LEN: usize = 64;
/// Bytes of a point of G2.
pub(super) const G2_LEN: usize = 128;

/// Whether the identity is a point like any other. It is where a variable occurs in no constraint of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Allowed,
    Refused,
}

pub(super) fn put_g1(bytes: &mut Vec<u8>, point: &G1Affine) {
    put(bytes, &[point.x, point.y]);
}

pub(super) fn put_g2(bytes: &mut Vec<u8>, point: &G2Affine) {
    put(bytes, &[point.x.c0, point.x.c1, point.y.c0, point.y.c1]);
}

/// All points in turn.
pub(super) fn g1_bytes(points: &[G1Affine]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.len() * G1_LEN);
    for point in points {
        put_g1(&mut bytes, point);
    }
    bytes
}

/// All points in turn.
pub(super) fn g2_bytes(points: &[G2Affine]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.len() * G2_LEN);
    for point in points {
        put_g2(&mut bytes, point);
    }
    bytes
}

/// Reads all of `bytes`; the index of the first point that is not valid as an error.
pub(super) fn g1_list(bytes: &[u8], identity: Identity) -> Result<Vec<G1Affine>, usize> {
    list(bytes, G1_LEN, |bytes| {
        let [x, y] = take(bytes)?;
        let point = G1Affine::new_unchecked(x, y);
        // (0, 0) is on neither curve and stands for the identity. G1 is the whole curve.
        if point.is_zero() {
            (identity == Identity::Allowed).then_some(point)
        } else {
            point.is_on_curve().then_some(point)
        }
    })
}

/// Reads all of `bytes`; the index of the first point that is not valid as an error.
pub(super) fn g2_list(bytes: &[u8], identity: Identity) -> Result<Vec<G2Affine>, usize> {
    list(bytes, G2_LEN, |bytes| {
        let [x0, x1, y0, y1] = take(bytes)?;
        let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
        if point.is_zero() {
            return (identity == Identity::Allowed).then_some(point);
        }
        (point.is_on_curve() && subgroup::contains(&point)).then_some(point)
    })
}

fn list<P: Send>(
    bytes: &[u8],
    length: usize,
    point: impl Fn(&[u8]) -> Option<P> + Sync,
) -> Result<Vec<P>, usize> {
    bytes.par_chunks(length).enumerate().map(|(index, bytes)| point(bytes).ok_or(index)).collect()
}

/// Limbs of a scalar's Montgomery form, taken as a number and put into Montgomery form once more: how snarkjs stores
/// the coefficients of a circuit.
pub(super) fn put_coefficient(bytes: &mut Vec<u8>, value: Fr) {
    let twice = Fr::from_bigint(value.0).expect("the limbs of an element are below the modulus");
    put_limbs(bytes, twice.0);
}

fn put(bytes: &mut Vec<u8>, coordinates: &[Fq]) {
    for coordinate in coordinates {
        put_limbs(bytes, coordinate.0);
    }
}

/// A number of 256 bits, little-endian.
pub(super) fn put_limbs(bytes: &mut Vec<u8>, number: BigInt<4>) {
    number.0.iter().for_each(|limb| bytes.extend(limb.to_le_bytes()));
}

/// `bytes` is exactly as long as `N` coordinates.
fn take<const N: usize>(bytes: &[u8]) -> Option<[Fq; N]> {
    let mut coordinates = [Fq::from(0); N];
    for (coordinate, word) in coordinates.iter_mut().zip(bytes.chunks_exact(32)) {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(word.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().expect("chunks of 8"));
        }
        let number = BigInt::new(limbs);
        *coordinate = (number < Fq::MODULUS).then(|| Fq::new_unchecked(number))?;
    }
    Some(coordinates)
}
