//! Bodies of the distribution: amounts, what a claim binds, claims and their receipts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::Period;
use crate::bytes::{AccountId, EntryHash, LedgerId, ProgrammeId};
use crate::field::{Nullifier, SignalHash};
use crate::hash::hash_to_field;
use crate::proof::ProofBytes;
use crate::signed::Statement;
use crate::time::UnixTime;

/// Money in a programme's minor unit. Text is decimal digits without sign or leading zeros; at most 38 digits,
/// which is what `numeric(38,0)` and `i128` both hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(0|[1-9][0-9]{0,37})$"))]
pub struct Amount(u128);

/// Why text or a number is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is a whole number of minor units below 10^38, written without sign or leading zeros")]
pub struct AmountError;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Largest amount, 10³⁸ − 1.
    pub const MAX: Self = Self(10_u128.pow(38) - 1);

    /// An amount of `minor` minor units.
    ///
    /// # Errors
    ///
    /// [`AmountError`] above [`Amount::MAX`].
    pub fn new(minor: u128) -> Result<Self, AmountError> {
        if minor > Self::MAX.0 { Err(AmountError) } else { Ok(Self(minor)) }
    }

    /// In minor units.
    pub fn minor(self) -> u128 {
        self.0
    }

    /// Sum, unless it is no amount.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(|sum| Self::new(sum).ok())
    }

    /// Difference, unless it is negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// `self` for each of `count` people, unless it is no amount.
    #[must_use]
    pub fn checked_mul(self, count: u64) -> Option<Self> {
        self.0.checked_mul(count.into()).and_then(|product| Self::new(product).ok())
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let canonical = text.bytes().all(|c| c.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if !canonical {
            return Err(AmountError);
        }
        text.parse().map_err(|_| AmountError).and_then(Self::new)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a claim's signal binds: anyone may relay a claim, nobody can redirect it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimTerms {
    /// The ledger that may pay it.
    pub ledger: LedgerId,
    /// Who is paid.
    pub recipient: AccountId,
    /// What goes to whoever relays it.
    pub fee: Amount,
    /// After this moment it is void.
    pub deadline: UnixTime,
}

impl ClaimTerms {
    /// `hash_to_field("unum/claim-terms/v1" ‖ ledger (16) ‖ recipient (32) ‖ fee (u128) ‖ deadline (u64))`,
    /// integers big-endian.
    pub fn signal_hash(&self) -> SignalHash {
        let mut bytes = b"unum/claim-terms/v1".to_vec();
        bytes.extend_from_slice(&self.ledger.0);
        bytes.extend_from_slice(&self.recipient.0);
        bytes.extend_from_slice(&self.fee.0.to_be_bytes());
        bytes.extend_from_slice(&self.deadline.0.to_be_bytes());
        SignalHash(hash_to_field(&bytes))
    }
}

/// A claim of one period's share. Root and external nullifier follow from programme and period, so they are not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Claim {
    /// Which programme.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub programme: ProgrammeId,
    /// Which period.
    pub period: Period,
    /// The person, for this period only: the key under which the claim is paid once.
    pub nullifier: Nullifier,
    /// What the proof binds.
    pub terms: ClaimTerms,
    /// The proof.
    pub proof: ProofBytes,
    /// Who sends it, if somebody wants the fee: the proof does not bind this, so whoever relays names itself. Without one
    /// the fee goes to the ledger's account for fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relayer: Option<AccountId>,
}

/// The ledger's word that a claim was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimReceipt {
    /// Which programme.
    pub programme: ProgrammeId,
    /// Which period.
    pub period: Period,
    /// The claim.
    pub nullifier: Nullifier,
    /// Who was paid.
    pub recipient: AccountId,
    /// How much the recipient got.
    pub amount: Amount,
    /// The transfer's place in the ledger.
    pub ledger_sequence: u64,
    /// Hash of that entry, which covers all before it.
    pub entry_hash: EntryHash,
    /// When it was committed.
    pub paid_at: UnixTime,
}

impl Statement for ClaimReceipt {
    const DOMAIN: &'static str = "unum/claim-receipt/v1";

    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.programme.0[..],
            &self.period.0.to_be_bytes(),
            &self.nullifier.to_be_bytes(),
            &self.recipient.0,
            &self.amount.0.to_be_bytes(),
            &self.ledger_sequence.to_be_bytes(),
            &self.entry_hash.0,
            &self.paid_at.0.to_be_bytes(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::signed::{SignatureError, Signed, service_key};

    fn terms() -> ClaimTerms {
        ClaimTerms {
            ledger: LedgerId([1; 16]),
            recipient: AccountId([2; 32]),
            fee: Amount(3),
            deadline: UnixTime(4),
        }
    }

    fn receipt() -> ClaimReceipt {
        ClaimReceipt {
            programme: ProgrammeId([1; 16]),
            period: Period(2),
            nullifier: Nullifier(3.into()),
            recipient: AccountId([4; 32]),
            amount: Amount(5),
            ledger_sequence: 6,
            entry_hash: EntryHash([7; 32]),
            paid_at: UnixTime(8),
        }
    }

    #[test]
    fn amounts_have_one_text() {
        for text in ["0", "7", "100000000000000000000", &"9".repeat(38)] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        for text in ["", "00", "01", "+1", "-1", "1.0", "1e3", " 1", "1_000", &format!("1{}", "0".repeat(38))]
        {
            assert_eq!(text.parse::<Amount>(), Err(AmountError), "{text:?}");
        }
        assert!(serde_json::from_str::<Amount>("7").is_err(), "a JSON number loses digits elsewhere");
    }

    #[test]
    fn amounts_never_wrap() {
        assert_eq!(Amount::MAX.checked_add(Amount(1)), None);
        assert_eq!(Amount(1).checked_sub(Amount(2)), None);
        assert_eq!(Amount(10_u128.pow(37)).checked_mul(10), None);
        assert_eq!(Amount(3).checked_mul(4), Some(Amount(12)));
    }

    #[test]
    fn the_signal_binds_every_term() {
        let others = [
            ClaimTerms { ledger: LedgerId([9; 16]), ..terms() },
            ClaimTerms { recipient: AccountId([9; 32]), ..terms() },
            ClaimTerms { fee: Amount(9), ..terms() },
            ClaimTerms { deadline: UnixTime(9), ..terms() },
        ];
        for other in others {
            assert_ne!(other.signal_hash(), terms().signal_hash(), "{other:?}");
        }
    }

    #[test]
    fn a_receipt_holds_only_as_signed() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let trusted = service_key(&key);
        let signed = Signed::new(receipt(), &key);
        assert_eq!(signed.verify(&trusted), Ok(&receipt()));
        let text = serde_json::to_string(&signed).unwrap();
        assert_eq!(serde_json::from_str::<Signed<ClaimReceipt>>(&text).unwrap(), signed);

        let mut altered = signed.clone();
        altered.statement.amount = Amount(6);
        assert_eq!(altered.verify(&trusted), Err(SignatureError));
        let stranger = Signed::new(receipt(), &SigningKey::from_bytes(&[8; 32]));
        assert_eq!(stranger.verify(&trusted), Err(SignatureError));
    }

    #[test]
    fn claims_of_different_periods_never_share_a_nullifier() {
        use crate::field::ExternalNullifier;
        let of =
            |programme, period| ExternalNullifier::of_claim(&ProgrammeId([programme; 16]), Period(period));
        assert_ne!(of(1, 1), of(1, 2));
        assert_ne!(of(1, 1), of(2, 1));
    }
}
