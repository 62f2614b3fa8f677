//! Keys on disk: a folder with `proving.key`, `verifying.key`, and `keys.json` that names their hashes. In place of
//! `proving.key` there may be `proving.download`, the same key in the form to download.
//!
//! The one part of this crate that does I/O, behind the feature `folder`: the library that proves and verifies is
//! handed bytes, and only programs that make key folders or read a key from disk turn it on.
//!
//! A folder appears whole or not at all: it is written beside its place and renamed, so that two programs that
//! create it at once end with the keys of one of them. `keys.json` lies beside what it describes, so it shows
//! damage, not fraud; whoever trusts nobody compares the hashes with those from elsewhere.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;

use crate::provenance::KeyHashes;
use crate::{Description, KeyError, ProvingKey, VerifyingKey};

const PROVING: &str = "proving.key";
const DOWNLOAD: &str = "proving.download";
const VERIFYING: &str = "verifying.key";
const HASHES: &str = "keys.json";

/// A folder that holds a pair of keys.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    path: PathBuf,
    hashes: KeyHashes,
}

/// Why a folder has no keys to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("cannot read or write {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is something else in the folder. Choose another place.
    #[error("{path} is not empty and holds no keys")]
    Occupied {
        /// Which folder.
        path: PathBuf,
    },
    /// `keys.json` cannot be read as such.
    #[error("{path} does not name the hashes of keys")]
    Hashes {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A key is damaged, exchanged or of another version. Remove the folder and create the keys again; proofs made
    /// with the old ones are then void.
    #[error("{path} cannot be used")]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// Both keys are whole, but they are not a pair.
    #[error("the two keys in {path} are not a pair")]
    NoPair {
        /// Which folder.
        path: PathBuf,
    },
}

impl KeyFolder {
    /// The keys in `path`, made first if there are none. An existing pair is never replaced.
    ///
    /// # Errors
    ///
    /// A [`FolderError`]; the keys themselves are not read yet.
    pub fn open_or_create(path: &Path, rng: &mut dyn CryptoRng) -> Result<Self, FolderError> {
        if Self::exists(path) { Self::open(path) } else { Self::create(path, || ProvingKey::generate(rng)) }
    }

    /// A new folder with `key` and its other half, made elsewhere: by a ceremony.
    ///
    /// # Errors
    ///
    /// [`FolderError::Occupied`] if there is something in it, even keys, or [`FolderError::Io`].
    pub fn create_with(path: &Path, key: ProvingKey) -> Result<Self, FolderError> {
        Self::create(path, || key)
    }

    /// Whether `path` names a pair of keys.
    pub fn exists(path: &Path) -> bool {
        path.join(HASHES).exists()
    }

