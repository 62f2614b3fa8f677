//! Taking a step of phase 1: everything times powers of three new factors.

use std::iter;

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::BigInteger;
use ark_ff::PrimeField;
use blake2::{Blake2b512, Digest};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::contribution::{Factor, Head, PowersContribution, Proof, PublicKey};
use super::response::ResumableBlake2b;
use super::{Powers, scaled};
use crate::ceremony::contribution::{Kind, Signature};
use crate::ceremony::step::BeaconSource;
use crate::ceremony::stream::{self, Stream};
use crate::ceremony::{CeremonyError, weights};
use crate::points;

/// The three factors of a step.
struct Factors {
    tau: Zeroizing<Fr>,
    alpha: Zeroizing<Fr>,
    beta: Zeroizing<Fr>,
}

impl Powers {
    /// A member's step. The factors are drawn from `rng` and wiped.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Finished`] after a beacon, [`CeremonyError::NoContinuation`] for a file that was cut from a
    /// larger one, [`CeremonyError::Name`].
    pub fn contribute(&self, name: &str, rng: &mut dyn CryptoRng) -> Result<Self, CeremonyError> {
        let signature = Signature::member(name)?;
        let factors =
            Factors { tau: weights::secret(rng), alpha: weights::secret(rng), beta: weights::secret(rng) };
        let bound = stream::point_of_name(name);
        self.step(&factors, &[bound; 3], signature)
    }

    /// The last step: a beacon's.
    ///
    /// # Errors
    ///
    /// As [`Powers::contribute`].
    pub fn beacon(&self, source: &BeaconSource) -> Result<Self, CeremonyError> {
        let (factors, bases) = beacon_secrets(source);
        self.step(&factors, &bases, Signature::beacon(source))
    }

    fn step(
        &self,
        factors: &Factors,
        bases: &[G1Affine; 3],
        signature: Signature,
    ) -> Result<Self, CeremonyError> {
        if self.power != self.ceremony_power {
            return Err(CeremonyError::NoContinuation); // what was cut away would need the step too
        }
        if self.contributions.last().is_some_and(|last| matches!(last.kind(), Kind::Beacon(_))) {
            return Err(CeremonyError::Finished);
        }
        let challenge = self.challenge();
        let key = public_key(factors, bases, &challenge);
        let mut next = self.times(factors);
        let mut response = ResumableBlake2b::new();
        response.update(&challenge);
        next.each_point(|point| response.update(&point.compressed()));
        let mut contribution =
            PowersContribution { head: next.head(), key, response, next_challenge: [0; 64], signature };
        contribution.next_challenge = next.hash_after(&contribution.response_hash());
        next.contributions.push(contribution);
        Ok(next)
    }

    /// The same powers of `τ·tau`, `α·alpha`, `β·beta`.
    fn times(&self, factors: &Factors) -> Self {
        let powers = |first: Fr| iter::successors(Some(first), |power| Some(*power * *factors.tau));
        let of_tau = Zeroizing::new(powers(Fr::from(1)).take(self.tau_g1.len()).collect::<Vec<_>>());
        let n = self.tau_g2.len();
        let of_alpha = Zeroizing::new(powers(*factors.alpha).take(n).collect::<Vec<_>>());
        let of_beta = Zeroizing::new(powers(*factors.beta).take(n).collect::<Vec<_>>());
        Self {
            power: self.power,
            ceremony_power: self.ceremony_power,
            tau_g1: scaled(&self.tau_g1, &of_tau),
            tau_g2: scaled(&self.tau_g2, &of_tau[..n]),
            alpha_g1: scaled(&self.alpha_g1, &of_alpha),
            beta_g1: scaled(&self.beta_g1, &of_beta),
            beta_g2: (self.beta_g2 * *factors.beta).into_affine(),
            contributions: self.contributions.clone(),
            prepared: None,
        }
    }

