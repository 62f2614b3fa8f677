//! A key in a file of its own: 32 raw bytes, readable by its owner only, made when it is first asked for.
//!
//! Knows nothing of what a key is used for; every 32 bytes are a key of each kind that services keep.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
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
    /// Not a key of this kind. Restore the file; do not delete it.
    #[error("{path} holds no key")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the key at `path`, after making it from `rng`, and the folder around it, if it does not exist.
///
/// # Errors
///
/// A [`KeyFileError`] that names the file.
pub fn load_or_create(path: &Path, rng: &mut impl CryptoRng) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    if !path.try_exists().map_err(io)? {
        create(path, rng).map_err(io)?;
    }
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(io)?);
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(_) => Err(KeyFileError::Malformed { path: path.to_owned() }),
    }
}

/// Writes a draft beside `path` and links it there: the name appears with its whole content or not at all, and of two
/// servers that start at once one makes the key and both read it.
fn create(path: &Path, rng: &mut impl CryptoRng) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
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
        _ => fs::File::open(folder)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    fn key(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        load_or_create(path, &mut UnwrapErr(SysRng))
    }

    #[test]
    fn made_once_and_then_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/folder");
        let path = folder.join("signing.key");
        assert_eq!(key(&path).unwrap(), key(&path).unwrap());
        assert_ne!(key(&path).unwrap(), key(&folder.join("other.key")).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "no draft is left behind");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn refusals() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        key(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(key(&path), Err(KeyFileError::Exposed { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [0; 31]).unwrap();
        assert!(matches!(key(&path), Err(KeyFileError::Malformed { .. })));
        let below_a_file = path.join("signing.key");
        assert!(matches!(key(&below_a_file), Err(KeyFileError::Io { .. })));
    }
}
