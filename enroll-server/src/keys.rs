//! The server's own keys: a [`key_file`] each.
//!
//! | file | key | if it is lost | if it is stolen |
//! |---|---|---|---|
//! | `sealing.key` | X25519, opens what devices seal | devices fetch the new one with their next session | envelopes recorded on the way can be opened |
//! | `signing.key` | Ed25519, signs checkpoints and receipts | everyone who follows the set has to be told the new one | somebody can sign another set |
//! | `template.key` | XChaCha20-Poly1305, encrypts eyes at rest, in the database and in segments | nobody can be compared any more: back it up, apart from both | with the database or the segments: everyone's eyes |
//!
//! Keys that do not exist are made from the randomness handed in. Knows nothing of what they are used for.

use std::fmt;
use std::path::Path;

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use service::key_file::{self, KeyFileError};
use unum_identity::bytes::ServiceKey;
use unum_identity::envelope::OpeningKey;
use unum_identity::signed::service_key;

use crate::sealed::TemplateKey;

/// All three. Each is wiped when dropped.
pub struct Keys {
    pub(crate) opening: OpeningKey,
    pub(crate) signing: SigningKey,
    pub(crate) template: TemplateKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Reads the keys of `folder`, after making those that are missing.
    ///
    /// # Errors
    ///
    /// A [`KeyFileError`] that names the file.
    pub fn load_or_create(folder: &Path, rng: &mut impl CryptoRng) -> Result<Self, KeyFileError> {
        let mut key = |name| key_file::load_or_create(&folder.join(name), rng);
        Ok(Self {
            opening: OpeningKey::from_bytes(&*key("sealing.key")?)
                .map_err(|_| KeyFileError::Malformed { path: folder.join("sealing.key") })?,
            signing: SigningKey::from_bytes(&*key("signing.key")?),
            template: TemplateKey::from_bytes(&*key("template.key")?),
        })
    }

    /// The key that checkpoints and receipts are signed with: what others have to trust.
    pub fn service_key(&self) -> ServiceKey {
        service_key(&self.signing)
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    fn keys(folder: &Path) -> Result<Keys, KeyFileError> {
        Keys::load_or_create(folder, &mut UnwrapErr(SysRng))
    }

    #[test]
    fn made_once_and_then_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/folder");
        let (made, read) = (keys(&folder).unwrap(), keys(&folder).unwrap());
        assert_eq!(made.service_key(), read.service_key());
        assert_eq!(made.opening.sealing_key(), read.opening.sealing_key());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
    }

    #[test]
    fn two_folders_have_different_keys() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_ne!(keys(a.path()).unwrap().service_key(), keys(b.path()).unwrap().service_key());
    }

    #[test]
    fn debug_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(format!("{:?}", keys(folder.path()).unwrap()), "Keys");
    }
}
