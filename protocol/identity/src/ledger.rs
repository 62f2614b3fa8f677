//! Bodies of the ledger: which one it is, balances, reversals, and what a check of the whole ledger found.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::Period;
use crate::bytes::{AccountId, EntryHash, LedgerId, ProgrammeId, ServiceKey};
use crate::claim::{Amount, AmountError};

/// What an account holds, in minor units. Text is an [`Amount`], with `-` before it when less than nothing; only
/// funding sources may hold that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(0|-?[1-9][0-9]{0,37})$"))]
pub struct Balance(i128);

impl Balance {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A balance of `minor` minor units.
    ///
    /// # Errors
    ///
    /// [`AmountError`] if it has more than 38 digits.
    pub fn new(minor: i128) -> Result<Self, AmountError> {
        Amount::new(minor.unsigned_abs()).map(|_| Self(minor))
    }

    /// In minor units.
    pub fn minor(self) -> i128 {
        self.0
    }

    /// Sum, unless it has more than 38 digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(|sum| Self::new(sum).ok())
    }

    /// The amount, unless it is less than nothing.
    pub fn amount(self) -> Option<Amount> {
        u128::try_from(self.0).ok().and_then(|minor| Amount::new(minor).ok())
    }
}

impl From<Amount> for Balance {
    fn from(amount: Amount) -> Self {
        Self(amount.minor() as i128) // below 10³⁸ < 2¹²⁷
    }
}

impl std::ops::Neg for Balance {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl FromStr for Balance {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        match text.strip_prefix('-') {
            Some("0") => Err(AmountError),
            Some(digits) => digits.parse::<Amount>().map(|amount| -Self::from(amount)),
            None => text.parse::<Amount>().map(Self::from),
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Balance {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Balance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a ledger counts: all programmes of a ledger pay in the same, because an account holds one number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unit {
    /// What it is called, such as `EUR`.
    pub name: String,
    /// Decimal digits that its minor unit stands for: 2 for cents.
    pub minor_digits: u8,
}

impl Unit {
    /// Minor units as people write them: `-12.05 EUR` for −1205 cents.
    pub fn text(&self, minor: Balance) -> String {
        let sign = if minor < Balance::ZERO { "-" } else { "" };
        let digits = usize::from(self.minor_digits);
        let text = format!("{:0>width$}", minor.0.unsigned_abs(), width = digits + 1);
        let (whole, part) = text.split_at(text.len() - digits);
        let point = if part.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{part} {}", self.name)
    }
}

/// Which ledger a distribution keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerView {
    /// Its id; claims and payments name it.
    pub id: LedgerId,
    /// Key that signs its receipts and statements.
    pub key: ServiceKey,
    /// What it counts; none before its first programme.
    pub unit: Option<Unit>,
}

impl LedgerView {
    /// Minor units as people write them; as a plain number while nobody has said what they are.
    pub fn text(&self, minor: impl Into<Balance>) -> String {
        let minor = minor.into();
        self.unit.as_ref().map_or_else(|| format!("{minor} minor units"), |unit| unit.text(minor))
    }
}

/// An operator takes a deposit back that was a mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReversalRequest {
    /// Why: 1 to 64 of `a-z 0-9 . _ -`. Stands in the entry.
    pub reason: String,
}

/// A reversal that is booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reversal {
    /// Place of the deposit that was taken back.
    pub reversed: u64,
    /// Why.
    pub reason: String,
    /// How much left the pool.
    pub amount: Amount,
    /// Place of the entry that takes it back.
    pub ledger_sequence: u64,
    /// Hash of that entry.
    pub entry_hash: EntryHash,
}

/// What a wallet's account holds. An account that was never paid holds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountView {
    /// Whose.
    pub account: AccountId,
    /// How much.
    pub balance: Amount,
}

/// One account of the ledger: `funding:<source>`, `pool:<programme>`, `reserve:<programme>:<period>`,
/// `wallet:<account>` or `fees`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerAccount {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub balance: Balance,
}

/// The whole ledger, recomputed from its entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerReport {
    /// Entries that were read.
    pub transfers: u64,
    /// Every account, by name.
    pub accounts: Vec<LedgerAccount>,
    /// Sum over all accounts: zero, or money came from nowhere.
    pub difference: Balance,
    /// Hash of the newest entry; zeros if there is none.
    pub chain_head: EntryHash,
    /// What does not hold. Empty if all is well.
    pub problems: Vec<LedgerProblem>,
}

/// Something in the ledger that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LedgerProblem {
    /// No entry has this place, though a later one, or the head, says that there was one.
    EntryMissing {
        /// The place.
        sequence: u64,
    },
    /// An entry is not what was hashed when it was written.
    EntryAltered {
        /// Its place.
        sequence: u64,
    },
    /// An entry does not continue the one before it.
    ChainBroken {
        /// Its place.
        sequence: u64,
    },
    /// An entry creates or destroys money.
    EntryUnbalanced {
        /// Its place.
        sequence: u64,
        /// Sum of its postings.
        sum: Balance,
    },
    /// An account does not hold the sum of its postings.
    BalanceWrong {
        /// The account's name.
        account: String,
        /// What it says it holds.
        stored: Balance,
        /// What was posted to it.
        posted: Balance,
    },
    /// An account that is no funding source holds less than nothing.
    BalanceNegative {
        /// The account's name.
        account: String,
    },
    /// A claim was paid something else than its period's share at that moment.
    ShareWrong {
        /// Place of the entry.
        sequence: u64,
        /// The share.
        due: Amount,
        /// What left the period's reserve.
        paid: Balance,
    },
    /// What a period reserved is not what its policy says, or not what it paid, returned, and still holds.
    PeriodUnbalanced {
        /// The programme.
        programme: ProgrammeId,
        /// The period.
        period: Period,
    },
    /// A claim and the entry that paid it do not agree, one of the two is missing, or the receipt is not ours.
    ClaimMismatch {
        /// Place of the entry.
        sequence: u64,
    },
    /// A payment and the entry that moved it do not agree, one of the two is missing, its payer has not signed it, or the
    /// receipt is not ours.
    PaymentMismatch {
        /// Place of the entry.
        sequence: u64,
    },
    /// An entry takes back what was no deposit, what was taken back already, or something else than was deposited.
    ReversalWrong {
        /// Its place.
        sequence: u64,
    },
    /// A sealed statement does not agree with the ledger.
    StatementWrong {
        /// The programme.
        programme: ProgrammeId,
        /// The period.
        period: Period,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refused_texts() {
        for text in ["", "-", "-0", "00", "+1", "1.0", " 1", "--1", &format!("-1{}", "0".repeat(38))] {
            assert_eq!(text.parse::<Balance>(), Err(AmountError), "{text:?}");
        }
    }

    #[test]
    fn units_are_written_with_their_digits() {
        let text = |minor, minor_digits| {
            Unit { name: "EUR".into(), minor_digits }.text(Balance::new(minor).unwrap())
        };
        assert_eq!(text(-1205, 2), "-12.05 EUR");
        assert_eq!(text(5, 2), "0.05 EUR");
        assert_eq!(text(0, 2), "0.00 EUR");
        assert_eq!(text(1205, 0), "1205 EUR");
        assert_eq!(text(1, 18), "0.000000000000000001 EUR");
    }

    proptest! {
        #[test]
        fn text_round_trip(minor in -(10_i128.pow(38) - 1)..10_i128.pow(38)) {
            let balance = Balance::new(minor).unwrap();
            prop_assert_eq!(balance.to_string().parse(), Ok(balance));
            prop_assert_eq!(balance.to_string(), minor.to_string());
        }
    }
}
