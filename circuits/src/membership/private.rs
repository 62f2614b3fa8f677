//! What only the wallet knows.

use std::fmt;

use unum_identity::field::{ExternalNullifier, SignalHash};
use unum_identity::secret::Identity;
use unum_identity::set::MerklePath;

use super::Public;

/// Private inputs of the statement. The path is as secret as the identity: it names the leaf.
#[derive(Clone)]
pub struct Private {
    /// Whoever has it is that person.
    pub identity: Identity,
    /// From the identity's commitment to the root.
    pub path: MerklePath,
}

impl Private {
    /// What is true of them: the root that the path leads to, and the identity's nullifier.
    pub fn statement(&self, external_nullifier: ExternalNullifier, signal_hash: SignalHash) -> Public {
        Public {
            root: self.path.root(self.identity.commitment()),
            nullifier: self.identity.nullifier(external_nullifier),
            signal_hash,
            external_nullifier,
        }
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private")
    }
}
