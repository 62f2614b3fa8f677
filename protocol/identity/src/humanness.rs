//! Bodies of `POST /v1/verify`: an app asks whether a proof shows a human who has not done this before.

use serde::{Deserialize, Serialize};

use crate::field::{Nullifier, Root, SignalHash};
use crate::proof::ProofBytes;
use crate::time::UnixTime;

/// A proof, and what it is claimed to prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyRequest {
    /// The app.
    pub app_id: String,
    /// What the human does in it; empty if the app has one action only.
    #[serde(default)]
    pub action: String,
    /// Hash of what the human says ([`crate::hash::hash_signal`]).
    pub signal_hash: SignalHash,
    /// Root of the set that the human is in.
    pub root: Root,
    /// The human, for this action only.
    pub nullifier: Nullifier,
    /// The proof.
    pub proof: ProofBytes,
}

/// The proof holds, and this nullifier had not been used for this action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verified {
    /// The human, for this action only.
    pub nullifier: Nullifier,
    /// When it was used.
    pub used_at: UnixTime,
}
