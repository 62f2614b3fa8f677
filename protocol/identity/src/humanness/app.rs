//! Apps, and what humans do in them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::split_daily_action;
use crate::bytes::decode_lower_hex;
use crate::time::UnixTime;

/// What our own set is called among those that a server knows.
pub const UNUM_SET: &str = "unum";

/// Why text names no app, no action, or is no signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Not an app's id.
    #[error("an app's id has 1 to 64 letters, digits, _ or - of ASCII")]
    App,
    /// Not an action.
    #[error("an action has up to 128 characters, none of them a control character")]
    Action,
    /// A name that a daily action has on one day: the two would count together.
    #[error("an action does not end in a slash and a day: those are the names of daily actions")]
    Daily,
    /// Not an address.
    #[error("a signer is 0x and exactly 40 lower-case hex digits")]
    Signer,
}

/// Names an app: 1 to 64 letters, digits, `_` or `-` of ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,64}$"))]
pub struct AppId(String);

/// Names what a human does in an app: up to 128 characters, none of them a control character. The empty one is a name too. None ends in
/// `/YYYY-MM-DD`: those are the names that daily actions have on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 128))]
pub struct ActionName(String);

macro_rules! texts {
    ($($name:ident: $check:expr;)*) => {$(
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(&text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                text.to_owned().try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts! {
    AppId: |text| {
        let fits = (1..=64).contains(&text.len());
        let plain = text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'));
        if fits && plain { Ok(()) } else { Err(NameError::App) }
    };
    ActionName: |text| {
        if text.chars().count() > 128 || text.chars().any(char::is_control) {
            return Err(NameError::Action);
        }
        if split_daily_action(text).is_some() { Err(NameError::Daily) } else { Ok(()) }
    };
}

/// The Ethereum address whose key signs an app's requests to wallets. Text is `0x` and exactly 40 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^0x[0-9a-f]{40}$"))]
pub struct AppSigner(pub [u8; 20]);

impl TryFrom<String> for AppSigner {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.strip_prefix("0x").and_then(decode_lower_hex).map(Self).ok_or(NameError::Signer)
    }
}

impl From<AppSigner> for String {
    fn from(AppSigner(address): AppSigner) -> Self {
        format!("0x{}", hex::encode(address))
    }
}

/// An app, as an operator registers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppRegistration {
    /// Names it.
    pub app_id: AppId,
    /// What people call it: 1 to 64 characters.
    pub name: String,
    /// Who signs its requests to wallets; absent if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<AppSigner>,
    /// The sets whose people it takes; our own if absent. Whoever is in two of them is two people to it.
    #[serde(default = "our_own")]
    pub sets: Vec<String>,
}

fn our_own() -> Vec<String> {
    vec![UNUM_SET.to_owned()]
}

/// How uses of an action are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Per {
    /// For ever.
    #[default]
    Ever,
    /// By the day, in UTC: each day is another action, `action/YYYY-MM-DD`.
    Day,
}

/// What an action allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionTerms {
    /// How often each human may, at least 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub max_uses: u32,
    /// Counted how.
    pub per: Per,
    /// Whether it is taken now.
    pub open: bool,
    /// For people: up to 256 characters.
    pub description: String,
}

impl Default for ActionTerms {
    /// Once, open.
    fn default() -> Self {
        Self { max_uses: 1, per: Per::Ever, open: true, description: String::new() }
    }
}

/// An action of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppAction {
    /// Names it.
    pub action: ActionName,
    /// What it allows.
    #[serde(flatten)]
    pub terms: ActionTerms,
}

/// An app, as everybody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct App {
    /// As it was registered.
    #[serde(flatten)]
    pub registration: AppRegistration,
    /// When.
    pub created_at: UnixTime,
    /// What humans do in it, in order of their names.
    pub actions: Vec<AppAction>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_limits() {
        for text in ["app_x", "A-9", &"a".repeat(64)] {
            assert_eq!(text.parse::<AppId>().unwrap().as_str(), text);
        }
        for text in ["", "a b", "a/b", "é", "a\0", &"a".repeat(65)] {
            assert_eq!(text.parse::<AppId>(), Err(NameError::App), "{text:?}");
        }
        for text in ["", "vote", "a/b", "Größe", "2026-11-23", &"é".repeat(128)] {
            assert_eq!(text.parse::<ActionName>().unwrap().as_str(), text);
        }
        for text in ["a\0b", "\n", &"a".repeat(129)] {
            assert_eq!(text.parse::<ActionName>(), Err(NameError::Action), "{text:?}");
        }
        assert_eq!("post/2026-11-23".parse::<ActionName>(), Err(NameError::Daily));
        assert_eq!("/2026-11-23".parse::<ActionName>(), Err(NameError::Daily));
    }

    #[test]
    fn what_is_left_out_is_the_least() {
        let app: AppRegistration = serde_json::from_str(r#"{"app_id":"a","name":"A"}"#).unwrap();
        assert_eq!((app.signer, app.sets), (None, vec!["unum".to_owned()]));
        let terms: ActionTerms = serde_json::from_str("{}").unwrap();
        assert_eq!(terms, ActionTerms::default());
        assert!(serde_json::from_str::<ActionTerms>(r#"{"max":3}"#).is_err());
    }

    #[test]
    fn a_signer_has_one_text() {
        let text = format!("\"0x{}\"", "0a".repeat(20));
        let signer: AppSigner = serde_json::from_str(&text).unwrap();
        assert_eq!(signer, AppSigner([10; 20]));
        assert_eq!(serde_json::to_string(&signer).unwrap(), text);
        for wrong in [text.to_uppercase(), text.replace("0x", ""), text.replacen("0a", "a", 1)] {
            assert!(serde_json::from_str::<AppSigner>(&wrong).is_err(), "{wrong}");
        }
    }
}
