//! Numbers as text in JSON: decimal as snarkjs writes them, hex as World ID does.

use std::borrow::Cow;

use ark_ff::{BigInt, PrimeField};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field element in decimal: no sign, no leading zero, below the field's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal<F>(pub F);

/// A 256-bit word in hex: `0x` and 64 lower-case digits; when read, leading zeros may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub [u8; 32]);

/// The text of one small number, where a form has room for others that we refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Literal<const N: u8>;

impl<F: PrimeField<BigInt = BigInt<4>>> Decimal<F> {
    fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let canonical = digits && (text == "0" || !text.starts_with('0'));
        // 77 digits: those of the order. The parser itself has no limit.
        (canonical && text.len() <= 77).then(|| text.parse().ok().and_then(F::from_bigint).map(Self))?
    }
}

impl<F: PrimeField<BigInt = BigInt<4>>> Serialize for Decimal<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.into_bigint())
    }
}

impl<'de, F: PrimeField<BigInt = BigInt<4>>> Deserialize<'de> for Decimal<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a canonical decimal below the field's order"))
    }
}

impl Word {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("0x").filter(|digits| (1..=64).contains(&digits.len()))?;
        let lower = digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let mut word = [0; 32];
        (lower && hex::decode_to_slice(format!("{digits:0>64}"), &mut word).is_ok()).then_some(Self(word))
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("0x{}", hex::encode(self.0)))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not 0x and up to 64 lower-case hex digits"))
    }
}

impl<const N: u8> Serialize for Literal<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&N)
    }
}

impl<'de, const N: u8> Deserialize<'de> for Literal<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        if text == N.to_string() {
            Ok(Self)
        } else {
            Err(D::Error::custom(format_args!("expected \"{N}\" here: points are written affine")))
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, Fr};
    use proptest::prelude::*;

    use super::*;

    const R: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";

    #[test]
    fn decimal_refusals() {
        assert_eq!(Decimal::<Fr>::parse("0"), Some(Decimal(Fr::from(0))));
        let last = R.replace("617", "616");
        assert_eq!(Decimal::<Fr>::parse(&last), Some(Decimal(-Fr::from(1))));
        assert!(Decimal::<Fq>::parse(R).is_some(), "the other field is larger");
        let long = "9".repeat(77);
        for text in ["", "00", "01", "+1", "-1", "1 ", "0x1", "1e3", "1_0", "١", R, &long, &long.repeat(2)] {
            assert_eq!(Decimal::<Fr>::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn word_refusals() {
        let full = format!("0x{}", "f".repeat(64));
        assert_eq!(Word::parse(&full), Some(Word([255; 32])));
        assert_eq!(Word::parse("0x1"), Word::parse(&format!("0x{:064x}", 1)));
        for text in ["", "0x", "1", "0xA", "0Xa", "0x+1", "0x g", &format!("{full}0"), "0xé"] {
            assert_eq!(Word::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes: [u8; 32]) {
            let number = Decimal(Fq::from_be_bytes_mod_order(&bytes));
            let text = serde_json::to_string(&number).unwrap();
            prop_assert_eq!(serde_json::from_str::<Decimal<Fq>>(&text).unwrap(), number);
            let text = serde_json::to_string(&Word(bytes)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Word>(&text).unwrap(), Word(bytes));
        }
    }
}
