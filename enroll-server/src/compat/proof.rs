//! Proofs as World ID's software writes them: 512 packed digits, nested lists, or four compressed words padded to eight.

use circuits::interop::{Compressed, Nested};
use serde_json::Value;
use unum_identity::proof::ProofBytes;

/// Why something is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProofError {
    /// Of none of the forms.
    Form,
    /// Four words that stand for no points.
    Compressed,
}

/// A proof of any of the forms; nested lists also as text, which is how some clients send them.
pub(super) fn read(value: &Value) -> Result<ProofBytes, ProofError> {
    let proof = match value {
        Value::String(text) => packed(text).or_else(|| nested(text)),
        Value::Array(_) => nested(&value.to_string()),
        _ => None,
    };
    let proof = proof.ok_or(ProofError::Form)?;
    match Compressed::from_padded(&proof) {
        Some(words) => decompress(&words),
        None => Ok(proof),
    }
}

/// The proof that four words stand for: `[a, [b₁, b₀], c]`.
pub(super) fn read_compressed(value: &Value) -> Result<ProofBytes, ProofError> {
    let words: Compressed =
        serde_json::from_str(&value.to_string().to_ascii_lowercase()).map_err(|_| ProofError::Form)?;
    decompress(&words)
}

fn decompress(words: &Compressed) -> Result<ProofBytes, ProofError> {
    words.decompress().map(|proof| proof.encode()).ok_or(ProofError::Compressed)
}

fn packed(text: &str) -> Option<ProofBytes> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    format!("0x{}", digits.to_ascii_lowercase()).parse().ok()
}

fn nested(text: &str) -> Option<ProofBytes> {
    serde_json::from_str::<Nested>(&text.to_ascii_lowercase()).ok().map(ProofBytes::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_of_a_real_proof_is_the_same_bytes() {
        let file: Value =
            serde_json::from_str(include_str!("../../../circuits/vectors/worldid3_proof_depth30.json"))
                .unwrap();
        let (nested, packed) = (&file["proof"]["proof"], file["proof"]["packed_proof"].as_str().unwrap());
        let words = &file["proof"]["compressed_proof"];
        let expected: ProofBytes = packed.parse().unwrap();
        let compressed: Compressed = serde_json::from_value(words.clone()).unwrap();
        let padded = compressed.to_padded().to_string();
        for form in [
            json!(packed),
            json!(packed.trim_start_matches("0x").to_uppercase()),
            nested.clone(),
            json!(nested.to_string()),
            json!(padded),
        ] {
            assert_eq!(read(&form), Ok(expected), "{form}");
        }
        assert_eq!(read_compressed(words), Ok(expected));
    }

    #[test]
    fn other_forms_are_refused() {
        let short = format!("0x{}", "0".repeat(511));
        for form in [json!(null), json!(5), json!(""), json!("[]"), json!([]), json!({}), json!(short)] {
            assert_eq!(read(&form), Err(ProofError::Form), "{form}");
            assert_eq!(read_compressed(&form), Err(ProofError::Form), "{form}");
        }
        let nothing = format!("0x{}", "0".repeat(512));
        assert_eq!(read(&json!(nothing)), Err(ProofError::Compressed), "four words of zero, padded");
        assert_eq!(read_compressed(&json!(["0x0", ["0x0", "0x0"], "0x0"])), Err(ProofError::Compressed));
    }
}
