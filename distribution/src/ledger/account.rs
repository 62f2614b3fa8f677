//! Accounts, and the one name that each has.

use std::fmt;
use std::str::FromStr;

use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId};

/// Characters of a funding source's label, or of an idempotency key.
pub const MAX_LABEL: usize = 64;

/// A short name chosen by an operator: 1 to [`MAX_LABEL`] of `a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

/// Text is no label, or no account's name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {MAX_LABEL} of a-z 0-9 . _ -")]
pub struct LabelError;

impl Label {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let allowed = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > MAX_LABEL || !text.bytes().all(allowed) {
            return Err(LabelError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Where money can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Outside: holds the negative of what came from there. The only kind that may hold less than nothing.
    Funding(Label),
    /// A programme's money that no period has reserved.
    Pool(ProgrammeId),
    /// What a period can still pay.
    Reserve(ProgrammeId, Period),
    /// A wallet's.
    Wallet(AccountId),
    /// What claims left to whoever relayed them, where nobody named a wallet for it.
    Fees,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Funding(label) => write!(f, "funding:{}", label.0),
            Self::Pool(programme) => write!(f, "pool:{programme}"),
            Self::Reserve(programme, period) => write!(f, "reserve:{programme}:{period}"),
            Self::Wallet(account) => write!(f, "wallet:{account}"),
            Self::Fees => f.write_str("fees"),
        }
    }
}

impl FromStr for Account {
    type Err = LabelError;

    fn from_str(name: &str) -> Result<Self, LabelError> {
        let account = match name.split_once(':') {
            None if name == "fees" => Self::Fees,
            Some(("funding", label)) => Self::Funding(label.parse()?),
            Some(("pool", id)) => Self::Pool(id.parse().map_err(|_| LabelError)?),
            Some(("wallet", id)) => Self::Wallet(id.parse().map_err(|_| LabelError)?),
            Some(("reserve", rest)) => {
                let (id, period) = rest.split_once(':').ok_or(LabelError)?;
                let period = Period(period.parse().map_err(|_| LabelError)?);
                Self::Reserve(id.parse().map_err(|_| LabelError)?, period)
            }
            _ => return Err(LabelError),
        };
        // One name for each account: `reserve:…:+1` and `reserve:…:01` are nobody's.
        if account.to_string() == name { Ok(account) } else { Err(LabelError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_has_one_name() {
        let programme = ProgrammeId([0xab; 16]);
        for account in [
            Account::Funding("city.budget-2026".parse().unwrap()),
            Account::Pool(programme),
            Account::Reserve(programme, Period(7)),
            Account::Wallet(AccountId([1; 32])),
            Account::Fees,
        ] {
            assert_eq!(account.to_string().parse(), Ok(account));
        }
    }

    #[test]
    fn refusals() {
        let id = "ab".repeat(16);
        for name in [
            "",
            "fees:",
            "fee",
            "funding:",
            "funding:City",
            "funding:a:b",
            &format!("funding:{}", "a".repeat(65)),
            &format!("pool:{}", id.to_uppercase()),
            &format!("pool:{id}:1"),
            &format!("reserve:{id}"),
            &format!("reserve:{id}:01"),
            &format!("reserve:{id}:+1"),
            &format!("wallet:{id}"),
        ] {
            assert_eq!(name.parse::<Account>(), Err(LabelError), "{name:?}");
        }
    }
}