    /// The keys in `path`, not read yet.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`] or [`FolderError::Hashes`].
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let file = path.join(HASHES);
        let hashes = serde_json::from_slice(&read(&file)?)
            .map_err(|source| FolderError::Hashes { path: file, source })?;
        Ok(Self { path: path.to_owned(), hashes })
    }

    fn create(path: &Path, key: impl FnOnce() -> ProvingKey) -> Result<Self, FolderError> {
        let occupied = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            return Err(FolderError::Occupied { path: path.to_owned() });
        }
        let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(io_error(parent))?;
        let draft = tempfile::Builder::new().prefix(".keys-").tempdir_in(parent).map_err(io_error(parent))?;
        write_pair(draft.path(), &key())?;
        match fs::rename(draft.path(), path) {
            Ok(()) => {
                let _moved = draft.keep(); // nothing is left to remove at the old place
                sync(parent)?;
            }
            Err(_) if Self::exists(path) => {} // somebody else was first; `draft` removes itself
            Err(source) => return Err(FolderError::Io { path: path.to_owned(), source }),
        }
        Self::open(path)
    }

    /// What `keys.json` says.
    pub fn hashes(&self) -> &KeyHashes {
        &self.hashes
    }

    /// Whether the proving key is there, in either form: verifiers need only the other half.
    pub fn has_proving_key(&self) -> bool {
        [PROVING, DOWNLOAD].iter().any(|name| self.path.join(name).exists())
    }

    /// Keeps the proving key in the form to download only, which is less than half as long and slower to read.
    ///
    /// # Errors
    ///
    /// As [`KeyFolder::proving_key`].
    pub fn pack(&self) -> Result<(), FolderError> {
        let (key, plain) = (self.proving_key()?, self.path.join(PROVING));
        write(&self.path.join(DOWNLOAD), &key.to_download())?;
        fs::remove_file(&plain).map_err(io_error(&plain))?; // only after the other is on disk
        sync(&self.path)
    }

    /// Reads the proving key.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`] or [`FolderError::Key`].
    pub fn proving_key(&self) -> Result<ProvingKey, FolderError> {
        let (plain, download) = (self.path.join(PROVING), self.path.join(DOWNLOAD));
        let expected = &self.hashes.proving_key;
        let (key, path) = if download.exists() && !plain.exists() {
            (ProvingKey::from_download(&read(&download)?, expected), download)
        } else {
            (ProvingKey::from_bytes(&read(&plain)?, expected), plain)
        };
        key.map_err(|source| FolderError::Key { path, source })
    }

    /// Reads the verifying key.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`] or [`FolderError::Key`].
    pub fn verifying_key(&self) -> Result<VerifyingKey, FolderError> {
        let path = self.path.join(VERIFYING);
        let key = read_verifying_key(&path)?;
        let (expected, found) = (self.hashes.verifying_key, key.hash());
        if found != expected {
            return Err(FolderError::Key { path, source: KeyError::OtherKey { expected, found } });
        }
        Ok(key)
    }

    /// Reads both keys and sees that they are a pair for this program's circuit.
    ///
    /// # Errors
    ///
    /// A [`FolderError`].
    pub fn check(&self) -> Result<(), FolderError> {
        let pair = self.proving_key()?.verifying_key() == self.verifying_key()?;
        if pair && self.hashes.circuit == Description::pinned().sha256 {
            Ok(())
        } else {
            Err(FolderError::NoPair { path: self.path.clone() })
        }
    }
}

/// Reads a verifying key that lies anywhere: what a service that only verifies has of a key folder.
///
/// # Errors
///
/// [`FolderError::Io`] or [`FolderError::Key`].
pub fn read_verifying_key(path: &Path) -> Result<VerifyingKey, FolderError> {
    VerifyingKey::from_bytes(&read(path)?)
        .map_err(|source| FolderError::Key { path: path.to_owned(), source })
}

fn write_pair(folder: &Path, key: &ProvingKey) -> Result<(), FolderError> {
    let verifying = key.verifying_key();
    let hashes = KeyHashes {
        circuit: Description::pinned().sha256,
        proving_key: key.hash(),
        verifying_key: verifying.hash(),
    };
    let mut text = serde_json::to_vec_pretty(&hashes).expect("hashes are text");
    text.push(b'\n');
    write(&folder.join(PROVING), &key.to_bytes())?;
    write(&folder.join(VERIFYING), &verifying.to_bytes())?;
    write(&folder.join(HASHES), &text)?;
    // A temporary folder is its owner's alone; keys are for every service on the machine.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(io_error(folder))?;
    }
    sync(folder)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(io_error(path))
}

fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(io_error(path))
}

