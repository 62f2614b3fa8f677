//! The eight words of a proof in nested lists, as World ID's API takes them:
//! `[[a0, a1], [[b00, b01], [b10, b11]], [c0, c1]]`.

use serde::{Deserialize, Serialize};
use unum_identity::proof::ProofBytes;

use super::number::Word;

type Pair = [Word; 2];

/// A proof's bytes, unchecked, in nested JSON. Hex is written with 64 digits and read with 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nested(Pair, [Pair; 2], Pair);

impl From<&ProofBytes> for Nested {
    fn from(proof: &ProofBytes) -> Self {
        let pair = |at: usize| [at, at + 1].map(|word| Word(word_of(proof, word)));
        Self(pair(0), [pair(2), pair(4)], pair(6))
    }
}

impl From<Nested> for ProofBytes {
    fn from(Nested(a, [b0, b1], c): Nested) -> Self {
        let words = [a, b0, b1, c].concat().into_iter().map(|word| word.0);
        Self(words.collect::<Vec<_>>().concat().try_into().expect("eight words of 32 bytes"))
    }
}

fn word_of(proof: &ProofBytes, index: usize) -> [u8; 32] {
    proof.0[32 * index..][..32].try_into().expect("32 bytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_proof_of_world_id_is_its_packed_form() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../vectors/worldid3_proof_depth30.json")).unwrap();
        let nested: Nested = serde_json::from_value(file["proof"]["proof"].clone()).unwrap();
        let packed: ProofBytes = file["proof"]["packed_proof"].as_str().unwrap().parse().unwrap();
        assert_eq!(ProofBytes::from(nested), packed);
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in [
            "[]",
            r#"[["0x1","0x2"],[["0x3","0x4"],["0x5","0x6"]]]"#,
            r#"[["0x1","0x2"],["0x3","0x4","0x5","0x6"],["0x7","0x8"]]"#,
            r#"[["0x1","0x2"],[["0x3","0x4"],["0x5","0x6"]],["0x7","0x8","0x9"]]"#,
            r#"[["0x1","0x2"],[["0x3","0x4"],["0x5","0x6"]],["0x7",8]]"#,
        ] {
            assert!(serde_json::from_str::<Nested>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(words: [[u8; 32]; 8]) {
            let proof = ProofBytes(words.concat().try_into().unwrap());
            let text = serde_json::to_string(&Nested::from(&proof)).unwrap();
            let read: Nested = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(ProofBytes::from(read), proof);
        }
    }
}
