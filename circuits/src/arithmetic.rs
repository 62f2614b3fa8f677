//! Arithmetic of BN254's fields for the inner loops of a prover: arkworks' elements, without arkworks' branches.
//!
//! arkworks adds or subtracts the modulus behind a branch that random values take half of the time, so that the
//! processor guesses wrong in every other subtraction. Here a borrow becomes a mask. In the quadratic extension the three
//! products of Karatsuba are reduced after their sums: two reductions where arkworks has the work of three.
//!
//! Elements are in Montgomery form with four limbs (Montgomery 1985; word by word as in Koç, Acar and Kaliski 1996,
//! "CIOS"), both moduli are below 2²⁵⁴, so that sums of two elements fit into four limbs, and a product of two such sums
//! is reduced to below twice the modulus.

#![allow(
    clippy::inline_always,
    reason = "a few dozen instructions each; a call would cost as much as they do"
)]

use ark_bn254::Fq2;
use ark_ff::{BigInt, Field, Fp256, MontBackend, MontConfig};

type Limbs = [u64; 4];

/// A field with branchless arithmetic; the same results as the operators give.
pub(crate) trait Branchless: Field {
    /// `self + other`.
    fn plus(&self, other: &Self) -> Self;
    /// `self - other`.
    fn minus(&self, other: &Self) -> Self;
    /// `self · other`.
    fn times(&self, other: &Self) -> Self;
    /// `self²`.
    fn squared(&self) -> Self;
}

impl<P: MontConfig<4>> Branchless for Fp256<MontBackend<P, 4>> {
    #[inline]
    fn plus(&self, other: &Self) -> Self {
        element(reduced::<P>(sum(&self.0.0, &other.0.0)))
    }

    #[inline]
    fn minus(&self, other: &Self) -> Self {
        element(difference::<P>(&self.0.0, &other.0.0))
    }

    #[inline]
    fn times(&self, other: &Self) -> Self {
        element(product::<P>(&self.0.0, &other.0.0))
    }

    #[inline]
    fn squared(&self) -> Self {
        self.times(self)
    }
}

impl Branchless for Fq2 {
    #[inline]
    fn plus(&self, other: &Self) -> Self {
        Self::new(self.c0.plus(&other.c0), self.c1.plus(&other.c1))
    }

    #[inline]
    fn minus(&self, other: &Self) -> Self {
        Self::new(self.c0.minus(&other.c0), self.c1.minus(&other.c1))
    }

    #[inline]
    fn times(&self, other: &Self) -> Self {
        let (a0, a1, b0, b1) = (&self.c0.0.0, &self.c1.0.0, &other.c0.0.0, &other.c1.0.0);
        let (low, high) = (wide(a0, b0), wide(a1, b1));
        let both = wide(&sum(a0, a1), &sum(b0, b1));
        // c1 = a0·b1 + a1·b0, which is not negative; c0 = a0·b0 - a1·b1, to which q·2²⁵⁶ is added if it is.
        let (c1, _) = wide_difference(&wide_difference(&both, &low).0, &high);
        let (mut c0, borrow) = wide_difference(&low, &high);
        let top: &mut Limbs = (&mut c0[4..]).try_into().expect("eight limbs less four");
        *top = sum(top, &modulus_if::<FqConfig>(borrow));
        Self::new(element(montgomery::<FqConfig>(c0)), element(montgomery::<FqConfig>(c1)))
    }

    #[inline]
    fn squared(&self) -> Self {
        let (a0, a1) = (&self.c0.0.0, &self.c1.0.0);
        let c0 = product::<FqConfig>(&sum(a0, a1), &difference::<FqConfig>(a0, a1));
        let c1 = product::<FqConfig>(&sum(a0, a0), a1);
        Self::new(element(c0), element(c1))
    }
}

type FqConfig = ark_bn254::FqConfig;

#[inline(always)]
fn element<P: MontConfig<4>>(limbs: Limbs) -> Fp256<MontBackend<P, 4>> {
    Fp256::new_unchecked(BigInt::new(limbs))
}

/// `a + b`, which must be below 2²⁵⁶.
#[inline(always)]
fn sum(a: &Limbs, b: &Limbs) -> Limbs {
    let (s0, carry) = a[0].overflowing_add(b[0]);
    let (s1, carry) = a[1].carrying_add(b[1], carry);
    let (s2, carry) = a[2].carrying_add(b[2], carry);
    let (s3, _) = a[3].carrying_add(b[3], carry);
    [s0, s1, s2, s3]
}

/// `a - b` modulo 2²⁵⁶, and whether `a` was smaller.
#[inline(always)]
fn subtract(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (d0, borrow) = a[0].overflowing_sub(b[0]);
    let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let (d3, borrow) = a[3].borrowing_sub(b[3], borrow);
    ([d0, d1, d2, d3], borrow)
}

