//! The key that claims are checked with, and who could forge them.
//!
//! Whoever made the proofs' keys alone could have kept what it takes to prove anything, and claim everybody's share. So
//! the server wants to be told which ceremony the key comes from, or, in so many words, that it does not matter.

use circuits::folder::{FolderError, read_verifying_key};
use circuits::{Provenance, VerifyingKey};
use unum_identity::bytes::KeyHash;

use crate::Config;

/// Why the server does not check claims with this key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofKeyError {
    /// Make or copy the file.
    #[error(transparent)]
    NoKey(#[from] FolderError),
    /// Exchanged, or the ceremony was another. Fetch the right key, or correct the configuration.
    #[error("the verifying key's hash is {found}, ceremony_key says {expected}")]
    Other {
        /// The configuration's.
        expected: KeyHash,
        /// The file's.
        found: KeyHash,
    },
    /// One party made it, as far as this server knows.
    #[error(
        "whoever made this verifying key ({}) may be able to forge claims: use a ceremony's key and name its hash \
         in ceremony_key, or set accept_keys_of_one_maker = true where the money buys nothing",
        if *.0 == Provenance::Development { "the development ceremony's" } else { "of unknown origin" }
    )]
    OneMaker(Provenance),
}

/// Reads the key, if the configuration says that it may be used.
pub(crate) fn load(config: &Config) -> Result<VerifyingKey, ProofKeyError> {
    let key = read_verifying_key(&config.verifying_key)?;
    let (found, provenance) = (key.hash(), Provenance::of(&key));
    if let Some(expected) = config.ceremony_key.filter(|expected| *expected != found) {
        return Err(ProofKeyError::Other { expected, found });
    }
    // The development ceremony was one person's, whatever an operator takes it for.
    let named = config.ceremony_key.is_some() && provenance != Provenance::Development;
    if named || provenance.is_ceremony_of_many() || config.accept_keys_of_one_maker {
        Ok(key)
    } else {
        Err(ProofKeyError::OneMaker(provenance))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DEVELOPMENT: &[u8] = include_bytes!("../../circuits/keys/development/verifying.key");

    /// What the server says to a key, a pinned hash, and whether keys of one maker are accepted.
    fn says(bytes: &[u8], pinned: Option<KeyHash>, accept: bool) -> Result<(), ProofKeyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("membership.vk");
        std::fs::write(&path, bytes).unwrap();
        let config = json!({
            "bind": "127.0.0.1:0",
            "ledger": "ab".repeat(16),
            "keys": "keys",
            "verifying_key": path,
            "ceremony_key": pinned,
            "accept_keys_of_one_maker": accept,
            "enroll_server": "http://127.0.0.1:8080",
            "set": { "origin": "example.org/set", "key": "cd".repeat(32) },
        });
        load(&serde_json::from_value(config).unwrap()).map(|_| ())
    }

    /// A key that nobody made: the development ceremony's, two of its points exchanged.
    fn unknown() -> VerifyingKey {
        let mut bytes = DEVELOPMENT.to_vec();
        let (rest, last) = bytes.split_at_mut(DEVELOPMENT.len() - 64);
        let place = rest.len() - 64;
        rest[place..].swap_with_slice(last);
        VerifyingKey::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn a_key_is_used_only_if_somebody_vouches_for_it() {
        let key = unknown();
        let (bytes, hash, other) = (key.to_bytes(), key.hash(), KeyHash([7; 32]));
        assert!(matches!(says(&bytes, None, false), Err(ProofKeyError::OneMaker(Provenance::Local))));
        assert!(says(&bytes, None, true).is_ok());
        assert!(says(&bytes, Some(hash), false).is_ok());
        for accept in [false, true] {
            let refusal = says(&bytes, Some(other), accept);
            assert!(
                matches!(refusal, Err(ProofKeyError::Other { expected, found }) if (expected, found) == (other, hash))
            );
        }
    }

    #[test]
    fn the_development_key_is_never_taken_for_a_ceremony() {
        let hash = VerifyingKey::from_bytes(DEVELOPMENT).unwrap().hash();
        for pinned in [None, Some(hash)] {
            let refusal = says(DEVELOPMENT, pinned, false).unwrap_err();
            assert!(matches!(refusal, ProofKeyError::OneMaker(Provenance::Development)), "{refusal}");
            assert!(says(DEVELOPMENT, pinned, true).is_ok());
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        assert!(matches!(says(b"no key", None, true), Err(ProofKeyError::NoKey(_))));
        assert!(matches!(says(&DEVELOPMENT[..100], None, true), Err(ProofKeyError::NoKey(_))));
    }
}