/// Makes names in a folder survive a crash.
fn sync(folder: &Path) -> Result<(), FolderError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error(folder))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    |source| FolderError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use rand_core::UnwrapErr;

    use super::*;

    fn keys() -> (tempfile::TempDir, KeyFolder) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("deep/keys");
        let folder = KeyFolder::open_or_create(&path, &mut UnwrapErr(getrandom::SysRng)).unwrap();
        (place, folder)
    }

    #[test]
    fn keys_are_made_once() {
        let (_place, folder) = keys();
        folder.check().unwrap();
        let again = KeyFolder::open_or_create(&folder.path, &mut UnwrapErr(getrandom::SysRng)).unwrap();
        assert_eq!(again.hashes(), folder.hashes());
        let beside = fs::read_dir(folder.path.parent().unwrap()).unwrap().count();
        assert_eq!(beside, 1, "no draft is left behind");
    }

    #[test]
    fn a_packed_folder_is_as_good() {
        let (_place, folder) = keys();
        let key = folder.proving_key().unwrap();
        folder.pack().unwrap();
        assert!(!folder.path.join(PROVING).exists() && folder.has_proving_key());
        folder.check().unwrap();
        assert_eq!(folder.proving_key().unwrap().hash(), key.hash());
    }

    /// The keys that the repository carries: whole, a pair, for this circuit, and the ones that are pinned. Their
    /// ceremony is followed by `circuits ceremony check`.
    #[test]
    fn the_development_keys_are_the_pinned_ones() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/development");
        let folder = KeyFolder::open(&path).unwrap();
        folder.check().unwrap();
        assert_eq!(folder.hashes(), crate::provenance::development());
        let key = folder.verifying_key().unwrap();
        assert_eq!(crate::Provenance::of(&key), crate::Provenance::Development);
        let (_place, own) = keys();
        assert_eq!(crate::Provenance::of(&own.verifying_key().unwrap()), crate::Provenance::Local);
        let known = [crate::Provenance::Development, crate::Provenance::Local];
        assert!(known.into_iter().all(|provenance| !provenance.is_ceremony_of_many()));
    }

    #[test]
    fn keys_made_elsewhere_get_a_folder_of_their_own() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("keys");
        let key = &*crate::keys::tests::KEY;
        let folder = KeyFolder::create_with(&path, key.clone()).unwrap();
        folder.check().unwrap();
        assert_eq!(folder.proving_key().unwrap().hash(), key.hash());
        let refusal = KeyFolder::create_with(&path, key.clone());
        assert!(matches!(refusal, Err(FolderError::Occupied { .. })));
    }

    #[test]
    fn names_are_made_to_last_where_they_are() {
        let place = tempfile::tempdir().unwrap();
        sync(place.path()).unwrap();
        assert!(matches!(sync(&place.path().join("nowhere")), Err(FolderError::Io { .. })));
    }

    #[test]
    fn damage_is_seen() {
        let (_place, folder) = keys();
        let path = folder.path.join(PROVING);
        let mut bytes = fs::read(&path).unwrap();
        bytes[100_000] ^= 1;
        fs::write(&path, bytes).unwrap();
        let refusal = folder.check().unwrap_err();
        assert!(matches!(refusal, FolderError::Key { source: KeyError::OtherKey { .. }, .. }), "{refusal}");
    }

    #[test]
    fn two_halves_of_different_pairs_are_seen() {
        let ((_a, mine), (_b, other)) = (keys(), keys());
        fs::copy(other.path.join(VERIFYING), mine.path.join(VERIFYING)).unwrap();
        assert!(matches!(mine.check(), Err(FolderError::Key { .. })));
        let hashes = KeyHashes { verifying_key: other.hashes.verifying_key, ..mine.hashes };
        fs::write(mine.path.join(HASHES), serde_json::to_vec(&hashes).unwrap()).unwrap();
        assert!(matches!(KeyFolder::open(&mine.path).unwrap().check(), Err(FolderError::NoPair { .. })));
    }

    #[test]
    fn other_files_are_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("holiday.txt"), "mine").unwrap();
        let refusal = KeyFolder::open_or_create(place.path(), &mut UnwrapErr(getrandom::SysRng));
        assert!(matches!(refusal, Err(FolderError::Occupied { .. })));
    }
}
