//! One member's step of phase 2: δ times a secret, with a proof that the member knew it, bound to all steps before.
//!
//! ```text
//! δ after (G1) ‖ s ‖ x·s (G1) ‖ x·R (G2) ‖ transcript (64) ‖ type (u32) ‖ length of parameters (u32) ‖ parameters
//!
//! transcript = BLAKE2b-512(circuit ‖ all earlier (δ after ‖ s ‖ x·s ‖ x·R ‖ transcript) ‖ s ‖ x·s)
//! R          = a point of G2 drawn from the transcript: nobody knows its logarithm
//! parameters = 0x01 ‖ length ‖ name;  for a beacon also 0x02 ‖ log₂ of iterations ‖ 0x03 ‖ length ‖ randomness
//! ```
//!
//! snarkjs hashes neither type nor parameters. Here `s` of a member is a point drawn from the member's name, and `s` of a
//! beacon one drawn from its randomness, so that the transcript covers them all the same; a beacon has no name.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::CurveGroup;
use blake2::{Blake2b512, Digest};

use super::CeremonyError;
use super::container::Reader;
use super::montgomery::{put_g1, put_g2};
use super::step::BeaconSource;
use super::stream::Stream;
use crate::points;

/// Longest name of a member, in bytes: what snarkjs keeps of one.
pub const MOST_NAME: usize = 64;

/// A step of phase 2. Public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    pub(super) delta_after: G1Affine,
    pub(super) g1_s: G1Affine,
    pub(super) g1_sx: G1Affine,
    pub(super) g2_spx: G2Affine,
    pub(super) transcript: [u8; 64],
    pub(super) signature: Signature,
}

/// Who made a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub kind: Kind,
    pub name: Option<String>,
}

/// What a step's secret came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A member, who forgot it.
    Member,
    /// Public randomness that nobody could know before.
    Beacon(BeaconSource),
}

impl Contribution {
    /// Multiplies `delta` by `secret`, as the step after `earlier` of the ceremony for `circuit`.
    pub(super) fn new(
        secret: &Fr,
        g1_s: G1Affine,
        delta: G1Affine,
        circuit: &[u8; 64],
        earlier: &[Self],
        signature: Signature,
    ) -> Self {
        let g1_sx = (g1_s * secret).into_affine();
        let transcript = Self::transcript(circuit, earlier, &g1_s, &g1_sx);
        let g2_spx = (challenge_point(&transcript) * secret).into_affine();
        let delta_after = (delta * secret).into_affine();
        Self { delta_after, g1_s, g1_sx, g2_spx, transcript, signature }
    }

    /// What its maker calls themselves; beacons have no name.
    pub fn name(&self) -> Option<&str> {
        self.signature.name.as_deref()
    }

    /// Whether it is a member's or a beacon.
    pub fn kind(&self) -> &Kind {
        &self.signature.kind
    }

    /// BLAKE2b-512 of the step, in hex: what a member notes, to find the step in the finished ceremony.
    pub fn hash(&self) -> String {
        let mut bytes = Vec::new();
        self.put_public_key(&mut bytes);
        hex::encode(Blake2b512::digest(bytes))
    }

    /// What the proof of a step is bound to.
    pub(super) fn transcript(
        circuit: &[u8; 64],
        earlier: &[Self],
        g1_s: &G1Affine,
        g1_sx: &G1Affine,
    ) -> [u8; 64] {
        let mut bytes = circuit.to_vec();
        for step in earlier {
            step.put_public_key(&mut bytes);
        }
        points::put_g1(&mut bytes, g1_s);
        points::put_g1(&mut bytes, g1_sx);
        Blake2b512::digest(bytes).into()
    }

    fn put_public_key(&self, bytes: &mut Vec<u8>) {
        points::put_g1(bytes, &self.delta_after);
        points::put_g1(bytes, &self.g1_s);
        points::put_g1(bytes, &self.g1_sx);
        points::put_g2(bytes, &self.g2_spx);
        bytes.extend(self.transcript);
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        put_g1(bytes, &self.delta_after);
        put_g1(bytes, &self.g1_s);
        put_g1(bytes, &self.g1_sx);
        put_g2(bytes, &self.g2_spx);
        bytes.extend(self.transcript);
        self.signature.put(bytes);
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, CeremonyError> {
        Ok(Self {
            delta_after: reader.g1()?,
            g1_s: reader.g1()?,
            g1_sx: reader.g1()?,
            g2_spx: reader.g2()?,
            transcript: reader.array()?,
            signature: Signature::take(reader)?,
        })
    }
}

/// The point of G2 that a transcript asks to be multiplied by the secret.
pub(super) fn challenge_point(transcript: &[u8; 64]) -> G2Affine {
    Stream::from_digest(transcript).g2()
}

impl Signature {
    pub(super) fn member(name: &str) -> Result<Self, CeremonyError> {
        if name.is_empty() || name.len() > MOST_NAME {
            return Err(CeremonyError::Name { bytes: name.len() });
        }
        Ok(Self { kind: Kind::Member, name: Some(name.to_owned()) })
    }

    pub(super) fn beacon(source: &BeaconSource) -> Self {
        Self { kind: Kind::Beacon(source.clone()), name: None }
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        let mut parameters = Vec::new();
        if let Some(name) = &self.name {
            parameters.extend([1, name.len() as u8]);
            parameters.extend(name.as_bytes());
        }
        let kind = match &self.kind {
            Kind::Member => 0_u32,
            Kind::Beacon(source) => {
                parameters.extend([2, source.iterations(), 3, source.randomness().len() as u8]);
                parameters.extend(source.randomness());
                1
            }
        };
        bytes.extend(kind.to_le_bytes());
        bytes.extend((parameters.len() as u32).to_le_bytes());
        bytes.extend(parameters);
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, CeremonyError> {
        let kind = reader.u32()?;
        let length = reader.u32()? as usize;
        let parameters = reader.bytes(length)?;
        let malformed = || reader.malformed("the parameters of a contribution are not those of its type");
        let signature = match (kind, split(parameters).ok_or_else(malformed)?) {
            (0, (name, None)) => Self { kind: Kind::Member, name },
            (1, (name, Some((iterations, randomness)))) => {
                Self { kind: Kind::Beacon(BeaconSource::new(iterations, randomness)?), name }
            }
            _ => return Err(malformed()),
        };
        Ok(signature)
    }
}

/// Name and beacon of a step's parameters; none if they are anything else than what [`Signature::put`] writes.
#[allow(clippy::type_complexity, reason = "two optional things, named where they are used")]
fn split(mut parameters: &[u8]) -> Option<(Option<String>, Option<(u8, &[u8])>)> {
    let mut name = None;
    if let [1, length, rest @ ..] = parameters {
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        name = Some(std::str::from_utf8(text).ok().filter(|name| !name.is_empty())?.to_owned());
        parameters = rest;
    }
    match parameters {
        [] => Some((name, None)),
        [2, iterations, 3, length, randomness @ ..] if randomness.len() == usize::from(*length) => {
            Some((name, Some((*iterations, randomness))))
        }
        _ => None,
    }
}
