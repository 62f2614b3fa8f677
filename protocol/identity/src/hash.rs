//! Hashing bytes to a field element, by World ID's rule: `keccak256(bytes) >> 8`, which is always below `r`.

use sha3::{Digest, Keccak256};

use crate::field::{FieldElement, SignalHash};

/// `keccak256(bytes) >> 8`.
pub fn hash_to_field(bytes: &[u8]) -> FieldElement {
    let mut shifted = [0; 32];
    shifted[1..].copy_from_slice(&Keccak256::digest(bytes)[..31]);
    FieldElement::from_be_bytes(&shifted).expect("248 bits are below the order")
}

/// Hash of a signal as apps write it: text of `0x` and an even number of hex digits stands for those bytes,
/// anything else for its UTF-8 (World ID 3).
pub fn hash_signal(signal: &str) -> SignalHash {
    SignalHash(match signal.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok()) {
        Some(bytes) => hash_to_field(&bytes),
        None => hash_to_field(signal.as_bytes()),
    })
}
