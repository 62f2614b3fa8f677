//! The server's own keys: one file each, 32 raw bytes, readable by the owner only.
//!
//! | file | key | if it is lost | if it is stolen |
//! |---|---|---|---|
//! | `sealing.key` | X25519, opens what devices seal | devices fetch the new one with their next session | envelopes recorded on the way can be opened |
//! | `signing.key` | Ed25519, signs checkpoints and receipts | everyone who follows the set has to be told the new one | somebody can sign another set |
//! | `template.key` | XChaCha20-Poly1305, encrypts eyes at rest | nobody can be compared any more: back it up, apart from the database | with the database: everyone's eyes |
//!
//! Keys that do not exist are made from the randomness handed in. Knows nothing of what they are used for.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use unum_identity::bytes::ServiceKey;
use unum_identity::envelope::OpeningKey;
use unum_identity::signed::service_key;
use zeroize::Zeroizing;

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

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The folder or a file cannot be read or written.
    #[error("cannot use {path}")]
    Io {
        /// Folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read the file. Treat the key as stolen, or correct the mode if it never was within reach.
    #[error("{path} has mode {mode:03o}, must be readable by its owner only")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key of this kind. Restore the file; do not delete it.
    #[error("{path} holds no key")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl Keys {
    /// Reads the keys of `folder`, after making those that are missing.
    ///
    /// # Errors
    ///
    /// A [`KeysError`] that names the file.
    pub fn load_or_create(folder: &Path, rng: &mut impl CryptoRng) -> Result<Self, KeysError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| KeysError::Io { path: folder.to_owned(), source })?;
        let opening = folder.join("sealing.key");
        Ok(Self {
            opening: OpeningKey::from_bytes(&*load_or_create(&opening, rng)?)
                .map_err(|_| KeysError::Malformed { path: opening })?,
            signing: SigningKey::from_bytes(&*load_or_create(&folder.join("signing.key"), rng)?),
            template: TemplateKey::from_bytes(&*load_or_create(&folder.join("template.key"), rng)?),
        })
    }

    /// The key that checkpoints and receipts are signed with: what others have to trust.
    pub fn service_key(&self) -> ServiceKey {
        service_key(&self.signing)
    }
}

/// Every 32 bytes are a key of each of the three kinds.
fn load_or_create(path: &Path, rng: &mut impl CryptoRng) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let io = |source| KeysError::Io { path: path.to_owned(), source };
    if !path.try_exists().map_err(io)? {
        create(path, rng).map_err(io)?;
    }
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Exposed { path: path.to_owned(), mode });
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(io)?);
    let key: [u8; 32] =
        bytes.as_slice().try_into().map_err(|_| KeysError::Malformed { path: path.to_owned() })?;
    Ok(Zeroizing::new(key))
}

/// Writes a file beside `path` and links it there: the name appears with its whole content or not at all, and of two
/// servers that start at once one makes the key and both read it.
fn create(path: &Path, rng: &mut impl CryptoRng) -> std::io::Result<()> {
    let mut key = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *key);
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&*key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    fn keys(folder: &Path) -> Result<Keys, KeysError> {
        Keys::load_or_create(folder, &mut UnwrapErr(SysRng))
    }

    #[test]
    fn made_once_and_then_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/folder");
        let (made, read) = (keys(&folder).unwrap(), keys(&folder).unwrap());
        assert_eq!(made.service_key(), read.service_key());
        assert_eq!(made.opening.sealing_key(), read.opening.sealing_key());
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|f| f.unwrap()).collect();
        assert_eq!(files.len(), 3, "no draft is left behind");
        for file in files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn two_folders_have_different_keys() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_ne!(keys(a.path()).unwrap().service_key(), keys(b.path()).unwrap().service_key());
    }

    #[test]
    fn refusals() {
        let folder = tempfile::tempdir().unwrap();
        keys(folder.path()).unwrap();
        let file = folder.path().join("template.key");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(keys(folder.path()), Err(KeysError::Exposed { mode: 0o640, .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, [0; 31]).unwrap();
        assert!(matches!(keys(folder.path()), Err(KeysError::Malformed { .. })));
    }

    #[test]
    fn debug_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(format!("{:?}", keys(folder.path()).unwrap()), "Keys");
    }
}
