//! Proofs that are forged, so that a hundred thousand of them can be had within a minute.
//!
//! A [`Forger`] makes its verifying key itself and keeps what a ceremony throws away, `α, β, γ, δ` and the logarithms of the
//! points of the inputs. With them anything can be proved without a witness: choose `A = a·G` and `B = b·H`, and solve the
//! equation that verifiers check for `C` (Groth 2016, section 3.2, the simulator). The proofs are as good as those of wallets
//! under this key, and nobody can tell which is which, so that checking them is the same work.

use std::fmt;

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{Field as _, PrimeField as _};
use circuits::points::{put_g1, put_g2};
use circuits::{Description, Public, VerifyingKey};
use rand_core::{CryptoRng, UnwrapErr};
use unum_identity::field::FieldElement;
use unum_identity::proof::ProofBytes;

/// Who made the key.
pub struct Forger {
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    delta: Fr,
    /// Of 1 and of the four public inputs.
    inputs: [Fr; 5],
}

impl Forger {
    /// Draws the secrets of a new key.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        let [alpha, beta, gamma, delta] = std::array::from_fn(|_| scalar(rng));
        Self { alpha, beta, gamma, delta, inputs: std::array::from_fn(|_| scalar(rng)) }
    }

    /// The key.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::from_bytes(&self.verifying_key_bytes())
            .expect("the points are valid, and as many as there have to be")
    }

    /// The key's bytes.
    pub fn verifying_key_bytes(&self) -> Vec<u8> {
        let mut bytes = [b"unum-vk\x01".as_slice(), &Description::pinned().sha256.0].concat();
        put_g1(&mut bytes, &g1(self.alpha));
        for secret in [self.beta, self.gamma, self.delta] {
            put_g2(&mut bytes, &g2(secret));
        }
        for secret in self.inputs {
            put_g1(&mut bytes, &g1(secret));
        }
        bytes
    }

    /// A proof of whatever is stated.
    pub fn prove(&self, public: &Public, rng: &mut impl CryptoRng) -> ProofBytes {
        let (a, b) = (scalar(rng), scalar(rng));
        let values = std::iter::once(Fr::from(1)).chain(public.to_inputs());
        let input: Fr = self.inputs.into_iter().zip(values).map(|(secret, value)| secret * value).sum();
        let delta = self.delta.inverse().expect("drawn from all scalars, of which one is zero");
        let c = (a * b - self.alpha * self.beta - self.gamma * input) * delta;
        let mut bytes = Vec::with_capacity(256);
        put_g1(&mut bytes, &g1(a));
        put_g2(&mut bytes, &g2(b));
        put_g1(&mut bytes, &g1(c));
        ProofBytes(bytes.try_into().expect("two points of 64 bytes and one of 128 are 256"))
    }
}

impl fmt::Debug for Forger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forger")
    }
}

/// Makes `count` things on all cores.
pub fn in_parallel<T: Send>(
    count: usize,
    make: impl Fn(usize, &mut UnwrapErr<getrandom::SysRng>) -> T + Sync,
) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = count.div_ceil(cores);
    let part = |from: usize| {
        let rng = &mut UnwrapErr(getrandom::SysRng);
        (from..(from + share).min(count)).map(|number| make(number, rng)).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let part = &part;
        let making: Vec<_> = (0..cores).map(|core| scope.spawn(move || part(core * share))).collect();
        making.into_iter().flat_map(|thread| thread.join().expect("making does not panic")).collect()
    })
}

/// A field element that nobody has drawn before.
pub fn element(rng: &mut impl CryptoRng) -> FieldElement {
    scalar(rng).into()
}

fn scalar(rng: &mut impl CryptoRng) -> Fr {
    let mut bytes = [0; 48]; // 128 bits more than the order has: as good as uniform
    rng.fill_bytes(&mut bytes);
    Fr::from_be_bytes_mod_order(&bytes)
}

fn g1(secret: Fr) -> G1Affine {
    (G1Affine::generator() * secret).into_affine()
}

fn g2(secret: Fr) -> G2Affine {
    (G2Affine::generator() * secret).into_affine()
}
