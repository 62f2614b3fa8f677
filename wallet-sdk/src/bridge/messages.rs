//! What page and wallet say to each other, in the words of `IDKit` 3.

use serde::{Deserialize, Serialize};
use unum_identity::action::Act;
use unum_identity::field::{Nullifier, Root, SignalHash};
use unum_identity::humanness::VerifyRequest;
use unum_identity::proof::ProofBytes;

/// What a page asks for. All of it is the page's word: nobody has checked it, and a text may hold anything. Print it escaped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)] // other fields are left alone: IDKit's versions differ in them
pub struct Question {
    /// The app that the proof is for.
    pub app_id: String,
    /// What the human does in it; of one day, `action/YYYY-MM-DD`.
    pub action: String,
    /// What that is, in words.
    #[serde(default)]
    pub action_description: Option<String>,
    /// Hash of what the human says with it.
    #[serde(rename = "signal")]
    pub signal_hash: SignalHash,
}

impl Question {
    /// What is to be proved.
    pub fn act(&self) -> Act {
        Act { app_id: self.app_id.clone(), action: self.action.clone(), day: None }
    }
}

/// Why a wallet gives no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// Its human does not want to.
    VerificationRejected,
    /// Its human is in no set.
    CredentialUnavailable,
    /// It cannot read what is asked.
    MalformedRequest,
    /// It cannot make the proof.
    GenericError,
}

/// An answer without a proof.
#[derive(Serialize)]
pub(super) struct Refused {
    pub(super) error_code: Refusal,
}

/// An answer with one. The page knows what it has asked, and it stands in the proof.
#[derive(Serialize)]
pub(super) struct Proved<'a> {
    proof: &'a ProofBytes,
    merkle_root: Root,
    nullifier_hash: Nullifier,
    verification_level: &'static str,
}

impl<'a> Proved<'a> {
    /// Everybody in the set was before a device that looks at irises, which is what World calls `orb`.
    pub(super) fn of(VerifyRequest { proof, root, nullifier, .. }: &'a VerifyRequest) -> Self {
        Self { proof, merkle_root: *root, nullifier_hash: *nullifier, verification_level: "orb" }
    }
}
