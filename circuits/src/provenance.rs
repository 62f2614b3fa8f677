//! Where keys come from, as far as this program can tell by their hashes.
//!
//! Keys made by one person on one machine let that person forge proofs. For development that is no harm; where money is
//! real, a service asks before it starts.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use unum_identity::bytes::{CircuitHash, KeyHash};

use crate::VerifyingKey;

/// Who is behind a pair of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The repository's development ceremony: one person, one machine, and everyone has them.
    Development,
    /// Unknown to this program: made on this machine or by somebody else. Trust its maker, or do not use it.
    Local,
}

/// Hashes of a pair of keys: what a key folder's `keys.json` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHashes {
    /// The circuit that the keys belong to.
    pub circuit: CircuitHash,
    /// Hash of the proving key.
    pub proving_key: KeyHash,
    /// Hash of the verifying key.
    pub verifying_key: KeyHash,
}

/// The keys of the development ceremony, pinned in this program.
pub fn development() -> &'static KeyHashes {
    static PINNED: LazyLock<KeyHashes> = LazyLock::new(|| {
        let text = include_str!("../keys/development/keys.json");
        serde_json::from_str(text).expect("the file is tested")
    });
    &PINNED
}

impl Provenance {
    /// What is known of a verifying key.
    pub fn of(key: &VerifyingKey) -> Self {
        if key.hash() == development().verifying_key { Self::Development } else { Self::Local }
    }

    /// Whether several people had to conspire to forge proofs. Not one ceremony of that kind is pinned yet.
    pub fn is_ceremony_of_many(self) -> bool {
        match self {
            Self::Development | Self::Local => false,
        }
    }
}
