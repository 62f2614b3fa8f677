//! Byte strings of fixed length. Text is exactly two lower-case hex digits a byte, without prefix.

use std::fmt;
use std::str::FromStr;

/// Why text is no such byte string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected exactly {digits} lower-case hex digits")]
pub struct BytesError {
    /// Hex digits that the noun has.
    pub digits: usize,
}

/// Exactly `2 · N` lower-case hex digits.
pub(crate) fn decode_lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let canonical = text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; N];
    (canonical && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

macro_rules! byte_nouns {
    ($($(#[$doc:meta])* $name:ident[$n:literal];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^([0-9a-f]{2})+$"))]
        pub struct $name(pub [u8; $n]);

        impl FromStr for $name {
            type Err = BytesError;

            fn from_str(text: &str) -> Result<Self, BytesError> {
                decode_lower_hex(text).map(Self).ok_or(BytesError { digits: 2 * $n })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

byte_nouns! {
    /// Given to a device for one enrollment, used once, good for 120 seconds.
    Nonce[32];
    /// Names an enrollment device.
    DeviceId[16];
    /// SHA-256 of the firmware image that runs on a device.
    FirmwareMeasurement[32];
    /// Device's public key: P-256, compressed SEC1 point.
    DeviceKey[33];
    /// ECDSA signature over P-256, `r ‖ s`.
    DeviceSignature[64];
    /// X25519 public key to which devices seal templates (HPKE).
    SealingKey[32];
    /// Ed25519 public key of a service.
    ServiceKey[32];
    /// Ed25519 signature of a service.
    ServiceSignature[64];
    /// Names a programme of distributions.
    ProgrammeId[16];
    /// Names a ledger, so that a claim made for one cannot be paid by another.
    LedgerId[16];
    /// Where a share is paid: the Ed25519 public key of a wallet's account.
    AccountId[32];
    /// Ed25519 signature by an account's key.
    AccountSignature[64];
    /// Names a payment among those of its payer: drawn at random, once a payment.
    PaymentKey[16];
    /// SHA-256 of one entry of the ledger, which covers the entry before it.
    EntryHash[32];
    /// SHA-256 of all nullifiers of a period ([`crate::published::nullifier_set_hash`]).
    NullifierSetHash[32];
    /// SHA-256 of a proving or verifying key's canonical bytes.
    KeyHash[32];
    /// SHA-256 of a circuit's matrices: the statement that keys belong to.
    CircuitHash[32];
}
