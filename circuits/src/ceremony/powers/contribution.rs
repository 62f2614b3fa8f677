//! One step of phase 1 as the file records it: the first powers after it, and proofs that its maker knew the factors.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use blake2::{Blake2b512, Digest};

use super::response::ResumableBlake2b;
use crate::ceremony::CeremonyError;
use crate::ceremony::container::Reader;
use crate::ceremony::contribution::{Kind, Signature};
use crate::ceremony::montgomery::{put_g1, put_g2};
use crate::ceremony::stream::{self, Stream};
use crate::points;

/// What one member of phase 1 left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowersContribution {
    pub(super) head: Head,
    pub(super) key: PublicKey,
    /// State of the hash of the response after all points, before the public key.
    pub(super) response: ResumableBlake2b,
    pub(super) next_challenge: [u8; 64],
    pub(super) signature: Signature,
}

/// The first powers after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub tau_g1: G1Affine,
    pub tau_g2: G2Affine,
    pub alpha_g1: G1Affine,
    pub beta_g1: G1Affine,
    pub beta_g2: G2Affine,
}

/// Proofs of knowledge of the three factors of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub tau: Proof,
    pub alpha: Proof,
    pub beta: Proof,
}

/// A point, the point times the secret, and the challenge's point times the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub g1_s: G1Affine,
    pub g1_sx: G1Affine,
    pub g2_spx: G2Affine,
}

/// Which factor a proof is for; part of what its challenge hashes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Factor {
    Tau = 0,
    Alpha = 1,
    Beta = 2,
}

impl PowersContribution {
    /// What its maker calls themselves.
    pub fn name(&self) -> Option<&str> {
        self.signature.name.as_deref()
    }

    /// Whether it is a member's or a beacon.
    pub fn kind(&self) -> &Kind {
        &self.signature.kind
    }

    /// BLAKE2b-512 of the member's response, in hex: what the member publishes.
    pub fn hash(&self) -> String {
        hex::encode(self.response_hash())
    }

    /// Whether the proofs start from a point drawn from the name, so that the hashes cover the name too. Beacons have no
    /// name, and other programs than this one do not bind it.
    pub fn name_is_bound(&self) -> bool {
        let bases = [self.key.tau.g1_s, self.key.alpha.g1_s, self.key.beta.g1_s];
        self.name().is_some_and(|name| bases == [stream::point_of_name(name); 3])
    }

    pub(super) fn response_hash(&self) -> [u8; 64] {
        let mut hash = self.response.clone();
        hash.update(&self.key.to_bytes());
        hash.finish()
    }
}

impl Head {
    /// Before the first step.
    pub(super) fn first() -> Self {
        let (g, h) = (G1Affine::generator(), G2Affine::generator());
        Self { tau_g1: g, tau_g2: h, alpha_g1: g, beta_g1: g, beta_g2: h }
    }
}

impl PublicKey {
    /// As the response hash covers it.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(768);
        for proof in [&self.tau, &self.alpha, &self.beta] {
            points::put_g1(&mut bytes, &proof.g1_s);
            points::put_g1(&mut bytes, &proof.g1_sx);
        }
        for proof in [&self.tau, &self.alpha, &self.beta] {
            points::put_g2(&mut bytes, &proof.g2_spx);
        }
        bytes
    }
}

impl Proof {
    pub(super) fn new(secret: &Fr, g1_s: G1Affine, challenge: &[u8; 64], factor: Factor) -> Self {
        let g1_sx = (g1_s * secret).into_affine();
        let g2_sp = challenge_point(challenge, factor, &g1_s, &g1_sx);
        Self { g1_s, g1_sx, g2_spx: (g2_sp * secret).into_affine() }
    }

    pub(super) fn challenge_point(&self, challenge: &[u8; 64], factor: Factor) -> G2Affine {
        challenge_point(challenge, factor, &self.g1_s, &self.g1_sx)
    }
}

fn challenge_point(challenge: &[u8; 64], factor: Factor, g1_s: &G1Affine, g1_sx: &G1Affine) -> G2Affine {
    let mut bytes = vec![factor as u8];
    bytes.extend(challenge);
    points::put_g1(&mut bytes, g1_s);
    points::put_g1(&mut bytes, g1_sx);
    Stream::from_digest(&Blake2b512::digest(bytes).into()).g2()
}

pub(super) fn list_bytes(list: &[PowersContribution]) -> Vec<u8> {
    let mut bytes = (list.len() as u32).to_le_bytes().to_vec();
    for contribution in list {
        let PowersContribution { head, key, response, next_challenge, signature } = contribution;
        put_g1(&mut bytes, &head.tau_g1);
        put_g2(&mut bytes, &head.tau_g2);
        put_g1(&mut bytes, &head.alpha_g1);
        put_g1(&mut bytes, &head.beta_g1);
        put_g2(&mut bytes, &head.beta_g2);
        for proof in [&key.tau, &key.alpha, &key.beta] {
            put_g1(&mut bytes, &proof.g1_s);
            put_g1(&mut bytes, &proof.g1_sx);
        }
        for proof in [&key.tau, &key.alpha, &key.beta] {
            put_g2(&mut bytes, &proof.g2_spx);
        }
        bytes.extend(response.state());
        bytes.extend(next_challenge);
        signature.put(&mut bytes);
    }
    bytes
}

pub(super) fn take_list(mut reader: Reader<'_>) -> Result<Vec<PowersContribution>, CeremonyError> {
    let count = reader.u32()?;
    let list = (0..count).map(|_| take(&mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(list)
}

fn take(reader: &mut Reader<'_>) -> Result<PowersContribution, CeremonyError> {
    let head = Head {
        tau_g1: reader.g1()?,
        tau_g2: reader.g2()?,
        alpha_g1: reader.g1()?,
        beta_g1: reader.g1()?,
        beta_g2: reader.g2()?,
    };
    let mut pairs = [(G1Affine::identity(), G1Affine::identity()); 3];
    for pair in &mut pairs {
        *pair = (reader.g1()?, reader.g1()?);
    }
    let mut proof = |(g1_s, g1_sx)| Ok(Proof { g1_s, g1_sx, g2_spx: reader.g2()? });
    let [tau, alpha, beta] = pairs;
    let key = PublicKey { tau: proof(tau)?, alpha: proof(alpha)?, beta: proof(beta)? };
    let response = ResumableBlake2b::from_state(&reader.array()?)
        .ok_or_else(|| reader.malformed("the state of a hash is none"))?;
    Ok(PowersContribution {
        head,
        key,
        response,
        next_challenge: reader.array()?,
        signature: Signature::take(reader)?,
    })
}
