//! Bodies of the enrollment server: devices, sessions, verdicts, the published set.

use serde::{Deserialize, Serialize};

use crate::bytes::{DeviceId, DeviceKey, DeviceSignature, Nonce, SealingKey, ServiceKey};
use crate::checkpoint::SignedCheckpoint;
use crate::field::{Commitment, Root};
use crate::set::MerklePath;
use crate::signed::{Signed, Statement};
use crate::time::UnixTime;

/// Media type of a device envelope (RFC 9052, section 11.1).
pub const ENVELOPE_CONTENT_TYPE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// An operator registers a device. The same body again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceRegistration {
    /// The device's id.
    pub device: DeviceId,
    /// Its public key.
    pub key: DeviceKey,
    /// What operators call it.
    pub label: String,
}

/// A device asks for a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRequest {
    /// Who asks.
    pub device: DeviceId,
}

/// One attempt to enroll one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// To be signed into the envelope; good once.
    pub nonce: Nonce,
    /// When the nonce is no longer accepted.
    pub expires_at: UnixTime,
    /// Key to seal the templates to.
    pub sealing_key: SealingKey,
    /// The consent text to show.
    pub consent_version: u32,
}

/// What the server found: the body of `201` (enrolled) and `202` (review). Refusals are problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EnrollmentOutcome {
    /// The person is new and the commitment is in the set.
    Enrolled {
        /// Signed by the server.
        receipt: Signed<EnrollmentReceipt>,
    },
    /// The eyes disagree: an operator has to look. Nothing is in the set.
    Review,
}

/// The server's word that a commitment is in the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrollmentReceipt {
    /// The leaf.
    pub commitment: Commitment,
    /// Its place.
    pub leaf_index: u64,
    /// When it was added, rounded down to the hour: finer would link it to a visit.
    pub accepted_at: UnixTime,
}

impl Statement for EnrollmentReceipt {
    const DOMAIN: &'static str = "unum/enrollment-receipt/v1";

    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.commitment.to_be_bytes()[..],
            &self.leaf_index.to_be_bytes(),
            &self.accepted_at.0.to_be_bytes(),
        ]
        .concat()
    }
}

/// A commitment's place in the set, with the way to a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InclusionProof {
    /// The leaf.
    pub commitment: Commitment,
    /// Its place.
    pub leaf_index: u64,
    /// Leaves under `root`.
    pub size: u64,
    /// The root that the path leads to.
    pub root: Root,
    /// Siblings, leaf first.
    pub path: MerklePath,
}

impl InclusionProof {
    /// Whether the path leads from the commitment, at this place, to the root.
    pub fn holds(&self) -> bool {
        let place =
            self.path.steps().iter().rev().fold(0, |place, step| place << 1 | u64::from(step.is_right()));
        self.leaf_index < self.size
            && place == self.leaf_index
            && self.path.root(self.commitment) == self.root
    }
}

/// One leaf as published: whoever holds the device's key can check that the device vouched for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedLeaf {
    /// The leaf.
    pub commitment: Commitment,
    /// Which device vouched.
    pub device: DeviceId,
    /// Its signature ([`crate::envelope::sign_leaf`]).
    pub signature: DeviceSignature,
}

/// The whole set at one size, as the distribution and auditors read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// Signed size and root.
    pub checkpoint: SignedCheckpoint,
    /// Every leaf below that size, in order.
    pub leaves: Vec<PublishedLeaf>,
}

/// What a newcomer must trust to follow the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetIdentity {
    /// Name of the set in its checkpoints.
    pub origin: String,
    /// Key that signs checkpoints and receipts.
    pub key: ServiceKey,
    /// The devices that may vouch for leaves.
    pub devices: Vec<DeviceRegistration>,
}