    pub(super) fn head(&self) -> Head {
        Head {
            tau_g1: self.tau_g1[1],
            tau_g2: self.tau_g2[1],
            alpha_g1: self.alpha_g1[0],
            beta_g1: self.beta_g1[0],
            beta_g2: self.beta_g2,
        }
    }

    /// What the next step's proofs are bound to.
    fn challenge(&self) -> [u8; 64] {
        self.contributions
            .last()
            .map_or_else(|| first_challenge(self.ceremony_power), |last| last.next_challenge)
    }

    /// The challenge that follows a response with these points.
    pub(super) fn hash_after(&self, response: &[u8; 64]) -> [u8; 64] {
        let mut hash = Blake2b512::new_with_prefix(response);
        self.each_point(|point| hash.update(point.uncompressed()));
        hash.finalize().into()
    }

    fn each_point(&self, mut visit: impl FnMut(Point<'_>)) {
        self.tau_g1.iter().for_each(|point| visit(Point::G1(point)));
        self.tau_g2.iter().for_each(|point| visit(Point::G2(point)));
        self.alpha_g1.iter().chain(&self.beta_g1).for_each(|point| visit(Point::G1(point)));
        visit(Point::G2(&self.beta_g2));
    }
}

/// Factors and bases that a beacon gives.
fn beacon_secrets(source: &BeaconSource) -> (Factors, [G1Affine; 3]) {
    let mut stream = Stream::new(&source.seed());
    let mut scalar = || Zeroizing::new(stream.scalar());
    let factors = Factors { tau: scalar(), alpha: scalar(), beta: scalar() };
    (factors, [stream.g1(), stream.g1(), stream.g1()])
}

/// The proofs that a beacon's step must have.
pub(super) fn beacon_key(source: &BeaconSource, challenge: &[u8; 64]) -> PublicKey {
    let (factors, bases) = beacon_secrets(source);
    public_key(&factors, &bases, challenge)
}

fn public_key(factors: &Factors, bases: &[G1Affine; 3], challenge: &[u8; 64]) -> PublicKey {
    PublicKey {
        tau: Proof::new(&factors.tau, bases[0], challenge, Factor::Tau),
        alpha: Proof::new(&factors.alpha, bases[1], challenge, Factor::Alpha),
        beta: Proof::new(&factors.beta, bases[2], challenge, Factor::Beta),
    }
}

/// The challenge of a ceremony's first step: the hash of the generators in place of all powers. Takes seconds from
/// 2^20 and minutes from 2^26.
pub(super) fn first_challenge(power: u32) -> [u8; 64] {
    let n = 1_usize << power;
    let g1 = Point::G1(&G1Affine::generator()).uncompressed();
    let g2 = Point::G2(&G2Affine::generator()).uncompressed();
    let mut hash = Blake2b512::new_with_prefix(Blake2b512::digest([]));
    for (point, count) in [(&g1, 2 * n - 1), (&g2, n), (&g1, n), (&g1, n), (&g2, 1)] {
        (0..count).for_each(|_| hash.update(point));
    }
    hash.finalize().into()
}

/// A point of either group, for hashing.
enum Point<'a> {
    G1(&'a G1Affine),
    G2(&'a G2Affine),
}

impl Point<'_> {
    fn uncompressed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(points::G2_LEN);
        match self {
            Self::G1(point) => points::put_g1(&mut bytes, point),
            Self::G2(point) => points::put_g2(&mut bytes, point),
        }
        bytes
    }

    /// The first coordinate, big-endian; its top bit says that the second is the greater of two.
    fn compressed(&self) -> Vec<u8> {
        let mut bytes = self.uncompressed();
        bytes.truncate(bytes.len() / 2);
        let decisive = match self {
            Self::G1(point) => point.y,
            Self::G2(point) if point.y.c1 == 0.into() => point.y.c0,
            Self::G2(point) => point.y.c1,
        };
        debug_assert!(bytes[0] & 0x80 == 0 && ark_bn254::Fq::MODULUS.num_bits() == 254, "two bits are free");
        if stream::is_upper(decisive) {
            bytes[0] |= 0x80;
        }
        bytes
    }
}
