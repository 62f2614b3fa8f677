//! Taking a step of phase 2: δ times a secret; what is divided by δ, divided by the secret.

use ark_bn254::{Fr, G1Affine};
use ark_ec::AffineRepr;
use ark_ec::CurveGroup;
use ark_ff::Field;
use rand_core::CryptoRng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::contribution::{Contribution, Signature};
use super::stream::{self, Stream};
use super::{CeremonyError, Kind, Parameters, weights};

/// Logarithm of the most iterations of a beacon: 2^30 take minutes, and whoever verifies must repeat them.
pub const MOST_ITERATIONS: u8 = 30;
/// Logarithm of the fewest, as in snarkjs.
const FEWEST_ITERATIONS: u8 = 10;

/// Where a beacon's secret comes from: randomness made public after the last contribution, hashed 2^iterations times
/// with SHA-256, so that its makers cannot try out what they like best in the time they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeaconSource {
    iterations: u8,
    randomness: Vec<u8>,
}

impl BeaconSource {
    /// Randomness of 1 to 255 bytes, hashed 2^10 to 2^30 times.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::BeaconSource`].
    pub fn new(iterations: u8, randomness: &[u8]) -> Result<Self, CeremonyError> {
        let usable = (FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations)
            && (1..256).contains(&randomness.len());
        usable
            .then(|| Self { iterations, randomness: randomness.to_vec() })
            .ok_or(CeremonyError::BeaconSource)
    }

    /// Logarithm of the number of hashes.
    pub fn iterations(&self) -> u8 {
        self.iterations
    }

    /// The public randomness.
    pub fn randomness(&self) -> &[u8] {
        &self.randomness
    }

    pub(super) fn seed(&self) -> [u8; 32] {
        let first = Sha256::digest(&self.randomness);
        (1_u64..1 << self.iterations).fold(first, |hash, _| Sha256::digest(hash)).into()
    }
}

impl Parameters {
    /// A member's step. The secret is drawn from `rng` and wiped.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Finished`] after a beacon, or [`CeremonyError::Name`].
    pub fn contribute(&self, name: &str, rng: &mut dyn CryptoRng) -> Result<Self, CeremonyError> {
        let signature = Signature::member(name)?;
        self.step(&weights::secret(rng), stream::point_of_name(name), signature)
    }

    /// The last step: a beacon's.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Finished`] after another one, [`CeremonyError::Unfinished`] if nobody contributed before.
    pub fn beacon(&self, source: &BeaconSource) -> Result<Self, CeremonyError> {
        if self.contributions.is_empty() {
            return Err(CeremonyError::Unfinished);
        }
        let (secret, base) = beacon_secret(source);
        self.step(&secret, base, Signature::beacon(source))
    }

    pub(super) fn step(
        &self,
        secret: &Fr,
        base: G1Affine,
        signature: Signature,
    ) -> Result<Self, CeremonyError> {
        if self.contributions.last().is_some_and(|last| matches!(last.kind(), Kind::Beacon(_))) {
            return Err(CeremonyError::Finished);
        }
        let inverse = Zeroizing::new(secret.inverse().expect("secrets are not zero"));
        let mut next = self.clone();
        let contribution = Contribution::new(
            secret,
            base,
            self.delta_g1,
            &self.circuit_hash,
            &self.contributions,
            signature,
        );
        next.delta_g1 = contribution.delta_after;
        next.delta_g2 = (self.delta_g2 * secret).into_affine();
        next.l = times(&self.l, &inverse);
        next.h = times(&self.h, &inverse);
        next.contributions.push(contribution);
        Ok(next)
    }
}

/// The secret that a beacon gives, and the point that its proof starts from.
pub(super) fn beacon_secret(source: &BeaconSource) -> (Fr, G1Affine) {
    let mut stream = Stream::new(&source.seed());
    (stream.scalar(), stream.g1())
}

fn times(points: &[G1Affine], scalar: &Fr) -> Vec<G1Affine> {
    let products: Vec<_> = points.par_iter().map(|point| *point * scalar).collect();
    <G1Affine as AffineRepr>::Group::normalize_batch(&products)
}
