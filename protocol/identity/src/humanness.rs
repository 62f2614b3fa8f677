//! Bodies of the humanness API: an app asks whether a proof shows a human, and how often that human has done this before.

mod app;
mod roots;

pub use app::{
    ActionName, ActionTerms, App, AppAction, AppId, AppRegistration, AppSigner, NameError, Per, UNUM_SET,
};
pub use roots::{PublishedRoot, PublishedRoots};

use serde::{Deserialize, Serialize};

use crate::action::{Act, Day};
use crate::field::{ExternalNullifier, Nullifier, Root, SignalHash};
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
    /// The day, of an action that is counted by the day; absent of one that is counted for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// Hash of what the human says ([`crate::hash::hash_signal`]).
    pub signal_hash: SignalHash,
    /// Root of the set that the human is in.
    pub root: Root,
    /// The human, for this action only.
    pub nullifier: Nullifier,
    /// The proof.
    pub proof: ProofBytes,
}

impl VerifyRequest {
    /// What the nullifier is for.
    pub fn scope(&self) -> ExternalNullifier {
        let (app_id, action) = (self.app_id.clone(), self.action.clone());
        Act { app_id, action, day: self.day }.scope()
    }
}

/// The proof holds, and this human has just done this once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verified {
    /// The human, for this action only.
    pub nullifier: Nullifier,
    /// The set that they are in.
    pub set: String,
    /// How often they have done it now, this time included.
    pub uses: u64,
    /// How often they may.
    pub max_uses: u32,
    /// When it was used, which is now.
    pub used_at: UnixTime,
}

/// The proof holds. Nothing was kept: whether the nullifier was used before is for whoever asked to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checked {
    /// Always `true`: a proof that does not hold is a problem.
    pub valid: bool,
    /// The set that the human is in.
    pub set: String,
    /// When the root was replaced by a newer one; null while it is the newest, and of a set that is not ours.
    pub root_replaced_at: Option<UnixTime>,
}

/// How often a human has done something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Uses {
    /// So often.
    pub uses: u64,
    /// How often they may.
    pub max_uses: u32,
    /// The last time; null if never.
    pub last_used_at: Option<UnixTime>,
}
