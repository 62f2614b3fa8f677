//! Hex as World ID's software writes it, made canonical before anybody sees it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use unum_identity::field::FieldElement;

/// A field element from hex whose leading zeros and `0x` may be missing, in either case: 1 to 64 digits, below the order.
/// What comes out is the one element that all these spellings mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loose(pub(crate) FieldElement);

impl Loose {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let are_digits = digits.bytes().all(|c| c.is_ascii_hexdigit());
        if !are_digits || !(1..=64).contains(&digits.len()) {
            return None;
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(format!("{digits:0>64}"), &mut bytes).ok()?;
        FieldElement::from_be_bytes(&bytes).ok().map(Self)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("not 1 to 64 hex digits of a number below the field's order")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_element() {
        let five_and_ten = FieldElement::from(0x5a);
        for text in ["0x5a", "5a", "0x5A", "005A", &format!("0x{:064x}", 0x5a), &format!("{:064X}", 0x5a)] {
            assert_eq!(Loose::parse(text), Some(Loose(five_and_ten)), "{text}");
        }
    }

    #[test]
    fn refusals() {
        const R: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
        for text in ["", "0x", "0X5", "0x0x5", "+5", "5 ", "0xg", "é", R, &R.replace("f0000001", "f0000006")]
        {
            assert_eq!(Loose::parse(text), None, "{text:?}");
        }
        assert_eq!(Loose::parse(&format!("0x0{:064x}", 5)), None, "one digit too many");
        assert!(Loose::parse(&R.replace("f0000001", "f0000000")).is_some());
    }
}
