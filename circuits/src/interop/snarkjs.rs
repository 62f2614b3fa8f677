//! JSON of snarkjs: `proof.json`, `public.json` and `verification_key.json` of Groth16 over BN254 (its `bn128`).
//!
//! Decimal numbers; an element of the quadratic extension as `[c0, c1]`, the other way round than Ethereum's; points
//! are projective with a third coordinate, which must be 1. What we write, `snarkjs groth16 verify` reads.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use unum_identity::field::{ExternalNullifier, FieldElement, Nullifier, Root, SignalHash};
use unum_identity::proof::ProofBytes;

use super::FormError;
use super::number::{Decimal, Literal};
use crate::points::{put_g1, put_g2};
use crate::{Proof, Public, VerifyingKey};

type G1 = (Decimal<Fq>, Decimal<Fq>, Literal<1>);
type Extension = (Decimal<Fq>, Decimal<Fq>);
type G2 = (Extension, Extension, (Literal<1>, Literal<0>));

/// `proof.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofFile {
    pi_a: G1,
    pi_b: G2,
    pi_c: G1,
    protocol: Protocol,
    curve: Curve,
}

/// `verification_key.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    protocol: Protocol,
    curve: Curve,
    #[serde(rename = "nPublic")]
    inputs: usize,
    vk_alpha_1: G1,
    vk_beta_2: G2,
    vk_gamma_2: G2,
    vk_delta_2: G2,
    /// The pairing of α and β: follows from them, read by nobody.
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "snarkjs writes it")]
    vk_alphabeta_12: IgnoredAny,
    #[serde(rename = "IC")]
    points: Vec<G1>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Groth16,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Curve {
    Bn128,
}

/// `proof.json` of a proof.
pub fn write_proof(proof: &Proof) -> String {
    let ark_groth16::Proof::<Bn254> { a, b, c } = proof.clone().into();
    let (protocol, curve) = (Protocol::Groth16, Curve::Bn128);
    write(&ProofFile { pi_a: g1(&a), pi_b: g2(&b), pi_c: g1(&c), protocol, curve })
}

/// Reads `proof.json`.
///
/// # Errors
///
/// [`FormError::Malformed`] or [`FormError::NotAPoint`].
pub fn read_proof(json: &str) -> Result<Proof, FormError> {
    let file: ProofFile = serde_json::from_str(json)?;
    let mut bytes = Vec::with_capacity(256);
    put_g1(&mut bytes, &from_g1(&file.pi_a));
    put_g2(&mut bytes, &from_g2(&file.pi_b));
    put_g1(&mut bytes, &from_g1(&file.pi_c));
    let bytes = ProofBytes(bytes.try_into().expect("two points of 64 bytes and one of 128 are 256"));
    Proof::decode(&bytes).ok_or(FormError::NotAPoint)
}

/// `public.json` of a statement: its public inputs in their order.
pub fn write_public(public: &Public) -> String {
    write(&public.to_inputs().map(Decimal))
}

/// Reads `public.json`.
///
/// # Errors
///
/// [`FormError::Malformed`] or [`FormError::OtherStatement`].
pub fn read_public(json: &str) -> Result<Public, FormError> {
    let inputs: Vec<Decimal<Fr>> = serde_json::from_str(json)?;
    let names = Public::names();
    if inputs.len() != names.len() {
        return Err(FormError::OtherStatement { found: inputs.len(), expected: names.len() });
    }
    let named = |name| {
        let place = names.iter().position(|n| *n == name).expect("each field of `Public` has its name there");
        FieldElement::from(inputs[place].0)
    };
    Ok(Public {
        root: Root(named("root")),
        nullifier: Nullifier(named("nullifier")),
        signal_hash: SignalHash(named("signal_hash")),
        external_nullifier: ExternalNullifier(named("external_nullifier")),
    })
}

/// `verification_key.json` of a key. Without `vk_alphabeta_12`, which `snarkjs groth16 verify` does not read.
pub fn write_key(key: &VerifyingKey) -> String {
    let key = &key.0;
    write(&KeyFile {
        protocol: Protocol::Groth16,
        curve: Curve::Bn128,
        inputs: Public::names().len(),
        vk_alpha_1: g1(&key.alpha_g1),
        vk_beta_2: g2(&key.beta_g2),
        vk_gamma_2: g2(&key.gamma_g2),
        vk_delta_2: g2(&key.delta_g2),
        vk_alphabeta_12: IgnoredAny,
        points: key.gamma_abc_g1.iter().map(g1).collect(),
    })
}

/// Reads `verification_key.json`, with every check of every point. That it belongs to our circuit cannot be seen from
/// it, only that it has as many public inputs: compare its hash with one from a trusted place.
///
/// # Errors
///
/// A [`FormError`].
pub fn read_key(json: &str) -> Result<VerifyingKey, FormError> {
    let file: KeyFile = serde_json::from_str(json)?;
    let expected = Public::names().len();
    let points = file.points.len().saturating_sub(1); // one stands before those of the inputs
    for found in [file.inputs, points] {
        if found != expected {
            return Err(FormError::OtherStatement { found, expected });
        }
    }
    let unchecked = VerifyingKey(ark_groth16::VerifyingKey {
        alpha_g1: from_g1(&file.vk_alpha_1),
        beta_g2: from_g2(&file.vk_beta_2),
        gamma_g2: from_g2(&file.vk_gamma_2),
        delta_g2: from_g2(&file.vk_delta_2),
        gamma_abc_g1: file.points.iter().map(from_g1).collect(),
    });
    VerifyingKey::from_bytes(&unchecked.to_bytes()).map_err(|_| FormError::NotAPoint)
}

fn write(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("numbers are text");
    text.push('\n');
    text
}

fn g1(point: &G1Affine) -> G1 {
    (Decimal(point.x), Decimal(point.y), Literal)
}

fn g2(point: &G2Affine) -> G2 {
    let element = |e: Fq2| (Decimal(e.c0), Decimal(e.c1));
    (element(point.x), element(point.y), (Literal, Literal))
}

/// Unchecked.
fn from_g1((x, y, _): &G1) -> G1Affine {
    G1Affine::new_unchecked(x.0, y.0)
}

/// Unchecked.
fn from_g2((x, y, _): &G2) -> G2Affine {
    let element = |e: &Extension| Fq2::new(e.0.0, e.1.0);
    G2Affine::new_unchecked(element(x), element(y))
}

#[cfg(test)]
mod tests;
