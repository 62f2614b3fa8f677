//! Field elements, and the nouns that are field elements.
//!
//! The one decoder: text is `0x` and exactly 64 lower-case hex digits, big-endian; binary is 32 bytes,
//! big-endian; the value is below the order `r` of BN254's scalar field. Anything else is refused, because two
//! encodings of one nullifier are two votes and two payments.

use std::fmt;
use std::str::FromStr;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

/// An element of BN254's scalar field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^0x[0-9a-f]{64}$"))]
pub struct FieldElement(Fr);

/// Why something is no field element. The caller sent a wrong or non-canonical value; sending it again cannot help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// Not `0x` and 64 lower-case hex digits.
    #[error("a field element is 0x and exactly 64 lower-case hex digits")]
    Malformed,
    /// Not 32 bytes.
    #[error("a field element has 32 bytes, found {found}")]
    WrongLength {
        /// Bytes given.
        found: usize,
    },
    /// A value of `r` or more: another encoding of a smaller one.
    #[error("value is not below the field's order")]
    NotReduced,
}

impl FieldElement {
    /// The additive identity; also the leaf of an empty place in the set.
    pub const ZERO: Self = Self(Fr::new(ark_ff::BigInt::new([0; 4])));

    /// 32 bytes, big-endian.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.into_bigint().to_bytes_be().try_into().expect("a 254-bit integer has 32 bytes")
    }

    /// Reads 32 bytes, big-endian.
    ///
    /// # Errors
    ///
    /// [`FieldError::WrongLength`] or [`FieldError::NotReduced`].
    pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, FieldError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| FieldError::WrongLength { found: bytes.len() })?;
        let mut limbs = [0_u64; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks_exact(8)) {
            *limb = u64::from_be_bytes(chunk.try_into().expect("chunks of 8"));
        }
        Fr::from_bigint(ark_ff::BigInt::new(limbs)).map(Self).ok_or(FieldError::NotReduced)
    }

    /// The remainder of a 256-bit big-endian integer: for hashes, where every value is meant. Never for input.
    pub fn from_be_bytes_mod_order(bytes: &[u8; 32]) -> Self {
        Self(Fr::from_be_bytes_mod_order(bytes))
    }
}

impl zeroize::Zeroize for FieldElement {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl From<Fr> for FieldElement {
    fn from(value: Fr) -> Self {
        Self(value)
    }
}

impl From<FieldElement> for Fr {
    fn from(value: FieldElement) -> Self {
        value.0
    }
}

impl From<u64> for FieldElement {
    fn from(value: u64) -> Self {
        Self(Fr::from(value))
    }
}

impl FromStr for FieldElement {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let digits = text.strip_prefix("0x").ok_or(FieldError::Malformed)?;
        Self::from_be_bytes(&crate::bytes::decode_lower_hex::<32>(digits).ok_or(FieldError::Malformed)?)
    }
}

impl fmt::Display for FieldElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.to_be_bytes()))
    }
}

impl fmt::Debug for FieldElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for FieldElement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for FieldElement {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A field element with a meaning: the same codec, another type.
macro_rules! field_nouns {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^0x[0-9a-f]{64}$"))]
        pub struct $name(pub FieldElement);

        impl $name {
            /// 32 bytes, big-endian.
            pub fn to_be_bytes(self) -> [u8; 32] {
                self.0.to_be_bytes()
            }

            /// Reads 32 bytes, big-endian.
            ///
            /// # Errors
            ///
            /// A [`FieldError`] if they are not canonical.
            pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, FieldError> {
                FieldElement::from_be_bytes(bytes).map(Self)
            }
        }

        impl FromStr for $name {
            type Err = FieldError;

            fn from_str(text: &str) -> Result<Self, FieldError> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

field_nouns! {
    /// A person's leaf in the set: `H1(H2(nullifier_key, trapdoor))`. Public; says nothing about the person.
    Commitment;
    /// What a commitment is the hash of: `H2(nullifier_key, trapdoor)`. Known to the wallet alone until it is shown, which
    /// proves whose commitment it is and tells nothing else: no nullifier follows from it.
    Opening;
    /// What one person's secret gives for one external nullifier: the same every time, unlinkable to any other.
    Nullifier;
    /// Root of the set of commitments.
    Root;
    /// Hash of the message that a proof binds.
    SignalHash;
    /// What a nullifier is for, hashed: an app's action, or one period's claim.
    ExternalNullifier;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The field's order.
    const R: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

    #[test]
    fn the_largest_element_is_r_minus_one() {
        let text = R.replace("f0000001", "f0000000");
        let element: FieldElement = text.parse().unwrap();
        assert_eq!(element.to_string(), text);
        assert_eq!(Fr::from(element), -Fr::from(1_u64));
    }

    #[test]
    fn refusals() {
        let five = format!("0x{:064x}", 5);
        let r_plus_one = R.replace("f0000001", "f0000002");
        // 5 + r, the other 256-bit encoding of 5
        let five_plus_r = R.replace("f0000001", "f0000006");
        let cases = [
            ("r", R, FieldError::NotReduced),
            ("r + 1", &r_plus_one, FieldError::NotReduced),
            ("n + r", &five_plus_r, FieldError::NotReduced),
            ("all ones", &format!("0x{}", "f".repeat(64)), FieldError::NotReduced),
            ("upper case digit", &format!("0x{:064X}", 10), FieldError::Malformed),
            ("upper case prefix", &five.replace("0x", "0X"), FieldError::Malformed),
            ("no prefix", &five[2..], FieldError::Malformed),
            ("short", "0x5", FieldError::Malformed),
            ("one digit short", &five.replacen("0x0", "0x", 1), FieldError::Malformed),
            ("one digit long", &five.replacen("0x", "0x0", 1), FieldError::Malformed),
            ("sign", &five.replacen("0x0", "0x+", 1), FieldError::Malformed),
            ("space", &format!(" {five}"), FieldError::Malformed),
            ("empty", "", FieldError::Malformed),
        ];
        for (name, text, error) in cases {
            assert_eq!(text.parse::<FieldElement>(), Err(error), "{name}");
            assert!(serde_json::from_value::<Nullifier>(text.into()).is_err(), "{name} in JSON");
        }
        assert!(serde_json::from_str::<Nullifier>("5").is_err(), "a number is no field element");
        assert_eq!(FieldElement::from_be_bytes(&[0; 31]), Err(FieldError::WrongLength { found: 31 }));
        assert_eq!(FieldElement::from_be_bytes(&[0; 33]), Err(FieldError::WrongLength { found: 33 }));
    }

    proptest! {
        #[test]
        fn one_encoding_each(bytes: [u8; 32]) {
            match FieldElement::from_be_bytes(&bytes) {
                Ok(element) => {
                    prop_assert_eq!(element.to_be_bytes(), bytes);
                    prop_assert_eq!(element.to_string().parse(), Ok(element));
                    prop_assert_eq!(FieldElement::from_be_bytes_mod_order(&bytes), element);
                }
                Err(error) => {
                    prop_assert_eq!(error, FieldError::NotReduced);
                    let reduced = FieldElement::from_be_bytes_mod_order(&bytes);
                    prop_assert_ne!(reduced.to_be_bytes(), bytes);
                }
            }
        }
    }
}
