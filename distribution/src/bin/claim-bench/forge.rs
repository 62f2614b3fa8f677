//! Claims whose proofs are forged, so that a hundred thousand of them can be had within a minute.
//!
//! This program makes its verifying key itself and keeps what a ceremony throws away, `α, β, γ, δ` and the logarithms of the
//! points of the inputs. With them anything can be proved without a witness: choose `A = a·G` and `B = b·H`, and solve the
//! equation that verifiers check for `C` (Groth 2016, section 3.2, the simulator). The proofs are as good as those of wallets
//! under this key, and nobody can tell which is which, so that checking them is the same work.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{Field as _, PrimeField as _};
use circuits::points::{put_g1, put_g2};
use circuits::{Description, Public, VerifyingKey};
use rand_core::{CryptoRng, UnwrapErr};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId};
use unum_identity::claim::{Amount, Claim, ClaimTerms};
use unum_identity::field::{ExternalNullifier, Nullifier, Root};
use unum_identity::proof::ProofBytes;
use unum_identity::time::UnixTime;

use crate::town::LEDGER;

/// Who made the key.
pub(crate) struct Forger {
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    delta: Fr,
    /// Of 1 and of the four public inputs.
    inputs: [Fr; 5],
}

impl Forger {
    pub(crate) fn new(rng: &mut impl CryptoRng) -> Self {
        let [alpha, beta, gamma, delta] = std::array::from_fn(|_| scalar(rng));
        Self { alpha, beta, gamma, delta, inputs: std::array::from_fn(|_| scalar(rng)) }
    }

    /// The key's bytes.
    pub(crate) fn verifying_key(&self) -> Vec<u8> {
        let mut bytes = [b"unum-vk\x01".as_slice(), &Description::pinned().sha256.0].concat();
        put_g1(&mut bytes, &g1(self.alpha));
        for secret in [self.beta, self.gamma, self.delta] {
            put_g2(&mut bytes, &g2(secret));
        }
        for secret in self.inputs {
            put_g1(&mut bytes, &g1(secret));
        }
        VerifyingKey::from_bytes(&bytes).expect("the points are valid, and as many as there have to be");
        bytes
    }

    fn prove(&self, public: &Public, rng: &mut impl CryptoRng) -> ProofBytes {
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

    /// Claims of `count` different people, made on all cores.
    pub(crate) fn claims(
        &self,
        programme: ProgrammeId,
        period: Period,
        root: Root,
        count: usize,
    ) -> Vec<Claim> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = count.div_ceil(cores);
        let forge = |from: usize| {
            let rng = &mut UnwrapErr(getrandom::SysRng);
            let claims = (from..(from + share).min(count)).map(|_| self.claim(programme, period, root, rng));
            claims.collect::<Vec<_>>()
        };
        std::thread::scope(|scope| {
            let forging: Vec<_> = (0..cores).map(|core| scope.spawn(move || forge(core * share))).collect();
            forging.into_iter().flat_map(|thread| thread.join().expect("forging does not panic")).collect()
        })
    }

    fn claim(&self, programme: ProgrammeId, period: Period, root: Root, rng: &mut impl CryptoRng) -> Claim {
        let mut recipient = [0; 32];
        rng.fill_bytes(&mut recipient);
        let (recipient, deadline) = (AccountId(recipient), UnixTime(u64::MAX));
        let terms = ClaimTerms { ledger: LEDGER, recipient, fee: Amount::ZERO, deadline };
        let nullifier = Nullifier(scalar(rng).into());
        let public = Public {
            root,
            nullifier,
            signal_hash: terms.signal_hash(),
            external_nullifier: ExternalNullifier::of_claim(&programme, period),
        };
        let proof = self.prove(&public, rng);
        Claim { programme, period, nullifier, terms, proof, relayer: None }
    }
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
