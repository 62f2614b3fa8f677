//! The bytes of a Groth16 proof: eight 32-byte words in Ethereum order, `A.x A.y B.x₁ B.x₀ B.y₁ B.y₀ C.x C.y`.
//!
//! Text is `0x` and exactly 512 lower-case hex digits. Whether the words are points, on the curve and in the
//! right subgroup, is for `circuits` to check. A proof can be re-randomised: its bytes identify nothing.

use std::fmt;
use std::str::FromStr;

use crate::bytes::decode_lower_hex;

/// A proof's bytes, unchecked.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^0x[0-9a-f]{512}$"))]
pub struct ProofBytes(pub [u8; 256]);

/// Text is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proof is 0x and exactly 512 lower-case hex digits")]
pub struct ProofFormatError;

impl FromStr for ProofBytes {
    type Err = ProofFormatError;

    fn from_str(text: &str) -> Result<Self, ProofFormatError> {
        text.strip_prefix("0x").and_then(decode_lower_hex).map(Self).ok_or(ProofFormatError)
    }
}

impl fmt::Display for ProofBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for ProofBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofBytes")
    }
}

impl serde::Serialize for ProofBytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ProofBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
