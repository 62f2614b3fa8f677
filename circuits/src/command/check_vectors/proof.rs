//! A proof of World ID 3 in each of its forms, and the key that it was made under.

use circuits::interop::{Compressed, Nested, snarkjs};
use circuits::{Proof, Public, Verifier};
use serde::Deserialize;
use unum_identity::field::{ExternalNullifier, FieldElement, Nullifier, Root, SignalHash};
use unum_identity::hash::hash_signal;
use unum_identity::proof::ProofBytes;
use unum_identity::set::DEPTH;

use super::Tally;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "source")]
    _source: String,
    proof: ProofVector,
    /// As snarkjs writes it.
    verifying_key: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProofVector {
    depth: usize,
    #[serde(rename = "app_id")]
    app_id: String,
    action: String,
    #[serde(rename = "signal_utf8")]
    signal: String,
    root: Hex,
    nullifier_hash: Hex,
    signal_hash: Hex,
    external_nullifier_hash: Hex,
    proof: Nested,
    #[serde(rename = "packed_proof")]
    packed: ProofBytes,
    #[serde(rename = "compressed_proof")]
    compressed: Compressed,
}

/// A field element as upstream prints it: leading zeros may be missing. For vectors, never for input.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Hex(FieldElement);

impl TryFrom<String> for Hex {
    type Error = unum_identity::field::FieldError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix("0x").unwrap_or_default();
        format!("0x{digits:0>64}").parse().map(Self)
    }
}

pub(super) fn check(file: &File, tally: &mut Tally) {
    let vector = &file.proof;
    let public = Public {
        root: Root(vector.root.0),
        nullifier: Nullifier(vector.nullifier_hash.0),
        signal_hash: SignalHash(vector.signal_hash.0),
        external_nullifier: ExternalNullifier(vector.external_nullifier_hash.0),
    };
    tally.equal("depth", &vector.depth, &DEPTH);
    tally.equal("hash of the signal", &hash_signal(&vector.signal), &public.signal_hash);
    let external = ExternalNullifier::of_app(&vector.app_id, &vector.action);
    tally.equal("external nullifier", &external, &public.external_nullifier);
    tally.check("the nested form is the packed one", ProofBytes::from(vector.proof) == vector.packed);
    let Some(proof) = Proof::decode(&vector.packed) else {
        return tally.check("the proof's points are valid", false);
    };
    tally.check("the compressed form is the packed one", vector.compressed == Compressed::from(&proof));
    tally.check("it decompresses to the packed one", vector.compressed.decompress().as_ref() == Some(&proof));
    match snarkjs::read_key(&file.verifying_key.to_string()) {
        Err(error) => tally.check(format_args!("the key: {error}"), false),
        Ok(key) => {
            let verifier = Verifier::new(&key);
            tally.check("the proof holds", verifier.verify(&public, &vector.packed).is_ok());
            let other = Public { signal_hash: hash_signal("another signal"), ..public };
            tally.check("for its signal only", verifier.verify(&other, &vector.packed).is_err());
        }
    }
}
