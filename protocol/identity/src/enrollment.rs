//! Bodies of the enrollment server: devices, sessions, verdicts, the published set.

use serde::{Deserialize, Serialize};

use crate::bytes::{DeviceId, DeviceKey, DeviceSignature, Nonce, SealingKey, ServiceKey};
use crate::checkpoint::SignedCheckpoint;
use crate::field::{Commitment, FieldElement, Opening, Root};
use crate::set::{Change, MerklePath};
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

/// A wallet asks that the eyes of its person be erased, and its leaf emptied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErasureRequest {
    /// The leaf.
    pub commitment: Commitment,
    /// Shows that the leaf is the wallet's. Published with the removal.
    pub opening: Opening,
}

/// How far an erasure is: the body of `202` (pending) and `200` (erased).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Erasure {
    /// Asked for. Ask again.
    Pending,
    /// Nothing is left in any table, segment or running matcher.
    Erased {
        /// Signed by the server.
        receipt: Signed<ErasureReceipt>,
    },
}

/// The server's word that nothing is left of a person's eyes in tables, segments and running matchers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErasureReceipt {
    /// The leaf, which is empty now.
    pub commitment: Commitment,
    /// When it was asked for, rounded down to the hour.
    pub asked_at: UnixTime,
}

impl Statement for ErasureReceipt {
    const DOMAIN: &'static str = "unum/erasure-receipt/v1";

    fn to_bytes(&self) -> Vec<u8> {
        [&self.commitment.to_be_bytes()[..], &self.asked_at.0.to_be_bytes()].concat()
    }
}

/// What the server found: the body of `201` (enrolled), `200` (recovered) and `202` (review). Refusals are problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EnrollmentOutcome {
    /// The person is new and the commitment is in the set.
    Enrolled {
        /// Signed by the server.
        receipt: Signed<EnrollmentReceipt>,
    },
    /// The person was known, and the commitment is in the set in the place of another.
    Recovered {
        /// Signed by the server.
        receipt: Signed<EnrollmentReceipt>,
        /// What stood there before.
        replaced: Commitment,
    },
    /// The eyes disagree: an operator has to look. The set is what it was.
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
    /// Events of the log that gave `root`.
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

impl PublishedLeaf {
    /// The place of somebody who was removed: nobody can prove anything with it, and no device vouches for it.
    pub const EMPTY: Self = Self {
        commitment: Commitment(FieldElement::ZERO),
        device: DeviceId([0; 16]),
        signature: DeviceSignature([0; 64]),
    };
}

/// One event of the log that the set follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LogEvent {
    /// A newcomer's leaf, after the last one.
    Enrolled {
        /// Its place.
        leaf_index: u64,
        /// What stands there.
        leaf: PublishedLeaf,
    },
    /// A recovery: somebody's leaf has another commitment.
    Replaced {
        /// Its place.
        leaf_index: u64,
        /// What stands there from then on.
        leaf: PublishedLeaf,
    },
    /// Somebody left.
    Removed {
        /// Their place, which stays empty.
        leaf_index: u64,
        /// Opens the commitment that stood there: its wallet wanted this, and nobody else could.
        opening: Opening,
    },
}

impl LogEvent {
    /// Whose place it is about.
    pub fn leaf_index(&self) -> u64 {
        match *self {
            Self::Enrolled { leaf_index, .. }
            | Self::Replaced { leaf_index, .. }
            | Self::Removed { leaf_index, .. } => leaf_index,
        }
    }

    /// What stands there from then on.
    pub fn leaf(&self) -> &PublishedLeaf {
        match self {
            Self::Enrolled { leaf, .. } | Self::Replaced { leaf, .. } => leaf,
            Self::Removed { .. } => &PublishedLeaf::EMPTY,
        }
    }

    /// What it does to the tree.
    pub fn change(&self) -> Change {
        let commitment = self.leaf().commitment;
        match *self {
            Self::Enrolled { .. } => Change::Add(commitment),
            _ => Change::Put { index: self.leaf_index(), commitment },
        }
    }
}

/// The log from one event on, as far as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// Number of the first event.
    pub first: u64,
    /// The events, in order.
    pub events: Vec<LogEvent>,
    /// Events that there are.
    pub size: u64,
}

/// The whole set at one size, as the distribution and auditors read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// Signed size of the log, and root.
    pub checkpoint: SignedCheckpoint,
    /// Every leaf at that size, in order; [`PublishedLeaf::EMPTY`] where somebody was removed.
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
