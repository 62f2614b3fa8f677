//! The key that signs receipts and statements: the file `signing.key`, 32 raw bytes, readable by its owner only.
//!
//! If it is lost, everyone who checks receipts has to be told the new one; old receipts stay good. If it is stolen,
//! somebody can sign receipts for payments that the ledger does not have: `ledger check` and the sealed statements
//! show which are real.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The folder or the file cannot be read or written.
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
    /// Not 32 bytes. Restore the file; do not delete it.
    #[error("{path} holds no key")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the key in `folder`, after making it from `rng` if there is none.
///
/// # Errors
///
/// A [`KeyError`] that names the file.
pub fn load_or_create(folder: &Path, rng: &mut impl CryptoRng) -> Result<SigningKey, KeyError> {
    let path = folder.join("signing.key");
    let io = |source| KeyError::Io { path: path.clone(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    if !path.try_exists().map_err(io)? {
        create(&path, rng).map_err(io)?;
    }
    let mode = fs::metadata(&path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path, mode });
    }
    let bytes = Zeroizing::new(fs::read(&path).map_err(io)?);
    match <&[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(SigningKey::from_bytes(key)),
        Err(_) => Err(KeyError::Malformed { path }),
    }
}

/// Writes a draft beside `path` and links it there: the name appears with its whole content or not at all, and of two
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
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    fn key(folder: &Path) -> Result<SigningKey, KeyError> {
        load_or_create(folder, &mut UnwrapErr(SysRng))
    }

    #[test]
    fn made_once_and_then_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/folder");
        assert_eq!(key(&folder).unwrap(), key(&folder).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn refusals() {
        let folder = tempfile::tempdir().unwrap();
        key(folder.path()).unwrap();
        let file = folder.path().join("signing.key");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(key(folder.path()), Err(KeyError::Exposed { mode: 0o640, .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, [0; 31]).unwrap();
        assert!(matches!(key(folder.path()), Err(KeyError::Malformed { .. })));
    }
}
