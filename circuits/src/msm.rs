//! Sums `Σ scalarᵢ·pointᵢ` over points that never change: nine tenths of a proof's time.
//!
//! The points of a proving key are fixed, so their multiples are computed once ([`Table`]), and a sum is no more than
//! additions of table entries into buckets ([`Buckets`]), Pippenger's method with one set of buckets for all windows
//! (Brickell et al. 1992). Scalars become digits ([`Digits`]) by the curve's endomorphism
//! `φ(x, y) = (βx, y) = λ·(x, y)` (Gallant, Lambert and Vanstone 2001): two halves of 127 bits, each ten signed digits
//! of thirteen bits. Both halves use the same table entries; the second half has its own buckets, and `φ` is applied
//! to what has come together in them, so that the endomorphism halves the tables and costs nothing per addition.
//! Additions are affine, a thousand at a time with one inversion (Montgomery's trick): six multiplications each,
//! where the usual mixed coordinates take eleven.
//!
//! Thirteen bits: more make the last step, three additions for each of `2¹²` buckets, dearer than the additions that
//! they save at 5,000 to 8,000 points a sum; fewer, the other way round.
//!
//! Running time depends on the scalars: this is for a prover on its own machine, as arkworks' sums are.

mod addition;
mod buckets;
mod digits;
mod table;

use ark_bn254::{Fq, Fq2, Fr};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::MontFp;

use crate::arithmetic::Branchless;

pub(crate) use buckets::Buckets;
pub(crate) use digits::Digits;
pub(crate) use table::Table;

/// Bits of a digit.
const WINDOW: usize = 13;
/// Digits of half a scalar: 127 bits and a sign.
const ROWS: usize = 10;
/// Largest magnitude of a digit, and buckets of each half.
const BUCKETS: usize = 1 << (WINDOW - 1);

/// A group of BN254 with its endomorphism.
pub(crate) trait Curve: SWCurveConfig<ScalarField = Fr, BaseField: Branchless> {
    /// A cube root of unity of the base field: `(BETA·x, y)` is λ times `(x, y)`, with the λ of [`digits`] in both
    /// groups.
    const BETA: Self::BaseField;

    /// λ times `point`.
    fn endomorphism(point: &Affine<Self>) -> Affine<Self> {
        Affine::new_unchecked(point.x.times(&Self::BETA), point.y)
    }
}

impl Curve for ark_bn254::g1::Config {
    const BETA: Fq = BETA;
}

impl Curve for ark_bn254::g2::Config {
    const BETA: Fq2 = Fq2::new(BETA_SQUARED, MontFp!("0"));
}

/// Of order three; the other one is its square. The twist takes the square for the same λ.
const BETA: Fq = MontFp!("21888242871839275220042445260109153167277707414472061641714758635765020556616");
const BETA_SQUARED: Fq = MontFp!("2203960485148121921418603742825762020974279258880205651966");

#[cfg(test)]
mod tests;
