//! Scalars and points drawn from a seed, as snarkjs draws them: `ChaCha20` with a zero nonce (RFC 8439, counter from 0).
//!
//! Whoever verifies a beacon or a proof of knowledge must draw the same. The seed's words are read big-endian, 64-bit
//! numbers come with the high half first, and what is drawn is taken for an element's Montgomery form.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{BigInt, Field, PrimeField};
use blake2::{Blake2b512, Digest};
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of scalars and points.
pub(super) struct Stream(ChaCha20Rng);

impl Stream {
    /// Starts from the first 32 bytes of a hash.
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let mut key = *seed;
        key.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        Self(ChaCha20Rng::from_seed(key))
    }

    /// Starts from a hash of 64 bytes, of which snarkjs uses the first half.
    pub(super) fn from_digest(digest: &[u8; 64]) -> Self {
        Self::new(digest.first_chunk().expect("32 of 64 bytes"))
    }

    pub(super) fn scalar(&mut self) -> Fr {
        Fr::new_unchecked(self.below(Fr::MODULUS))
    }

    pub(super) fn g1(&mut self) -> G1Affine {
        self.point(Self::fq, |y| is_upper(*y))
    }

    pub(super) fn g2(&mut self) -> G2Affine {
        let point: G2Affine = self.point(
            |stream| Fq2::new(stream.fq(), stream.fq()),
            |y: &Fq2| if y.c1 == Fq::from(0) { is_upper(y.c0) } else { is_upper(y.c1) },
        );
        point.mul_by_cofactor()
    }

    fn fq(&mut self) -> Fq {
        Fq::new_unchecked(self.below(Fq::MODULUS))
    }

    /// A point of the curve: an `x` until there is one with a root, and a bit that chooses the root.
    fn point<C: SWCurveConfig>(
        &mut self,
        x: impl Fn(&mut Self) -> C::BaseField,
        is_upper: impl Fn(&C::BaseField) -> bool,
    ) -> Affine<C> {
        loop {
            let x = x(self);
            let upper = self.0.next_u32() & 1 == 1;
            if let Some(y) = (x.square() * x + C::COEFF_B).sqrt() {
                return Affine::new_unchecked(x, if is_upper(&y) == upper { y } else { -y });
            }
        }
    }

    /// A number of 254 bits, drawn again until it is below `modulus`. Both moduli of BN254 have 254 bits.
    fn below(&mut self, modulus: BigInt<4>) -> BigInt<4> {
        loop {
            let mut limbs = [0; 4];
            for limb in &mut limbs {
                let high = u64::from(self.0.next_u32());
                *limb = high << 32 | u64::from(self.0.next_u32());
            }
            limbs[3] &= (1 << 62) - 1;
            let number = BigInt::new(limbs);
            if number < modulus {
                return number;
            }
        }
    }
}

/// Whether `y` is the greater one of `y` and `-y`.
pub(super) fn is_upper(y: Fq) -> bool {
    y.into_bigint() > Fq::MODULUS_MINUS_ONE_DIV_TWO
}

/// A point that nobody knows the logarithm of, bound to `name`: what a contributor's proof of knowledge starts from.
/// snarkjs takes any point there; this one makes the name a part of what the transcript covers.
pub(super) fn point_of_name(name: &str) -> G1Affine {
    let digest = Blake2b512::new().chain_update(b"unum ceremony contributor 1\0").chain_update(name);
    Stream::from_digest(&digest.finalize().into()).g1()
}
