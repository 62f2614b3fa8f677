//! What only the wallet knows.

use std::fmt;

use unum_identity::secret::Identity;
use unum_identity::set::MerklePath;

/// Private inputs of the statement. The path is as secret as the identity: it names the leaf.
#[derive(Clone)]
pub struct Private {
    /// Whoever has it is that person.
    pub identity: Identity,
    /// From the identity's commitment to the root.
    pub path: MerklePath,
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private")
    }
}
