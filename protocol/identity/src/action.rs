//! What a nullifier is for. Two different things never share an external nullifier, and nobody types one in:
//! the server and the wallet both compute it here.

mod day;

pub use day::{Day, DayError};

use crate::bytes::ProgrammeId;
use crate::field::ExternalNullifier;
use crate::hash::hash_to_field;

/// A period of a programme, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Period(pub u64);

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a human does in an app, as their nullifier knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The app.
    pub app_id: String,
    /// What the human does in it; empty if the app has one action only.
    pub action: String,
    /// The day, of an action that is counted by the day; none of one that is counted for ever.
    pub day: Option<Day>,
}

impl Act {
    /// What the proof is for: of a day, the action `action/YYYY-MM-DD`.
    pub fn scope(&self) -> ExternalNullifier {
        match self.day {
            Some(day) => ExternalNullifier::of_app(&self.app_id, &daily_action(&self.action, day)),
            None => ExternalNullifier::of_app(&self.app_id, &self.action),
        }
    }
}

/// How an action is called on one day: `action/YYYY-MM-DD`.
pub fn daily_action(action: &str, day: Day) -> String {
    format!("{action}/{day}")
}

/// What [`daily_action`] was made of; none of any other text.
pub fn split_daily_action(text: &str) -> Option<(&str, Day)> {
    let (action, day) = text.rsplit_once('/')?;
    Some((action, day.parse().ok()?))
}

impl ExternalNullifier {
    /// Of an app's action: `hash_to_field(be32(hash_to_field(app_id)) ‖ action)` (World ID 3).
    /// An absent action is the empty one.
    pub fn of_app(app_id: &str, action: &str) -> Self {
        let mut bytes = hash_to_field(app_id.as_bytes()).to_be_bytes().to_vec();
        bytes.extend_from_slice(action.as_bytes());
        Self(hash_to_field(&bytes))
    }

    /// Of one period's claim: `hash_to_field("unum/claim/v1" ‖ programme ‖ period)`, the period as `u64` big-endian.
    pub fn of_claim(programme: &ProgrammeId, period: Period) -> Self {
        let mut bytes = b"unum/claim/v1".to_vec();
        bytes.extend_from_slice(&programme.0);
        bytes.extend_from_slice(&period.0.to_be_bytes());
        Self(hash_to_field(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_is_another_action() {
        let on = |day: Option<&str>| {
            let day = day.map(|day| day.parse().unwrap());
            Act { app_id: "app".into(), action: "post".into(), day }.scope()
        };
        assert_eq!(on(None), ExternalNullifier::of_app("app", "post"));
        assert_eq!(on(Some("2026-11-23")), ExternalNullifier::of_app("app", "post/2026-11-23"));
        assert_ne!(on(Some("2026-11-23")), on(Some("2026-11-24")));
    }

    #[test]
    fn a_daily_action_can_be_told_from_others() {
        let day: Day = "2026-11-23".parse().unwrap();
        for action in ["", "post", "a/b"] {
            assert_eq!(split_daily_action(&daily_action(action, day)), Some((action, day)));
        }
        for text in ["", "post", "2026-11-23", "post/", "post/2026-11-31", "post/2026-11-23/"] {
            assert_eq!(split_daily_action(text), None, "{text}");
        }
    }
}
