//! What a nullifier is for. Two different things never share an external nullifier, and nobody types one in:
//! the server and the wallet both compute it here.

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
