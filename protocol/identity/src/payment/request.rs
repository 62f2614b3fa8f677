//! A request for a payment, as a link and in a code.
//!
//! ```text
//! unum:pay?ledger=<32 hex>&to=<64 hex>&amount=<minor units>[&key=<32 hex>][&memo=<text>]
//! ```
//! In this order, nothing else, nothing twice. A memo's bytes other than `A-Z a-z 0-9 - . _ ~` are `%` and two upper-case
//! hex digits (RFC 3986, section 2.1). What written again is another text is refused: each request has one link.
//!
//! A request with a key can be paid once by each payer, however often the link is opened, and whoever made it finds the key
//! in the statement. One without is for a code on a wall.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::Memo;
use crate::bytes::{AccountId, LedgerId, PaymentKey};
use crate::claim::Amount;

/// Somebody asks to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// The ledger that both use.
    pub ledger: LedgerId,
    /// Who asks.
    pub to: AccountId,
    /// For how much, in minor units; more than nothing.
    pub amount: Amount,
    /// The key that the payment has to have.
    pub key: Option<PaymentKey>,
    /// What for.
    pub memo: Option<Memo>,
}

/// A text is no request: ask for it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no request for a payment: {0}")]
pub struct PaymentRequestError(&'static str);

const PREFIX: &str = "unum:pay?";

impl FromStr for PaymentRequest {
    type Err = PaymentRequestError;

    fn from_str(link: &str) -> Result<Self, PaymentRequestError> {
        let query =
            link.strip_prefix(PREFIX).ok_or(PaymentRequestError("it does not begin with unum:pay?"))?;
        let (mut ledger, mut to, mut amount, mut key, mut memo) = (None, None, None, None, None);
        for part in query.split('&') {
            let (name, value) =
                part.split_once('=').ok_or(PaymentRequestError("a part has no name or no value"))?;
            match name {
                "ledger" => ledger = value.parse().ok(),
                "to" => to = value.parse().ok().filter(AccountId::can_sign),
                "amount" => amount = value.parse().ok().filter(|amount| *amount > Amount::ZERO),
                "key" => key = value.parse().ok(),
                "memo" => memo = decode(value).and_then(|text| text.parse().ok()),
                _ => return Err(PaymentRequestError("it has a part that is not known here")),
            }
        }
        let needed = "it needs a ledger, an account that can sign, and an amount above 0";
        let (Some(ledger), Some(to), Some(amount)) = (ledger, to, amount) else {
            return Err(PaymentRequestError(needed));
        };
        let request = Self { ledger, to, amount, key, memo };
        // Values that do not parse, parts that come twice or in another order: all of them are written otherwise.
        let canonical = request.to_string() == link;
        canonical.then_some(request).ok_or(PaymentRequestError("it is not written as requests are"))
    }
}

impl fmt::Display for PaymentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}ledger={}&to={}&amount={}", self.ledger, self.to, self.amount)?;
        if let Some(key) = &self.key {
            write!(f, "&key={key}")?;
        }
        match &self.memo {
            Some(memo) => write!(f, "&memo={}", encode(&memo.to_string())),
            None => Ok(()),
        }
    }
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("text takes any text"),
        }
    }
    out
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            bytes.extend(byte);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    use super::*;

    fn request() -> PaymentRequest {
        PaymentRequest {
            ledger: LedgerId([1; 16]),
            to: AccountId(SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes()),
            amount: Amount::new(1250).unwrap(),
            key: Some(PaymentKey([3; 16])),
            memo: Some("rent & heat, 5 %".parse().unwrap()),
        }
    }

    #[test]
    fn the_link_of_a_request() {
        let to = request().to;
        let expected = format!(
            "unum:pay?ledger={}&to={to}&amount=1250&key={}&memo=rent%20%26%20heat%2C%205%20%25",
            "01".repeat(16),
            "03".repeat(16)
        );
        assert_eq!(request().to_string(), expected);
        assert_eq!(expected.parse(), Ok(request()));
        let short = PaymentRequest { key: None, memo: None, ..request() };
        assert_eq!(short.to_string(), format!("unum:pay?ledger={}&to={to}&amount=1250", "01".repeat(16)));
    }

    #[test]
    fn a_request_has_one_link() {
        let link = request().to_string();
        let weak = format!("to={}", "00".repeat(32));
        let changed = |from: &str, to: &str| {
            let changed = link.replacen(from, to, 1);
            assert_ne!(changed, link, "{from}");
            changed
        };
        for other in [
            String::new(),
            "unum:pay?".into(),
            changed("unum:pay?", "UNUM:pay?"),
            changed("unum:pay?", "unum://pay?"),
            changed("amount=1250", "amount=0"),
            changed("amount=1250", "amount=01250"),
            changed("amount=1250", "amount=1250.0"),
            changed("amount=1250", "amount=+1250"),
            changed("&amount=1250", ""),
            changed("&amount=1250", "&amount=1250&amount=1250"),
            changed("ledger=01", "ledger=0"),
            changed("key=03", "key=0303"),
            changed("&memo=", "&note="),
            changed("&memo=", "&memo=x&memo="),
            changed("%20", "+"),
            changed("%2C", "%2c"),
            changed("%2C", ","),
            changed("rent", "%72ent"),
            changed("rent", "%0Arent"),
            changed("rent", "%C3rent"),
            changed("rent", "%"),
            changed("&key=", "&fee=1&key="),
            changed(&format!("to={}", request().to), &weak),
            format!("{link}&"),
            format!("{link}#x"),
            format!("{link} "),
        ] {
            assert!(other.parse::<PaymentRequest>().is_err(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(
            ledger in any::<[u8; 16]>(),
            minor in 1..=Amount::MAX.minor(),
            key in prop::option::of(any::<[u8; 16]>()),
            words in prop::collection::vec(any::<char>(), 0..150),
        ) {
            let memo = words.into_iter().collect::<String>().parse().ok();
            let amount = Amount::new(minor).unwrap();
            let request =
                PaymentRequest { ledger: LedgerId(ledger), amount, key: key.map(PaymentKey), memo, ..request() };
            let link = request.to_string();
            prop_assert!(link.is_ascii());
            prop_assert_eq!(link.parse(), Ok(request));
        }

        #[test]
        fn whatever_parses_is_written_the_same(at in 0..300_usize, byte in 0x20..0x7f_u8) {
            let mut link = request().to_string().into_bytes();
            let at = at % link.len();
            link[at] = byte;
            let link = String::from_utf8(link).unwrap();
            if let Ok(request) = link.parse::<PaymentRequest>() {
                prop_assert_eq!(request.to_string(), link);
            }
        }
    }
}
