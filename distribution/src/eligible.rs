//! Who may claim: the published set, read over HTTP and believed only as far as its signature.
//!
//! The enrollment server could answer anything. What counts is that the trusted key signed the checkpoint, and that
//! the leaves sent with it really give its root; then counting them is counting the people that everyone sees in the
//! public log. With trusted devices configured, each leaf must carry the signature of one of them as well.

use std::collections::HashMap;
use std::time::Duration;

use unum_identity::bytes::{DeviceId, DeviceKey};
use unum_identity::checkpoint::{CheckpointError, SignedCheckpoint};
use unum_identity::enrollment::{PublishedLeaf, Snapshot};
use unum_identity::envelope::leaf_signature_holds;
use unum_identity::field::FieldElement;
use unum_identity::programme::EligibleSet;
use unum_identity::set::Set;

use crate::config::{Config, TrustedSet};
use service::ProblemResponse;

/// Largest snapshot read: a leaf takes 270 bytes of JSON, so that this holds two million people. Past that the set has
/// to be read in tiles.
const MAX_SNAPSHOT: u64 = 512 * 1024 * 1024;
/// How long reading it may take: [`MAX_SNAPSHOT`] at 5 MB/s.
const TIMEOUT: Duration = Duration::from_secs(100);
/// Seconds after which to ask again for a set that could not be read.
const RETRY_AFTER: u64 = 5;

/// Why nobody can be frozen as eligible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetError {
    /// The enrollment server did not answer, or not with a snapshot. Try again.
    #[error("the published set cannot be read: {0}")]
    Unavailable(String),
    /// The checkpoint is not one to believe. Compare the configured origin and key with the set's.
    #[error("the set's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The leaves do not give the signed root, or are more than there were events: somebody altered the set.
    #[error("the {found} leaves sent are not those of the {signed} events that the checkpoint signs")]
    Leaves { found: u64, signed: u64 },
    /// A leaf that no trusted device has vouched for.
    #[error("no trusted device has vouched for leaf {index}")]
    Unvouched { index: usize },
    /// Nobody is enrolled: there is nobody to pay.
    #[error("nobody is in the set")]
    Empty,
}

impl From<SetError> for ProblemResponse {
    fn from(error: SetError) -> Self {
        let detail = error.to_string();
        match error {
            SetError::Unavailable(_) => {
                tracing::warn!(%error, "snapshot");
                Self::new(503, "set_unavailable")
                    .detail("the enrollment server does not answer with a snapshot of the set")
                    .retry_after(RETRY_AFTER)
            }
            SetError::Checkpoint(_) | SetError::Leaves { .. } | SetError::Unvouched { .. } => {
                tracing::error!(%error, "snapshot");
                Self::new(502, "set_untrusted").detail(detail)
            }
            SetError::Empty => Self::new(409, "set_empty").detail(detail),
        }
    }
}

/// The set as it is to be frozen.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) set: EligibleSet,
    pub(crate) checkpoint: SignedCheckpoint,
}

/// Where the set is published, and whom to believe about it.
pub(crate) struct PublishedSet {
    agent: ureq::Agent,
    url: String,
    trusted: TrustedSet,
}

impl PublishedSet {
    pub(crate) fn new(config: &Config) -> Self {
        let agent =
            ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).proxy(None).build().new_agent();
        let url = format!("{}/v1/set/snapshot", config.enroll_server.trim_end_matches('/'));
        Self { agent, url, trusted: config.set.clone() }
    }

    /// Reads and checks the newest snapshot. Blocks.
    pub(crate) fn read(&self) -> Result<Frozen, SetError> {
        let read = || -> Result<Snapshot, ureq::Error> {
            self.agent.get(&self.url).call()?.body_mut().with_config().limit(MAX_SNAPSHOT).read_json()
        };
        let snapshot = read().map_err(|error| SetError::Unavailable(error.to_string()))?;
        let set = check(&snapshot, &self.trusted)?;
        Ok(Frozen { set, checkpoint: snapshot.checkpoint })
    }
}