#[inline(always)]
fn modulus_if<P: MontConfig<4>>(condition: bool) -> Limbs {
    let mask = u64::from(condition).wrapping_neg();
    P::MODULUS.0.map(|limb| limb & mask)
}

/// `a`, below twice the modulus, less the modulus if that is possible.
#[inline(always)]
fn reduced<P: MontConfig<4>>(a: Limbs) -> Limbs {
    let (less, below) = subtract(&a, &P::MODULUS.0);
    let mask = u64::from(below).wrapping_neg();
    std::array::from_fn(|i| (a[i] & mask) | (less[i] & !mask))
}

/// `a - b` modulo the modulus.
#[inline(always)]
fn difference<P: MontConfig<4>>(a: &Limbs, b: &Limbs) -> Limbs {
    let (difference, borrow) = subtract(a, b);
    sum(&difference, &modulus_if::<P>(borrow))
}

/// The Montgomery product of two numbers below twice the modulus.
#[inline(always)]
fn product<P: MontConfig<4>>(a: &Limbs, b: &Limbs) -> Limbs {
    let q = &P::MODULUS.0;
    let mut t = [0_u64; 4];
    for b in b {
        let (low, mut carry) = a[0].carrying_mul_add(*b, 0, t[0]);
        let k = low.wrapping_mul(P::INV);
        let (_, mut carry_q) = k.carrying_mul_add(q[0], 0, low);
        for j in 1..4 {
            let limb;
            (limb, carry) = a[j].carrying_mul_add(*b, carry, t[j]);
            (t[j - 1], carry_q) = k.carrying_mul_add(q[j], carry_q, limb);
        }
        t[3] = carry + carry_q;
    }
    reduced::<P>(t)
}

/// All eight limbs of `a · b`.
#[inline(always)]
fn wide(a: &Limbs, b: &Limbs) -> [u64; 8] {
    let mut t = [0; 8];
    for (i, b) in b.iter().enumerate() {
        let mut carry = 0;
        for (j, a) in a.iter().enumerate() {
            (t[i + j], carry) = a.carrying_mul_add(*b, carry, t[i + j]);
        }
        t[i + 4] = carry;
    }
    t
}

#[inline(always)]
fn wide_difference(a: &[u64; 8], b: &[u64; 8]) -> ([u64; 8], bool) {
    let mut borrow = false;
    let difference = std::array::from_fn(|i| {
        let limb;
        (limb, borrow) = a[i].borrowing_sub(b[i], borrow);
        limb
    });
    (difference, borrow)
}

/// `t / 2²⁵⁶` modulo the modulus, for `t` below `2²⁵⁶` times the modulus.
#[inline(always)]
fn montgomery<P: MontConfig<4>>(mut t: [u64; 8]) -> Limbs {
    let q = &P::MODULUS.0;
    let mut top = false;
    for i in 0..4 {
        let k = t[i].wrapping_mul(P::INV);
        let mut carry = 0;
        for j in 0..4 {
            (t[i + j], carry) = k.carrying_mul_add(q[j], carry, t[i + j]);
        }
        (t[i + 4], top) = t[i + 4].carrying_add(carry, top);
    }
    reduced::<P>([t[4], t[5], t[6], t[7]])
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, Fr};
    use ark_ff::AdditiveGroup;

    use super::*;

    /// Against the operators, over values at the edges and random ones.
    fn agrees<F: Branchless>(edges: &[F]) {
        let rng = &mut ark_std::test_rng();
        let values: Vec<F> = edges.iter().copied().chain((0..60).map(|_| F::rand(rng))).collect();
        for a in &values {
            assert_eq!(a.squared(), a.square());
            for b in &values {
                assert_eq!((a.plus(b), a.minus(b), a.times(b)), (*a + b, *a - b, *a * b), "{a} {b}");
            }
        }
    }

    /// Small values, those just below the modulus, and those whose limbs are all ones or zeros.
    fn edges<P: MontConfig<4>>() -> Vec<Fp256<MontBackend<P, 4>>> {
        let small = [0, 1, 2, u64::MAX].map(Fp256::<MontBackend<P, 4>>::from);
        let limbs =
            [[1, 0, 0, 0], [u64::MAX, 0, 0, 0], [0, 0, 0, 1], [u64::MAX, u64::MAX, u64::MAX, 1 << 61]];
        small.into_iter().flat_map(|value| [value, -value]).chain(limbs.map(element)).collect()
    }

    #[test]
    fn both_prime_fields_agree_with_the_operators() {
        agrees::<Fq>(&edges());
        agrees::<Fr>(&edges());
    }

    #[test]
    fn the_extension_agrees_with_the_operators() {
        let edges = edges();
        let pairs = edges.iter().flat_map(|a| edges.iter().map(|b| Fq2::new(*a, *b)));
        agrees::<Fq2>(&pairs.collect::<Vec<_>>());
        assert_eq!(Fq2::ZERO.times(&Fq2::ONE), Fq2::ZERO);
    }
}