fn check(snapshot: &Snapshot, trusted: &TrustedSet) -> Result<EligibleSet, SetError> {
    let checkpoint = snapshot.checkpoint.verify(&trusted.origin, &trusted.key)?;
    let found = snapshot.leaves.len() as u64;
    let leaves = SetError::Leaves { found, signed: checkpoint.size };
    if found > checkpoint.size {
        return Err(leaves);
    }
    let mut set = Set::default();
    match set.extend(snapshot.leaves.iter().map(|leaf| leaf.commitment)) {
        Ok(()) if set.root() == checkpoint.root => {}
        _ => return Err(leaves),
    }
    let people = || snapshot.leaves.iter().enumerate().filter(|(_, leaf)| is_person(leaf));
    if !trusted.devices.is_empty() {
        let keys: HashMap<DeviceId, DeviceKey> = trusted.devices.iter().map(|d| (d.device, d.key)).collect();
        let vouched = |leaf: &PublishedLeaf| {
            keys.get(&leaf.device)
                .is_some_and(|key| leaf_signature_holds(leaf.device, leaf.commitment, &leaf.signature, key))
        };
        if let Some((index, _)) = people().find(|(_, leaf)| !vouched(leaf)) {
            return Err(SetError::Unvouched { index });
        }
    }
    match people().count() as u64 {
        0 => Err(SetError::Empty),
        people => Ok(EligibleSet { root: checkpoint.root, size: checkpoint.size, people }),
    }
}

/// A removed person's leaf is zero; nobody can prove membership with it.
fn is_person(leaf: &PublishedLeaf) -> bool {
    leaf.commitment.0 != FieldElement::ZERO
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use p256::ecdsa::SigningKey as DeviceSigningKey;
    use unum_identity::checkpoint::Checkpoint;
    use unum_identity::envelope::{DeviceSigner as _, sign_leaf};
    use unum_identity::field::Commitment;
    use unum_identity::signed::service_key;

    use super::*;
    use crate::config::TrustedDevice;

    const ORIGIN: &str = "example.org/set";
    const DEVICE: DeviceId = DeviceId([4; 16]);

    fn device() -> DeviceSigningKey {
        DeviceSigningKey::from_slice(&[5; 32]).unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn trusted(devices: Vec<TrustedDevice>) -> TrustedSet {
        TrustedSet { origin: ORIGIN.into(), key: service_key(&key()), devices }
    }

    fn snapshot(leaves: &[u64]) -> Snapshot {
        let commitments = || leaves.iter().map(|leaf| Commitment((*leaf).into()));
        let mut set = Set::default();
        set.extend(commitments()).unwrap();
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: set.len(), root: set.root() };
        let leaf = |commitment| PublishedLeaf {
            commitment,
            device: DEVICE,
            signature: sign_leaf(DEVICE, commitment, &device()).unwrap(),
        };
        Snapshot { checkpoint: checkpoint.sign(&key()), leaves: commitments().map(leaf).collect() }
    }

    #[test]
    fn a_removed_leaf_is_no_person() {
        let set = check(&snapshot(&[1, 0, 3]), &trusted(vec![])).unwrap();
        assert_eq!((set.size, set.people), (3, 2));
    }

    #[test]
    fn every_person_needs_a_trusted_device() {
        let good = TrustedDevice { device: DEVICE, key: device().key() };
        check(&snapshot(&[1, 0, 3]), &trusted(vec![good.clone()])).unwrap();
        let mut forged = snapshot(&[1, 2, 3]);
        forged.leaves[1].signature = forged.leaves[0].signature;
        let refused = check(&forged, &trusted(vec![good.clone()]));
        assert!(matches!(refused, Err(SetError::Unvouched { index: 1 })), "{refused:?}");
        let other = TrustedDevice { device: DeviceId([9; 16]), ..good };
        let refused = check(&snapshot(&[1]), &trusted(vec![other]));
        assert!(matches!(refused, Err(SetError::Unvouched { index: 0 })), "{refused:?}");
    }

    #[test]
    fn refusals() {
        let refused = |snapshot: Snapshot| check(&snapshot, &trusted(vec![])).unwrap_err();
        assert!(matches!(refused(snapshot(&[])), SetError::Empty));
        assert!(matches!(refused(snapshot(&[0, 0])), SetError::Empty));
        let mut short = snapshot(&[1, 2, 3]);
        short.leaves.pop();
        assert!(matches!(refused(short), SetError::Leaves { found: 2, signed: 3 }));
        let mut swapped = snapshot(&[1, 2, 3]);
        swapped.leaves.swap(0, 1);
        assert!(matches!(refused(swapped), SetError::Leaves { found: 3, signed: 3 }));
        let other_key = TrustedSet { key: service_key(&SigningKey::from_bytes(&[8; 32])), ..trusted(vec![]) };
        let error = check(&snapshot(&[1]), &other_key).unwrap_err();
        assert!(matches!(error, SetError::Checkpoint(CheckpointError::NotSigned)));
    }
}
